//! Transfers: many calls that together move one object, or deal with many, as machines that ask for work.
//!
//! A transfer holds no bytes, reads no clock and retries nothing: each piece of work is an operation that the
//! driver runs as a call of its own ([`Exchange`](crate::Exchange), [`Fetch`](crate::Fetch)), with all that a
//! call has: attempts, deadlines, checksums. The transfer says what is to be done next, takes the answers in
//! any order, and knows when the whole is right.
//!
//! | transfer | from | to |
//! | --- | --- | --- |
//! | [`Upload`] | a [`PutObject`] and a length, or parts as they come | one object, in one or many requests |
//! | [`Download`] | a [`GetObject`] | the bytes of one object as it was at one time |
//! | [`ServerCopy`] | a [`CopyObject`] | a copy, in one request or in parts |
//! | [`Append`] | an [`AppendObject`] | an object that grows, its position and checksum carried along |
//! | [`DeleteMany`] | any number of objects | what became of each |
//! | [`Listing`] | the operation of a list | its entries, page by page |
//!
//! **The contract:** [`poll`](Transfer::poll); do the [`Work`] of a [`Step::Run`], as many at a time as the
//! transfer hands out, and report each to [`complete`](Transfer::complete) with its [`Ticket`]; poll again
//! after that. `Busy` means that something must be completed first. A transfer may be dropped at any point;
//! [`cancel`](Transfer::cancel) ends it in an orderly way. A driver that breaks the contract gets
//! [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) as the result.

mod append;
mod checkpoint;
mod copy;
mod delete_many;
mod disk;
mod download;
mod error;
mod flight;
mod listing;
mod multipart;
mod options;
mod plan;
mod recipe;
mod save;
#[cfg(test)]
mod tests;
mod upload;

use core::ops::Range;

pub use self::append::{Append, AppendOutput};
pub use self::checkpoint::{Checkpoint, CheckpointError, Fresh};
pub use self::copy::{CopyOutput, ServerCopy};
pub use self::delete_many::{DeleteMany, Fate, Repeat};
pub use self::disk::{DiskDone, DiskWork, FileError, FileStep};
pub use self::download::{Download, DownloadOutput};
pub use self::error::{LeftUpload, TransferError, TransferErrorKind, UploadFate};
pub use self::flight::{Progress, Ticket};
pub use self::listing::{Entries, ListEntry, Listing, ListingStep};
pub use self::options::TransferOptions;
pub use self::plan::{Plan, PlanError};
pub use self::save::{Save, SaveStep, Saved};
pub use self::upload::{Upload, UploadOutput};

use crate::{
    AbortMultipartUpload, AppendObject, AppendObjectOutput, CompleteMultipartUpload,
    CompleteMultipartUploadOutput, CopyObject, CopyObjectOutput, DeleteMultipleObjects,
    DeleteMultipleObjectsOutput, Error, GetObject, GetObjectOutput, GetObjectTagging, GetObjectTaggingOutput,
    HeadObject, HeadObjectOutput, InitiateMultipartUpload, InitiateMultipartUploadOutput, ListParts,
    ListPartsOutput, PutObject, PutObjectOutput, Reply, UploadPart, UploadPartCopy, UploadPartCopyOutput,
    UploadPartOutput,
};

/// A transfer that a driver runs: the same few methods for all of them.
pub trait Transfer {
    /// What it gives when it succeeds.
    type Output;

    /// What to do next.
    fn poll(&mut self) -> Step<Self::Output>;

    /// What came of a piece of work, in any order. A second report with the same ticket changes nothing.
    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>);

    /// Reports that a piece of work was dropped before it ended, by a driver that cancels: whether it took
    /// effect is unknown. It cancels the transfer.
    fn abandon(&mut self, ticket: Ticket);

    /// Ends the transfer: no new parts, those in flight are waited for, an upload is aborted unless
    /// [`keep_parts`](TransferOptions::keep_parts) says otherwise, and the result is
    /// [`TransferErrorKind::Cancelled`], or one that says what nobody waited for. Of no effect when the
    /// result is there.
    fn cancel(&mut self);

    /// Reports how many bytes of a piece of work have passed so far, for [`progress`](Self::progress) alone.
    /// When a call begins anew, it may be told less than before: what was counted stays counted.
    fn note(&mut self, ticket: Ticket, bytes: u64);

    /// How far it is.
    fn progress(&self) -> Progress;

    /// What to keep so that another process can go on where this one stops; `None` when there is nothing to
    /// go on with, and one that was kept is to be removed.
    ///
    /// Ask when [`checkpoint_revision`](Self::checkpoint_revision) has changed. How often it is written is
    /// the driver's choice: an older one costs work, never bytes.
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// Grows whenever [`checkpoint`](Self::checkpoint) has something new.
    fn checkpoint_revision(&self) -> u64 {
        0
    }
}

/// What to do next in a transfer.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
#[expect(clippy::large_enum_variant, reason = "moved once, into the driver's match")]
pub enum Step<T> {
    /// Do this, beside what is being done already.
    Run(Ticket, Work),
    /// Nothing, before something that was handed out is completed, or the next part is offered
    /// ([`Upload::offer`], [`Append::offer`]).
    Busy,
    /// The transfer is over. A poll after this one is a misuse.
    Done(Result<T, TransferError>),
}

/// A piece of work: one call, or one look at the bytes on this side.
///
/// Where a range is given, it is that of the object: the driver adds the bytes to the operation as its body,
/// or puts the bytes of the answer there.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
pub enum Work {
    /// Make the call, with these bytes as its body.
    Put(Range<u64>, PutObject),
    /// Make the call.
    ///
    /// Who drops it in the middle leaves an upload whose id nobody was told: finish it, in a task of its own
    /// if need be, and abort what it began.
    Begin(InitiateMultipartUpload),
    /// Make the call, with these bytes as its body.
    Part(Range<u64>, UploadPart),
    /// Make the call.
    PartCopy(UploadPartCopy),
    /// Make the call.
    ListParts(ListParts),
    /// Make the call.
    Finish(CompleteMultipartUpload),
    /// Make the call.
    Abort(AbortMultipartUpload),
    /// Make the call.
    Head(HeadObject),
    /// Make the call.
    Tags(GetObjectTagging),
    /// Read the range as a [`Fetch`](crate::Fetch), put the bytes where they belong, and give a
    /// [`Received`], also when the call failed after some bytes.
    Get(Range<u64>, GetObject),
    /// Read these bytes on this side, from the file that is uploaded or from what was downloaded before, and
    /// give [`Completion::verified`] with their CRC-64, or [`Completion::unreadable`].
    Verify(Range<u64>),
    /// Make the call.
    Copy(CopyObject),
    /// Make the call, with these bytes as its body.
    Append(Range<u64>, AppendObject),
    /// Make the call.
    Delete(DeleteMultipleObjects),
}

/// What came of a piece of work: a [`Reply`] of its operation, a [`Received`], or one of the constructors
/// here.
#[derive(Clone, Debug)]
pub struct Completion(pub(super) Came);

#[derive(Clone, Debug)]
pub(super) enum Came {
    Put(PutObjectOutput),
    /// And whether another one may have been begun before it.
    Begun(InitiateMultipartUploadOutput, bool),
    Part(UploadPartOutput),
    PartCopied(UploadPartCopyOutput),
    Parts(ListPartsOutput),
    Finished(CompleteMultipartUploadOutput),
    Aborted,
    Head(alloc::boxed::Box<HeadObjectOutput>),
    Tags(GetObjectTaggingOutput),
    Received(Received),
    Verified(Option<u64>),
    Copied(CopyObjectOutput),
    Appended(AppendObjectOutput),
    Deleted(DeleteMultipleObjectsOutput),
}

impl Completion {
    /// The bytes of [`Work::Verify`] were read: their CRC-64.
    pub fn verified(crc64: u64) -> Self {
        Self(Came::Verified(Some(crc64)))
    }

    /// The bytes of [`Work::Verify`] cannot be read, or are not all there: they do not count.
    pub fn unreadable() -> Self {
        Self(Came::Verified(None))
    }
}

macro_rules! completion_from {
    ($($output:ty => $variant:ident;)*) => {$(
        impl From<Reply<$output>> for Completion {
            fn from(reply: Reply<$output>) -> Self {
                Self(Came::$variant(reply.output.into()))
            }
        }
    )*};
}

completion_from! {
    PutObjectOutput => Put;
    UploadPartOutput => Part;
    UploadPartCopyOutput => PartCopied;
    ListPartsOutput => Parts;
    CompleteMultipartUploadOutput => Finished;
    HeadObjectOutput => Head;
    GetObjectTaggingOutput => Tags;
    CopyObjectOutput => Copied;
    AppendObjectOutput => Appended;
    DeleteMultipleObjectsOutput => Deleted;
}

impl From<Reply<InitiateMultipartUploadOutput>> for Completion {
    fn from(reply: Reply<InitiateMultipartUploadOutput>) -> Self {
        Self(Came::Begun(reply.output, reply.may_have_orphan))
    }
}

/// The answer to [`Work::Abort`].
impl From<Reply<()>> for Completion {
    fn from(_: Reply<()>) -> Self {
        Self(Came::Aborted)
    }
}

impl From<Received> for Completion {
    fn from(received: Received) -> Self {
        Self(Came::Received(received))
    }
}

/// What came of [`Work::Get`]: bytes that are where they belong, from the start of the range on.
#[derive(Clone, Debug)]
pub struct Received {
    pub(super) bytes: u64,
    pub(super) crc64: Option<u64>,
    pub(super) etag: Option<crate::ETag>,
    pub(super) size: Option<u64>,
    pub(super) object_crc64: Option<u64>,
    pub(super) version_id: Option<alloc::string::String>,
    pub(super) error: Option<Error>,
}

impl Received {
    /// So many bytes were put in place under this head, with this CRC-64; `None` when the driver does not
    /// compute it, and then nothing but lengths is checked and nothing can be gone on with.
    pub fn new(head: &GetObjectOutput, bytes: u64, crc64: impl Into<Option<u64>>) -> Self {
        let size = head.content_range.map_or(head.content_length, |range| Some(range.size));
        Self {
            bytes,
            crc64: crc64.into(),
            etag: head.etag.clone(),
            size,
            object_crc64: head.crc64,
            version_id: head.version_id.clone(),
            error: None,
        }
    }

    /// The same, of a call that failed after these bytes.
    #[must_use]
    pub fn broken(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }
}
