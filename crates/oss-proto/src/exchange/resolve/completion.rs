//! What a completion leaves behind: an object of a known length and CRC-64 that was made of so many parts.

use core::time::Duration;

use bytes::Bytes;

use super::{Finding, Known, Refusal, is_older, number};
use crate::xml::Writer;
use crate::{Draft, ETag, Payload, ReplyHead, Service};

/// What the completion leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::exchange) struct Completion {
    size: u64,
    crc64: u64,
    /// `None` when all parts that were uploaded are taken.
    parts: Option<u64>,
    /// The service says that there is no such upload any more.
    is_gone: bool,
}

impl Completion {
    /// Known when the caller said what it expects; the parts alone do not say it.
    pub(super) fn of(draft: &Draft, known: Known) -> Option<Self> {
        let (size, crc64) = (draft.expected.size?, draft.expected.crc64?);
        let is_gone = known.refusal == Some(Refusal::Gone);
        Some(Self { size, crc64, parts: parts(&draft.body), is_gone })
    }

    /// Whoever finds the upload gone knows that somebody completed it, or gave it up. The object is that of
    /// this upload when all three fit; anything else may have replaced it. Who does not know that much may
    /// be looking at what an earlier upload of the same file made: then its age must fit too.
    pub(super) fn find(&self, head: Option<&ReplyHead>, elapsed: Duration) -> Finding {
        let fits = head.is_some_and(|head| {
            let made_of = head.header("etag").and_then(ETag::part_count);
            let has_count = made_of.is_some_and(|count| self.parts.is_none_or(|parts| parts == count));
            let is_kind = head.header("x-oss-object-type").is_none_or(|kind| kind == "Multipart");
            let is_long = number(head, "content-length") == Some(self.size);
            let is_new = self.is_gone || !is_older(head, elapsed);
            is_kind && has_count && is_long && is_new && head.crc64() == Ok(Some(self.crc64))
        });
        if fits { Finding::Ours } else { Finding::Unclear }
    }

    pub(super) fn answer(write: &Draft, service: &Service, head: &ReplyHead) -> Bytes {
        let mut document = Writer::new();
        document.open(ROOT);
        document.leaf("EncodingType", "url");
        if let Some(bucket) = write.bucket.as_ref().or(service.bucket.as_ref()) {
            document.leaf("Bucket", bucket.as_str());
        }
        if let Some(key) = &write.key {
            document.leaf("Key", &oss_endpoint::encode_key(key.as_str()));
        }
        if let Some(etag) = head.header("etag") {
            document.leaf("ETag", etag);
        }
        document.close(ROOT);
        document.finish().into()
    }
}

/// How many parts the document names; it is our own, in which no text has a `<`.
fn parts(body: &Payload) -> Option<u64> {
    let Payload::Bytes(document) = body else { return None };
    let count = document.windows(PART.len()).filter(|window| *window == PART).count();
    u64::try_from(count).ok()
}

const PART: &[u8] = b"<Part>";
const ROOT: &str = "CompleteMultipartUploadResult";

#[cfg(test)]
mod tests {
    use super::super::Trace;
    use super::super::tests::{CRC_HELLO, DATE, head, service};
    use super::*;
    use crate::{CompleteMultipartUpload, CompletedPart, Operation as _};
    use alloc::vec::Vec;

    /// Ten seconds before the date.
    const OLD: (&str, &str) = ("last-modified", "Sat, 16 Dec 2023 16:20:47 GMT");
    const NEW: (&str, &str) = ("last-modified", "Sat, 16 Dec 2023 16:20:57 GMT");

    fn completion() -> CompleteMultipartUpload {
        let part = |number| CompletedPart::new(number, ETag::from("\"<Part>\""));
        let parts: Vec<_> = (1_u32..=2).map(part).collect();
        CompleteMultipartUpload::new("bucket", "a\u{1}%2", "id").parts(parts)
    }

    #[test]
    fn f58_a_completion_is_ours_when_length_checksum_and_number_of_parts_fit() {
        let crc: u64 = CRC_HELLO.parse().unwrap();
        let gone = Known { refusal: Some(Refusal::Gone), ..Known::default() };
        let of =
            |completion: CompleteMultipartUpload| Trace::of(&completion.draft().unwrap(), &service(), gone);
        assert_eq!(of(completion()), None);
        assert_eq!(of(completion().size(5_u64)), None);
        assert_eq!(of(completion().crc64(crc)), None);
        let asked_for_again = completion().size(5_u64).crc64(crc).draft().unwrap();
        assert_eq!(Trace::of(&asked_for_again, &service(), Known::default()), None);
        let trace = of(completion().size(5_u64).crc64(crc)).unwrap();
        let (len, sum, tag) =
            (("content-length", "5"), ("x-oss-hash-crc64ecma", CRC_HELLO), ("etag", "\"A-2\""));
        for (answer, due) in [
            (&[len, sum, tag][..], Finding::Ours),
            (&[len, sum, tag, ("x-oss-object-type", "Multipart")], Finding::Ours),
            (&[len, sum, tag, DATE, OLD], Finding::Ours),
            (&[len, sum, tag, ("x-oss-object-type", "Normal")], Finding::Unclear),
            (&[("content-length", "6"), sum, tag], Finding::Unclear),
            (&[sum, tag], Finding::Unclear),
            (&[len, tag], Finding::Unclear),
            (&[len, ("x-oss-hash-crc64ecma", "1"), tag], Finding::Unclear),
            (&[len, sum, ("etag", "\"A-1\"")], Finding::Unclear),
            (&[len, sum, ("etag", "\"A-+2\"")], Finding::Unclear),
            (&[len, sum, ("etag", "\"A\"")], Finding::Unclear),
            (&[len, sum], Finding::Unclear),
        ] {
            assert_eq!(trace.find(Some(&head(answer)), None, Duration::ZERO), due, "{answer:?}");
        }
        assert_eq!(trace.find(None, None, Duration::ZERO), Finding::Unclear);
    }

    /// While the upload may be there still, an object like it may be that of an earlier one.
    #[test]
    fn f58_a_last_look_takes_no_older_object_for_ours() {
        let draft = completion().size(5_u64).crc64(CRC_HELLO.parse::<u64>().unwrap()).draft().unwrap();
        let fits = [("content-length", "5"), ("x-oss-hash-crc64ecma", CRC_HELLO), ("etag", "\"A-2\"")];
        let (old, new) = ([&fits[..], &[DATE, OLD]].concat(), [&fits[..], &[DATE, NEW]].concat());
        for refusal in [None, Some(Refusal::Taken)] {
            let last = Known { refusal, is_last: true, ..Known::default() };
            let trace = Trace::of(&draft, &service(), last).unwrap();
            for (answer, secs, due) in
                [(&old, 6, Finding::Unclear), (&old, 7, Finding::Ours), (&new, 0, Finding::Ours)]
            {
                let found = trace.find(Some(&head(answer)), None, Duration::from_secs(secs));
                assert_eq!(found, due, "{answer:?} after {secs} s");
            }
        }
    }

    #[test]
    fn f58_the_answer_is_made_of_what_was_found() {
        let draft = completion().draft().unwrap();
        let found = head(&[("etag", "\"A-2\""), ("x-oss-hash-crc64ecma", "7"), ("x-oss-version-id", "v")]);
        let answer = Completion::answer(&draft, &service(), &found);
        let output = CompleteMultipartUpload::read(&found, &answer).unwrap();
        assert_eq!(output.bucket.as_deref(), Some("bucket"));
        assert_eq!(output.key.as_deref(), Some("a\u{1}%2"));
        assert_eq!(output.etag, Some(ETag::from("\"A-2\"")));
        assert_eq!((output.crc64, output.version_id.as_deref(), output.location), (Some(7), Some("v"), None));
    }
}
