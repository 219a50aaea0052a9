//! Operations on a single object, and DeleteMultipleObjects.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, EXPIRES, HeaderName, LAST_MODIFIED,
};
use http::{HeaderValue, StatusCode};

use crate::acl::Acl;
use crate::address::check_key;
use crate::auth::Identity;
use crate::blob::Summed;
use crate::conditional::{Outcome, READ, judge};
use crate::fault::Fault;
use crate::ops::bucket::{access_control_policy, storage_class};
use crate::ops::{Context, OBJECT_BYTES_MAX};
use crate::range::{Slice, slice};
use crate::reply::{Answer, X_OSS_HASH_CRC64ECMA};
use crate::request::Request;
use crate::store::{Kind, Object, Settings};
use crate::tags;
use crate::time::http_date;
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
    check_overwrite(context)
}

pub(crate) fn put(context: &mut Context<'_>, content: Summed) -> Result<Answer, Fault> {
    let (bucket, key) = (context.request.target.bucket(), context.request.target.key());
    let object = Object::normal(content, settings(context)?, context.now);
    let mut answer = Answer::ok().header(ETAG, &object.etag);
    answer = answer.header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string());
    if let Kind::Normal { md5 } = object.kind {
        answer = answer.header(CONTENT_MD5, &Base64::encode_string(&md5));
    }
    answer = with_encryption(answer, &object.settings);
    context.store.bucket_mut(bucket)?.objects.insert(key.to_owned(), object);
    Ok(answer)
}

/// GetObject and, without `with_body`, HeadObject.
pub(crate) fn read(context: &Context<'_>, with_body: bool) -> Result<Answer, Fault> {
    let request = context.request;
    let object = found(context)?;
    match judge(&READ, &request.headers, &object.etag, object.modified) {
        Outcome::Go => {}
        Outcome::Failed(condition) => return Err(Fault::precondition_failed(condition)),
        Outcome::NotModified => {
            let answer = Answer::status(StatusCode::NOT_MODIFIED).header(ETAG, &object.etag);
            return Ok(answer.header(LAST_MODIFIED, &http_date(object.modified)));
        }
    }
    if with_body && object.settings.storage_class.ends_with("Archive") {
        let why = "The operation is not valid for the object's state: restore it first.";
        return Err(Fault::new(403, "InvalidObjectState", "", why).with("ObjectName", request.target.key()));
    }
    let standard = request.header("x-oss-range-behavior") == Some("standard");
    let size = object.blob.len();
    let mut answer = described(object);
    match slice(request.header("range"), size, standard) {
        Slice::Whole => answer.body = object.blob.body(),
        Slice::Part(range) => {
            answer.status = StatusCode::PARTIAL_CONTENT;
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            answer = answer.header(CONTENT_RANGE, &text);
            answer.body = object.blob.slice(range).body();
        }
        Slice::Unsatisfiable => {
            let why = "The requested range cannot be satisfied.";
            return Err(Fault::new(416, "InvalidRange", "", why)
                .with("ActualObjectSize", size.to_string())
                .with("RangeRequested", request.header("range").unwrap_or(""))
                .with_header(CONTENT_RANGE, &format!("bytes */{size}")));
        }
    }
    with_overrides(answer, context)
}

pub(crate) fn meta(context: &Context<'_>) -> Result<Answer, Fault> {
    let object = found(context)?;
    let mut answer = Answer::ok()
        .header(ETAG, &object.etag)
        .header(LAST_MODIFIED, &http_date(object.modified))
        .header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string());
    answer.body = object.blob.body();
    Ok(answer)
}

/// Deleting what is not there succeeds as well.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let target = &context.request.target;
    context.store.bucket_mut(target.bucket())?.objects.remove(target.key());
    Ok(Answer::status(StatusCode::NO_CONTENT))
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
    for object in root.children.iter().filter(|child| child.name == "Object") {
        let Some(key) = object.child_text("Key").filter(|key| !key.is_empty()) else {
            return Err(Fault::malformed_xml("an Object has no Key"));
        };
        check_key(key)?;
        if object.child_text("VersionId").is_some_and(|version| !matches!(version, "" | "null")) {
            return Err(Fault::not_implemented("VersionId"));
        }
        keys.push(key);
    }
    if keys.is_empty() || keys.len() > DELETE_KEYS_MAX {
        return Err(Fault::malformed_xml("there must be 1 to 1000 Objects"));
    }
    let bucket = context.store.bucket_mut(context.request.target.bucket())?;
    let mut document = Document::new("DeleteResult");
    if context.request.query.has("encoding-type") {
        document.text("EncodingType", "url");
    }
    for key in keys {
        bucket.objects.remove(key);
        if !quiet {
            document.open("Deleted");
            document.text("Key", &encoding.of(key));
            document.close();
        }
    }
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn put_acl(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let acl = Acl::of_object(context.request.header("x-oss-object-acl").unwrap_or(""))?;
    let target = &context.request.target;
    let bucket = context.store.bucket_mut(target.bucket())?;
    let object = bucket.objects.get_mut(target.key());
    object.ok_or_else(|| Fault::no_such_key(target.key()))?.settings.acl = acl;
    Ok(Answer::ok())
}

pub(crate) fn acl(context: &Context<'_>) -> Result<Answer, Fault> {
    let acl = found(context)?.settings.acl;
    Ok(Answer::xml(access_control_policy(context.config, acl)))
}

/// What the headers of a write say about the object.
pub(crate) fn settings(context: &Context<'_>) -> Result<Settings, Fault> {
    let request = context.request;
    let bucket = context.store.bucket(request.target.bucket())?;
    Ok(Settings {
        acl: request.header("x-oss-object-acl").map_or(Ok(Acl::Default), Acl::of_object)?,
        storage_class: match request.header("x-oss-storage-class") {
            Some(class) => storage_class(class)?,
            None => bucket.storage_class.clone(),
        },
        headers: [content_headers(request)?, encryption_headers(request)?].concat(),
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

pub(crate) fn encryption_headers(request: &Request) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let algorithm = request.header(ENCRYPTION_HEADERS[0].as_str());
    if algorithm.is_some_and(|algorithm| !["AES256", "KMS", "SM4"].contains(&algorithm)) {
        let why = "The encryption algorithm must be AES256, KMS or SM4.";
        return Err(Fault::new(400, "InvalidEncryptionAlgorithmError", "", why));
    }
    let kept = |name: &HeaderName| Some((name.clone(), request.headers.get(name)?.clone()));
    Ok(ENCRYPTION_HEADERS.iter().filter_map(kept).collect())
}

/// Answers that create an object say how it is encrypted.
pub(crate) fn with_encryption(mut answer: Answer, settings: &Settings) -> Answer {
    for (name, value) in &settings.headers {
        if ENCRYPTION_HEADERS.contains(name) {
            answer.headers.insert(name.clone(), value.clone());
        }
    }
    answer
}

/// Refuses when the request forbids to overwrite and the key exists.
pub(crate) fn check_overwrite(context: &Context<'_>) -> Result<(), Fault> {
    let target = &context.request.target;
    let bucket = context.store.bucket(target.bucket())?;
    if context.request.forbids_overwrite()? && bucket.objects.contains_key(target.key()) {
        let why = "The object you specified already exists and can not be overwritten.";
        return Err(Fault::new(409, "FileAlreadyExists", "0026-00000002", why).with("Key", target.key()));
    }
    Ok(())
}

fn found<'c>(context: &'c Context<'_>) -> Result<&'c Object, Fault> {
    let target = &context.request.target;
    context.store.object(target.bucket(), target.key())
}

/// The headers of GetObject and HeadObject. The CRC is that of the whole object, on a range too.
fn described(object: &Object) -> Answer {
    let mut answer = Answer::ok()
        .header(ETAG, &object.etag)
        .header(LAST_MODIFIED, &http_date(object.modified))
        .header(ACCEPT_RANGES, "bytes")
        .header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string())
        .header(HeaderName::from_static("x-oss-object-type"), object.kind.as_str())
        .header(HeaderName::from_static("x-oss-storage-class"), &object.settings.storage_class);
    if let Kind::Normal { md5 } = object.kind {
        answer = answer.header(CONTENT_MD5, &Base64::encode_string(&md5));
    }
    if !object.settings.tags.is_empty() {
        let count = object.settings.tags.len().to_string();
        answer = answer.header(HeaderName::from_static("x-oss-tagging-count"), &count);
    }
    for (name, value) in &object.settings.headers {
        answer.headers.append(name.clone(), value.clone());
    }
    answer
}

/// `response-content-type` and its kin replace headers of a signed read.
fn with_overrides(mut answer: Answer, context: &Context<'_>) -> Result<Answer, Fault> {
    for (parameter, header) in OVERRIDES {
        let Some(value) = context.request.query.value(parameter) else { continue };
        if context.identity == Identity::Anonymous {
            let why = "Response headers can only be overridden by a signed request.";
            return Err(Fault::new(400, "InvalidRequest", "", why));
        }
        let Ok(value) = HeaderValue::from_str(value) else {
            let why = "The value cannot be sent as a header.";
            return Err(Fault::invalid_argument(parameter, &value.escape_debug().to_string(), "", why));
        };
        answer.headers.insert(header, value);
    }
    Ok(answer)
}

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const META_PREFIX: &str = "x-oss-meta-";
const META_BYTES_MAX: usize = 8 * 1024;
const DELETE_KEYS_MAX: usize = 1000;
const CONTENT_HEADERS: [HeaderName; 6] =
    [CONTENT_TYPE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, EXPIRES];
const ENCRYPTION_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-oss-server-side-encryption"),
    HeaderName::from_static("x-oss-server-side-encryption-key-id"),
    HeaderName::from_static("x-oss-server-side-data-encryption"),
];
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", CACHE_CONTROL),
    ("response-content-disposition", CONTENT_DISPOSITION),
    ("response-content-encoding", CONTENT_ENCODING),
    ("response-content-language", CONTENT_LANGUAGE),
    ("response-content-type", CONTENT_TYPE),
    ("response-expires", EXPIRES),
];
