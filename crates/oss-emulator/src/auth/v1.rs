//! Signature V1, in the header and in the URL (OSS documents "Include a V1 signature in the Authorization
//! header" and "… in a URL"): slow and obvious, like V4.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::address::Target;
use crate::auth::{check_skew, check_token, known_key, spaced_hex, v1_refused};
use crate::config::Config;
use crate::fault::Fault;
use crate::request::Request;
use crate::time::{iso_extended, parse_http_date};

/// Verifies `Authorization: OSS id:signature`.
pub(crate) fn check_header(
    value: &str,
    request: &Request,
    config: &Config,
    now: Duration,
) -> Result<(), Fault> {
    if !config.takes_v1 {
        return Err(v1_refused("0002-00000080"));
    }
    let pair = value.strip_prefix("OSS ").and_then(|pair| pair.trim().split_once(':'));
    let Some((id, signature)) = pair.filter(|(id, signature)| !id.is_empty() && !signature.is_empty()) else {
        let why = "The Authorization header must be OSS id:signature.";
        return Err(Fault::bad_authorization("0002-00000103", why));
    };
    let key = known_key(config, id)?;
    check_token(key, id, request.header("x-oss-security-token"), now)?;
    let Some(date) = request.header("x-oss-date").or_else(|| request.header("date")) else {
        let why = "OSS authentication requires a valid Date.";
        return Err(Fault::access_denied("0002-00000503", why));
    };
    let Some(time) = parse_http_date(date) else {
        let why = "OSS authentication requires a valid Date.";
        return Err(Fault::access_denied("0002-00000505", why));
    };
    check_skew(time, now)?;
    compare(&key.secret, id, signature, &string_to_sign(request, date), "0002-00000040")
}

/// Verifies `OSSAccessKeyId`, `Expires` and `Signature` of a query.
pub(crate) fn check_url(request: &Request, config: &Config, now: Duration) -> Result<(), Fault> {
    // Operations on a bucket take no V1 URL at all (OSS error page 0002-00000079).
    if !config.takes_v1 || !matches!(request.target, Target::Object { .. }) {
        return Err(v1_refused("0002-00000079"));
    }
    let query = &request.query;
    let required = |name| query.value(name).filter(|value| !value.is_empty());
    let all = (required("OSSAccessKeyId"), required("Expires"), required("Signature"));
    let (Some(id), Some(expires), Some(signature)) = all else {
        let why = "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters";
        return Err(Fault::access_denied("0002-00000061", why));
    };
    let Ok(ends) = expires.parse::<u64>() else {
        let why = "Invalid date (should be seconds since epoch).";
        return Err(Fault::access_denied("0002-00000068", why));
    };
    if ends < now.as_secs() {
        return Err(Fault::access_denied("0002-00000069", "Request has expired.")
            .with("Expires", iso_extended(Duration::from_secs(ends)))
            .with("ServerTime", iso_extended(now)));
    }
    let key = known_key(config, id)?;
    check_token(key, id, query.value("security-token"), now)?;
    compare(&key.secret, id, signature, &string_to_sign(request, expires), "0002-00000040")
}

/// Base64 of HMAC-SHA1.
pub(crate) fn signature(secret: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(message);
    Base64::encode_string(&mac.finalize().into_bytes())
}

fn compare(
    secret: &str,
    id: &str,
    provided: &str,
    string_to_sign: &[u8],
    ec: &'static str,
) -> Result<(), Fault> {
    if signature(secret, string_to_sign) == provided {
        return Ok(());
    }
    let why = "The request signature we calculated does not match the signature you provided. Check your \
               key and signing method.";
    Err(Fault::new(403, "SignatureDoesNotMatch", ec, why)
        .with("OSSAccessKeyId", id)
        .with("SignatureProvided", provided)
        .with("StringToSign", String::from_utf8_lossy(string_to_sign))
        .with("StringToSignBytes", spaced_hex(string_to_sign)))
}

/// Method, Content-MD5, Content-Type and date, a line each, then the `x-oss-` headers and the resource.
fn string_to_sign(request: &Request, date: &str) -> Vec<u8> {
    let header = |name| request.headers.get(name).map_or(&b""[..], |value| value.as_bytes().trim_ascii());
    let method = request.method.as_str().as_bytes();
    let mut text = Vec::new();
    for line in [method, header("content-md5"), header("content-type"), date.as_bytes()] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let mut signed: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (name, value) in &request.headers {
        let (name, value) = (name.as_str(), value.as_bytes().trim_ascii());
        if name.starts_with("x-oss-") {
            match signed.get_mut(name) {
                Some(joined) => joined.extend_from_slice(&[b",", value].concat()),
                None => drop(signed.insert(name, value.to_owned())),
            }
        }
    }
    for (name, value) in signed {
        text.extend_from_slice(&[name.as_bytes(), b":", &value, b"\n"].concat());
    }
    text.extend_from_slice(resource(request).as_bytes());
    text
}

/// `/bucket/key`, not encoded, with the sub-resources that count, decoded.
fn resource(request: &Request) -> String {
    let path = match &request.target {
        Target::Service => "/".to_owned(),
        Target::Bucket(bucket) => format!("/{bucket}/"),
        Target::Object { bucket, key } => format!("/{bucket}/{key}"),
    };
    let mut subs: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in request.query.pairs() {
        if SUB_RESOURCES.contains(&name.as_str()) || name.starts_with("x-oss-") {
            // Of a repeated parameter the first counts.
            subs.entry(name).or_insert(value);
        }
    }
    let subs: Vec<String> = subs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name.to_owned() } else { format!("{name}={value}") })
        .collect();
    if subs.is_empty() { path } else { format!("{path}?{}", subs.join("&")) }
}

/// The query parameters that are part of what is signed; so is every one that begins with `x-oss-`.
#[rustfmt::skip]
const SUB_RESOURCES: &[&str] = &[
    "accessPoint", "accessPointConfigForObjectProcess", "accessPointForObjectProcess", "accessPointPolicy",
    "accessPointPolicyForObjectProcess", "acl", "append", "asyncFetch", "bucketArchiveDirectRead",
    "bucketInfo", "callback", "callback-var", "cleanRestoredObject", "cloudboxes", "cname", "comp",
    "continuation-token", "cors", "dataPipeline", "delete", "encryption", "endTime", "group", "httpsConfig",
    "img", "inventory", "inventoryId", "legalHold", "lifecycle", "link", "live", "location", "logging",
    "metaQuery", "objectInfo", "objectMeta", "objectWorm", "overwriteConfig", "partNumber", "policy",
    "policyStatus", "position", "publicAccessBlock", "qos", "qosInfo", "qosRequester",
    "redundancyTransition", "referer", "regionList", "replication", "replicationLocation",
    "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool",
    "resourcePoolBuckets", "resourcePoolInfo", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
    "restore", "retention", "rtc", "seal", "security-token", "sequential", "startTime", "stat", "status",
    "style", "styleName", "symlink", "tagging", "transferAcceleration", "uploadId", "uploads",
    "userDefinedLogFieldsConfig", "versionId", "versioning", "versions", "vod", "website", "worm",
    "wormExtend", "wormId",
];
