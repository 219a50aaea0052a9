//! What the requests of a transfer have in common: made from the one request that would do for a small
//! object.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::Work;
use super::error::misuse;
use crate::{
    AbortMultipartUpload, BucketName, Callback, CallbackVars, Change, Checked, CompleteMultipartUpload,
    CompletedPart, CopyObject, CopySource, ETag, Error, ErrorKind, HeadObject, InitiateMultipartUpload,
    ListParts, ObjectAcl, ObjectChanged, ObjectKey, Operation as _, Outcome, Payload, PutObject, ReadError,
    RequestPayer, UploadPart, UploadPartCopy,
};

/// How each request about one object is made.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) bucket: Checked<BucketName>,
    pub(super) key: Checked<ObjectKey>,
    /// The whole object in one request.
    pub(super) whole: Whole,
    pub(super) begin: InitiateMultipartUpload,
    acl: Option<ObjectAcl>,
    callback: Option<Callback>,
    callback_var: Option<CallbackVars>,
    forbid_overwrite: Option<bool>,
    traffic_limit: Option<u64>,
    payer: Option<RequestPayer>,
}

/// One request for the whole object, and what its parts are made of.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one in a transfer")]
pub(super) enum Whole {
    Put(PutObject),
    Copy(CopyObject, Pin),
}

/// The one source that all parts are copied from.
#[derive(Clone, Debug)]
pub(super) struct Pin {
    pub(super) source: CopySource,
    pub(super) etag: Option<ETag>,
}

impl Recipe {
    /// Parts of what one `PutObject` would say.
    pub(super) fn of_put(put: PutObject) -> Self {
        let put = PutObject { body: Payload::Empty, ..put };
        let begin = InitiateMultipartUpload {
            bucket: put.bucket.clone(),
            key: put.key.clone(),
            content_type: put.content_type.clone(),
            cache_control: put.cache_control.clone(),
            content_disposition: put.content_disposition.clone(),
            content_encoding: put.content_encoding.clone(),
            content_language: put.content_language.clone(),
            // Of the whole content, which no request holds.
            content_md5: None,
            expires: put.expires.clone(),
            storage_class: put.storage_class.clone(),
            metadata: put.metadata.clone(),
            tagging: put.tagging.clone(),
            forbid_overwrite: put.forbid_overwrite,
            server_side_encryption: put.server_side_encryption.clone(),
            server_side_data_encryption: put.server_side_data_encryption.clone(),
            server_side_encryption_key_id: put.server_side_encryption_key_id.clone(),
            object_worm_mode: put.object_worm_mode.clone(),
            object_worm_retain_until_date: put.object_worm_retain_until_date.clone(),
            object_worm_legal_hold: put.object_worm_legal_hold.clone(),
            request_payer: put.request_payer.clone(),
        };
        Self {
            bucket: put.bucket.clone(),
            key: put.key.clone(),
            begin,
            acl: put.acl.clone(),
            callback: put.callback.clone(),
            callback_var: put.callback_var.clone(),
            forbid_overwrite: put.forbid_overwrite,
            traffic_limit: put.traffic_limit,
            payer: put.request_payer.clone(),
            whole: Whole::Put(put),
        }
    }

    /// Parts of what one `CopyObject` would say, with the headers, metadata and tags that the copy gets.
    pub(super) fn of_copy(copy: CopyObject, pin: Pin, begin: InitiateMultipartUpload) -> Self {
        Self {
            bucket: copy.bucket.clone(),
            key: copy.key.clone(),
            begin,
            acl: copy.acl.clone(),
            callback: None,
            callback_var: None,
            forbid_overwrite: copy.forbid_overwrite,
            traffic_limit: copy.traffic_limit,
            payer: copy.request_payer.clone(),
            whole: Whole::Copy(copy, pin),
        }
    }

    pub(super) fn whole(&self, len: u64) -> Work {
        match &self.whole {
            Whole::Put(put) => Work::Put(0..len, put.clone()),
            Whole::Copy(copy, _) => Work::Copy(copy.clone()),
        }
    }

    pub(super) fn part(&self, upload_id: &str, number: u32, range: Range<u64>) -> Work {
        let (bucket, key) = (self.bucket.clone(), self.key.clone());
        match &self.whole {
            Whole::Put(_) => {
                let mut part = UploadPart::new(bucket, key, upload_id, number, Payload::Empty);
                part.traffic_limit = self.traffic_limit;
                part.request_payer = self.payer.clone();
                Work::Part(range, part)
            }
            Whole::Copy(_, pin) => {
                let source = pin.source.clone();
                let mut part = UploadPartCopy::new(bucket, key, upload_id, number, source).range(range);
                part.if_match.clone_from(&pin.etag);
                part.traffic_limit = self.traffic_limit;
                part.request_payer = self.payer.clone();
                Work::PartCopy(part)
            }
        }
    }

    /// A digest of the headers that an upload in parts begins with: what is gone on with has been told them,
    /// and cannot be told others.
    pub(super) fn request(&self) -> Option<String> {
        let draft = self.begin.draft().ok()?;
        let mut crc64 = oss_crc::Crc64::new();
        for (name, value) in &draft.headers {
            crc64.update(format!("{name}:{value}\n").as_bytes());
        }
        Some(format!("{:016x}", crc64.value()))
    }

    /// The look at what is there under the name of the object.
    pub(super) fn look(&self) -> HeadObject {
        let mut head = HeadObject::new(self.bucket.clone(), self.key.clone());
        head.request_payer.clone_from(&self.payer);
        head
    }

    /// Whether an object that is there stays as it is.
    pub(super) fn forbids_overwrite(&self) -> bool {
        self.forbid_overwrite == Some(true)
    }

    pub(super) fn list(&self, upload_id: &str) -> ListParts {
        let mut list = ListParts::new(self.bucket.clone(), self.key.clone(), upload_id);
        list.request_payer = self.payer.clone();
        list
    }

    pub(super) fn finish(&self, upload_id: &str, parts: Vec<CompletedPart>) -> CompleteMultipartUpload {
        let mut finish = CompleteMultipartUpload::new(self.bucket.clone(), self.key.clone(), upload_id);
        finish = finish.parts(parts);
        finish.acl = self.acl.clone();
        finish.callback.clone_from(&self.callback);
        finish.callback_var.clone_from(&self.callback_var);
        finish.forbid_overwrite = self.forbid_overwrite;
        finish.request_payer = self.payer.clone();
        finish
    }

    pub(super) fn abort(&self, upload_id: &str) -> AbortMultipartUpload {
        let mut abort = AbortMultipartUpload::new(self.bucket.clone(), self.key.clone(), upload_id);
        abort.request_payer = self.payer.clone();
        abort
    }

    /// The name of the operation that makes the object.
    pub(super) fn operation(&self, is_whole: bool) -> &'static str {
        match &self.whole {
            _ if !is_whole => "CompleteMultipartUpload",
            Whole::Put(_) => "PutObject",
            Whole::Copy(..) => "CopyObject",
        }
    }

    /// What the refusal of a part says: of a copy, that its source is not what it was.
    pub(super) fn reason(&self, error: Error, delivered: u64) -> Error {
        let change = match (&self.whole, error.status(), error.code()) {
            (Whole::Copy(..), Some(412), _) => Change::Replaced,
            (Whole::Copy(..), Some(404), Some("NoSuchKey" | "NoSuchVersion")) => Change::Deleted,
            _ => return error,
        };
        error.with_kind(ErrorKind::ObjectChanged(ObjectChanged { delivered, change }))
    }

    pub(super) fn has_callback(&self) -> bool {
        self.callback.is_some()
    }

    /// The error of a driver that broke the contract.
    pub(super) fn misuse(&self, what: &'static str, state: &'static str) -> Error {
        misuse(self.operation(false), what, state)
    }

    /// The error of an answer that lacks what it must have.
    pub(super) fn unread(&self, operation: &'static str, error: ReadError) -> Error {
        Error::new(ErrorKind::Reply(error), operation, Outcome::Unknown)
    }
}
