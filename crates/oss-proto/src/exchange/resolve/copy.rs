//! What a copy leaves behind: the bytes of another object, which are known only by looking at that one too.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
use oss_endpoint::Addressing;
use oss_sign::UnixTime;

use super::{Finding, Known, METADATA, Marks, is_older, is_versioned, number, payer};
use crate::xml::Writer;
use crate::{CopySource, Draft, ReplyHead, Scope, Service, Text as _};

/// What the copy leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::exchange) struct Copy {
    /// The look at the source; `None` where it cannot be reached.
    pub(super) source: Option<Box<Draft>>,
    /// The metadata is the request's; else it is the source's.
    replaces_metadata: bool,
    marks: Marks,
}

impl Copy {
    pub(super) fn of(draft: &Draft, service: &Service, known: Known) -> Option<Self> {
        let replaces_metadata = replaces_metadata(draft);
        let marks = if replaces_metadata { Marks::of(draft, known) } else { Marks::default() };
        let source = CopySource::parse(draft.header("x-oss-copy-source")?)?;
        Some(Self { source: question(draft, &source, service).map(Box::new), replaces_metadata, marks })
    }

    /// An object with the bytes that the source has now. If those may have changed since the call began, what
    /// differs from them may be ours all the same.
    pub(super) fn find(
        &self,
        object: Option<&ReplyHead>,
        source: Option<&ReplyHead>,
        elapsed: Duration,
    ) -> Finding {
        let Some(object) = object else { return Finding::Before };
        if self.marks.is_unique && self.marks.fit(object) {
            return Finding::Ours;
        }
        if is_versioned(object) {
            return Finding::Unclear;
        }
        if self.marks.is_unique || is_older(object, elapsed) {
            return Finding::Others;
        }
        let Some(source) = source else { return Finding::Unclear };
        let size = |head| number(head, "content-length");
        let crc = |head: &ReplyHead| head.crc64().ok().flatten();
        let (Some(source_size), Some(object_size)) = (size(source), size(object)) else {
            return Finding::Unclear;
        };
        // A copy has not always a CRC-64 (OSS document "Check data integrity by using CRC-64").
        let (source_crc, object_crc) = (crc(source), crc(object));
        let has_metadata = match self.replaces_metadata {
            true => self.marks.fit(object),
            false => source.prefixed(METADATA) == object.prefixed(METADATA),
        };
        let is_same_size = source_size == object_size;
        match (source_crc, object_crc) {
            (Some(ours), Some(theirs)) if is_same_size && ours == theirs && has_metadata => Finding::Ours,
            _ if !is_older(source, elapsed) => Finding::Unclear,
            (None, _) | (_, None) if is_same_size && has_metadata => Finding::Unclear,
            _ => Finding::Others,
        }
    }

    pub(super) fn answer(head: &ReplyHead) -> Bytes {
        let mut document = Writer::new();
        document.open("CopyObjectResult");
        if let Some(etag) = head.header("etag") {
            document.leaf("ETag", etag);
        }
        if let Some(modified) = head.header("last-modified").and_then(UnixTime::parse_http_date) {
            document.leaf("LastModified", modified.iso_extended().as_str());
        }
        document.close("CopyObjectResult");
        document.finish().into()
    }
}

/// Whether the copy takes its metadata from the request.
pub(super) fn replaces_metadata(draft: &Draft) -> bool {
    draft.header("x-oss-metadata-directive").is_some_and(|text| text.eq_ignore_ascii_case("REPLACE"))
}

fn question(write: &Draft, source: &CopySource, service: &Service) -> Option<Draft> {
    let bucket = source.bucket.name().ok()??;
    let target = write.bucket.as_ref().or(service.bucket.as_ref());
    // A domain that is bound to one bucket leads to no other.
    if service.endpoint.addressing() == Addressing::Cname && target != Some(bucket) {
        return None;
    }
    let mut draft = Draft::new("HeadObject", http::Method::HEAD, Scope::Object);
    draft.effect = crate::Effect::Read;
    draft.bucket = Some(bucket.clone());
    draft.key = Some(source.key.name().ok()??.clone());
    if let Some(version) = &source.version_id {
        draft.query.push(("versionId".into(), version.clone()));
    }
    draft.headers.extend(payer(write));
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CRC_HELLO, DATE, head, service, trace};
    use super::*;
    use crate::{CopyDirective, CopyObject, Operation as _};

    fn copy() -> CopyObject {
        let source = CopySource::new("other", "b").version_id("v1");
        CopyObject::new("bucket", "a", source).forbid_overwrite(true)
    }

    const OLD: (&str, &str) = ("last-modified", "Sat, 16 Dec 2023 15:20:57 GMT");
    const NEW: (&str, &str) = ("last-modified", "Sat, 16 Dec 2023 16:20:57 GMT");
    const CRC: (&str, &str) = ("x-oss-hash-crc64ecma", CRC_HELLO);
    const LEN: (&str, &str) = ("content-length", "5");
    const META: (&str, &str) = ("x-oss-meta-id", "7");

    #[test]
    fn f60_a_copy_is_ours_when_it_has_what_its_source_has() {
        let trace = trace(&copy().draft().unwrap()).unwrap();
        let second = trace.second_question().unwrap();
        let key = second.key.as_ref().map(oss_endpoint::ObjectKey::as_str);
        assert_eq!((second.bucket.as_ref().unwrap().as_str(), key), ("other", Some("b")));
        assert_eq!(second.query, [("versionId".into(), "v1".into())]);
        let source: &[_] = &[LEN, CRC, META, DATE, OLD];
        for (object, source, due) in [
            (&[LEN, CRC, META, DATE, NEW][..], source, Finding::Ours),
            (&[LEN, CRC, META, DATE, OLD], source, Finding::Others),
            (&[LEN, CRC, DATE, NEW], source, Finding::Others),
            (&[("content-length", "6"), CRC, META, DATE, NEW], source, Finding::Others),
            (&[LEN, ("x-oss-hash-crc64ecma", "1"), META, DATE, NEW], source, Finding::Others),
            (&[LEN, META, DATE, NEW], source, Finding::Unclear),
            (&[CRC, META, DATE, NEW], source, Finding::Unclear),
            (&[("content-length", "6"), CRC, DATE, NEW, ("x-oss-version-id", "v")], source, Finding::Unclear),
            // The source was written meanwhile.
            (
                &[("content-length", "6"), CRC, META, DATE, NEW],
                &[LEN, CRC, META, DATE, NEW],
                Finding::Unclear,
            ),
        ] {
            let found = trace.find(Some(&head(object)), Some(&head(source)), Duration::ZERO);
            assert_eq!(found, due, "{object:?} {source:?}");
        }
        assert_eq!(trace.find(None, None, Duration::ZERO), Finding::Before);
        assert_eq!(trace.find(Some(&head(&[LEN, CRC, META])), None, Duration::ZERO), Finding::Unclear);
    }

    #[test]
    fn f60_a_copy_with_metadata_of_its_own_is_known_by_it() {
        let replacing = copy().metadata_directive(CopyDirective::Replace).metadata([("id", "8")]);
        let trace = trace(&replacing.draft().unwrap()).unwrap();
        let source = head(&[LEN, CRC, META, DATE, OLD]);
        for (meta, due) in [(("x-oss-meta-id", "8"), Finding::Ours), (META, Finding::Others)] {
            let object = head(&[LEN, CRC, meta, DATE, NEW]);
            assert_eq!(trace.find(Some(&object), Some(&source), Duration::ZERO), due);
        }
    }

    #[test]
    fn f60_through_a_bound_domain_only_its_own_bucket_is_looked_at() {
        let endpoint = crate::Endpoint::parse("files.example").unwrap().with_addressing(Addressing::Cname);
        let bound = service().with(|settings| settings.endpoint = endpoint);
        let draft = copy().draft().unwrap();
        assert_eq!(Copy::of(&draft, &bound, Known::default()).unwrap().source, None);
        assert!(Copy::of(&draft, &service(), Known::default()).unwrap().source.is_some());
    }

    #[test]
    fn f60_the_answer_of_a_copy_is_made_of_what_was_found() {
        let answer = Copy::answer(&head(&[("etag", "\"x\""), NEW]));
        let read = CopyObject::read(&ReplyHead::default(), &answer).unwrap();
        assert_eq!(read.etag.unwrap().as_str(), "\"x\"");
        assert_eq!(read.last_modified, Some(UnixTime::from_secs(1_702_743_657)));
    }
}
