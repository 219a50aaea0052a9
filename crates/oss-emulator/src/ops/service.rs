//! ListBuckets.

use crate::fault::Fault;
use crate::ops::Context;
use crate::reply::Answer;
use crate::time::iso_extended;
use crate::xml::Document;

pub(crate) fn list_buckets(context: &Context<'_>) -> Result<Answer, Fault> {
    let (config, query) = (context.config, &context.request.query);
    let (prefix, marker) = (query.text("prefix"), query.text("marker"));
    let max = query.number("max-keys", 1..=1000, 100)?;
    let group = context.request.header("x-oss-resource-group-id");
    let mut found = context.store.buckets.iter().filter(|(name, bucket)| {
        name.starts_with(prefix)
            && name.as_str() > marker
            && group.is_none_or(|group| group == bucket.resource_group)
    });
    let mut document = Document::new("ListAllMyBucketsResult");
    document.open("Owner");
    document.text("ID", &config.owner_id);
    document.text("DisplayName", &config.owner_name);
    document.close();
    document.open("Buckets");
    let mut last = "";
    for (name, bucket) in found.by_ref().take(max) {
        document.open("Bucket");
        document.text("Comment", "");
        document.text("CreationDate", &iso_extended(bucket.created));
        document.text("ExtranetEndpoint", &config.endpoint());
        document.text("IntranetEndpoint", &config.internal_endpoint());
        document.text("Location", &alloc::format!("oss-{}", config.region));
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
