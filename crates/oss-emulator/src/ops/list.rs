//! Listings: objects (both forms), their versions, multipart uploads, parts.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Bound;

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::bucket::owner;
use crate::reply::Answer;
use crate::request::Query;
use crate::store::{Object, Version};
use crate::time::iso_extended;
use crate::xml::{Document, Encoding};

pub(crate) fn objects(context: &Context<'_>) -> Result<Answer, Fault> {
    let query = &context.request.query;
    let marker = query.text("marker");
    let (page, max, encoding) = object_page(context, marker)?;
    let mut document = Document::new("ListBucketResult");
    document.text("Name", context.request.target.bucket());
    names(&mut document, encoding, &[("Prefix", query.text("prefix")), ("Marker", marker)]);
    document.value("MaxKeys", max);
    names(&mut document, encoding, &[("Delimiter", query.text("delimiter"))]);
    encoding_type(&mut document, query);
    document.value("IsTruncated", page.next.is_some());
    names(&mut document, encoding, &[("NextMarker", page.next.as_deref().unwrap_or(""))]);
    contents(&mut document, &page, encoding, true, context);
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn objects_v2(context: &Context<'_>) -> Result<Answer, Fault> {
    let query = &context.request.query;
    if query.text("list-type") != "2" {
        let why = "list-type must be 2";
        return Err(Fault::invalid_argument("list-type", query.text("list-type"), "", why));
    }
    let token = query.text("continuation-token");
    let after = if token.is_empty() { query.text("start-after").to_owned() } else { resume(token)? };
    let with_owner = match query.text("fetch-owner") {
        "true" => true,
        "" | "false" => false,
        other => {
            let why = "fetch-owner must be true or false";
            return Err(Fault::invalid_argument("fetch-owner", other, "", why));
        }
    };
    let (page, max, encoding) = object_page(context, &after)?;
    let mut document = Document::new("ListBucketResult");
    document.text("Name", context.request.target.bucket());
    let given = [("Prefix", query.text("prefix")), ("StartAfter", query.text("start-after"))];
    names(&mut document, encoding, &given);
    document.text("ContinuationToken", token);
    document.value("MaxKeys", max);
    names(&mut document, encoding, &[("Delimiter", query.text("delimiter"))]);
    encoding_type(&mut document, query);
    document.value("IsTruncated", page.next.is_some());
    // Unlike the other next markers this one is left out at the end: some clients page on while it is there.
    if let Some(next) = &page.next {
        document.text("NextContinuationToken", &Base64UrlUnpadded::encode_string(next.as_bytes()));
    }
    document.value("KeyCount", page.items.len() + page.prefixes.len());
    contents(&mut document, &page, encoding, with_owner, context);
    Ok(Answer::xml(document.finish()))
}

/// Versions and delete markers: by key, the newest first.
pub(crate) fn versions(context: &Context<'_>) -> Result<Answer, Fault> {
    let query = &context.request.query;
    let encoding = query.encoding()?;
    let max = query.number("max-keys", 1..=1000, 100)?;
    let (prefix, key_marker, id_marker) =
        (prefix(query)?, query.text("key-marker"), query.text("version-id-marker"));
    if key_marker.is_empty() && !id_marker.is_empty() {
        let why = "A version-id marker cannot be specified without a key marker.";
        return Err(Fault::invalid_argument("version-id-marker", id_marker, "", why));
    }
    let bucket = context.bucket()?;
    let all = bucket.objects.range::<str, _>((Bound::Included(key_marker), Bound::Unbounded));
    let items = all.flat_map(|(key, history)| {
        let versions: Vec<&Version> = match key.as_str() {
            key if key != key_marker => history.newest_first().collect(),
            _ if id_marker.is_empty() => Vec::new(),
            _ => history.older_than(id_marker).collect(),
        };
        let latest = history.latest().map(|version| version.id.as_str());
        versions.into_iter().map(move |version| (key.as_str(), (version, latest == Some(&version.id))))
    });
    let page = page(items, prefix, query.text("delimiter"), key_marker, max);
    let next_id = match (&page.next, page.items.last()) {
        (Some(next), Some((key, (version, _)))) if key == next => version.id.as_str(),
        _ => "",
    };
    let mut document = Document::new("ListVersionsResult");
    document.text("Name", context.request.target.bucket());
    names(&mut document, encoding, &[("Prefix", prefix), ("KeyMarker", key_marker)]);
    document.text("VersionIdMarker", id_marker);
    document.value("MaxKeys", max);
    names(&mut document, encoding, &[("Delimiter", query.text("delimiter"))]);
    encoding_type(&mut document, query);
    document.value("IsTruncated", page.next.is_some());
    names(&mut document, encoding, &[("NextKeyMarker", page.next.as_deref().unwrap_or(""))]);
    document.text("NextVersionIdMarker", next_id);
    for (key, (version, is_latest)) in &page.items {
        version_entry(&mut document, &encoding.of(key), version, *is_latest, context);
    }
    common_prefixes(&mut document, &page.prefixes, encoding);
    Ok(Answer::xml(document.finish()))
}

/// There is no live channel.
pub(crate) fn live_channels(context: &Context<'_>) -> Result<Answer, Fault> {
    let query = &context.request.query;
    let mut document = Document::new("ListLiveChannelResult");
    document.text("Prefix", query.text("prefix"));
    document.text("Marker", query.text("marker"));
    document.value("MaxKeys", query.number("max-keys", 1..=1000, 100)?);
    document.value("IsTruncated", false);
    document.text("NextMarker", "");
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn uploads(context: &Context<'_>) -> Result<Answer, Fault> {
    let query = &context.request.query;
    let encoding = query.encoding()?;
    let max = query.number("max-uploads", 1..=1000, 1000)?;
    let (key_marker, id_marker) = (query.text("key-marker"), query.text("upload-id-marker"));
    let bucket = context.store.bucket(context.request.target.bucket())?;
    let all = bucket.uploads.iter().filter(|((key, id), _)| match key.as_str() {
        key if key == key_marker => !id_marker.is_empty() && id.as_str() > id_marker,
        key => key > key_marker,
    });
    let items = all.map(|((key, id), upload)| (key.as_str(), (id.as_str(), upload)));
    let page = page(items, prefix(query)?, query.text("delimiter"), key_marker, max);
    let next_id = match (&page.next, page.items.last()) {
        (Some(next), Some((key, (id, _)))) if key == next => id,
        _ => "",
    };
    let mut document = Document::new("ListMultipartUploadsResult");
    encoding_type(&mut document, query);
    document.text("Bucket", context.request.target.bucket());
    names(&mut document, encoding, &[("KeyMarker", key_marker)]);
    document.text("UploadIdMarker", id_marker);
    names(&mut document, encoding, &[("NextKeyMarker", page.next.as_deref().unwrap_or(""))]);
    document.text("NextUploadIdMarker", next_id);
    let given = [("Delimiter", query.text("delimiter")), ("Prefix", query.text("prefix"))];
    names(&mut document, encoding, &given);
    document.value("MaxUploads", max);
    document.value("IsTruncated", page.next.is_some());
    for (key, (id, upload)) in &page.items {
        document.open("Upload");
        document.text("Key", &encoding.of(key));
        document.text("UploadId", id);
        document.text("StorageClass", &upload.settings.storage_class);
        document.text("Initiated", &iso_extended(upload.initiated));
        document.close();
    }
    common_prefixes(&mut document, &page.prefixes, encoding);
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn parts(context: &Context<'_>) -> Result<Answer, Fault> {
    let (query, target) = (&context.request.query, &context.request.target);
    let encoding = query.encoding()?;
    let max = query.number("max-parts", 1..=1000, 1000)?;
    let marker = query.number("part-number-marker", 0..=10_000, 0)? as u32;
    let id = query.text("uploadId");
    let upload = context.store.bucket(target.bucket())?.upload(target.key(), id)?;
    let mut rest = upload.parts.range(marker + 1..);
    let listed: Vec<_> = rest.by_ref().take(max).collect();
    let next = listed.last().map_or(marker, |(number, _)| **number);
    let mut document = Document::new("ListPartsResult");
    encoding_type(&mut document, query);
    document.text("Bucket", target.bucket());
    document.text("Key", &encoding.of(target.key()));
    document.text("UploadId", id);
    document.text("StorageClass", &upload.settings.storage_class);
    document.value("PartNumberMarker", marker);
    document.value("NextPartNumberMarker", next);
    document.value("MaxParts", max);
    document.value("IsTruncated", rest.next().is_some());
    for (number, part) in listed {
        document.open("Part");
        document.value("PartNumber", number);
        document.text("LastModified", &iso_extended(part.modified));
        document.text("ETag", &part.etag);
        document.value("HashCrc64ecma", part.crc);
        document.value("Size", part.blob.len());
        document.close();
    }
    Ok(Answer::xml(document.finish()))
}

/// One page of a listing.
struct Page<'a, T> {
    items: Vec<(&'a str, T)>,
    prefixes: Vec<String>,
    /// The last name of the page, when there is more.
    next: Option<String>,
}

/// Takes up to `max` names from sorted `items`: those with the prefix, grouped at the delimiter.
///
/// A group that ends the page before (`after` is its name) is not named again.
fn page<'a, T>(
    items: impl Iterator<Item = (&'a str, T)>,
    prefix: &str,
    delimiter: &str,
    after: &str,
    max: usize,
) -> Page<'a, T> {
    let mut page = Page { items: Vec::new(), prefixes: Vec::new(), next: None };
    let mut last: Option<String> = None;
    for (key, item) in items {
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        let group = if delimiter.is_empty() { None } else { rest.find(delimiter) };
        let group = group.map(|at| &key[..prefix.len() + at + delimiter.len()]);
        if group.is_some_and(|group| group == after || last.as_deref() == Some(group)) {
            continue;
        }
        if page.items.len() + page.prefixes.len() == max {
            page.next = last;
            break;
        }
        last = Some(group.unwrap_or(key).to_owned());
        match group {
            Some(group) => page.prefixes.push(group.to_owned()),
            None => page.items.push((key, item)),
        }
    }
    page
}

fn object_page<'c>(
    context: &'c Context<'_>,
    after: &str,
) -> Result<(Page<'c, &'c Object>, usize, Encoding), Fault> {
    let query = &context.request.query;
    let encoding = query.encoding()?;
    let max = query.number("max-keys", 1..=1000, 100)?;
    let prefix = prefix(query)?;
    let bucket = context.bucket()?;
    let start = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
    let items = bucket
        .objects
        .range::<str, _>((start, Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(prefix))
        .filter_map(|(key, history)| Some((key.as_str(), history.latest()?.object()?)));
    Ok((page(items, prefix, query.text("delimiter"), after, max), max, encoding))
}

fn prefix(query: &Query) -> Result<&str, Fault> {
    let prefix = query.text("prefix");
    if prefix.len() > PREFIX_BYTES_MAX {
        let why = "The prefix must be shorter than 1024 bytes.";
        return Err(Fault::invalid_argument("prefix", prefix, "", why));
    }
    Ok(prefix)
}

fn resume(token: &str) -> Result<String, Fault> {
    let bytes = Base64UrlUnpadded::decode_vec(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        let why = "The continuation token provided is incorrect.";
        Fault::invalid_argument("continuation-token", token, "", why)
    })
}

fn contents(
    document: &mut Document,
    page: &Page<'_, &Object>,
    encoding: Encoding,
    with_owner: bool,
    context: &Context<'_>,
) {
    for (key, object) in &page.items {
        document.open("Contents");
        document.text("Key", &encoding.of(key));
        object_entry(document, object, context);
        if with_owner {
            owner(document, context.config);
        }
        document.close();
    }
    common_prefixes(document, &page.prefixes, encoding);
}

/// What all three listings say about an object.
fn object_entry(document: &mut Document, object: &Object, context: &Context<'_>) {
    document.text("LastModified", &iso_extended(object.modified));
    document.text("ETag", &object.etag);
    document.text("Type", object.kind.as_str());
    document.value("Size", object.blob.len());
    document.text("StorageClass", &object.settings.storage_class);
    if let Some(info) = object.restore_info(context.now) {
        document.text("RestoreInfo", &info);
    }
}

fn version_entry(
    document: &mut Document,
    key: &str,
    version: &Version,
    is_latest: bool,
    context: &Context<'_>,
) {
    document.open(if version.object().is_some() { "Version" } else { "DeleteMarker" });
    document.text("Key", key);
    document.text("VersionId", &version.id);
    document.value("IsLatest", is_latest);
    match version.object() {
        Some(object) => object_entry(document, object, context),
        None => document.text("LastModified", &iso_extended(version.modified())),
    }
    owner(document, context.config);
    document.close();
}

fn common_prefixes(document: &mut Document, prefixes: &[String], encoding: Encoding) {
    for prefix in prefixes {
        document.open("CommonPrefixes");
        document.text("Prefix", &encoding.of(prefix));
        document.close();
    }
}

fn names(document: &mut Document, encoding: Encoding, names: &[(&'static str, &str)]) {
    for (element, name) in names {
        document.text(element, &encoding.of(name));
    }
}

fn encoding_type(document: &mut Document, query: &Query) {
    if query.has("encoding-type") {
        document.text("EncodingType", query.text("encoding-type"));
    }
}

const PREFIX_BYTES_MAX: usize = 1023;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn groups_at_the_delimiter() {
        let keys = ["a", "b/1", "b/2", "b/c/3", "c", "d/"];
        let page = page(keys.iter().map(|key| (*key, ())), "", "/", "", 3);
        assert_eq!(page.items, [("a", ()), ("c", ())]);
        assert_eq!(page.prefixes, ["b/"]);
        assert_eq!(page.next.as_deref(), Some("c"));
    }

    proptest! {
        /// Whatever the page size, the pages together are the one big page.
        #[test]
        fn pages_add_up(
            keys in prop::collection::btree_set("[ab/]{1,5}", 0..40),
            prefix in "[ab]{0,1}",
            delimiter in "(/|ab)?",
            max in 1_usize..6,
        ) {
            let keys: BTreeSet<_> = keys;
            let list = |after: &str, max| {
                let rest = keys.iter().filter(|key| key.as_str() > after).map(|key| (key.as_str(), ()));
                page(rest, &prefix, &delimiter, after, max)
            };
            let whole = list("", usize::MAX);
            let (mut items, mut prefixes, mut after) = (vec![], vec![], String::new());
            loop {
                let page = list(&after, max);
                prop_assert!(page.items.len() + page.prefixes.len() <= max);
                items.extend(page.items);
                prefixes.extend(page.prefixes);
                let Some(next) = page.next else { break };
                prop_assert!(next > after);
                after = next;
            }
            prop_assert_eq!(items, whole.items);
            prop_assert_eq!(prefixes, whole.prefixes);
        }
    }
}
