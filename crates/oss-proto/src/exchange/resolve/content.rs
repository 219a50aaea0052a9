//! What a put and an append leave behind: bytes that we sent.

use core::time::Duration;

use super::{Finding, Known, Marks, is_older, is_versioned, number};
use crate::{Checksum, Draft, Payload, ReplyHead};

/// What the write leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::exchange) struct Content {
    /// Where it begins in the object: 0, but for an append.
    position: u64,
    len: u64,
    /// The length is the body's own, and not what left of it before an answer came.
    is_whole: bool,
    /// Of the whole object; `None` when nobody can know it.
    crc: Option<u64>,
    is_append: bool,
    marks: Marks,
}

impl Content {
    pub(super) fn of(draft: &Draft, known: Known) -> Option<Self> {
        let is_append = draft.operation == "AppendObject";
        let sent = known.sent;
        let len = draft.body.len();
        let crc = match &draft.body {
            Payload::Empty => Some(0),
            Payload::Bytes(bytes) => Some(oss_crc::checksum(bytes)),
            Payload::Stream { .. } if len.is_none_or(|len| len == sent.0) => sent.1,
            Payload::Stream { .. } => None,
        };
        let sent_len = len.unwrap_or(sent.0);
        let crc = crc.and_then(|crc| match draft.checksum {
            Checksum::Appended { initial } => Some(oss_crc::combine(initial, crc, sent_len)),
            // Of an append without the CRC-64 of what was there before, nobody knows that of the whole.
            _ if is_append => None,
            _ => Some(crc),
        });
        let position = draft.query.iter().find(|(name, _)| name == "position");
        let position = if is_append { position?.1.parse().ok()? } else { 0 };
        // Only the append that begins an object may set metadata; OSS ignores that of the others.
        let marks = if is_append && !known.is_marked { Marks::default() } else { Marks::of(draft, known) };
        Some(Self { position, len: sent_len, is_whole: len.is_some(), crc, is_append, marks })
    }

    pub(super) fn find(&self, head: Option<&ReplyHead>, elapsed: Duration) -> Finding {
        let before = self.is_append && self.position > 0;
        let Some(head) = head else { return if before { Finding::Others } else { Finding::Before } };
        let Some(len) = number(head, "content-length") else { return Finding::Unclear };
        let kind = head.header("x-oss-object-type");
        let is_appendable = kind == Some("Appendable");
        if self.is_append && is_appendable && len == self.position {
            return Finding::Before;
        }
        let end = self.position.saturating_add(self.len);
        let is_kind = !self.is_append || is_appendable;
        if self.marks.is_unique && self.marks.fit(head) {
            // Made by this call. What differs was done to it on its way here, or after it.
            let is_intact = (!self.is_whole || len == end)
                && (!self.is_whole
                    || self.crc.is_none()
                    || !matches!(head.crc64(), Ok(crc) if crc != self.crc));
            return if is_intact { Finding::Ours } else { Finding::Unclear };
        }
        // What left of a stream without a length may be its beginning, and just what somebody else wrote.
        let is_all = self.is_whole && len == end;
        let is_ours = is_kind && is_all && self.crc.is_some() && head.crc64() == Ok(self.crc);
        if is_ours && self.marks.fit(head) {
            return if is_older(head, elapsed) { Finding::Others } else { Finding::Ours };
        }
        // As long as ours would be, and nothing says what is in it; or nobody knows how long that is.
        let has_crc = self.crc.is_some() && matches!(head.crc64(), Ok(Some(_)));
        let is_untold = !self.is_whole || (len == end && !has_crc);
        // Longer than ours would be: somebody may have appended after us, and ours is in it.
        let may_be_within = is_appendable && len > end && !is_older(head, elapsed);
        let is_untold = is_untold || (self.is_append && (kind.is_none() || may_be_within));
        let is_untold = is_untold && !self.marks.is_unique;
        if is_untold || is_versioned(head) { Finding::Unclear } else { Finding::Others }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CRC_HELLO, DATE, head, service, trace};
    use super::super::{Known, Trace, mark};
    use super::*;
    use crate::{AppendObject, Operation as _, PutObject, Replay};

    #[test]
    fn f60_ours_is_what_has_our_length_our_checksum_and_our_metadata() {
        let put = PutObject::new("bucket", "a", "hello").forbid_overwrite(true).metadata([("id", "7")]);
        let trace = trace(&put.draft().unwrap()).unwrap();
        let crc = ("x-oss-hash-crc64ecma", CRC_HELLO);
        let id = ("x-oss-meta-id", "7");
        for (answer, due) in [
            (&[("content-length", "5"), crc, id][..], Finding::Ours),
            (&[("content-length", "5"), crc], Finding::Others),
            (&[("content-length", "5"), crc, ("x-oss-meta-id", "8")], Finding::Others),
            (&[("content-length", "6"), crc, id], Finding::Others),
            (&[("content-length", "5"), ("x-oss-hash-crc64ecma", "1"), id], Finding::Others),
            (&[("content-length", "5"), id], Finding::Unclear),
            (&[("content-length", "6"), id, ("x-oss-version-id", "v1")], Finding::Unclear),
            // A bucket that kept versions once: what is put there again is not refused.
            (&[("content-length", "6"), id, ("x-oss-version-id", "null")], Finding::Unclear),
            (&[("content-length", "5"), id, ("x-oss-hash-crc64ecma", "none")], Finding::Unclear),
            (&[crc, id], Finding::Unclear),
        ] {
            assert_eq!(trace.find(Some(&head(answer)), None, Duration::ZERO), due, "{answer:?}");
        }
        assert_eq!(trace.find(None, None, Duration::ZERO), Finding::Before);
    }

    /// Found by the simulator (seed 255044): nothing had left, and somebody else had put an empty object.
    #[test]
    fn f60_i01_the_beginning_of_a_stream_without_length_is_no_proof() {
        let body = Payload::Stream { len: None, replay: Replay::FromStart };
        let put = PutObject::new("bucket", "a", body).forbid_overwrite(true);
        let known = Known { sent: (0, Some(0)), ..Known::default() };
        let trace = Trace::of(&put.draft().unwrap(), &service(), known).unwrap();
        let empty = head(&[("content-length", "0"), ("x-oss-hash-crc64ecma", "0")]);
        assert_eq!(trace.find(Some(&empty), None, Duration::ZERO), Finding::Unclear);
    }

    #[test]
    fn f60_what_was_there_before_the_call_is_not_ours() {
        let put = PutObject::new("bucket", "a", "hello").forbid_overwrite(true);
        let trace = trace(&put.draft().unwrap()).unwrap();
        let answer = head(&[
            ("content-length", "5"),
            ("x-oss-hash-crc64ecma", CRC_HELLO),
            DATE,
            ("last-modified", "Sat, 16 Dec 2023 16:20:47 GMT"),
        ]);
        for (elapsed, due) in [(0, Finding::Others), (6, Finding::Others), (7, Finding::Ours)] {
            assert_eq!(trace.find(Some(&answer), None, Duration::from_secs(elapsed)), due, "{elapsed}");
        }
    }

    #[test]
    fn f60_with_a_nonce_the_look_is_certain_whatever_the_length_and_the_checksum() {
        let marking = service().with(|settings| settings.write_nonce = true);
        let stream = |len| Payload::Stream { len, replay: Replay::Once };
        let nonce = ("x-oss-meta-write-nonce", "02a3e1a3ba8d1b1c");
        let of = |len, seed_nonce: bool| {
            let put = PutObject::new("bucket", "a", stream(len)).forbid_overwrite(true);
            let mut draft = put.draft().unwrap();
            assert!(mark(&mut draft, &marking, 7));
            let ours = draft.headers.iter_mut().find(|(name, _)| name == nonce.0).unwrap();
            ours.1 = if seed_nonce { nonce.1.into() } else { "another".into() };
            let known = Known { sent: (3, Some(1)), is_marked: true, ..Known::default() };
            Trace::of(&draft, &marking, known).unwrap()
        };
        let crc = ("x-oss-hash-crc64ecma", CRC_HELLO);
        let answer = head(&[("content-length", "5"), crc, nonce]);
        assert_eq!(of(None, true).find(Some(&answer), None, Duration::ZERO), Finding::Ours);
        assert_eq!(of(None, false).find(Some(&answer), None, Duration::ZERO), Finding::Others);
        assert_eq!(of(Some(5), true).find(Some(&answer), None, Duration::ZERO), Finding::Ours);
        assert_eq!(of(Some(6), true).find(Some(&answer), None, Duration::ZERO), Finding::Unclear);
        let damaged = head(&[("content-length", "3"), crc, nonce]);
        assert_eq!(of(Some(3), true).find(Some(&damaged), None, Duration::ZERO), Finding::Unclear);
    }

    #[test]
    fn f61_an_append_is_ours_when_the_object_ends_where_it_ends() {
        let append = AppendObject::new("bucket", "a", 3_u64, "lo").initial_crc64(oss_crc::checksum(b"hel"));
        let trace = trace(&append.draft().unwrap()).unwrap();
        let kind = ("x-oss-object-type", "Appendable");
        let crc = ("x-oss-hash-crc64ecma", CRC_HELLO);
        let old = ("last-modified", "Sat, 16 Dec 2023 15:20:57 GMT");
        for (answer, due) in [
            (&[("content-length", "5"), crc, kind][..], Finding::Ours),
            (&[("content-length", "3"), kind], Finding::Before),
            (&[("content-length", "5"), ("x-oss-hash-crc64ecma", "1"), kind], Finding::Others),
            (&[("content-length", "4"), crc, kind], Finding::Others),
            // Another append may have followed ours.
            (&[("content-length", "7"), crc, kind], Finding::Unclear),
            (&[("content-length", "7"), crc, kind, DATE, old], Finding::Others),
            (&[("content-length", "5"), crc], Finding::Unclear),
            (&[("content-length", "5"), ("x-oss-hash-crc64ecma", "no number"), kind], Finding::Unclear),
            (&[("content-length", "5"), crc, ("x-oss-object-type", "Normal")], Finding::Others),
        ] {
            assert_eq!(trace.find(Some(&head(answer)), None, Duration::ZERO), due, "{answer:?}");
        }
        assert_eq!(trace.find(None, None, Duration::ZERO), Finding::Others);
    }
}
