//! GetObject, HeadObject and GetObjectMeta.

use alloc::format;
use alloc::string::{String, ToString};

use base64ct::{Base64, Encoding as _};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, EXPIRES, HeaderName, LAST_MODIFIED,
};
use http::{HeaderValue, Method, StatusCode};

use crate::acl::Acl;
use crate::auth::Identity;
use crate::conditional::{Outcome, READ, judge};
use crate::fault::Fault;
use crate::ops::object::{CONTENT_MD5, shown_version};
use crate::ops::{Context, bucket_acl_refuses, symlink};
use crate::range::{Slice, slice};
use crate::reply::{Answer, X_OSS_HASH_CRC64ECMA};
use crate::store::{Bucket, Kind, Object};
use crate::time::http_date;

/// GetObject and, without `with_body`, HeadObject.
pub(crate) fn object(context: &Context<'_>, with_body: bool) -> Result<Answer, Fault> {
    let request = context.request;
    let bucket = context.bucket()?;
    let own = bucket.object(context.key(), context.version())?.object;
    let content = match &own.kind {
        Kind::Symlink { target } => linked(context, bucket, target)?,
        _ => own,
    };
    // Through a link the later of the two times counts (OSS document "GetObject").
    let modified = own.modified.max(content.modified);
    match judge(&READ, &request.headers, &content.etag, modified) {
        Outcome::Go => {}
        Outcome::Failed(condition) => return Err(Fault::precondition_failed(condition)),
        Outcome::NotModified => {
            let answer = Answer::status(StatusCode::NOT_MODIFIED).header(ETAG, &content.etag);
            return Ok(answer.header(LAST_MODIFIED, &http_date(modified)));
        }
    }
    if with_body {
        check_readable(context, bucket, content, context.key())?;
    }
    let mut answer = described(own, content, context).header(LAST_MODIFIED, &http_date(modified));
    answer = answer.version(shown_version(context)?.as_deref());
    let standard = request.header("x-oss-range-behavior") == Some("standard");
    let size = content.blob.len();
    match slice(request.header("range"), size, standard) {
        Slice::Whole => answer.body = content.blob.body(),
        Slice::Part(range) => {
            answer.status = StatusCode::PARTIAL_CONTENT;
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            answer = answer.header(CONTENT_RANGE, &text);
            answer.body = content.blob.slice(range).body();
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

/// Of a link this is the link itself (OSS document "GetObjectMeta").
pub(crate) fn meta(context: &Context<'_>) -> Result<Answer, Fault> {
    let object = context.bucket()?.object(context.key(), context.version())?.object;
    let mut answer = Answer::ok()
        .header(ETAG, &object.etag)
        .header(LAST_MODIFIED, &http_date(object.modified))
        .header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string())
        .version(shown_version(context)?.as_deref());
    if context.request.method == Method::HEAD {
        answer.body = object.blob.body();
    }
    Ok(answer)
}

/// Refuses the content of an archived object that is not restored. Objects of the class Archive can be read
/// without when the bucket says so.
pub(crate) fn check_readable(
    context: &Context<'_>,
    bucket: &Bucket,
    object: &Object,
    key: &str,
) -> Result<(), Fault> {
    let is_direct = object.settings.storage_class == "Archive"
        && bucket.setting("bucketArchiveDirectRead", &["Enabled"]) == "true";
    if is_direct || object.is_readable(context.now) {
        return Ok(());
    }
    let why = "The operation is not valid for the object's state: restore it first.";
    Err(Fault::new(403, "InvalidObjectState", "", why).with("ObjectName", key))
}

/// What a link points at.
fn linked<'b>(context: &Context<'_>, bucket: &'b Bucket, target: &str) -> Result<&'b Object, Fault> {
    let key = symlink::target_key(target)?;
    let Ok(found) = bucket.object(&key, None) else {
        let why = "The symlink target object does not exist.";
        return Err(Fault::new(404, "SymlinkTargetNotExist", "0026-00000010", why).with("TargetObject", key));
    };
    if matches!(found.object.kind, Kind::Symlink { .. }) {
        let why = "The symlink target is a symlink itself.";
        return Err(Fault::new(400, "InvalidTargetType", "0026-00000011", why).with("TargetObject", key));
    }
    let acl: Acl = found.object.settings.acl.or(bucket.acl);
    if context.identity == Identity::Anonymous && !acl.lets_anyone_read() {
        return Err(bucket_acl_refuses());
    }
    Ok(found.object)
}

/// The headers of GetObject and HeadObject: sums and length of `content`, the rest of `own`, which differ
/// for a link. The CRC is that of the whole object, on a range too.
fn described(own: &Object, content: &Object, context: &Context<'_>) -> Answer {
    let mut answer = Answer::ok()
        .header(ETAG, &content.etag)
        .header(ACCEPT_RANGES, "bytes")
        .header(X_OSS_HASH_CRC64ECMA, &content.crc.to_string())
        .header(HeaderName::from_static("x-oss-object-type"), own.kind.as_str())
        .header(HeaderName::from_static("x-oss-storage-class"), &own.settings.storage_class);
    if let Kind::Normal { md5 } = content.kind {
        answer = answer.header(CONTENT_MD5, &Base64::encode_string(&md5));
    }
    if let Kind::Appendable { sealed } = own.kind {
        answer = answer.header(X_OSS_NEXT_APPEND_POSITION, &own.blob.len().to_string());
        if let Some(sealed) = sealed {
            answer = answer.header(X_OSS_SEALED_TIME, &http_date(sealed));
        }
    }
    if let Some(info) = own.restore_info(context.now) {
        answer = answer.header(HeaderName::from_static("x-oss-restore"), &info);
    }
    if !own.settings.tags.is_empty() {
        let count = own.settings.tags.len().to_string();
        answer = answer.header(HeaderName::from_static("x-oss-tagging-count"), &count);
    }
    for (name, value) in &own.settings.headers {
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
            let shown: String = value.escape_debug().collect();
            let why = "The value cannot be sent as a header.";
            return Err(Fault::invalid_argument(parameter, &shown, "", why));
        };
        answer.headers.insert(header, value);
    }
    Ok(answer)
}

pub(crate) const X_OSS_NEXT_APPEND_POSITION: HeaderName =
    HeaderName::from_static("x-oss-next-append-position");
pub(crate) const X_OSS_SEALED_TIME: HeaderName = HeaderName::from_static("x-oss-sealed-time");
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", CACHE_CONTROL),
    ("response-content-disposition", CONTENT_DISPOSITION),
    ("response-content-encoding", CONTENT_ENCODING),
    ("response-content-language", CONTENT_LANGUAGE),
    ("response-content-type", CONTENT_TYPE),
    ("response-expires", EXPIRES),
];
