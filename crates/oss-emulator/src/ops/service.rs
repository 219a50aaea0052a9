//! Operations on the service: ListBuckets, DescribeRegions, ListCloudBoxes.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::bucket::owner;
use crate::reply::Answer;
use crate::request::Query;
use crate::store::{Bucket, Tags};
use crate::tags;
use crate::time::iso_extended;
use crate::xml::Document;

pub(crate) fn list_buckets(context: &Context<'_>) -> Result<Answer, Fault> {
    let (config, query) = (context.config, &context.request.query);
    let (prefix, marker) = (query.text("prefix"), query.text("marker"));
    let max = query.number("max-keys", 1..=1000, 100)?;
    let group = context.request.header("x-oss-resource-group-id");
    let wanted = wanted_tags(query)?;
    let mut found = context.store.buckets.iter().filter(|(name, bucket)| {
        name.starts_with(prefix)
            && name.as_str() > marker
            && group.is_none_or(|group| group == bucket.resource_group)
            && has_tags(bucket, &wanted)
    });
    let mut document = Document::new("ListAllMyBucketsResult");
    owner(&mut document, config);
    document.open("Buckets");
    let mut last = "";
    for (name, bucket) in found.by_ref().take(max) {
        document.open("Bucket");
        document.text("Comment", "");
        document.text("CreationDate", &iso_extended(bucket.created));
        document.text("ExtranetEndpoint", &config.endpoint());
        document.text("IntranetEndpoint", &config.internal_endpoint());
        document.text("Location", &format!("oss-{}", config.region));
        document.text("Name", name);
        document.text("Region", &config.region);
        document.text("ResourceGroupId", &bucket.resource_group);
        document.text("StorageClass", &bucket.storage_class);
        document.close();
        last = name;
    }
    let is_truncated = found.next().is_some();
    document.close();
    document.text("Prefix", prefix);
    document.text("Marker", marker);
    document.value("MaxKeys", max);
    document.value("IsTruncated", is_truncated);
    document.text("NextMarker", if is_truncated { last } else { "" });
    Ok(Answer::xml(document.finish()))
}

/// All regions, or the one that `regions` names (OSS document "DescribeRegions").
pub(crate) fn describe_regions(context: &Context<'_>) -> Result<Answer, Fault> {
    let own = context.config.region.as_str();
    let mut regions: Vec<&str> = REGIONS.to_vec();
    if !regions.contains(&own) {
        regions.push(own);
    }
    regions.sort_unstable();
    let wanted = context.request.query.text("regions");
    if !wanted.is_empty() {
        regions.retain(|region| wanted.strip_prefix("oss-") == Some(region));
        if regions.is_empty() {
            let why = "The specified region does not exist.";
            return Err(Fault::new(404, "NoSuchRegion", "", why).with("Region", wanted));
        }
    }
    let mut document = Document::new("RegionInfoList");
    for region in regions {
        document.open("RegionInfo");
        document.text("Region", &format!("oss-{region}"));
        document.text("InternetEndpoint", &format!("oss-{region}.aliyuncs.com"));
        document.text("InternalEndpoint", &format!("oss-{region}-internal.aliyuncs.com"));
        document.text("AccelerateEndpoint", "oss-accelerate.aliyuncs.com");
        document.close();
    }
    Ok(Answer::xml(document.finish()))
}

/// The account has no cloud box.
pub(crate) fn list_cloud_boxes(context: &Context<'_>) -> Result<Answer, Fault> {
    let query = &context.request.query;
    let mut document = Document::new("ListCloudBoxResult");
    owner(&mut document, context.config);
    document.text("Prefix", query.text("prefix"));
    document.text("Marker", query.text("marker"));
    document.value("MaxKeys", query.number("max-keys", 1..=1000, 100)?);
    document.value("IsTruncated", false);
    document.text("NextMarker", "");
    document.text("CloudBoxes", "");
    Ok(Answer::xml(document.finish()))
}

/// The tags that a bucket must have: `tag-key` with or without `tag-value`, or `tagging`, which is a list of
/// `"key":"value"` (OSS document "ListBuckets"). A value of `None` is any value.
fn wanted_tags(query: &Query) -> Result<Vec<(String, Option<String>)>, Fault> {
    let (key, value) = (query.text("tag-key"), query.text("tag-value"));
    if key.is_empty() && !value.is_empty() {
        return Err(Fault::invalid_argument("tag-value", value, "", "A tag-value needs a tag-key."));
    }
    let mut wanted = Vec::new();
    if !key.is_empty() {
        wanted.push((key.to_owned(), query.value("tag-value").map(ToOwned::to_owned)));
    }
    for pair in query.text("tagging").split(',').filter(|pair| !pair.trim().is_empty()) {
        let bare = |text: &str| text.trim().trim_matches('"').to_owned();
        let Some((key, value)) = pair.split_once(':') else {
            let why = "tagging must be a list of \"key\":\"value\".";
            return Err(Fault::invalid_argument("tagging", pair, "", why));
        };
        wanted.push((bare(key), Some(bare(value))));
    }
    Ok(wanted)
}

fn has_tags(bucket: &Bucket, wanted: &[(String, Option<String>)]) -> bool {
    let document = bucket.document("tagging");
    let tags = document.and_then(|root| tags::of_document(root, usize::MAX).ok()).unwrap_or_default();
    let has = |(key, value): &(String, Option<String>)| is_among(&tags, key, value.as_deref());
    wanted.iter().all(has)
}

fn is_among(tags: &Tags, key: &str, value: Option<&str>) -> bool {
    tags.iter().any(|(other, text)| other == key && value.is_none_or(|value| value == text))
}

/// OSS document "Regions and endpoints".
#[rustfmt::skip]
pub(crate) const REGIONS: &[&str] = &[
    "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-3", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "cn-beijing", "cn-chengdu", "cn-fuzhou", "cn-guangzhou",
    "cn-hangzhou", "cn-heyuan", "cn-hongkong", "cn-huhehaote", "cn-nanjing", "cn-qingdao", "cn-shanghai",
    "cn-shenzhen", "cn-wuhan-lr", "cn-wulanchabu", "cn-zhangjiakou", "eu-central-1", "eu-west-1",
    "me-central-1", "me-east-1", "us-east-1", "us-west-1",
];
