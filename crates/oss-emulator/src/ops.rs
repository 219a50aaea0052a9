//! Operations: what each of them checks, and who may call it.

mod append;
mod bucket;
mod callback;
mod copy;
mod document;
mod form;
mod list;
mod multipart;
mod named;
mod object;
mod post_policy;
mod read;
mod replication;
mod restore;
mod route;
mod service;
mod symlink;
mod tagging;
mod worm;

use alloc::vec::Vec;
use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use md5::{Digest as _, Md5};

use crate::acl::Acl;
use crate::auth::Identity;
use crate::blob::{Builder, Summed};
use crate::config::Config;
use crate::fault::Fault;
use crate::ids::Ids;
use crate::reply::Answer;
use crate::request::Request;
use crate::store::{Bucket, Store};

pub use crate::ops::callback::{Callback, CallbackOutcome};
pub(crate) use crate::ops::route::Operation;

/// What an operation works with.
pub(crate) struct Context<'e> {
    pub(crate) config: &'e Config,
    pub(crate) store: &'e mut Store,
    pub(crate) ids: &'e mut Ids,
    pub(crate) request: &'e Request,
    pub(crate) request_id: &'e str,
    pub(crate) identity: Identity,
    pub(crate) now: Duration,
}

impl<'e> Context<'e> {
    pub(crate) fn bucket(&self) -> Result<&Bucket, Fault> {
        self.store.bucket(self.request.target.bucket())
    }

    pub(crate) fn bucket_mut(&mut self) -> Result<&mut Bucket, Fault> {
        self.store.bucket_mut(self.request.target.bucket())
    }

    pub(crate) fn key(&self) -> &'e str {
        self.request.target.key()
    }

    /// The version that the request names.
    pub(crate) fn version(&self) -> Option<&'e str> {
        self.request.query.value("versionId")
    }
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
            Self::Document(bytes) => {
                let mut builder = Builder::default();
                builder.push(bytes.into());
                builder.finish()
            }
        }
    }
}

impl Operation {
    /// Checks what can be checked before the body: permission, existence, headers. [`Self::perform`] checks
    /// again, since others may have been faster.
    pub(crate) fn check(self, context: &Context<'_>) -> Result<(), Fault> {
        self.check_permission(context)?;
        check_traffic_limit(context.request)?;
        self.check_headers(context.request)?;
        match self {
            Self::ListBuckets | Self::ListCloudBoxes | Self::DescribeRegions | Self::PutBucket => Ok(()),
            Self::PutObject => object::check_put(context),
            Self::AppendObject => append::check(context),
            Self::UploadPart => multipart::check_part(context),
            _ => context.bucket().map(drop),
        }
    }

    pub(crate) fn perform(self, context: &mut Context<'_>, content: Content) -> Result<Answer, Fault> {
        // A second look: the bucket or its ACL may have changed while the body came.
        self.check(context)?;
        check_md5(context.request, &content)?;
        match self {
            Self::PutObject => object::put(context, content.object()),
            Self::AppendObject => append::append(context, content.object()),
            Self::PostObject => form::post(context, content.object()),
            Self::UploadPart => multipart::upload_part(context, content.object()),
            _ if self.is_on_bucket() => self.perform_on_bucket(context, &content.document()),
            _ => self.perform_on_object(context, &content.document()),
        }
    }

    fn perform_on_bucket(self, context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
        match self {
            Self::ListBuckets => service::list_buckets(context),
            Self::ListCloudBoxes => service::list_cloud_boxes(context),
            Self::DescribeRegions => service::describe_regions(context),
            Self::PutBucket => bucket::put(context, body),
            Self::DeleteBucket => bucket::delete(context),
            Self::GetBucketInfo => bucket::info(context),
            Self::GetBucketLocation => bucket::location(context),
            Self::GetBucketStat => bucket::stat(context),
            Self::PutBucketAcl => bucket::put_acl(context),
            Self::GetBucketAcl => bucket::acl(context),
            Self::PutBucketVersioning => bucket::put_versioning(context, body),
            Self::GetBucketVersioning => bucket::versioning(context),
            Self::PutBucketResourceGroup => bucket::put_resource_group(context, body),
            Self::GetBucketResourceGroup => bucket::resource_group(context),
            Self::ListObjects => list::objects(context),
            Self::ListObjectsV2 => list::objects_v2(context),
            Self::ListObjectVersions => list::versions(context),
            Self::ListMultipartUploads => list::uploads(context),
            Self::ListLiveChannels => list::live_channels(context),
            Self::DeleteMultipleObjects => object::delete_many(context, body),
            Self::PutDocument(family) => document::put(context, family, body),
            Self::GetDocument(family) => document::get(context, family),
            Self::DeleteDocument(family) => document::delete(context, family),
            Self::GetBucketPolicyStatus => document::policy_status(context),
            Self::PutNamed(family) => named::put(context, family, body),
            Self::GetNamed(family) => named::get(context, family),
            Self::ListNamed(family) => named::list(context, family),
            Self::DeleteNamed(family) => named::delete(context, family),
            Self::ChangeReplication => replication::change(context, body),
            Self::GetBucketReplication => replication::get(context),
            Self::GetBucketReplicationLocation => replication::location(context),
            Self::GetBucketReplicationProgress => replication::progress(context),
            Self::PutBucketRtc => replication::put_rtc(context, body),
            Self::InitiateBucketWorm => worm::initiate(context, body),
            Self::AbortBucketWorm => worm::abort(context),
            Self::CompleteBucketWorm => worm::complete(context),
            Self::ExtendBucketWorm => worm::extend(context, body),
            Self::GetBucketWorm => worm::get(context),
            other => Err(Fault::not_implemented(&other.name())),
        }
    }

    fn perform_on_object(self, context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
        match self {
            Self::CopyObject => copy::object(context),
            Self::GetObject => read::object(context, true),
            Self::HeadObject => read::object(context, false),
            Self::GetObjectMeta => read::meta(context),
            Self::DeleteObject => object::delete(context),
            Self::SealAppendObject => append::seal(context),
            Self::PutSymlink => symlink::put(context),
            Self::GetSymlink => symlink::get(context),
            Self::RestoreObject => restore::restore(context, body),
            Self::CleanRestoredObject => restore::clean(context),
            Self::PutObjectAcl => object::put_acl(context),
            Self::GetObjectAcl => object::acl(context),
            Self::PutObjectTagging => tagging::put(context, body),
            Self::GetObjectTagging => tagging::get(context),
            Self::DeleteObjectTagging => tagging::delete(context),
            Self::InitiateMultipartUpload => multipart::initiate(context),
            Self::UploadPartCopy => copy::part(context),
            Self::CompleteMultipartUpload => multipart::complete(context, body),
            Self::AbortMultipartUpload => multipart::abort(context),
            Self::ListParts => list::parts(context),
            other => Err(Fault::not_implemented(&other.name())),
        }
    }

    /// Without a signature only reads and writes of public data are allowed (OSS document "ACL").
    pub(crate) fn check_permission(self, context: &Context<'_>) -> Result<(), Fault> {
        // A form carries its signature in the body.
        if context.identity == Identity::Owner || self == Self::PostObject {
            return Ok(());
        }
        if self.is_on_service() || self == Self::PutBucket {
            return Err(bucket_acl_refuses());
        }
        let bucket = context.bucket()?;
        if bucket.setting("requestPayment", &["Payer"]) == "Requester" {
            let why = "Anonymous access is forbidden for this operation: the requester pays.";
            return Err(Fault::access_denied("0003-00000701", why)
                .with("BucketName", context.request.target.bucket()));
        }
        if bucket.setting("publicAccessBlock", &["BlockPublicAccess"]) == "true" {
            return Err(Fault::access_denied("0003-00000001", "Public access to the bucket is blocked."));
        }
        let found = bucket.object(context.key(), context.version());
        let acl = found.map_or(Acl::Default, |found| found.object.settings.acl).or(bucket.acl);
        let is_allowed = match self {
            Self::GetObject | Self::HeadObject | Self::GetObjectMeta | Self::GetSymlink => {
                acl.lets_anyone_read()
            }
            Self::ListObjects | Self::ListObjectsV2 => bucket.acl.lets_anyone_read(),
            Self::DeleteMultipleObjects => bucket.acl.lets_anyone_write(),
            Self::DeleteObject if context.version().is_some() => false,
            Self::PutObject
            | Self::AppendObject
            | Self::PutSymlink
            | Self::DeleteObject
            | Self::InitiateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => acl.lets_anyone_write(),
            _ => false,
        };
        if is_allowed { Ok(()) } else { Err(bucket_acl_refuses()) }
    }

    /// Refuses headers that would change what the operation does in ways that are not modelled.
    fn check_headers(self, request: &Request) -> Result<(), Fault> {
        for header in NOT_MODELLED_HEADERS {
            if request.headers.contains_key(*header) {
                return Err(Fault::not_implemented(header));
            }
        }
        let has = |header: &&&str| request.headers.contains_key(**header);
        let takes_callback =
            matches!(self, Self::PutObject | Self::CompleteMultipartUpload | Self::PostObject);
        match CALLBACK_HEADERS.iter().find(has) {
            Some(header) if !takes_callback => Err(Fault::header_not_implemented(header)),
            _ => Ok(()),
        }
    }
}

pub(crate) fn bucket_acl_refuses() -> Fault {
    Fault::access_denied("0003-00000001", "You have no right to access this object because of bucket acl.")
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
const TRAFFIC_LIMIT_BITS: core::ops::RangeInclusive<u64> = 819_200..=838_860_800;
const CALLBACK_HEADERS: &[&str] = &["x-oss-callback", "x-oss-callback-var"];
const NOT_MODELLED_HEADERS: &[&str] = &[
    "x-oss-object-worm-legal-hold",
    "x-oss-object-worm-mode",
    "x-oss-object-worm-retain-until-date",
    "x-oss-process",
];
