//! Why a transfer failed, and what it leaves behind.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{FileError, PlanError};
use crate::invalid::excerpt;
use crate::{CompletedPart, Error, ErrorKind, Misuse, Outcome};

/// Why a transfer failed: the first thing that went wrong, and what it leaves at OSS.
#[derive(Clone, Debug)]
pub struct TransferError {
    pub(super) kind: TransferErrorKind,
    pub(super) left: Option<Box<LeftUpload>>,
}

/// What went wrong first in a transfer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransferErrorKind {
    /// A call failed for good, or its answer is not to be reconciled with the others. The object that was
    /// replaced or deleted meanwhile is [`ErrorKind::ObjectChanged`](crate::ErrorKind::ObjectChanged) here,
    /// bytes that are not those that were sent [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt).
    Call(Error),
    /// The object cannot be cut into parts as it was asked for. Nothing was sent, unless its length was not
    /// known: then it has more bytes than parts of this size can hold.
    Plan(PlanError),
    /// The object does not end where this transfer has brought it: somebody else appended to it, or replaced
    /// it.
    Conflict {
        /// Where the append was to begin.
        position: u64,
        /// What OSS said.
        error: Box<Error>,
    },
    /// The tags of the source of a copy in parts may not be read, so that the copy would lose them. Nothing
    /// was begun.
    SourceTags {
        /// What OSS said.
        error: Box<Error>,
    },
    /// It was cancelled.
    Cancelled,
    /// It was cancelled while an append was under way that nobody waited for: the object ends at `position`,
    /// or `bytes` further.
    CancelledAppend {
        /// Where the append begins.
        position: u64,
        /// How many bytes it has.
        bytes: u64,
    },
    /// It was cancelled while the one request for the whole object was under way, and nobody waited for it:
    /// the object is there, or what was there before.
    CancelledWrite {
        /// How many bytes the object has.
        bytes: u64,
    },
    /// A file on this side could not be used.
    File(FileError),
    /// Another process, or another transfer of this one, is at it: it has the lock of the checkpoint.
    Busy,
    /// The file that is uploaded changed meanwhile: OSS would get a mixture of both.
    SourceChanged {
        /// What differs, and how.
        what: String,
    },
}

/// What a driver is told that breaks the contract of a transfer.
pub(super) fn misuse(operation: &'static str, what: &'static str, state: &'static str) -> Error {
    Error::new(ErrorKind::Misuse(Misuse { what, state }), operation, Outcome::Unknown)
}

/// The result of a transfer that is over: it is given once, and asking again is a misuse.
pub(super) fn once<T>(
    result: &mut Option<Box<Result<T, TransferError>>>,
    operation: &'static str,
) -> Result<T, TransferError> {
    let again = || Err(misuse(operation, "polled again", "Over").into());
    result.take().map_or_else(again, |result| *result)
}

/// A multipart upload that a failed transfer leaves, or may leave, behind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeftUpload {
    /// What names the upload. `None` when this transfer leaves none that it knows: with `may_be_orphan` its
    /// beginning has no answer, so that one may exist under an id that nobody was told.
    /// `ListMultipartUploads` with the key as prefix shows it.
    pub upload_id: Option<String>,
    /// The parts that OSS has acknowledged, by number.
    pub parts: Vec<CompletedPart>,
    /// What became of it.
    pub fate: UploadFate,
    /// Its beginning was repeated after an answer that was lost: another one may exist, without parts.
    pub may_be_orphan: bool,
    /// The upload of an earlier transfer that was not gone on with, when it could not be aborted, or nobody
    /// knows whether it was: its parts may be there, and are paid for.
    pub older: Option<String>,
}

/// What became of a multipart upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadFate {
    /// It is gone, and its parts are freed.
    Aborted,
    /// It was not aborted, as asked: another transfer may go on with it.
    Kept,
    /// It could not be aborted, or nobody knows whether it was: its parts may be there, and are paid for.
    MayRemain,
    /// Nobody knows whether an object was made of it.
    MayBeComplete,
}

impl TransferError {
    pub(super) fn new(kind: TransferErrorKind) -> Self {
        Self { kind, left: None }
    }

    /// An error that a driver found, before anything was begun at OSS.
    pub fn because(kind: TransferErrorKind) -> Self {
        Self::new(kind)
    }

    /// The same evidence for another cause, which a driver knows better.
    #[must_use]
    pub fn with_kind(self, kind: TransferErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// What went wrong first.
    pub fn kind(&self) -> &TransferErrorKind {
        &self.kind
    }

    /// The call that failed, when one did: its predicates say more.
    pub fn call(&self) -> Option<&Error> {
        match &self.kind {
            TransferErrorKind::Call(error) => Some(error),
            TransferErrorKind::Conflict { error, .. } | TransferErrorKind::SourceTags { error } => {
                Some(error)
            }
            _ => None,
        }
    }

    /// What is left at OSS, or may be.
    pub fn left(&self) -> Option<&LeftUpload> {
        self.left.as_deref()
    }

    /// It was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self.kind,
            TransferErrorKind::Cancelled
                | TransferErrorKind::CancelledAppend { .. }
                | TransferErrorKind::CancelledWrite { .. }
        )
    }

    /// The object was replaced or deleted while it was read: read it again from its start.
    pub fn is_object_changed(&self) -> bool {
        self.call().is_some_and(Error::is_object_changed)
    }
}

impl From<Error> for TransferError {
    fn from(error: Error) -> Self {
        Self::new(TransferErrorKind::Call(error))
    }
}

impl From<PlanError> for TransferError {
    fn from(error: PlanError) -> Self {
        Self::new(TransferErrorKind::Plan(error))
    }
}

/// One line: what went wrong first, and what is left at OSS.
impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TransferErrorKind::Call(error) => write!(f, "{error}")?,
            TransferErrorKind::Plan(error) => write!(f, "cannot be cut into parts: {error}")?,
            TransferErrorKind::Conflict { position, error } => {
                write!(f, "the object does not end at {position}, where it was left: {error}")?;
            }
            TransferErrorKind::SourceTags { error } => {
                let fix = "allow `oss:GetObjectTagging` (`oss:GetObjectVersionTagging` in a versioned \
                           bucket), or replace the tags with `tagging_directive`";
                write!(f, "the tags of the source cannot be read: {error}; {fix}")?;
            }
            TransferErrorKind::Cancelled => f.write_str("cancelled")?,
            TransferErrorKind::CancelledAppend { position, bytes } => {
                write!(f, "cancelled while {bytes} bytes were appended at {position}")?;
                f.write_str(": nobody knows whether they are there; read the head before you append again")?;
            }
            TransferErrorKind::CancelledWrite { bytes } => {
                write!(f, "cancelled while an object of {bytes} bytes was written in one request")?;
                f.write_str(": nobody knows whether it is there; read its head")?;
            }
            TransferErrorKind::File(error) => write!(f, "{error}")?,
            TransferErrorKind::Busy => {
                f.write_str("another transfer has the lock of this checkpoint; wait for it to end")?;
            }
            TransferErrorKind::SourceChanged { what } => {
                write!(f, "the file changed while it was uploaded: {what}; upload it again")?;
            }
        }
        self.left().map_or(Ok(()), |left| write!(f, "; {left}"))
    }
}

/// `Display` has the cause in it, so there is no source.
impl core::error::Error for TransferError {}

impl fmt::Display for LeftUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(older) = &self.older {
            let older = excerpt(older, ID_CHARS_MAX);
            write!(f, "the earlier multipart upload {older} may remain: abort it")?;
            if self.upload_id.is_some() || self.may_be_orphan {
                f.write_str("; ")?;
            }
        }
        let Some(id) = &self.upload_id else {
            return f.write_str(if self.may_be_orphan { ORPHAN } else { "" });
        };
        let (id, parts) = (excerpt(id, ID_CHARS_MAX), self.parts.len());
        match self.fate {
            UploadFate::Aborted => write!(f, "the multipart upload {id} was aborted")?,
            UploadFate::Kept => write!(f, "the multipart upload {id} is kept with {parts} parts")?,
            UploadFate::MayRemain => {
                write!(f, "the multipart upload {id} may remain with {parts} parts: abort it")?;
            }
            UploadFate::MayBeComplete => {
                write!(f, "the multipart upload {id} may have become the object: read its head")?;
            }
        }
        if self.may_be_orphan { write!(f, "; {ORPHAN}") } else { Ok(()) }
    }
}

const ORPHAN: &str = "an orphan upload may exist: list the multipart uploads of this key and abort it";
const ID_CHARS_MAX: usize = 128;
