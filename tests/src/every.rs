//! Every operation of the tables, each once, with what it requires and nothing else.

use oss_proto::{
    AbortMultipartUpload, AppendObject, AsyncProcessObject, BucketAcl, CleanRestoredObject,
    CompleteMultipartUpload, CompletedPart, CopyObject, CopySource, DeleteBucket, DeleteMultipleObjects,
    DeleteObject, DeleteObjectTagging, DescribeRegions, GetBucketAcl, GetBucketInfo, GetBucketLocation,
    GetBucketRequestPayment, GetBucketStat, GetBucketVersioning, GetObject, GetObjectAcl, GetObjectMeta,
    GetObjectTagging, GetSymlink, HeadObject, InitiateMultipartUpload, ListBuckets, ListCloudBoxes,
    ListMultipartUploads, ListObjectVersions, ListObjects, ListObjectsV2, ListParts, ObjectAcl, Payer,
    ProcessObject, PutBucket, PutBucketAcl, PutBucketRequestPayment, PutBucketVersioning, PutObject,
    PutObjectAcl, PutObjectTagging, PutSymlink, RestoreObject, SealAppendObject, Tabled, UploadPart,
    UploadPartCopy, VersioningStatus,
};

/// Takes one operation after the other.
pub trait Visitor {
    /// The next operation.
    fn visit<O: Tabled + 'static>(&mut self, operation: O);
}

/// Where the operations go. What has to be there for each to succeed, its key says.
#[derive(Clone, Debug)]
pub struct Site {
    /// A bucket with an object `key`, an archived one `cold`, a restored one `thawed`, a link `link`, and an
    /// object `log` of five bytes that was appended to.
    pub bucket: String,
    /// A bucket that holds nothing.
    pub empty: String,
    /// The name of a bucket that is not there.
    pub new: String,
    /// An upload of `whole` in the bucket.
    pub upload_id: String,
    /// The entity tag of its part.
    pub etag: String,
}

impl Default for Site {
    fn default() -> Self {
        let (bucket, empty, new) = ("bucket".into(), "empty".into(), "new-bucket".into());
        let (upload_id, etag) = ("upload".into(), "\"5D41402ABC4B2A76B9719D911017C592\"".into());
        Self { bucket, empty, new, upload_id, etag }
    }
}

/// Shows every operation of `oss_proto::ops::ALL` to the visitor, in that order.
pub fn every(site: &Site, to: &mut impl Visitor) {
    let (bucket, upload) = (site.bucket.as_str(), site.upload_id.as_str());
    let source = || CopySource::new(bucket, "key");
    let parts = vec![CompletedPart::new(1_u32, site.etag.as_str())];
    to.visit(AbortMultipartUpload::new(bucket, "whole", upload));
    to.visit(AppendObject::new(bucket, "fresh", 0_u64, "hello"));
    to.visit(AsyncProcessObject::new(bucket, "key", "video/convert"));
    to.visit(CleanRestoredObject::new(bucket, "thawed"));
    to.visit(CompleteMultipartUpload::new(bucket, "whole", upload).parts(parts));
    to.visit(CopyObject::new(bucket, "fresh", source()));
    to.visit(DeleteBucket::new(site.empty.as_str()));
    to.visit(DeleteMultipleObjects::new(bucket, ["key"]));
    to.visit(DeleteObject::new(bucket, "key"));
    to.visit(DeleteObjectTagging::new(bucket, "key"));
    to.visit(DescribeRegions::new());
    to.visit(GetBucketAcl::new(bucket));
    to.visit(GetBucketInfo::new(bucket));
    to.visit(GetBucketLocation::new(bucket));
    to.visit(GetBucketRequestPayment::new(bucket));
    to.visit(GetBucketStat::new(bucket));
    to.visit(GetBucketVersioning::new(bucket));
    to.visit(GetObject::new(bucket, "key"));
    to.visit(GetObjectAcl::new(bucket, "key"));
    to.visit(GetObjectMeta::new(bucket, "key"));
    to.visit(GetObjectTagging::new(bucket, "key"));
    to.visit(GetSymlink::new(bucket, "link"));
    to.visit(HeadObject::new(bucket, "key"));
    to.visit(InitiateMultipartUpload::new(bucket, "fresh"));
    to.visit(ListBuckets::new());
    to.visit(ListCloudBoxes::new());
    to.visit(ListMultipartUploads::new(bucket));
    to.visit(ListObjectVersions::new(bucket));
    to.visit(ListObjects::new(bucket));
    to.visit(ListObjectsV2::new(bucket));
    to.visit(ListParts::new(bucket, "whole", upload));
    to.visit(ProcessObject::new(bucket, "key", "image/resize,w_100"));
    to.visit(PutBucket::new(site.new.as_str()));
    to.visit(PutBucketAcl::new(bucket, BucketAcl::Private));
    to.visit(PutBucketRequestPayment::new(bucket, Payer::Requester));
    to.visit(PutBucketVersioning::new(bucket, VersioningStatus::Enabled));
    to.visit(PutObject::new(bucket, "fresh", "hello"));
    to.visit(PutObjectAcl::new(bucket, "key", ObjectAcl::Private));
    to.visit(PutObjectTagging::new(bucket, "key", [("a", "b")]));
    to.visit(PutSymlink::new(bucket, "fresh", "key"));
    to.visit(RestoreObject::new(bucket, "cold"));
    to.visit(SealAppendObject::new(bucket, "log", 5_u64));
    to.visit(UploadPart::new(bucket, "whole", upload, 1_u32, "hello"));
    to.visit(UploadPartCopy::new(bucket, "whole", upload, 1_u32, source()));
}
