//! An upload of one object, in one request or in parts.

use alloc::string::String;

use super::checkpoint::{Identity, Kind};
use super::multipart::{Cut, Made, Multipart, Offers};
use super::recipe::Recipe;
use super::{
    Checkpoint, CheckpointError, Completion, Fresh, Plan, Progress, Step, Ticket, Transfer, TransferError,
    TransferErrorKind, TransferOptions,
};
use crate::{ETag, Error, Misuse, PutObject, Service};

/// Uploads one object: in one `PutObject` when it is small, else in parts, several at a time.
///
/// The [`PutObject`] says what the object is to be, its body aside: headers, metadata, tags, access,
/// callback, `forbid_overwrite`. An upload in parts says the same to OSS where it is to be said there;
/// `content_md5` counts only in one request.
///
/// Success means: OSS holds exactly these parts in this order, each with the CRC-64 that its call has
/// checked, and the CRC-64 of the object is theirs combined, when OSS states it. A completion
/// whose answer was lost is looked up by its call, which is told the size and the CRC-64 that the object must
/// have. When a part fails for good, those under way are waited for, and the upload is aborted
/// once, or kept with [`keep_parts`](TransferOptions::keep_parts) or with checkpoints;
/// [`TransferError::left`](super::TransferError::left) says which.
///
/// With a length that is not known ([`of_unknown_length`](Self::of_unknown_length)) the driver cuts the
/// parts: whenever [`wants_part`](Self::wants_part), it gets [`part_size`](Self::part_size) bytes ready, or
/// fewer at the end, and tells how many with [`offer`](Self::offer).
pub struct Upload {
    multipart: Multipart,
    checkpoints: Option<Checkpoints>,
    /// What was found by an upload that cannot be.
    untouched: Option<Checkpoint>,
}

struct Checkpoints {
    call: Identity,
    size: u64,
    fresh: Option<Fresh>,
}

/// An object that was uploaded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UploadOutput {
    /// The entity tag.
    pub etag: Option<ETag>,
    /// CRC-64 of the object, by the checksums of its parts.
    pub crc64: Option<u64>,
    /// Whether OSS states the same CRC-64 of the whole object as its parts have together. It says as much as
    /// the checks of the calls: with `checks_upload_crc64` off nothing was compared with the source.
    pub is_checked: bool,
    /// The version, in a versioned bucket.
    pub version_id: Option<String>,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many parts it was made of; 0 when it went in one request.
    pub parts: u32,
    /// What the application answered to the callback; empty without one.
    pub callback: bytes::Bytes,
    /// The multipart upload was begun twice, because the first answer was lost: an orphan may exist under an
    /// id that nobody was told. `ListMultipartUploads` with the key as prefix shows it.
    pub may_be_orphan: bool,
    /// Why a checkpoint that was found was not gone on with.
    pub fresh: Option<Fresh>,
    /// The id of an earlier upload of the object that was not gone on with, when it could not be aborted, or
    /// nobody knows whether it was: its parts may be there, and are paid for until it is.
    pub older: Option<String>,
}

impl Upload {
    /// An upload of so many bytes.
    ///
    /// When they cannot be cut as `options` say, the first poll gives the error.
    pub fn new(put: PutObject, len: u64, options: &TransferOptions) -> Self {
        let plan = options.check().and_then(|()| Plan::new(len, options.part_size));
        let multipart = match plan {
            Ok(plan) => {
                let is_single = len == 0 || options.is_single(len, plan.part_size());
                Multipart::new(Recipe::of_put(put), Cut::Known(plan), is_single, options)
            }
            Err(error) => Multipart::refused(Recipe::of_put(put), error),
        };
        Self { multipart, checkpoints: None, untouched: None }
    }

    /// An upload whose length only its end tells.
    ///
    /// Its parts have one size, 6 MiB when `options` give none, so it ends with an error beyond 10,000 of
    /// them (58.6 GiB): give a larger part size for more, up to what the memory can hold in one piece.
    /// What fits one part goes in one request.
    pub fn of_unknown_length(put: PutObject, options: &TransferOptions) -> Self {
        let plan = options.check().and_then(|()| Plan::new(0, options.part_size));
        // The driver holds its parts, and no buffer is longer than `isize::MAX`.
        let plan = plan.and_then(|plan| plan.in_memory(isize::MAX as u64));
        let multipart = match plan {
            Ok(plan) => {
                let offers = Offers::new(plan.part_size());
                Multipart::new(Recipe::of_put(put), Cut::Offered(offers), false, options)
            }
            Err(error) => Multipart::refused(Recipe::of_put(put), error),
        };
        Self { multipart, checkpoints: None, untouched: None }
    }

    /// The same upload with checkpoints: it can be gone on with when it breaks off, and goes on from the one
    /// that was found, when that is about this very upload. Only for a known length.
    ///
    /// `local` tells the source as it is, so that a changed one is noticed: its length and modification time
    /// in any form. An upload that was begun with other headers, metadata or tags is another one. What OSS
    /// lists of the earlier upload counts where [`Work::Verify`](super::Work::Verify) shows that the source
    /// has the same bytes there. An upload that goes on cannot be in one request, and its parts are kept when
    /// it fails or is cancelled. An earlier one for the same object that is not gone on with is aborted; when
    /// that fails, the result names it ([`UploadOutput::older`], [`LeftUpload`](super::LeftUpload)).
    ///
    /// With `forbid_overwrite`, an upload that OSS does not have any more may have become the object: its
    /// head is asked for, and where length, number of parts and the CRC-64 of the source fit, it is the
    /// result. What the application answered to a callback is not known then.
    #[must_use]
    pub fn with_checkpoints(
        mut self,
        service: &Service,
        local: impl Into<String>,
        found: Option<Result<Checkpoint, CheckpointError>>,
    ) -> Self {
        if self.multipart.is_refused() {
            // Nothing comes of this call, so what was kept stays as it is.
            self.untouched = found.and_then(Result::ok);
            return self;
        }
        let Some(plan) = self.multipart.plan() else { return self };
        let (bucket, key) = self.multipart.names();
        let call = Identity::new(Kind::Upload, service, bucket, key, local.into());
        let Some(mut call) = call else { return self };
        call.part_size = plan.part_size();
        call.request = self.multipart.request();
        let mut checkpoints = Checkpoints { call, size: plan.len(), fresh: None };
        self.multipart.keep_parts(true);
        match found {
            None => {}
            Some(Err(error)) => checkpoints.fresh = Some(Fresh::Unreadable(error)),
            Some(Ok(found)) => {
                checkpoints.fresh = self.multipart.go_on(&found, &checkpoints.call, plan.len())
            }
        }
        self.checkpoints = Some(checkpoints);
        self
    }

    /// Why the checkpoint that was found is not gone on with, when it is not.
    pub fn fresh(&self) -> Option<&Fresh> {
        let checkpoints = self.checkpoints.as_ref()?;
        self.multipart.fresh().or(checkpoints.fresh.as_ref())
    }

    /// Whether the parts are kept when it fails or is cancelled from now on, whatever was said before.
    pub fn keep_parts(&mut self, keep: bool) {
        self.multipart.keep_parts(keep);
    }

    /// Ends it for a reason of the driver's: its source cannot be read, its checkpoint cannot be written. As
    /// [`cancel`](Transfer::cancel) otherwise.
    pub fn fail(&mut self, kind: TransferErrorKind) {
        self.multipart.fail(TransferError::new(kind));
    }

    /// How many bytes a part has; the last one may have fewer.
    pub fn part_size(&self) -> u64 {
        self.multipart.part_size()
    }

    /// Whether the next part of an unknown length may be offered: one waits at a time, beside those under
    /// way. So the driver holds [`lanes`](TransferOptions::lanes) parts and one more.
    pub fn wants_part(&self) -> bool {
        self.multipart.wants_part()
    }

    /// The next part of an unknown length is ready, with so many bytes.
    ///
    /// One that is shorter than [`part_size`](Self::part_size) is the last; `offer(0)` ends an object that
    /// fills its last part.
    ///
    /// # Errors
    /// When no part is wanted or it is too long: nothing changes.
    pub fn offer(&mut self, len: u64) -> Result<(), Misuse> {
        self.multipart.offer(len)
    }
}

impl Transfer for Upload {
    type Output = UploadOutput;

    fn poll(&mut self) -> Step<UploadOutput> {
        match self.multipart.poll() {
            Step::Run(ticket, work) => Step::Run(ticket, work),
            Step::Busy => Step::Busy,
            Step::Done(result) => Step::Done(result.map(|made| {
                let fresh = self.fresh().cloned();
                UploadOutput { fresh, ..UploadOutput::from(made) }
            })),
        }
    }

    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        self.multipart.complete(ticket, result);
    }

    fn abandon(&mut self, ticket: Ticket) {
        self.multipart.abandon(ticket);
    }

    fn cancel(&mut self) {
        self.multipart.cancel();
    }

    fn note(&mut self, ticket: Ticket, bytes: u64) {
        self.multipart.note(ticket, bytes);
    }

    fn progress(&self) -> Progress {
        self.multipart.progress()
    }

    /// The upload's id, as long as there is something to go on with.
    fn checkpoint(&self) -> Option<Checkpoint> {
        if self.untouched.is_some() {
            return self.untouched.clone();
        }
        let Checkpoints { call, size, .. } = self.checkpoints.as_ref()?;
        let upload_id = String::from(self.multipart.resumable()?);
        Some(Checkpoint {
            call: call.clone(),
            size: *size,
            etag: None,
            crc64: None,
            upload_id: Some(upload_id),
            parts: alloc::collections::BTreeMap::new(),
        })
    }

    fn checkpoint_revision(&self) -> u64 {
        self.multipart.revision()
    }
}

impl From<Made> for UploadOutput {
    fn from(made: Made) -> Self {
        let Made { etag, crc64, is_checked, version_id, bytes, parts, callback, may_be_orphan, older } = made;
        let fresh = None;
        Self { etag, crc64, is_checked, version_id, bytes, parts, callback, may_be_orphan, fresh, older }
    }
}

impl core::fmt::Debug for Upload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Upload({})", self.multipart.stage_name())
    }
}
