//! Whether a conditional write took effect of which nobody knows: a look at the object tells. Pure functions;
//! the transitions are in `aside.rs`.

mod completion;
mod content;
mod copy;
mod link;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use oss_sign::UnixTime;

use self::completion::Completion;
use self::content::Content;
use self::copy::Copy;
use self::link::Link;
use super::verdict::Unsuccessful;
use crate::{Draft, ErrorKind, InvalidRequest, ReplyHead, Scope, Service};

/// A write that is set aside while the object is looked at.
pub(super) struct Aside {
    pub(super) write: Result<Draft, InvalidRequest>,
    pub(super) trace: Trace,
    /// Why the service refused the write, if it did.
    pub(super) refusal: Option<Refusal>,
    /// What the look found, while the source of a copy is looked at.
    pub(super) found: Option<ReplyHead>,
}

/// Why the service refuses a write, when the cause may be the write's own first arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The object is there already, or longer than it should be.
    Taken,
    /// The upload is not there any more.
    Gone,
}

/// What a write leaves behind, and where it is looked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trace {
    /// Bytes that we sent: a put, an append.
    Content(Content),
    /// The bytes of another object.
    Copy(Copy),
    /// A symbolic link.
    Link(Link),
    /// An object made of uploaded parts.
    Completion(Completion),
}

/// What an exchange knows of the write besides its draft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// How many bytes of the body left last, and their CRC-64.
    pub(super) sent: (u64, Option<u64>),
    /// The metadata has a nonce of this call.
    pub(super) is_marked: bool,
    /// Why the service refused the write, if it did.
    pub(super) refusal: Option<Refusal>,
    /// It will not be made again.
    pub(super) is_last: bool,
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
    /// The trace of a write, when a look can tell it. That of a completion is looked for only once the
    /// upload is gone, or the attempts are used up: until then it is simply asked for again.
    pub(super) fn of(draft: &Draft, service: &Service, known: Known) -> Option<Self> {
        if is_completion(draft) {
            let is_due = known.refusal.is_some() || known.is_last;
            return if is_due { Completion::of(draft, known).map(Self::Completion) } else { None };
        }
        // A versioned bucket takes a second write whatever the first one did.
        if service.buckets_versioned {
            return None;
        }
        match draft.operation {
            "AppendObject" => Content::of(draft, known).map(Self::Content),
            _ if draft.header(FORBID_OVERWRITE) != Some("true") => None,
            "PutObject" => Content::of(draft, known).map(Self::Content),
            "CopyObject" => Copy::of(draft, service, known).map(Self::Copy),
            "PutSymlink" => Link::of(draft, known).map(Self::Link),
            _ => None,
        }
    }

    /// The request of the look.
    pub(super) fn question(&self, write: &Draft) -> Draft {
        let mut draft = match self {
            Self::Link(_) => Link::question(),
            _ => Draft::new("HeadObject", http::Method::HEAD, Scope::Object),
        };
        draft.effect = crate::Effect::Read;
        draft.bucket.clone_from(&write.bucket);
        draft.key.clone_from(&write.key);
        draft.headers.extend(payer(write));
        draft
    }

    /// The request of the look at where the bytes come from, when the object alone does not tell.
    pub(super) fn second_question(&self) -> Option<Draft> {
        match self {
            Self::Copy(copy) => copy.source.as_deref().cloned(),
            _ => None,
        }
    }

    /// What the look says: the head of the object, `None` when there is none, and that of the source of a
    /// copy, if it was looked at. The call began so long ago.
    ///
    /// Two writers of the same bytes at the same time cannot be told apart, unless their metadata differ.
    pub(super) fn find(
        &self,
        object: Option<&ReplyHead>,
        source: Option<&ReplyHead>,
        elapsed: Duration,
    ) -> Finding {
        match self {
            Self::Content(content) => content.find(object, elapsed),
            Self::Copy(copy) => copy.find(object, source, elapsed),
            Self::Link(link) => link.find(object, elapsed),
            Self::Completion(completion) => completion.find(object, elapsed),
        }
    }

    /// The body of the answer that was lost, as far as it is known.
    pub(super) fn answer(&self, write: &Draft, service: &Service, head: &ReplyHead) -> Bytes {
        match self {
            Self::Content(_) | Self::Link(_) => Bytes::new(),
            Self::Copy(_) => Copy::answer(head),
            Self::Completion(_) => Completion::answer(write, service, head),
        }
    }
}

/// The user metadata of a write, by which it can be known again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Marks {
    metadata: Vec<(Cow<'static, str>, String)>,
    is_unique: bool,
}

impl Marks {
    fn of(draft: &Draft, known: Known) -> Self {
        let is_metadata = |name: &str| name.to_ascii_lowercase().starts_with(METADATA);
        let metadata = draft.headers.iter().filter(|(name, _)| is_metadata(name)).cloned().collect();
        Self { metadata, is_unique: known.is_marked }
    }

    fn fit(&self, head: &ReplyHead) -> bool {
        self.metadata.iter().all(|(name, value)| head.header(name) == Some(value))
    }
}

/// Whether the draft makes an object of uploaded parts, which it can do once only: a second arrival finds no
/// upload.
pub(super) fn is_completion(draft: &Draft) -> bool {
    draft.operation == "CompleteMultipartUpload"
}

/// Whether the service refuses a write because of what the object, or the upload, is, which the write's own
/// first arrival may have made it.
pub(super) fn refusal_of(failed: &Unsuccessful) -> Option<Refusal> {
    let ErrorKind::Service(error) = &failed.kind else { return None };
    match error.code.as_str() {
        "FileAlreadyExists" | "PositionNotEqualToLength" => Some(Refusal::Taken),
        "NoSuchUpload" => Some(Refusal::Gone),
        _ => None,
    }
}

/// Adds the nonce of a call to the metadata of a write that a look can find by it; whether it did.
pub(super) fn mark(draft: &mut Draft, service: &Service, seed: u64) -> bool {
    let takes_metadata = match draft.operation {
        "AppendObject" => draft.query.iter().any(|(name, value)| name == "position" && value == "0"),
        "PutObject" | "PutSymlink" => true,
        "CopyObject" => copy::replaces_metadata(draft),
        _ => false,
    };
    let is_conditional = draft.effect == crate::Effect::Conditional && !service.buckets_versioned;
    let may_mark = service.write_nonce && takes_metadata && is_conditional && draft.header(NONCE).is_none();
    if may_mark {
        draft.headers.push((Cow::Borrowed(NONCE), alloc::format!("{:016x}", scrambled(seed))));
    }
    may_mark
}

/// Another number for each number, so that seeds that lie close together give nonces that do not (the
/// finaliser of SplitMix64).
fn scrambled(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn payer(write: &Draft) -> impl Iterator<Item = (Cow<'static, str>, String)> {
    write.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-oss-request-payer")).cloned()
}

fn number(head: &ReplyHead, name: &'static str) -> Option<u64> {
    head.field::<Option<u64>>(name).ok().flatten()
}

/// Whether the object is in a bucket that keeps versions, or kept them once, where no condition holds a
/// second write back. The version `null` is named there alone (OSS document "PutObject": forbidding to
/// overwrite has no effect while versioning is enabled or suspended).
fn is_versioned(head: &ReplyHead) -> bool {
    head.header("x-oss-version-id").is_some()
}

/// Whether the object was there before the call began, by the service's own clock.
fn is_older(head: &ReplyHead, elapsed: Duration) -> bool {
    let time = |name| head.header(name).and_then(UnixTime::parse_http_date);
    let (Some(date), Some(modified)) = (time("date"), time("last-modified")) else { return false };
    let elapsed = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX).saturating_add(CLOCK_SLACK_SECS);
    date.secs_since(modified) > elapsed
}

/// How often one call looks, at most.
pub(super) const LOOKS_MAX: u32 = 4;

const FORBID_OVERWRITE: &str = "x-oss-forbid-overwrite";
const METADATA: &str = "x-oss-meta-";
/// The nonce of a call, when [`Settings::write_nonce`](crate::Settings::write_nonce) is on.
const NONCE: &str = "x-oss-meta-write-nonce";
/// Both times are in whole seconds, and each is taken at its own point of a request.
const CLOCK_SLACK_SECS: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppendObject, CompleteMultipartUpload, Endpoint, Operation as _, PutObject};
    use http::{HeaderMap, HeaderName, HeaderValue};

    pub(super) fn service() -> Service {
        Service::new(Endpoint::parse("oss.example").unwrap())
    }

    pub(super) fn head(pairs: &[(&'static str, &'static str)]) -> ReplyHead {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        ReplyHead::new(200, headers)
    }

    pub(super) fn trace(draft: &Draft) -> Option<Trace> {
        Trace::of(draft, &service(), Known::default())
    }

    pub(super) const CRC_HELLO: &str = "11177612005948864433";
    pub(super) const DATE: (&str, &str) = ("date", "Sat, 16 Dec 2023 16:20:57 GMT");

    #[test]
    fn what_a_look_cannot_tell_is_not_looked_at() {
        let put = PutObject::new("bucket", "a", "hello");
        assert_eq!(trace(&put.draft().unwrap()), None);
        let put = put.forbid_overwrite(true).draft().unwrap();
        assert!(trace(&put).is_some());
        let versioned = service().with(|settings| settings.buckets_versioned = true);
        assert_eq!(Trace::of(&put, &versioned, Known::default()), None);
        let completion = CompleteMultipartUpload::new("bucket", "a", "id").draft().unwrap();
        let gone = Known { refusal: Some(Refusal::Gone), ..Known::default() };
        assert_eq!(Trace::of(&completion, &service(), gone), None);
    }

    #[test]
    fn f60_a_nonce_goes_where_metadata_goes_and_nowhere_else() {
        let marking = service().with(|settings| settings.write_nonce = true);
        let marked = |mut draft: Draft, service: &Service| {
            let is_marked = mark(&mut draft, service, 7);
            assert_eq!(is_marked, draft.headers.iter().any(|(name, _)| name == NONCE));
            is_marked
        };
        let put = PutObject::new("bucket", "a", "hello");
        let conditional = put.clone().forbid_overwrite(true).draft().unwrap();
        assert!(marked(conditional.clone(), &marking));
        assert!(!marked(conditional, &service()));
        assert!(!marked(put.draft().unwrap(), &marking), "it may be made again anyway");
        let append = |position: u64| AppendObject::new("bucket", "a", position, "hello").draft().unwrap();
        assert!(marked(append(0), &marking));
        assert!(!marked(append(5), &marking), "only the first append sets metadata");
        assert_ne!(scrambled(1), scrambled(2));
    }
}
