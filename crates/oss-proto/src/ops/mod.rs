//! The operations, one table each, in the families of the vendor's reference.

mod acl;
mod append;
mod bucket;
mod deletion;
mod list;
mod multipart;
mod object;
mod payment;
mod process;
mod restore;
mod service;
mod symlink;
mod tagging;
mod versioning;
mod words;

pub use acl::*;
pub use append::*;
pub use bucket::*;
pub use deletion::*;
pub use list::*;
pub use multipart::*;
pub use object::*;
pub use payment::*;
pub use process::*;
pub use restore::*;
pub use service::*;
pub use symlink::*;
pub use tagging::*;
pub use versioning::*;
pub use words::*;

use crate::{Spec, Tabled};

/// Every operation, for catalogues and tests.
pub const ALL: &[&Spec] = &[
    AbortMultipartUpload::SPEC,
    AppendObject::SPEC,
    AsyncProcessObject::SPEC,
    CleanRestoredObject::SPEC,
    CompleteMultipartUpload::SPEC,
    CopyObject::SPEC,
    DeleteBucket::SPEC,
    DeleteMultipleObjects::SPEC,
    DeleteObject::SPEC,
    DeleteObjectTagging::SPEC,
    DescribeRegions::SPEC,
    GetBucketAcl::SPEC,
    GetBucketInfo::SPEC,
    GetBucketLocation::SPEC,
    GetBucketRequestPayment::SPEC,
    GetBucketStat::SPEC,
    GetBucketVersioning::SPEC,
    GetObject::SPEC,
    GetObjectAcl::SPEC,
    GetObjectMeta::SPEC,
    GetObjectTagging::SPEC,
    GetSymlink::SPEC,
    HeadObject::SPEC,
    InitiateMultipartUpload::SPEC,
    ListBuckets::SPEC,
    ListCloudBoxes::SPEC,
    ListMultipartUploads::SPEC,
    ListObjectVersions::SPEC,
    ListObjects::SPEC,
    ListObjectsV2::SPEC,
    ListParts::SPEC,
    ProcessObject::SPEC,
    PutBucket::SPEC,
    PutBucketAcl::SPEC,
    PutBucketRequestPayment::SPEC,
    PutBucketVersioning::SPEC,
    PutObject::SPEC,
    PutObjectAcl::SPEC,
    PutObjectTagging::SPEC,
    PutSymlink::SPEC,
    RestoreObject::SPEC,
    SealAppendObject::SPEC,
    UploadPart::SPEC,
    UploadPartCopy::SPEC,
];
