//! From method, target and sub-resources to an operation.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use http::Method;

use crate::address::Target;
use crate::fault::Fault;
use crate::ops::OBJECT_BYTES_MAX;
use crate::ops::document::Family;
use crate::ops::named::Named;
use crate::request::Request;

/// Everything the emulator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ListBuckets,
    ListCloudBoxes,
    DescribeRegions,
    PutBucket,
    DeleteBucket,
    GetBucketInfo,
    GetBucketLocation,
    GetBucketStat,
    PutBucketAcl,
    GetBucketAcl,
    PutBucketVersioning,
    GetBucketVersioning,
    PutBucketResourceGroup,
    GetBucketResourceGroup,
    PutDocument(Family),
    GetDocument(Family),
    DeleteDocument(Family),
    GetBucketPolicyStatus,
    PutNamed(Named),
    GetNamed(Named),
    ListNamed(Named),
    DeleteNamed(Named),
    ChangeReplication,
    GetBucketReplication,
    GetBucketReplicationLocation,
    GetBucketReplicationProgress,
    PutBucketRtc,
    InitiateBucketWorm,
    AbortBucketWorm,
    CompleteBucketWorm,
    ExtendBucketWorm,
    GetBucketWorm,
    ListObjects,
    ListObjectsV2,
    ListObjectVersions,
    ListMultipartUploads,
    ListLiveChannels,
    DeleteMultipleObjects,
    PostObject,
    PutObject,
    CopyObject,
    GetObject,
    HeadObject,
    GetObjectMeta,
    DeleteObject,
    AppendObject,
    SealAppendObject,
    PutSymlink,
    GetSymlink,
    RestoreObject,
    CleanRestoredObject,
    PutObjectAcl,
    GetObjectAcl,
    PutObjectTagging,
    GetObjectTagging,
    DeleteObjectTagging,
    InitiateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
}

impl Operation {
    /// Finds the operation. A sub-resource that no row names is refused: it never falls through to a plain
    /// read or write.
    pub(crate) fn of(request: &Request) -> Result<Self, Fault> {
        let mut subs: Vec<&str> = request
            .query
            .pairs()
            .iter()
            .filter(|(name, value)| is_sub_resource(name, value))
            .map(|(name, _)| name.as_str())
            .collect();
        subs.sort_unstable();
        subs.dedup();
        let method = request.method.as_str();
        let copies = request.headers.contains_key("x-oss-copy-source");
        let operation = match (&request.target, method, &subs[..]) {
            (Target::Service, method, subs) => Self::on_service(method, subs),
            (Target::Bucket(_), method, subs) => Self::on_bucket(method, subs),
            (Target::Object { .. }, "PUT", []) if copies => Ok(Self::CopyObject),
            (Target::Object { .. }, "PUT", ["partNumber", "uploadId"]) if copies => Ok(Self::UploadPartCopy),
            (Target::Object { .. }, method, subs) => Self::on_object(method, subs),
        }?;
        operation.check_version(request)?;
        Ok(operation)
    }

    fn on_service(method: &str, subs: &[&str]) -> Result<Self, Fault> {
        match (method, subs) {
            ("GET", ["cloudboxes"]) => Ok(Self::ListCloudBoxes),
            ("GET", ["regions"]) => Ok(Self::DescribeRegions),
            ("GET", subs) if subs.iter().all(|sub| BUCKET_FILTERS.contains(sub)) => Ok(Self::ListBuckets),
            _ => Err(refused(method, "Service", subs)),
        }
    }

    fn on_bucket(method: &str, subs: &[&str]) -> Result<Self, Fault> {
        match (method, subs) {
            ("PUT", []) => Ok(Self::PutBucket),
            ("DELETE", []) => Ok(Self::DeleteBucket),
            ("GET", []) => Ok(Self::ListObjects),
            ("POST", []) => Ok(Self::PostObject),
            ("GET", ["list-type"]) => Ok(Self::ListObjectsV2),
            ("GET", ["versions"]) => Ok(Self::ListObjectVersions),
            ("GET", ["uploads"]) => Ok(Self::ListMultipartUploads),
            ("GET", ["live"]) => Ok(Self::ListLiveChannels),
            ("POST", ["delete"]) => Ok(Self::DeleteMultipleObjects),
            ("GET", ["bucketInfo"]) => Ok(Self::GetBucketInfo),
            ("GET", ["location"]) => Ok(Self::GetBucketLocation),
            ("GET", ["stat"]) => Ok(Self::GetBucketStat),
            ("GET", ["acl"]) => Ok(Self::GetBucketAcl),
            ("PUT", ["acl"]) => Ok(Self::PutBucketAcl),
            ("GET", ["versioning"]) => Ok(Self::GetBucketVersioning),
            ("PUT", ["versioning"]) => Ok(Self::PutBucketVersioning),
            ("GET", ["resourceGroup"]) => Ok(Self::GetBucketResourceGroup),
            ("PUT", ["resourceGroup"]) => Ok(Self::PutBucketResourceGroup),
            ("GET", ["policyStatus"]) => Ok(Self::GetBucketPolicyStatus),
            ("POST", ["comp", "replication"]) => Ok(Self::ChangeReplication),
            ("GET", ["replication"]) => Ok(Self::GetBucketReplication),
            ("GET", ["replicationLocation"]) => Ok(Self::GetBucketReplicationLocation),
            ("GET", ["replicationProgress" | "rule-id", ..]) => Ok(Self::GetBucketReplicationProgress),
            ("PUT", ["rtc"]) => Ok(Self::PutBucketRtc),
            ("POST", ["worm"]) => Ok(Self::InitiateBucketWorm),
            ("DELETE", ["worm"]) => Ok(Self::AbortBucketWorm),
            ("POST", ["wormId"]) => Ok(Self::CompleteBucketWorm),
            ("POST", ["wormExtend", "wormId"]) => Ok(Self::ExtendBucketWorm),
            ("GET", ["worm"]) => Ok(Self::GetBucketWorm),
            (method, subs) => match (Named::of(subs), Family::of(subs)) {
                (Some((family, has_name)), _) => Self::on_named(method, family, has_name),
                (_, Some(family)) => Self::on_document(method, family),
                _ => None,
            }
            .ok_or_else(|| refused(method, "Bucket", subs)),
        }
    }

    fn on_document(method: &str, family: Family) -> Option<Self> {
        match method {
            "PUT" => Some(Self::PutDocument(family)),
            "GET" => Some(Self::GetDocument(family)),
            "DELETE" if family.can_be_deleted() => Some(Self::DeleteDocument(family)),
            _ => None,
        }
    }

    fn on_named(method: &str, family: Named, has_name: bool) -> Option<Self> {
        match (method, has_name) {
            ("PUT", true) => Some(Self::PutNamed(family)),
            ("GET", true) => Some(Self::GetNamed(family)),
            ("GET", false) => Some(Self::ListNamed(family)),
            ("DELETE", true) => Some(Self::DeleteNamed(family)),
            _ => None,
        }
    }

    fn on_object(method: &str, subs: &[&str]) -> Result<Self, Fault> {
        // A callback may stand in the query instead of the headers.
        let plain: Vec<&str> = subs.iter().copied().filter(|sub| !sub.starts_with("callback")).collect();
        match (method, &plain[..]) {
            ("PUT", []) => return Ok(Self::PutObject),
            ("POST", ["uploadId"]) => return Ok(Self::CompleteMultipartUpload),
            _ => {}
        }
        match (method, subs) {
            ("GET", []) => Ok(Self::GetObject),
            ("HEAD", []) => Ok(Self::HeadObject),
            ("HEAD" | "GET", ["objectMeta"]) => Ok(Self::GetObjectMeta),
            ("DELETE", []) => Ok(Self::DeleteObject),
            ("POST", ["append", "position"] | ["append"]) => Ok(Self::AppendObject),
            ("POST", ["position", "seal"] | ["seal"]) => Ok(Self::SealAppendObject),
            ("PUT", ["symlink"]) => Ok(Self::PutSymlink),
            ("GET" | "HEAD", ["symlink"]) => Ok(Self::GetSymlink),
            ("POST", ["restore"]) => Ok(Self::RestoreObject),
            ("POST", ["cleanRestoredObject"]) => Ok(Self::CleanRestoredObject),
            ("PUT", ["acl"]) => Ok(Self::PutObjectAcl),
            ("GET", ["acl"]) => Ok(Self::GetObjectAcl),
            ("PUT", ["tagging"]) => Ok(Self::PutObjectTagging),
            ("GET", ["tagging"]) => Ok(Self::GetObjectTagging),
            ("DELETE", ["tagging"]) => Ok(Self::DeleteObjectTagging),
            ("POST", ["uploads"]) => Ok(Self::InitiateMultipartUpload),
            ("PUT", ["partNumber", "uploadId"]) => Ok(Self::UploadPart),
            ("DELETE", ["uploadId"]) => Ok(Self::AbortMultipartUpload),
            ("GET", ["uploadId"]) => Ok(Self::ListParts),
            _ => Err(refused(method, "Object", subs)),
        }
    }

    /// Refuses a version where the operation has none, and an empty one everywhere.
    fn check_version(self, request: &Request) -> Result<(), Fault> {
        let takes_version = matches!(
            self,
            Self::GetObject
                | Self::HeadObject
                | Self::GetObjectMeta
                | Self::DeleteObject
                | Self::GetSymlink
                | Self::RestoreObject
                | Self::CleanRestoredObject
                | Self::PutObjectAcl
                | Self::GetObjectAcl
                | Self::PutObjectTagging
                | Self::GetObjectTagging
                | Self::DeleteObjectTagging
        );
        match request.query.value("versionId") {
            Some(version) if !takes_version => {
                let why = "The operation does not take a versionId.";
                Err(Fault::invalid_argument("versionId", version, "0016-00000504", why))
            }
            Some("") => Err(Fault::invalid_argument("versionId", "", "", "The versionId must not be empty.")),
            _ => Ok(()),
        }
    }

    /// Whether the body is the content of an object, or a form that holds one, and not a document.
    pub(crate) fn takes_object(self) -> bool {
        matches!(self, Self::PutObject | Self::UploadPart | Self::AppendObject | Self::PostObject)
    }

    /// The longest body in bytes: 5 GiB for an object or a part, 2 MiB for the documents of
    /// DeleteMultipleObjects (OSS document "Limits").
    pub(crate) fn body_max(self) -> u64 {
        match self {
            Self::PostObject => OBJECT_BYTES_MAX + FORM_BYTES_MAX,
            _ if self.takes_object() => OBJECT_BYTES_MAX,
            _ => DOCUMENT_BYTES_MAX,
        }
    }

    pub(crate) fn is_on_service(self) -> bool {
        matches!(self, Self::ListBuckets | Self::ListCloudBoxes | Self::DescribeRegions)
    }

    /// Whether the target is the service or a bucket, not an object.
    pub(crate) fn is_on_bucket(self) -> bool {
        !matches!(
            self,
            Self::PutObject
                | Self::CopyObject
                | Self::GetObject
                | Self::HeadObject
                | Self::GetObjectMeta
                | Self::DeleteObject
                | Self::AppendObject
                | Self::SealAppendObject
                | Self::PutSymlink
                | Self::GetSymlink
                | Self::RestoreObject
                | Self::CleanRestoredObject
                | Self::PutObjectAcl
                | Self::GetObjectAcl
                | Self::PutObjectTagging
                | Self::GetObjectTagging
                | Self::DeleteObjectTagging
                | Self::InitiateMultipartUpload
                | Self::UploadPart
                | Self::UploadPartCopy
                | Self::CompleteMultipartUpload
                | Self::AbortMultipartUpload
                | Self::ListParts
        )
    }

    /// The vendor's name, as a callback and an error name it.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }
}

/// Whether a query parameter chooses an operation. Those that OSS knows do; an unknown name does when it has
/// no value, for it may be one that OSS knows and this list does not.
fn is_sub_resource(name: &str, value: &str) -> bool {
    if PARAMETERS.contains(&name) || name.starts_with("response-") || name.starts_with("x-oss-ac-") {
        return false;
    }
    value.is_empty() || SUB_RESOURCES.contains(&name) || name.starts_with("x-oss-")
}

fn refused(method: &str, resource: &'static str, subs: &[&str]) -> Fault {
    match subs.iter().find(|sub| !MODELLED.contains(sub) && Family::of(&[*sub]).is_none()) {
        Some(sub) => Fault::not_implemented(sub),
        None if subs.is_empty() && method == Method::OPTIONS.as_str() => {
            Fault::not_implemented("OptionObject")
        }
        None => Fault::method_not_allowed(method, resource),
    }
}

/// The fields of a form before and after its file: 8 MiB (OSS error page 0006-00000112).
pub(crate) const FORM_BYTES_MAX: u64 = 8 << 20;
const DOCUMENT_BYTES_MAX: u64 = 2 << 20;

/// What ListBuckets filters by, beside its ordinary parameters.
const BUCKET_FILTERS: &[&str] = &["tag-key", "tag-value", "tagging"];

/// Sub-resources that some row of the tables above names.
#[rustfmt::skip]
const MODELLED: &[&str] = &[
    "acl", "append", "bucketInfo", "cleanRestoredObject", "cloudboxes", "comp", "delete", "inventory",
    "inventoryId", "list-type", "location", "objectMeta", "partNumber", "policyStatus", "position",
    "regions", "replication", "replicationLocation", "replicationProgress", "resourceGroup", "restore", "rtc",
    "rule-id", "seal", "stat", "style", "styleName", "symlink", "uploadId", "uploads", "versioning",
    "versions", "worm", "wormExtend", "wormId",
];

/// Parameters of operations and signatures: they never choose an operation.
#[rustfmt::skip]
const PARAMETERS: &[&str] = &[
    "Expires", "OSSAccessKeyId", "Signature", "category", "continuation-token", "delimiter", "encoding-type",
    "fetch-owner", "key-marker", "marker", "max-keys", "max-parts", "max-uploads", "part-number-marker",
    "prefix", "security-token", "start-after", "upload-id-marker", "version-id-marker", "versionId",
    "x-oss-additional-headers", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-request-payer",
    "x-oss-security-token", "x-oss-signature", "x-oss-signature-version", "x-oss-traffic-limit",
];

/// What OSS documents as sub-resources and query parameters that change what a request does.
#[rustfmt::skip]
const SUB_RESOURCES: &[&str] = &[
    "accessPoint", "accessPointConfigForObjectProcess", "accessPointForObjectProcess", "accessPointPolicy",
    "accessPointPolicyForObjectProcess", "accessmonitor", "acl", "action", "append", "asyncFetch",
    "bucketArchiveDirectRead", "bucketInfo", "callback", "callback-var", "cleanRestoredObject",
    "cloudboxes", "cname", "comp", "cors", "dataPipeline", "delete", "encryption", "endTime", "group",
    "httpsConfig", "img", "inventory", "inventoryId", "legalHold", "lifecycle", "link", "list-type", "live",
    "location", "logging", "metaQuery", "mode", "objectInfo", "objectMeta", "objectWorm", "overwriteConfig",
    "partNumber", "policy", "policyStatus", "position", "publicAccessBlock", "qos", "qosInfo", "qosRequester",
    "redundancyTransition", "referer", "regionList", "regions", "replication", "replicationLocation",
    "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool",
    "resourcePoolBuckets", "resourcePoolInfo", "restore", "retention", "rtc", "rule-id", "seal", "sequential",
    "startTime", "stat", "status", "style", "styleName", "symlink", "tag-key", "tag-value", "tagging",
    "transferAcceleration", "uploadId", "uploads", "userDefinedLogFieldsConfig", "versioning", "versions",
    "vod", "website", "worm", "wormExtend", "wormId",
];
