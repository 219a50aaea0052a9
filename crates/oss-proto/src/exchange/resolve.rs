//! Whether a conditional write took effect of which nobody knows: one look at the object tells. Pure
//! functions; the transitions are in `machine.rs`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use oss_sign::UnixTime;

use super::verdict::Unsuccessful;
use crate::{Checksum, Draft, ErrorKind, InvalidRequest, Payload, ReplyHead, Scope, Service};

/// A write that is set aside while the object is looked at.
pub(super) struct Aside {
    pub(super) write: Result<Draft, InvalidRequest>,
    pub(super) trace: Trace,
    /// The service refused the write, and what it refuses it for may be its own first arrival.
    pub(super) is_conflict: bool,
}

/// What the write leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trace {
    /// Where it begins in the object: 0, but for an append.
    position: u64,
    len: u64,
    /// The length is the body's own, and not what left of it before an answer came.
    is_whole: bool,
    /// Of the whole object; `None` when nobody can know it.
    crc: Option<u64>,
    is_append: bool,
    metadata: Vec<(Cow<'static, str>, String)>,
}

/// What the look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The object is what the write makes it.
    Ours,
    /// The object is as it was before: the write may be made again.
    Before,
    /// The object is something else: made again, the write is refused by its own condition.
    Others,
    /// It cannot be told, or the condition would not hold a second write back.
    Unclear,
}

impl Finding {
    /// For the journal.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ours => "found what was written",
            Self::Before => "found it not written",
            Self::Others => "found something else",
            Self::Unclear => "found nothing certain",
        }
    }
}

impl Trace {
    /// The trace of a write, when a look at the object can tell it: `PutObject` that forbids to overwrite and
    /// `AppendObject`. `sent` is how many bytes of the body left last, and their CRC-64.
    pub(super) fn of(draft: &Draft, service: &Service, sent: (u64, Option<u64>)) -> Option<Self> {
        let is_append = draft.operation == "AppendObject";
        let is_put = draft.operation == "PutObject" && draft.header("x-oss-forbid-overwrite") == Some("true");
        // A versioned bucket takes a second write whatever the first one did.
        if !(is_append || is_put) || service.buckets_versioned {
            return None;
        }
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
        let is_metadata = |name: &str| name.to_ascii_lowercase().starts_with("x-oss-meta-");
        let metadata = draft.headers.iter().filter(|(name, _)| !is_append && is_metadata(name));
        let metadata = metadata.cloned().collect();
        Some(Self { position, len: sent_len, is_whole: len.is_some(), crc, is_append, metadata })
    }

    /// The look: a `HeadObject` of the same object.
    pub(super) fn question(write: &Draft) -> Draft {
        let mut head = Draft::new("HeadObject", http::Method::HEAD, Scope::Object);
        head.effect = crate::Effect::Read;
        head.bucket.clone_from(&write.bucket);
        head.key.clone_from(&write.key);
        let payer = write.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-oss-request-payer"));
        head.headers.extend(payer.cloned());
        head
    }

    /// What the answer to the look says, `None` when there is no object; the call began so long ago.
    ///
    /// Two writers of the same bytes at the same time cannot be told apart, unless their metadata differ.
    pub(super) fn find(&self, head: Option<&ReplyHead>, elapsed: Duration) -> Finding {
        let before = self.is_append && self.position > 0;
        let Some(head) = head else { return if before { Finding::Others } else { Finding::Before } };
        let number = |name| head.field::<Option<u64>>(name).ok().flatten();
        let Some(len) = number("content-length") else { return Finding::Unclear };
        let is_appendable = head.header("x-oss-object-type") == Some("Appendable");
        if self.is_append && is_appendable && len == self.position {
            return Finding::Before;
        }
        let end = self.position.saturating_add(self.len);
        let is_kind = !self.is_append || is_appendable;
        let is_ours = is_kind && len == end && self.crc.is_some() && head.crc64() == Ok(self.crc);
        let has_metadata = self.metadata.iter().all(|(name, value)| head.header(name) == Some(value));
        if is_ours && has_metadata {
            return if is_older(head, elapsed) { Finding::Others } else { Finding::Ours };
        }
        // As long as ours would be, and nothing says what is in it; or nobody knows how long that is.
        let is_untold = !self.is_whole || (len == end && (self.crc.is_none() || head.crc64() == Ok(None)));
        let is_versioned = head.header("x-oss-version-id").is_some_and(|version| version != "null");
        if is_untold || is_versioned { Finding::Unclear } else { Finding::Others }
    }
}

/// Whether the object was there before the call began, by the service's own clock.
fn is_older(head: &ReplyHead, elapsed: Duration) -> bool {
    let time = |name| head.header(name).and_then(UnixTime::parse_http_date);
    let (Some(date), Some(modified)) = (time("date"), time("last-modified")) else { return false };
    let elapsed = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX).saturating_add(CLOCK_SLACK_SECS);
    date.secs_since(modified) > elapsed
}

/// Whether the service refuses a write because of what the object is, which the write's own first arrival may
/// have made it.
pub(super) fn is_conflict(failed: &Unsuccessful) -> bool {
    let ErrorKind::Service(error) = &failed.kind else { return false };
    matches!(error.code.as_str(), "FileAlreadyExists" | "PositionNotEqualToLength")
}

/// How often one call looks, at most.
pub(super) const LOOKS_MAX: u32 = 4;

/// Both times are in whole seconds, and each is taken at its own point of a request.
const CLOCK_SLACK_SECS: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppendObject, Endpoint, Operation as _, PutObject};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn service() -> Service {
        Service::new(Endpoint::parse("oss.example").unwrap())
    }

    fn head(pairs: &[(&'static str, &'static str)]) -> ReplyHead {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        ReplyHead::new(200, headers)
    }

    const CRC_HELLO: &str = "11177612005948864433";

    #[test]
    fn f60_ours_is_what_has_our_length_our_checksum_and_our_metadata() {
        let put = PutObject::new("bucket", "a", "hello").forbid_overwrite(true).metadata([("id", "7")]);
        let trace = Trace::of(&put.draft().unwrap(), &service(), (0, None)).unwrap();
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
            (&[crc, id], Finding::Unclear),
        ] {
            assert_eq!(trace.find(Some(&head(answer)), Duration::ZERO), due, "{answer:?}");
        }
        assert_eq!(trace.find(None, Duration::ZERO), Finding::Before);
    }

    #[test]
    fn f60_what_was_there_before_the_call_is_not_ours() {
        let put = PutObject::new("bucket", "a", "hello").forbid_overwrite(true);
        let trace = Trace::of(&put.draft().unwrap(), &service(), (0, None)).unwrap();
        let answer = head(&[
            ("content-length", "5"),
            ("x-oss-hash-crc64ecma", CRC_HELLO),
            ("date", "Sat, 16 Dec 2023 16:20:57 GMT"),
            ("last-modified", "Sat, 16 Dec 2023 16:20:47 GMT"),
        ]);
        for (elapsed, due) in [(0, Finding::Others), (6, Finding::Others), (7, Finding::Ours)] {
            assert_eq!(trace.find(Some(&answer), Duration::from_secs(elapsed)), due, "{elapsed}");
        }
    }

    #[test]
    fn f61_an_append_is_ours_when_the_object_ends_where_it_ends() {
        let append = AppendObject::new("bucket", "a", 3_u64, "lo").initial_crc64(oss_crc::checksum(b"hel"));
        let trace = Trace::of(&append.draft().unwrap(), &service(), (0, None)).unwrap();
        let kind = ("x-oss-object-type", "Appendable");
        let crc = ("x-oss-hash-crc64ecma", CRC_HELLO);
        for (answer, due) in [
            (&[("content-length", "5"), crc, kind][..], Finding::Ours),
            (&[("content-length", "3"), kind], Finding::Before),
            (&[("content-length", "5"), ("x-oss-hash-crc64ecma", "1"), kind], Finding::Others),
            (&[("content-length", "7"), crc, kind], Finding::Others),
            (&[("content-length", "5"), crc, ("x-oss-object-type", "Normal")], Finding::Others),
        ] {
            assert_eq!(trace.find(Some(&head(answer)), Duration::ZERO), due, "{answer:?}");
        }
        assert_eq!(trace.find(None, Duration::ZERO), Finding::Others);
    }

    #[test]
    fn what_a_look_cannot_tell_is_not_looked_at() {
        let put = PutObject::new("bucket", "a", "hello");
        assert_eq!(Trace::of(&put.draft().unwrap(), &service(), (0, None)), None);
        let put = put.forbid_overwrite(true);
        let versioned = service().with(|settings| settings.buckets_versioned = true);
        assert_eq!(Trace::of(&put.draft().unwrap(), &versioned, (0, None)), None);
    }
}
