//! Operations on a bucket itself.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use http::StatusCode;
use http::header::LOCATION;

use crate::acl::Acl;
use crate::config::Config;
use crate::fault::Fault;
use crate::ops::Context;
use crate::reply::Answer;
use crate::store::{Bucket, History, Version, Versioning};
use crate::tags;
use crate::time::iso_extended;
use crate::xml::{Document, parse};

pub(crate) fn put(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let name = context.request.target.bucket();
    // Of one's own bucket a further call changes the metadata (PutBucket, "Usage notes"), but not how it
    // stores.
    let own = context.store.buckets.get(name).cloned();
    let mut bucket = own.clone().unwrap_or_else(|| Bucket::new(context.now));
    if let Some(acl) = context.request.header("x-oss-acl") {
        bucket.acl = Acl::of_bucket(acl)?;
    }
    if let Some(group) = context.request.header("x-oss-resource-group-id") {
        bucket.resource_group = group.to_owned();
    }
    check_public(&bucket, bucket.acl)?;
    if let Some(tags) = context.request.header("x-oss-bucket-tagging") {
        let tags = tags::parse(tags)?;
        bucket.documents.insert(("tagging", String::new()), tags::element(&tags));
    }
    if !body.is_empty() {
        let root = parse(body, "CreateBucketConfiguration").map_err(Fault::malformed_xml)?;
        if let Some(class) = root.child_text("StorageClass") {
            bucket.storage_class = storage_class(class)?;
        }
        if let Some(kind) = root.child_text("DataRedundancyType") {
            if !["LRS", "ZRS"].contains(&kind) {
                return Err(Fault::malformed_xml("DataRedundancyType is not LRS or ZRS"));
            }
            bucket.redundancy = kind.to_owned();
        }
    }
    if own.is_some_and(|own| own.storage_class != bucket.storage_class || own.redundancy != bucket.redundancy)
    {
        let why = "The requested bucket name is not available. The bucket namespace is shared by all users \
                   of the system. Please select a different name and try again.";
        return Err(Fault::new(409, "BucketAlreadyExists", "0015-00000104", why).with("BucketName", name));
    }
    context.store.buckets.insert(name.to_owned(), bucket);
    Ok(Answer::ok().header(LOCATION, &format!("/{name}")))
}

pub(crate) fn delete(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let name = context.request.target.bucket();
    let bucket = context.store.bucket(name)?;
    if !bucket.objects.is_empty() || !bucket.uploads.is_empty() {
        let why = "The bucket has objects, versions or unfinished uploads. Please delete them first.";
        return Err(Fault::new(409, "BucketNotEmpty", "0015-00000301", why).with("BucketName", name));
    }
    context.store.buckets.remove(name);
    Ok(Answer::status(StatusCode::NO_CONTENT))
}

pub(crate) fn info(context: &Context<'_>) -> Result<Answer, Fault> {
    let (config, name) = (context.config, context.request.target.bucket());
    let bucket = context.store.bucket(name)?;
    let or = |text: &'_ str, default: &'_ str| (if text.is_empty() { default } else { text }).to_owned();
    let on = |is_on: bool| if is_on { "Enabled" } else { "Disabled" };
    let monitor = bucket.setting("accessmonitor", &["Status"]);
    let blocked = bucket.setting("publicAccessBlock", &["BlockPublicAccess"]);
    let accelerated = bucket.setting("transferAcceleration", &["Enabled"]) == "true";
    let mut document = Document::new("BucketInfo");
    document.open("Bucket");
    document.text("AccessMonitor", &or(monitor, "Disabled"));
    document.text("BlockPublicAccess", &or(blocked, "false"));
    document.text("Comment", "");
    document.text("CreationDate", &iso_extended(bucket.created));
    document.text("CrossRegionReplication", on(bucket.document("replication").is_some()));
    document.text("DataRedundancyType", &bucket.redundancy);
    document.text("ExtranetEndpoint", &config.endpoint());
    document.text("IntranetEndpoint", &config.internal_endpoint());
    document.text("Location", &format!("oss-{}", config.region));
    document.text("Name", name);
    document.text("ResourceGroupId", &bucket.resource_group);
    document.text("StorageClass", &bucket.storage_class);
    document.text("TransferAcceleration", on(accelerated));
    if let Some(versioning) = bucket.versioning {
        document.text("Versioning", versioning.as_str());
    }
    owner(&mut document, config);
    document.open("AccessControlList");
    document.text("Grant", bucket.acl.as_str());
    document.close();
    document.open("ServerSideEncryptionRule");
    let encryption = |name| bucket.setting("encryption", &["ApplyServerSideEncryptionByDefault", name]);
    document.text("SSEAlgorithm", &or(encryption("SSEAlgorithm"), "None"));
    for name in ["KMSMasterKeyID", "KMSDataEncryption"] {
        if !encryption(name).is_empty() {
            document.text(name, encryption(name));
        }
    }
    document.close();
    document.open("BucketPolicy");
    document.text("LogBucket", bucket.setting("logging", &["LoggingEnabled", "TargetBucket"]));
    document.text("LogPrefix", bucket.setting("logging", &["LoggingEnabled", "TargetPrefix"]));
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn location(context: &Context<'_>) -> Result<Answer, Fault> {
    context.store.bucket(context.request.target.bucket())?;
    let mut document = Document::new("LocationConstraint");
    document.content(&format!("oss-{}", context.config.region));
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn stat(context: &Context<'_>) -> Result<Answer, Fault> {
    let bucket = context.bucket()?;
    let parts = || bucket.uploads.values().flat_map(|upload| upload.parts.values());
    let versions = || bucket.objects.values().flat_map(History::newest_first);
    let objects = || versions().filter_map(Version::object);
    let stored = |class: &'static str| {
        let objects = objects().filter(move |object| object.settings.storage_class == class);
        objects.fold((0, 0), |(bytes, count), object| (bytes + object.blob.len(), count + 1))
    };
    let all: u64 = objects().map(|object| object.blob.len()).sum();
    let modified = versions().map(|version| version.modified().as_secs()).max();
    let mut document = Document::new("BucketStat");
    document.value("Storage", all + parts().map(|part| part.blob.len()).sum::<u64>());
    document.value("ObjectCount", objects().count());
    document.value("MultipartUploadCount", bucket.uploads.len());
    document.value("MultipartPartCount", parts().count());
    document.value("LiveChannelCount", 0);
    document.value("LastModifiedTime", modified.unwrap_or(bucket.created.as_secs()));
    let (bytes, count) = stored("Standard");
    document.value("StandardStorage", bytes);
    document.value("StandardObjectCount", count);
    for (class, storage, real, objects) in CLASSES {
        let (bytes, count) = stored(class);
        document.value(storage, bytes);
        document.value(real, bytes);
        document.value(objects, count);
    }
    document.value("DeleteMarkerCount", versions().filter(|version| version.object().is_none()).count());
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn put_versioning(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = parse(body, "VersioningConfiguration").map_err(Fault::malformed_xml)?;
    let versioning = match root.child_text("Status").map(str::trim) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(Fault::malformed_xml("Status is not Enabled or Suspended")),
    };
    let bucket = context.bucket_mut()?;
    if bucket.worm.is_some() {
        let why = "Versioning cannot be set while the bucket has a retention policy.";
        return Err(Fault::new(409, "InvalidBucketState", "", why));
    }
    bucket.versioning = Some(versioning);
    Ok(Answer::ok())
}

/// Without a status until versioning is set for the first time (OSS document "GetBucketVersioning").
pub(crate) fn versioning(context: &Context<'_>) -> Result<Answer, Fault> {
    let mut document = Document::new("VersioningConfiguration");
    if let Some(versioning) = context.bucket()?.versioning {
        document.text("Status", versioning.as_str());
    }
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn put_resource_group(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = parse(body, "BucketResourceGroupConfiguration").map_err(Fault::malformed_xml)?;
    let group = root.child_text("ResourceGroupId").map(str::trim).unwrap_or_default();
    let group = if group.is_empty() { DEFAULT_GROUP } else { group };
    group.clone_into(&mut context.bucket_mut()?.resource_group);
    Ok(Answer::ok())
}

pub(crate) fn resource_group(context: &Context<'_>) -> Result<Answer, Fault> {
    let mut document = Document::new("BucketResourceGroupConfiguration");
    document.text("ResourceGroupId", &context.bucket()?.resource_group);
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn put_acl(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let acl = Acl::of_bucket(context.request.header("x-oss-acl").unwrap_or(""))?;
    check_public(context.bucket()?, acl)?;
    context.bucket_mut()?.acl = acl;
    Ok(Answer::ok())
}

pub(crate) fn acl(context: &Context<'_>) -> Result<Answer, Fault> {
    let acl = context.store.bucket(context.request.target.bucket())?.acl;
    Ok(Answer::xml(access_control_policy(context.config, acl)))
}

/// The answer of GetBucketAcl and GetObjectAcl.
pub(crate) fn access_control_policy(config: &Config, acl: Acl) -> String {
    let mut document = Document::new("AccessControlPolicy");
    owner(&mut document, config);
    document.open("AccessControlList");
    document.text("Grant", acl.as_str());
    document.finish()
}

/// A bucket that blocks public access takes no public ACL (OSS error page 0016-00000901).
pub(crate) fn check_public(bucket: &Bucket, acl: Acl) -> Result<(), Fault> {
    let is_blocked = bucket.setting("publicAccessBlock", &["BlockPublicAccess"]) == "true";
    if is_blocked && acl.lets_anyone_read() {
        let why = "Put public bucket or object acl is not allowed: public access is blocked.";
        return Err(Fault::access_denied("0016-00000901", why));
    }
    Ok(())
}

/// A storage class that OSS knows.
pub(crate) fn storage_class(text: &str) -> Result<String, Fault> {
    if STORAGE_CLASSES.contains(&text) {
        return Ok(text.to_owned());
    }
    let why = "The storage class must be Standard, IA, Archive, ColdArchive or DeepColdArchive.";
    Err(Fault::invalid_argument("x-oss-storage-class", text, "", why))
}

pub(crate) fn owner(document: &mut Document, config: &Config) {
    document.open("Owner");
    document.text("ID", &config.owner_id);
    document.text("DisplayName", &config.owner_name);
    document.close();
}

const DEFAULT_GROUP: &str = "rg-default";
const STORAGE_CLASSES: [&str; 5] = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
/// Storage class and its three elements in GetBucketStat.
const CLASSES: [(&str, &str, &str, &str); 4] = [
    ("IA", "InfrequentAccessStorage", "InfrequentAccessRealStorage", "InfrequentAccessObjectCount"),
    ("Archive", "ArchiveStorage", "ArchiveRealStorage", "ArchiveObjectCount"),
    ("ColdArchive", "ColdArchiveStorage", "ColdArchiveRealStorage", "ColdArchiveObjectCount"),
    ("DeepColdArchive", "DeepColdArchiveStorage", "DeepColdArchiveRealStorage", "DeepColdArchiveObjectCount"),
];
