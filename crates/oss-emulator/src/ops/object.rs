//! Writes, deletions and ACLs of objects.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, EXPIRES,
    HeaderName,
};
use http::{HeaderValue, StatusCode};

use crate::acl::Acl;
use crate::address::check_key;
use crate::blob::Summed;
use crate::fault::Fault;
use crate::ops::bucket::{access_control_policy, check_public, storage_class};
use crate::ops::{Context, OBJECT_BYTES_MAX, callback, document, worm};
use crate::reply::{Answer, X_OSS_DELETE_MARKER, X_OSS_HASH_CRC64ECMA};
use crate::request::Request;
use crate::store::{Bucket, Kind, Object, Settings};
use crate::tags;
use crate::xml::{Document, parse};

/// What PutObject can refuse before the body.
pub(crate) fn check_put(context: &Context<'_>) -> Result<(), Fault> {
    let request = context.request;
    request.check_length(OBJECT_BYTES_MAX)?;
    for header in ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"] {
        if request.headers.contains_key(header) {
            return Err(Fault::header_not_implemented(header));
        }
    }
    settings(context)?;
    callback::Wish::of(request)?;
    check_overwrite(context)
}

pub(crate) fn put(context: &mut Context<'_>, content: Summed) -> Result<Answer, Fault> {
    let wish = callback::Wish::of(context.request)?;
    put_with(context, content, wish.as_ref(), "PutObject")
}

/// Stores the object and makes the callback, as PutObject and PostObject do.
pub(crate) fn put_with(
    context: &mut Context<'_>,
    content: Summed,
    wish: Option<&callback::Wish>,
    operation: &str,
) -> Result<Answer, Fault> {
    let object = Object::normal(content, settings(context)?, context.now);
    let mut answer = Answer::ok().header(ETAG, &object.etag);
    answer = answer.header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string());
    if let Kind::Normal { md5 } = object.kind {
        answer = answer.header(CONTENT_MD5, &Base64::encode_string(&md5));
    }
    answer = with_encryption(answer, &object.settings);
    let version = store(context, object.clone())?;
    callback::call(context, wish, operation, &object, answer.version(version.as_deref()))
}

/// Makes the object current. Gives the version id to name in the answer.
pub(crate) fn store(context: &mut Context<'_>, object: Object) -> Result<Option<String>, Fault> {
    let (name, key) = (context.request.target.bucket(), context.key());
    let bucket = context.store.bucket_mut(name)?;
    worm::check(bucket, key, context.now)?;
    Ok(bucket.put(key, object, context.ids))
}

/// Deleting what is not there succeeds as well.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let (name, key, version) = (context.request.target.bucket(), context.key(), context.version());
    let bucket = context.store.bucket_mut(name)?;
    worm::check(bucket, key, context.now)?;
    let deletion = bucket.delete(key, version, context.now, context.ids);
    let mut answer = Answer::status(StatusCode::NO_CONTENT).version(deletion.version.as_deref());
    if deletion.is_marker {
        answer = answer.header(X_OSS_DELETE_MARKER, "true");
    }
    Ok(answer)
}

pub(crate) fn delete_many(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    if context.request.header("content-md5").is_none() {
        let why = "The request needs a Content-MD5 header.";
        return Err(
            Fault::new(400, "MissingArgument", "0016-00000606", why).with("ArgumentName", "Content-MD5")
        );
    }
    let encoding = context.request.query.encoding()?;
    let root = parse(body, "Delete").map_err(Fault::malformed_xml)?;
    let quiet = match root.child_text("Quiet").unwrap_or("false") {
        "true" => true,
        "false" | "" => false,
        _ => return Err(Fault::malformed_xml("Quiet is not true or false")),
    };
    let mut keys = Vec::new();
    for object in root.all("Object") {
        let Some(key) = object.child_text("Key").filter(|key| !key.is_empty()) else {
            return Err(Fault::malformed_xml("an Object has no Key"));
        };
        check_key(key)?;
        keys.push((key, object.child_text("VersionId").filter(|version| !version.is_empty())));
    }
    if keys.is_empty() || keys.len() > DELETE_KEYS_MAX {
        return Err(Fault::malformed_xml("there must be 1 to 1000 Objects"));
    }
    let bucket = context.store.bucket_mut(context.request.target.bucket())?;
    let mut document = Document::new("DeleteResult");
    if context.request.query.has("encoding-type") {
        document.text("EncodingType", "url");
    }
    for (key, version) in keys {
        // A key that a retention policy protects is left out of the answer.
        if worm::check(bucket, key, context.now).is_err() {
            continue;
        }
        let deletion = bucket.delete(key, version, context.now, context.ids);
        if quiet {
            continue;
        }
        document.open("Deleted");
        document.text("Key", &encoding.of(key));
        if let Some(version) = version {
            document.text("VersionId", version);
        }
        if let Some(marker) = deletion.version.filter(|_| deletion.is_marker) {
            document.text("DeleteMarker", "true");
            document.text("DeleteMarkerVersionId", &marker);
        }
        document.close();
    }
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn put_acl(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let acl = Acl::of_object(context.request.header("x-oss-object-acl").unwrap_or(""))?;
    check_public(context.bucket()?, acl)?;
    let (key, version) = (context.key(), context.version());
    context.bucket_mut()?.object_mut(key, version)?.settings.acl = acl;
    Ok(Answer::ok().version(shown_version(context)?.as_deref()))
}

pub(crate) fn acl(context: &Context<'_>) -> Result<Answer, Fault> {
    let acl = context.bucket()?.object(context.key(), context.version())?.object.settings.acl;
    let answer = Answer::xml(access_control_policy(context.config, acl));
    Ok(answer.version(shown_version(context)?.as_deref()))
}

/// The id of the version that the request is about, as answers name it.
pub(crate) fn shown_version(context: &Context<'_>) -> Result<Option<String>, Fault> {
    let bucket = context.bucket()?;
    let found = bucket.object(context.key(), context.version())?;
    Ok(bucket.shown(found.version).map(ToString::to_string))
}

/// What the headers of a write say about the object.
pub(crate) fn settings(context: &Context<'_>) -> Result<Settings, Fault> {
    let request = context.request;
    let bucket = context.bucket()?;
    let acl = request.header("x-oss-object-acl").map_or(Ok(Acl::Default), Acl::of_object)?;
    check_public(bucket, acl)?;
    Ok(Settings {
        acl,
        storage_class: match request.header("x-oss-storage-class") {
            Some(class) => storage_class(class)?,
            None => bucket.storage_class.clone(),
        },
        headers: [content_headers(request)?, encryption_headers(request, bucket)?].concat(),
        tags: tags::parse(request.header("x-oss-tagging").unwrap_or(""))?,
    })
}

/// Content headers and user metadata.
pub(crate) fn content_headers(request: &Request) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let mut headers = Vec::new();
    if !request.headers.contains_key(CONTENT_TYPE) {
        headers.push((CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")));
    }
    let mut meta_bytes = 0;
    for (name, value) in &request.headers {
        let is_meta = name.as_str().starts_with(META_PREFIX);
        if is_meta {
            meta_bytes += name.as_str().len() - META_PREFIX.len() + value.len();
        }
        if is_meta || CONTENT_HEADERS.contains(name) {
            headers.push((name.clone(), value.clone()));
        }
    }
    if meta_bytes > META_BYTES_MAX {
        let why = "Your metadata headers exceed the maximum allowed metadata size of 8 KB.";
        return Err(Fault::new(400, "InvalidArgument", "0011-00000002", why));
    }
    Ok(headers)
}

/// The encryption that the request asks for, or that the bucket's rule says.
pub(crate) fn encryption_headers(
    request: &Request,
    bucket: &Bucket,
) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let Some(algorithm) = request.header(ENCRYPTION_HEADERS[0].0.as_str()) else {
        let rule = |(name, element): &(HeaderName, &str)| {
            let text = bucket.setting("encryption", &["ApplyServerSideEncryptionByDefault", element]);
            let value = HeaderValue::from_str(text).ok().filter(|value| !value.is_empty())?;
            Some((name.clone(), value))
        };
        return Ok(ENCRYPTION_HEADERS.iter().filter_map(rule).collect());
    };
    if !document::ENCRYPTION_ALGORITHMS.contains(&algorithm) {
        let why = "The encryption algorithm must be AES256, KMS or SM4.";
        return Err(Fault::new(400, "InvalidEncryptionAlgorithmError", "", why));
    }
    let kept = |(name, _): &(HeaderName, &str)| Some((name.clone(), request.headers.get(name)?.clone()));
    Ok(ENCRYPTION_HEADERS.iter().filter_map(kept).collect())
}

/// Answers that create an object say how it is encrypted.
pub(crate) fn with_encryption(mut answer: Answer, settings: &Settings) -> Answer {
    for (name, value) in &settings.headers {
        if ENCRYPTION_HEADERS.iter().any(|(other, _)| other == name) {
            answer.headers.insert(name.clone(), value.clone());
        }
    }
    answer
}

/// Refuses when the request, or a rule of the bucket, forbids to overwrite and the key exists. The header
/// has no effect where versions are kept (OSS document "PutObject").
pub(crate) fn check_overwrite(context: &Context<'_>) -> Result<(), Fault> {
    let (bucket, key) = (context.bucket()?, context.key());
    let is_forbidden = context.request.forbids_overwrite()? && bucket.versioning.is_none();
    if (is_forbidden || document::forbids_overwrite(bucket, key)) && bucket.current(key).is_some() {
        let why = "The object you specified already exists and can not be overwritten.";
        return Err(Fault::new(409, "FileAlreadyExists", "0026-00000002", why).with("Key", key));
    }
    Ok(())
}

pub(crate) const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
pub(crate) const META_PREFIX: &str = "x-oss-meta-";
const META_BYTES_MAX: usize = 8 * 1024;
const DELETE_KEYS_MAX: usize = 1000;
const CONTENT_HEADERS: [HeaderName; 6] =
    [CONTENT_TYPE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, EXPIRES];
/// With the element of a bucket's rule that stands for the header.
const ENCRYPTION_HEADERS: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("x-oss-server-side-encryption"), "SSEAlgorithm"),
    (HeaderName::from_static("x-oss-server-side-encryption-key-id"), "KMSMasterKeyID"),
    (HeaderName::from_static("x-oss-server-side-data-encryption"), "KMSDataEncryption"),
];
