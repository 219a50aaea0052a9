//! A copy of one object, in one request or in parts.
//!
//! ```text
//!  Start ─▶ Looking ─▶ Tagging ─▶ Copying (multipart.rs)
//!              │  └───────────────▲  │
//!              └──▶ Over ◀───────────┘
//! ```
//!
//! Every arrow is an assignment in this file, and nowhere else.

use alloc::boxed::Box;
use alloc::string::String;

use super::error::{misuse, once};
use super::flight::{Flight, Landing};
use super::multipart::{Cut, Made, Multipart};
use super::recipe::{Pin, Recipe};
use super::{
    Came, Completion, Plan, Progress, Step, Ticket, Transfer, TransferError, TransferErrorKind,
    TransferOptions, Work,
};
use crate::{
    CopyDirective, CopyObject, ETag, Error, ErrorKind, GetObjectTagging, HeadObject, HeadObjectOutput,
    InitiateMultipartUpload, Outcome, ReadError, Tags,
};

/// Copies one object inside a region, without moving its bytes through here: in one `CopyObject` up to 200
/// MiB, else in parts, several at a time.
///
/// The [`CopyObject`] says what to copy, and what the copy is to be. A `HeadObject` of the source comes
/// first; everything after it is for that one source alone (`x-oss-copy-source-if-match`, and its version
/// where there is no strong entity tag). A copy in parts gets the source's headers, metadata and tags as one
/// request would give them, unless `metadata_directive` or `tagging_directive` say `REPLACE`. It cannot give
/// the source's access rules, encryption or storage class: neither does one request. The tags of the source
/// are read for that, which needs `oss:GetObjectTagging`, in a versioned bucket
/// `oss:GetObjectVersionTagging`; without it the result is [`TransferErrorKind::SourceTags`].
///
/// Success means that the copy has the CRC-64 of the source, as far as OSS states the two. A source that is
/// replaced or deleted meanwhile is [`ErrorKind::ObjectChanged`].
pub struct ServerCopy {
    copy: CopyObject,
    options: TransferOptions,
    flight: Flight<Job>,
    stage: Stage,
    source: Option<HeadObjectOutput>,
}

enum Job {
    Head,
    Tags,
}

enum Stage {
    Start,
    Looking,
    /// What the copy is to be, its tags aside.
    Tagging(Box<Recipe>, Plan),
    Copying(Box<Multipart>),
    Over(Option<Box<Result<CopyOutput, TransferError>>>),
}

/// A copy that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CopyOutput {
    /// The entity tag of the copy.
    pub etag: Option<ETag>,
    /// CRC-64 of the copy.
    pub crc64: Option<u64>,
    /// Whether OSS states the CRC-64 of both and they are the same.
    pub is_checked: bool,
    /// The version of the copy, in a versioned bucket.
    pub version_id: Option<String>,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many parts it was made of; 0 when it was one request.
    pub parts: u32,
    /// What the source is.
    pub source: HeadObjectOutput,
    /// The multipart upload was begun twice, because the first answer was lost: an orphan may exist under an
    /// id that nobody was told.
    pub may_be_orphan: bool,
}

impl ServerCopy {
    /// The largest object that is copied in one request when the options do not say: 200 MiB, as in the
    /// official SDKs. OSS documents 1 GB in one place and 5 GiB in another.
    pub const SINGLE_BYTES_MAX: u64 = 200 << 20;
    /// The part size when none is asked for: 64 MiB, as in the official SDKs.
    pub const PART_BYTES: u64 = 64 << 20;

    /// A copy that has not begun.
    pub fn new(copy: CopyObject, options: &TransferOptions) -> Self {
        let stage = match options.check() {
            Ok(()) => Stage::Start,
            Err(error) => Stage::Over(Some(Box::new(Err(error.into())))),
        };
        let (flight, options) = (Flight::new(options.lanes), *options);
        Self { copy, options, flight, stage, source: None }
    }

    /// What the source is, once its head has come.
    pub fn source(&self) -> Option<&HeadObjectOutput> {
        self.source.as_ref()
    }

    /// Whether the parts are kept when it fails or is cancelled from now on, whatever was said before.
    pub fn keep_parts(&mut self, keep: bool) {
        self.options.keep_parts = keep;
        if let Stage::Copying(multipart) = &mut self.stage {
            multipart.keep_parts(keep);
        }
    }

    /// The look at the source, under the conditions that the copy makes.
    fn look(&self) -> HeadObject {
        let source = &self.copy.source;
        let mut head = HeadObject::new(source.bucket.clone(), source.key.clone());
        head.version_id.clone_from(&source.version_id);
        head.if_match.clone_from(&self.copy.if_match);
        head.if_none_match.clone_from(&self.copy.if_none_match);
        head.if_modified_since = self.copy.if_modified_since;
        head.if_unmodified_since = self.copy.if_unmodified_since;
        head.request_payer.clone_from(&self.copy.request_payer);
        head
    }

    /// Looking → Copying or Tagging.
    fn open(&mut self, head: HeadObjectOutput) -> Result<(), TransferError> {
        let unread = |error| Error::new(ErrorKind::Reply(error), "HeadObject", Outcome::NotSent);
        let size = head.content_length.ok_or_else(|| unread(ReadError::missing("content-length")))?;
        let plan = Plan::at_least(size, self.options.part_size, Self::PART_BYTES)?;
        let copy = self.pinned(&head);
        let pin = Pin { source: copy.source.clone(), etag: copy.if_match.clone() };
        let recipe = Recipe::of_copy(copy, pin, self.begin(&head));
        let is_single = size == 0 || self.options.is_single(size, Self::SINGLE_BYTES_MAX);
        let keeps_tags = self.copy.tagging_directive != Some(CopyDirective::Replace);
        self.source = Some(head);
        if !is_single && keeps_tags {
            self.stage = Stage::Tagging(Box::new(recipe), plan);
        } else {
            self.go(recipe, plan, is_single);
        }
        Ok(())
    }

    /// → Copying.
    fn go(&mut self, recipe: Recipe, plan: Plan, is_single: bool) {
        let mut multipart =
            Multipart::after(&self.flight, recipe, Cut::Known(plan), is_single, &self.options);
        multipart.expected = self.source.as_ref().and_then(|source| source.crc64);
        self.stage = Stage::Copying(Box::new(multipart));
    }

    /// The copy of that very source.
    fn pinned(&self, head: &HeadObjectOutput) -> CopyObject {
        let mut copy = self.copy.clone();
        // What was demanded of the source was met by its head.
        (copy.if_none_match, copy.if_modified_since, copy.if_unmodified_since) = (None, None, None);
        match (&head.etag, &head.version_id) {
            (Some(etag), _) if etag.is_strong() => copy.if_match = Some(etag.clone()),
            (_, Some(version)) if version != "null" => copy.source.version_id = Some(version.clone()),
            _ => {}
        }
        copy
    }

    /// The beginning of a copy in parts: what one request would take from the source is said here.
    fn begin(&self, head: &HeadObjectOutput) -> InitiateMultipartUpload {
        let copy = &self.copy;
        let mut begin = InitiateMultipartUpload::new(copy.bucket.clone(), copy.key.clone());
        if copy.metadata_directive == Some(CopyDirective::Replace) {
            begin.content_type.clone_from(&copy.content_type);
            begin.cache_control.clone_from(&copy.cache_control);
            begin.content_disposition.clone_from(&copy.content_disposition);
            begin.content_encoding.clone_from(&copy.content_encoding);
            begin.content_language.clone_from(&copy.content_language);
            begin.expires.clone_from(&copy.expires);
            begin.metadata.clone_from(&copy.metadata);
        } else {
            begin.content_type.clone_from(&head.content_type);
            begin.cache_control.clone_from(&head.cache_control);
            begin.content_disposition.clone_from(&head.content_disposition);
            begin.content_encoding.clone_from(&head.content_encoding);
            begin.content_language.clone_from(&head.content_language);
            begin.expires.clone_from(&head.expires);
            begin.metadata = (!head.metadata.is_empty()).then(|| head.metadata.clone());
        }
        begin.tagging.clone_from(&copy.tagging);
        begin.storage_class.clone_from(&copy.storage_class);
        begin.forbid_overwrite = copy.forbid_overwrite;
        begin.server_side_encryption.clone_from(&copy.server_side_encryption);
        begin.server_side_data_encryption.clone_from(&copy.server_side_data_encryption);
        begin.server_side_encryption_key_id.clone_from(&copy.server_side_encryption_key_id);
        begin.object_worm_mode.clone_from(&copy.object_worm_mode);
        begin.object_worm_retain_until_date.clone_from(&copy.object_worm_retain_until_date);
        begin.object_worm_legal_hold.clone_from(&copy.object_worm_legal_hold);
        begin.request_payer.clone_from(&copy.request_payer);
        begin
    }

    /// The tags of the version that the head was about: another one may be the current one by now.
    fn tags(&self) -> GetObjectTagging {
        let source = &self.copy.source;
        let version = self.source.as_ref().and_then(|head| head.version_id.clone());
        let mut tags = GetObjectTagging::new(source.bucket.clone(), source.key.clone());
        tags.version_id = source.version_id.clone().or(version);
        tags.request_payer.clone_from(&self.copy.request_payer);
        tags
    }

    fn misuse(&mut self, what: &'static str) {
        self.fail(misuse("CopyObject", what, self.stage_name()));
    }

    /// → Over. Nothing was begun.
    fn fail(&mut self, error: impl Into<TransferError>) {
        if !matches!(self.stage, Stage::Over(_)) {
            self.stage = Stage::Over(Some(Box::new(Err(error.into()))));
        }
    }

    fn stage_name(&self) -> &'static str {
        match &self.stage {
            Stage::Start => "Start",
            Stage::Looking => "Looking",
            Stage::Tagging(..) => "Tagging",
            Stage::Copying(multipart) => multipart.stage_name(),
            Stage::Over(_) => "Over",
        }
    }
}

impl Transfer for ServerCopy {
    type Output = CopyOutput;

    fn poll(&mut self) -> Step<CopyOutput> {
        match &mut self.stage {
            Stage::Copying(multipart) => match multipart.poll() {
                Step::Run(ticket, work) => Step::Run(ticket, work),
                Step::Busy => Step::Busy,
                Step::Done(Ok(made)) => Step::Done(Ok(CopyOutput::new(made, self.source.take()))),
                Step::Done(Err(error)) => Step::Done(Err(error)),
            },
            Stage::Over(result) => Step::Done(once(result, "CopyObject")),
            _ if !self.flight.is_empty() => Step::Busy,
            Stage::Start => {
                let head = self.look();
                self.stage = Stage::Looking;
                Step::Run(self.flight.start(Job::Head, 0), Work::Head(head))
            }
            Stage::Looking => Step::Busy,
            Stage::Tagging(..) => Step::Run(self.flight.start(Job::Tags, 0), Work::Tags(self.tags())),
        }
    }

    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        if let Stage::Copying(multipart) = &mut self.stage {
            return multipart.complete(ticket, result);
        }
        let job = match self.flight.land(ticket) {
            Landing::Of(job) => job,
            Landing::Again => return,
            Landing::Unknown => return self.misuse("completed work that was never handed out"),
        };
        match (job, result.map(|completion| completion.0)) {
            (Job::Head, Ok(Came::Head(head))) if matches!(self.stage, Stage::Looking) => {
                if let Err(error) = self.open(*head) {
                    self.fail(error);
                }
            }
            (Job::Tags, Ok(Came::Tags(tags))) => {
                // One that was cancelled meanwhile is over, and stays so.
                if let Stage::Tagging(recipe, plan) = &self.stage {
                    let (mut recipe, plan) = (Recipe::clone(recipe), *plan);
                    let tags = tags.tag_set.into_iter();
                    let tags = tags.fold(Tags::default(), |all, tag| all.with(tag.key, tag.value));
                    recipe.begin.tagging = (tags.iter().count() > 0).then_some(tags);
                    self.go(recipe, plan, false);
                }
            }
            (Job::Tags, Err(error)) if error.status() == Some(403) => {
                self.fail(TransferError::new(TransferErrorKind::SourceTags { error: Box::new(error) }));
            }
            (_, Err(error)) => self.fail(error),
            (_, Ok(_)) => self.misuse("completed work with the answer of another"),
        }
    }

    fn abandon(&mut self, ticket: Ticket) {
        match &mut self.stage {
            Stage::Copying(multipart) => multipart.abandon(ticket),
            _ => self.cancel(),
        }
    }

    fn cancel(&mut self) {
        match &mut self.stage {
            Stage::Copying(multipart) => multipart.cancel(),
            _ => self.fail(TransferError::new(TransferErrorKind::Cancelled)),
        }
    }

    fn note(&mut self, ticket: Ticket, bytes: u64) {
        if let Stage::Copying(multipart) = &mut self.stage {
            multipart.note(ticket, bytes);
        }
    }

    fn progress(&self) -> Progress {
        match &self.stage {
            Stage::Copying(multipart) => multipart.progress(),
            _ => self.flight.progress(),
        }
    }
}

impl CopyOutput {
    fn new(made: Made, source: Option<HeadObjectOutput>) -> Self {
        let Made { etag, crc64, is_checked, version_id, bytes, parts, may_be_orphan, .. } = made;
        let source = source.unwrap_or_default();
        Self { etag, crc64, is_checked, version_id, bytes, parts, source, may_be_orphan }
    }
}

impl core::fmt::Debug for ServerCopy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ServerCopy({})", self.stage_name())
    }
}
