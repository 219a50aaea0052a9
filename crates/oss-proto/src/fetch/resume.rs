//! How a body that broke is gone on with: what is asked for, and what the answer must say. Pure functions;
//! the transitions are `Fetch`'s.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::{Streaming, unexpected_range};
use crate::{Change, ContentRange, Draft, Error, ErrorKind, ObjectChanged, ReadError, ReplyHead};

/// How a read goes on after its body broke.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Resume {
    /// With the bytes that are missing, of the very same object.
    Rest,
    /// From its start, as it was asked for: nothing was delivered.
    Anew,
}

impl Streaming {
    /// How to go on; `None` when the rest could be that of another object, or was tried often enough.
    pub(super) fn way_on(&self) -> Option<Resume> {
        if self.resumes >= RESUMES_MAX || self.barren >= BARREN_MAX {
            return None;
        }
        let is_pinned = self.is_plain && self.expected.is_some() && self.size.is_some();
        if is_pinned && (strong_etag(&self.head.head).is_some() || version(&self.head.head).is_some()) {
            return Some(Resume::Rest);
        }
        (self.received == 0).then_some(Resume::Anew)
    }

    /// Makes the request of a read ask for the bytes that are missing, and for no other object's.
    pub(super) fn ask_for_rest(&self, draft: &mut Draft) {
        // Whatever was demanded of the object was met when it was opened, and it is the same object.
        let others = |name: &str| REPLACED.iter().all(|replaced| !name.eq_ignore_ascii_case(replaced));
        draft.headers.retain(|(name, _)| others(name));
        let missing = self.missing();
        let range = format!("bytes={}-{}", missing.first, missing.last);
        draft.headers.push((Cow::Borrowed("range"), range));
        draft.headers.push((Cow::Borrowed("x-oss-range-behavior"), String::from("standard")));
        match (strong_etag(&self.head.head), version(&self.head.head)) {
            (Some(etag), _) => draft.headers.push((Cow::Borrowed("if-match"), String::from(etag))),
            (None, Some(version)) if draft.query.iter().all(|(name, _)| name != "versionId") => {
                draft.query.push((Cow::Borrowed("versionId"), String::from(version)));
            }
            _ => {}
        }
    }

    /// Whether this is the answer to [`ask_for_rest`](Self::ask_for_rest): these bytes, of this object.
    pub(super) fn check_rest(&self, head: &ReplyHead) -> Result<(), Box<ErrorKind>> {
        let reply_error = |error| Box::new(ErrorKind::Reply(error));
        let missing = self.missing();
        let asked = || Some(crate::ByteRange::new(missing.first..=missing.last));
        match (head.status, head.field::<Option<ContentRange>>("content-range").map_err(reply_error)?) {
            (206, Some(got)) if got.size != missing.size => {
                return Err(self.differs("size", missing.size.to_string(), got.size.to_string()));
            }
            (206, Some(got)) if got == missing => {}
            (206, None) => return Err(reply_error(ReadError::missing("content-range"))),
            (206, got) => return Err(unexpected_range(asked(), got)),
            _ => return Err(unexpected_range(asked(), None)),
        }
        let due = (missing.last - missing.first).saturating_add(1);
        if let Some(length) = head.content_length().map_err(reply_error)?.filter(|length| *length != due) {
            return Err(reply_error(ReadError::header(
                "content-length",
                "that of the range",
                &length.to_string(),
            )));
        }
        self.check_same(head)
    }

    /// Whether an answer is about the object that the first one was about.
    pub(super) fn check_same(&self, head: &ReplyHead) -> Result<(), Box<ErrorKind>> {
        for (what, name) in [("entity tag", "etag"), ("version", "x-oss-version-id")] {
            let (was, now) = (self.head.head.header(name), head.header(name));
            if was != now {
                let text = |value: Option<&str>| String::from(value.unwrap_or("none"));
                return Err(self.differs(what, text(was), text(now)));
            }
        }
        // Of a processed image it is that of the source, the same whatever is made of it.
        let crc = |head: &ReplyHead| head.crc64().map_err(|error| Box::new(ErrorKind::Reply(error)));
        match (crc(&self.head.head)?, crc(head)?) {
            (Some(was), Some(now)) if was != now => {
                Err(self.differs("CRC-64", was.to_string(), now.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// What a refusal of the rest says about the object.
    pub(super) fn change_of(&self, error: &Error) -> Option<ErrorKind> {
        let change = match error.status()? {
            404 => Change::Deleted,
            412 | 416 => Change::Replaced,
            _ => return None,
        };
        Some(ErrorKind::ObjectChanged(ObjectChanged { delivered: self.received, change }))
    }

    pub(super) fn differs(&self, what: &'static str, was: String, now: String) -> Box<ErrorKind> {
        let change = Change::Differs { what, was, now };
        Box::new(ErrorKind::ObjectChanged(ObjectChanged { delivered: self.received, change }))
    }

    /// The bytes that are missing, by their place in the object. There is at least one.
    fn missing(&self) -> ContentRange {
        let end = self.first.saturating_add(self.expected.unwrap_or(0));
        ContentRange {
            first: self.first.saturating_add(self.received),
            last: end.saturating_sub(1),
            size: self.size.unwrap_or(end),
        }
    }
}

/// An entity tag that stands for the very bytes of an object (RFC 9110 section 8.8.3).
fn strong_etag(head: &ReplyHead) -> Option<&str> {
    let etag = head.header("etag").filter(|etag| etag.len() <= ETAG_BYTES_MAX)?;
    let opaque = etag.strip_prefix('"')?.strip_suffix('"')?;
    let is_opaque = !opaque.is_empty() && opaque.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    is_opaque.then_some(etag)
}

/// The version of an object, whose bytes never change. `null` is the one of a bucket that keeps none, and is
/// overwritten.
fn version(head: &ReplyHead) -> Option<&str> {
    head.header("x-oss-version-id").filter(|version| {
        !matches!(*version, "" | "null")
            && version.len() <= ETAG_BYTES_MAX
            && version.bytes().all(|b| b.is_ascii_graphic())
    })
}

/// What the request of a rest says in its own way.
const REPLACED: [&str; 6] = [
    "range",
    "x-oss-range-behavior",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
];
/// How often one read goes on, at most.
pub(super) const RESUMES_MAX: u32 = 64;
/// How often it does so in a row without a byte coming of it.
pub(super) const BARREN_MAX: u32 = 3;
const ETAG_BYTES_MAX: usize = 1024;
