//! Operations: which one a request means, and who may call it.

mod bucket;
mod copy;
mod list;
mod multipart;
mod object;
mod service;

use alloc::vec::Vec;
use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use http::Method;
use md5::{Digest as _, Md5};

use crate::acl::Acl;
use crate::address::Target;
use crate::auth::Identity;
use crate::blob::Summed;
use crate::config::Config;
use crate::fault::Fault;
use crate::ids::Ids;
use crate::reply::Answer;
use crate::request::Request;
use crate::store::Store;

/// What an operation works with.
pub(crate) struct Context<'e> {
    pub(crate) config: &'e Config,
    pub(crate) store: &'e mut Store,
    pub(crate) ids: &'e mut Ids,
    pub(crate) request: &'e Request,
    pub(crate) identity: Identity,
    pub(crate) now: Duration,
}

/// A request body that has arrived.
pub(crate) enum Content {
    Object(Summed),
    Document(Vec<u8>),
}

impl Content {
    /// The bytes of a document; an object body has none.
    fn document(self) -> Vec<u8> {
        if let Self::Document(bytes) = self { bytes } else { Vec::new() }
    }

    /// An object body; a document is summed as one.
    fn object(self) -> Summed {
        match self {
            Self::Object(summed) => summed,
            Self::Document(bytes) => Summed::of(bytes::Bytes::from(bytes).into()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ListBuckets,
    PutBucket,
    DeleteBucket,
    GetBucketInfo,
    GetBucketLocation,
    GetBucketStat,
    PutBucketAcl,
    GetBucketAcl,
    ListObjects,
    ListObjectsV2,
    ListMultipartUploads,
    DeleteMultipleObjects,
    PutObject,
    CopyObject,
    GetObject,
    HeadObject,
    GetObjectMeta,
    DeleteObject,
    PutObjectAcl,
    GetObjectAcl,
    InitiateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
}

impl Operation {
    /// Finds the operation by method, target and sub-resources. A sub-resource that no row names is refused:
    /// it never falls through to a plain read or write.
    pub(crate) fn of(request: &Request) -> Result<Self, Fault> {
        if let Some(version) = request.query.value("versionId").filter(|version| *version != "null") {
            return Err(Fault::not_implemented("versionId").with("VersionId", version));
        }
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
        match (&request.target, method, &subs[..]) {
            (Target::Service, "GET", []) => Ok(Self::ListBuckets),
            (Target::Bucket(_), method, subs) => Self::on_bucket(method, subs),
            (Target::Object { .. }, "PUT", []) if copies => Ok(Self::CopyObject),
            (Target::Object { .. }, "PUT", ["partNumber", "uploadId"]) if copies => Ok(Self::UploadPartCopy),
            (Target::Object { .. }, method, subs) => Self::on_object(method, subs),
            (Target::Service, _, subs) => Err(refused(method, "Service", subs)),
        }
    }

    fn on_bucket(method: &str, subs: &[&str]) -> Result<Self, Fault> {
        match (method, subs) {
            ("PUT", []) => Ok(Self::PutBucket),
            ("DELETE", []) => Ok(Self::DeleteBucket),
            ("GET", []) => Ok(Self::ListObjects),
            ("GET", ["list-type"]) => Ok(Self::ListObjectsV2),
            ("GET", ["bucketInfo"]) => Ok(Self::GetBucketInfo),
            ("GET", ["location"]) => Ok(Self::GetBucketLocation),
            ("GET", ["stat"]) => Ok(Self::GetBucketStat),
            ("GET", ["acl"]) => Ok(Self::GetBucketAcl),
            ("PUT", ["acl"]) => Ok(Self::PutBucketAcl),
            ("GET", ["uploads"]) => Ok(Self::ListMultipartUploads),
            ("POST", ["delete"]) => Ok(Self::DeleteMultipleObjects),
            ("POST", []) => Err(Fault::not_implemented("PostObject")),
            _ => Err(refused(method, "Bucket", subs)),
        }
    }

    fn on_object(method: &str, subs: &[&str]) -> Result<Self, Fault> {
        match (method, subs) {
            ("PUT", []) => Ok(Self::PutObject),
            ("GET", []) => Ok(Self::GetObject),
            ("HEAD", []) => Ok(Self::HeadObject),
            ("HEAD", ["objectMeta"]) => Ok(Self::GetObjectMeta),
            ("DELETE", []) => Ok(Self::DeleteObject),
            ("PUT", ["acl"]) => Ok(Self::PutObjectAcl),
            ("GET", ["acl"]) => Ok(Self::GetObjectAcl),
            ("POST", ["uploads"]) => Ok(Self::InitiateMultipartUpload),
            ("PUT", ["partNumber", "uploadId"]) => Ok(Self::UploadPart),
            ("POST", ["uploadId"]) => Ok(Self::CompleteMultipartUpload),
            ("DELETE", ["uploadId"]) => Ok(Self::AbortMultipartUpload),
            ("GET", ["uploadId"]) => Ok(Self::ListParts),
            _ => Err(refused(method, "Object", subs)),
        }
    }

    /// Whether the body is the content of an object, not a document.
    pub(crate) fn takes_object(self) -> bool {
        matches!(self, Self::PutObject | Self::UploadPart)
    }

    /// The longest body in bytes: 5 GiB for an object or a part, 2 MiB for the documents of
    /// DeleteMultipleObjects (OSS document "Limits").
    pub(crate) fn body_max(self) -> u64 {
        if self.takes_object() { OBJECT_BYTES_MAX } else { DOCUMENT_BYTES_MAX }
    }

    /// Checks what can be checked before the body: permission, existence, headers. [`Self::perform`] checks
    /// again, since others may have been faster.
    pub(crate) fn check(self, context: &Context<'_>) -> Result<(), Fault> {
        self.check_permission(context)?;
        check_traffic_limit(context.request)?;
        for header in NOT_MODELLED_HEADERS {
            if context.request.headers.contains_key(*header) {
                return Err(Fault::not_implemented(header));
            }
        }
        match self {
            Self::ListBuckets | Self::PutBucket => Ok(()),
            Self::PutObject => object::check_put(context),
            Self::UploadPart => multipart::check_part(context),
            _ => context.store.bucket(context.request.target.bucket()).map(drop),
        }
    }

    pub(crate) fn perform(self, context: &mut Context<'_>, content: Content) -> Result<Answer, Fault> {
        // A second look: the bucket or its ACL may have changed while the body came.
        self.check(context)?;
        check_md5(context.request, &content)?;
        match self {
            Self::ListBuckets => service::list_buckets(context),
            Self::PutBucket => bucket::put(context, &content.document()),
            Self::DeleteBucket => bucket::delete(context),
            Self::GetBucketInfo => bucket::info(context),
            Self::GetBucketLocation => bucket::location(context),
            Self::GetBucketStat => bucket::stat(context),
            Self::PutBucketAcl => bucket::put_acl(context),
            Self::GetBucketAcl => bucket::acl(context),
            Self::ListObjects => list::objects(context),
            Self::ListObjectsV2 => list::objects_v2(context),
            Self::ListMultipartUploads => list::uploads(context),
            Self::DeleteMultipleObjects => object::delete_many(context, &content.document()),
            Self::PutObject => object::put(context, content.object()),
            Self::CopyObject => copy::object(context),
            Self::GetObject => object::read(context, true),
            Self::HeadObject => object::read(context, false),
            Self::GetObjectMeta => object::meta(context),
            Self::DeleteObject => object::delete(context),
            Self::PutObjectAcl => object::put_acl(context),
            Self::GetObjectAcl => object::acl(context),
            Self::InitiateMultipartUpload => multipart::initiate(context),
            Self::UploadPart => multipart::upload_part(context, content.object()),
            Self::UploadPartCopy => copy::part(context),
            Self::CompleteMultipartUpload => multipart::complete(context, &content.document()),
            Self::AbortMultipartUpload => multipart::abort(context),
            Self::ListParts => list::parts(context),
        }
    }

    /// Without a signature only reads and writes of public data are allowed (OSS document "ACL").
    fn check_permission(self, context: &Context<'_>) -> Result<(), Fault> {
        if context.identity == Identity::Owner {
            return Ok(());
        }
        let target = &context.request.target;
        let refused = || {
            let why = "You have no right to access this object because of bucket acl.";
            Fault::access_denied("0003-00000001", why)
        };
        if matches!(self, Self::ListBuckets | Self::PutBucket) {
            return Err(refused());
        }
        let bucket = context.store.bucket(target.bucket())?;
        let object = bucket.objects.get(target.key()).map_or(Acl::Default, |object| object.settings.acl);
        let acl = object.or(bucket.acl);
        let allowed = match self {
            Self::GetObject | Self::HeadObject | Self::GetObjectMeta => acl.lets_anyone_read(),
            Self::ListObjects | Self::ListObjectsV2 => bucket.acl.lets_anyone_read(),
            Self::PutObject | Self::DeleteObject => acl.lets_anyone_write(),
            _ => false,
        };
        if allowed { Ok(()) } else { Err(refused()) }
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
    match subs.iter().find(|sub| !MODELLED.contains(sub)) {
        Some(sub) => Fault::not_implemented(sub),
        None if subs.is_empty() && method == Method::OPTIONS.as_str() => {
            Fault::not_implemented("OptionObject")
        }
        None => Fault::method_not_allowed(method, resource),
    }
}

/// Compares `Content-MD5`, when it is sent, with the body.
fn check_md5(request: &Request, content: &Content) -> Result<(), Fault> {
    let Some(header) = request.header("content-md5") else { return Ok(()) };
    let md5: [u8; 16] = match content {
        Content::Object(summed) => summed.md5,
        Content::Document(bytes) => Md5::digest(bytes).into(),
    };
    let computed = Base64::encode_string(&md5);
    // The vendor's own sample leaves out the padding.
    if header.trim_end_matches('=') == computed.trim_end_matches('=') {
        return Ok(());
    }
    let why = "The Content-MD5 you specified was invalid.";
    Err(Fault::new(400, "InvalidDigest", "", why).with("Content-MD5", header))
}

fn check_traffic_limit(request: &Request) -> Result<(), Fault> {
    let limit = request.header("x-oss-traffic-limit").or_else(|| request.query.value("x-oss-traffic-limit"));
    match limit {
        Some(text) if !text.parse().is_ok_and(|bits: u64| TRAFFIC_LIMIT_BITS.contains(&bits)) => {
            let why = "x-oss-traffic-limit must be between 819200 and 838860800 bits per second";
            Err(Fault::invalid_argument("x-oss-traffic-limit", text, "0004-00000502", why))
        }
        _ => Ok(()),
    }
}

/// The largest body of PutObject and of a part: 5 GiB (OSS document "Limits").
pub(crate) const OBJECT_BYTES_MAX: u64 = 5 << 30;
const DOCUMENT_BYTES_MAX: u64 = 2 << 20;
const TRAFFIC_LIMIT_BITS: core::ops::RangeInclusive<u64> = 819_200..=838_860_800;

/// Sub-resources that some row of the tables above names.
const MODELLED: &[&str] = &[
    "acl",
    "bucketInfo",
    "delete",
    "list-type",
    "location",
    "objectMeta",
    "partNumber",
    "stat",
    "uploadId",
    "uploads",
];

/// Parameters of operations and signatures: they never choose an operation.
const PARAMETERS: &[&str] = &[
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "security-token",
    "start-after",
    "upload-id-marker",
    "versionId",
    "x-oss-additional-headers",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-request-payer",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
    "x-oss-traffic-limit",
];

/// What OSS documents as sub-resources and query parameters that change what a request does.
#[rustfmt::skip]
const SUB_RESOURCES: &[&str] = &[
    "accessPoint", "accessPointConfigForObjectProcess", "accessPointForObjectProcess", "accessPointPolicy",
    "accessPointPolicyForObjectProcess", "accessmonitor", "acl", "action", "append", "asyncFetch",
    "bucketArchiveDirectRead", "bucketInfo", "callback", "callback-var", "category", "cleanRestoredObject",
    "cloudboxes", "cname", "comp", "cors", "dataPipeline", "delete", "encryption", "endTime", "group",
    "httpsConfig", "img", "inventory", "inventoryId", "legalHold", "lifecycle", "link", "list-type", "live",
    "location", "logging", "metaQuery", "mode", "objectInfo", "objectMeta", "objectWorm", "overwriteConfig",
    "partNumber", "policy", "policyStatus", "position", "publicAccessBlock", "qos", "qosInfo", "qosRequester",
    "redundancyTransition", "referer", "regionList", "regions", "replication", "replicationLocation",
    "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool",
    "resourcePoolBuckets", "resourcePoolInfo", "restore", "retention", "rtc", "rule-id", "seal", "sequential",
    "startTime", "stat", "status", "style", "styleName", "symlink", "tag-key", "tag-value", "tagging",
    "transferAcceleration", "uploadId", "uploads", "userDefinedLogFieldsConfig", "version-id-marker",
    "versioning", "versions", "vod", "website", "worm", "wormExtend", "wormId",
];

/// Headers that would change what an operation does in ways that are not modelled.
const NOT_MODELLED_HEADERS: &[&str] = &[
    "x-oss-bucket-tagging",
    "x-oss-callback",
    "x-oss-callback-var",
    "x-oss-object-worm-legal-hold",
    "x-oss-object-worm-mode",
    "x-oss-object-worm-retain-until-date",
    "x-oss-process",
    "x-oss-symlink-target",
];
