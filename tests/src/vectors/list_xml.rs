//! Pages of lists.

use bytes::Bytes;
use oss_proto::ops::{
    CommonPrefix, ListObjectVersions, ListObjectVersionsOutput, ListObjects, ListObjectsV2, ObjectProperties,
    Owner, VersionEntry,
};
use oss_proto::{Operation, ReplyHead};
use serde_json::{Map, Value, json};

use super::{Pass, Record};

pub(super) fn list_xml(record: &Record<'_>) -> Result<Pass, String> {
    let body = Bytes::copy_from_slice(record.text("body")?.as_bytes());
    let ours = match record.text("operation")? {
        "ListObjects" => objects(&read::<ListObjects>(&body)?),
        "ListObjectsV2" => objects_v2(&read::<ListObjectsV2>(&body)?),
        "ListObjectVersions" => versions(&read::<ListObjectVersions>(&body)?),
        other => return Err(format!("in.operation is unknown: {other}")),
    };
    let expected = without_empty(&record.out()["parsed"]);
    let ours = without_empty(&ours);
    if expected == ours { Ok(Pass::Same) } else { Err(first_difference("parsed", &expected, &ours)) }
}

fn read<O: Operation>(body: &Bytes) -> Result<O::Output, String> {
    O::read(&ReplyHead::new(200, http::HeaderMap::new()), body).map_err(|error| error.to_string())
}

fn objects(page: &oss_proto::ops::ListObjectsOutput) -> Value {
    json!({
        "name": page.name,
        "prefix": page.prefix,
        "marker": page.marker,
        "max_keys": page.max_keys,
        "delimiter": page.delimiter,
        "is_truncated": page.is_truncated,
        "next_marker": page.next_marker,
        "encoding_type": page.encoding_type.as_ref().map(ToString::to_string),
        "contents": page.contents.iter().map(object).collect::<Vec<_>>(),
        "common_prefixes": prefixes(&page.common_prefixes),
    })
}

fn objects_v2(page: &oss_proto::ops::ListObjectsV2Output) -> Value {
    json!({
        "name": page.name,
        "prefix": page.prefix,
        "start_after": page.start_after,
        "max_keys": page.max_keys,
        "delimiter": page.delimiter,
        "is_truncated": page.is_truncated,
        "continuation_token": page.continuation_token,
        "next_continuation_token": page.next_continuation_token,
        "encoding_type": page.encoding_type.as_ref().map(ToString::to_string),
        "key_count": page.key_count,
        "contents": page.contents.iter().map(object).collect::<Vec<_>>(),
        "common_prefixes": prefixes(&page.common_prefixes),
    })
}

fn versions(page: &ListObjectVersionsOutput) -> Value {
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for entry in &page.entries {
        match entry {
            VersionEntry::Version(version) => versions.push(json!({
                "key": version.key,
                "version_id": version.version_id,
                "is_latest": version.is_latest,
                "object_type": version.object_type.as_ref().map(ToString::to_string),
                "size": version.size,
                "etag": version.etag.as_ref().map(ToString::to_string),
                "last_modified": version.last_modified.map(|time| time.iso_extended().to_string()),
                "storage_class": version.storage_class.as_ref().map(ToString::to_string),
                "owner": owner(version.owner.as_ref()),
                "restore_info": version.restore_info,
                "transition_time": version.transition_time,
            })),
            VersionEntry::DeleteMarker(marker) => markers.push(json!({
                "key": marker.key,
                "version_id": marker.version_id,
                "is_latest": marker.is_latest,
                "last_modified": marker.last_modified.map(|time| time.iso_extended().to_string()),
                "owner": owner(marker.owner.as_ref()),
            })),
            _ => {}
        }
    }
    json!({
        "name": page.name,
        "prefix": page.prefix,
        "key_marker": page.key_marker,
        "version_id_marker": page.version_id_marker,
        "next_key_marker": page.next_key_marker,
        "next_version_id_marker": page.next_version_id_marker,
        "max_keys": page.max_keys,
        "delimiter": page.delimiter,
        "is_truncated": page.is_truncated,
        "encoding_type": page.encoding_type.as_ref().map(ToString::to_string),
        "version": versions,
        "delete_marker": markers,
        "common_prefixes": prefixes(&page.common_prefixes),
    })
}

fn object(object: &ObjectProperties) -> Value {
    json!({
        "key": object.key,
        "object_type": object.object_type.as_ref().map(ToString::to_string),
        "size": object.size,
        "etag": object.etag.as_ref().map(ToString::to_string),
        "last_modified": object.last_modified.map(|time| time.iso_extended().to_string()),
        "storage_class": object.storage_class.as_ref().map(ToString::to_string),
        "owner": owner(object.owner.as_ref()),
        "restore_info": object.restore_info,
        "transition_time": object.transition_time,
    })
}

fn owner(owner: Option<&Owner>) -> Value {
    owner.map_or(Value::Null, |owner| json!({ "id": owner.id, "display_name": owner.display_name }))
}

fn prefixes(list: &[CommonPrefix]) -> Value {
    list.iter().map(|prefix| json!({ "prefix": prefix.prefix })).collect()
}

/// Without what is absent: the SDKs leave out an element that is missing or empty.
fn without_empty(value: &Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(items) => items.iter().map(without_empty).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), without_empty(value)));
            Value::Object(fields.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// The first part in which the two differ, by its path.
fn first_difference(path: &str, expected: &Value, ours: &Value) -> String {
    match (expected, ours) {
        (Value::Object(expected), Value::Object(ours)) => {
            let names = expected.keys().chain(ours.keys());
            let mut names = names.filter(|name| expected.get(*name) != ours.get(*name));
            let Some(name) = names.next() else { return path.to_owned() };
            let of = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
            first_difference(&format!("{path}.{name}"), &of(expected), &of(ours))
        }
        (Value::Array(expected), Value::Array(ours)) if expected.len() == ours.len() => {
            let mut pairs = expected.iter().zip(ours).enumerate().filter(|(_, (a, b))| a != b);
            let Some((index, (expected, ours))) = pairs.next() else { return path.to_owned() };
            first_difference(&format!("{path}[{index}]"), expected, ours)
        }
        _ => format!("{path}: expected {expected}, got {ours}"),
    }
}
