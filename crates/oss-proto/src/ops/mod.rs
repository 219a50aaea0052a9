//! The operations, one table each, in the families of the vendor's reference.

mod bucket;
mod multipart;
mod object;
mod service;
mod words;

pub use bucket::*;
pub use multipart::*;
pub use object::*;
pub use service::*;
pub use words::*;

use crate::{Spec, Tabled};

/// Every operation, for catalogues and tests.
pub const ALL: &[&Spec] = &[
    AbortMultipartUpload::SPEC,
    CompleteMultipartUpload::SPEC,
    CopyObject::SPEC,
    DeleteBucket::SPEC,
    DeleteMultipleObjects::SPEC,
    DeleteObject::SPEC,
    GetBucketInfo::SPEC,
    GetObject::SPEC,
    HeadObject::SPEC,
    InitiateMultipartUpload::SPEC,
    ListBuckets::SPEC,
    ListObjectsV2::SPEC,
    ListParts::SPEC,
    PutBucket::SPEC,
    PutObject::SPEC,
    UploadPart::SPEC,
];
