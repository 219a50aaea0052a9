//! A second signer for V4 and V1, slow and obvious, written from the description of the algorithm alone.
//!
//! It exists to disagree with `oss-sign`: it shares no code with it, builds each part as a new string, and
//! does its own HMAC. It checks no limits.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt::Write;

use base64ct::{Base64, Encoding};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What is signed, and with what; everything is plain text, nothing is encoded.
#[derive(Clone, Debug, Default)]
pub struct Input<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The bucket, unless the request addresses the service.
    pub bucket: Option<&'a str>,
    /// The key, if the request addresses an object.
    pub key: Option<&'a str>,
    /// Query parameters.
    pub query: Vec<(&'a str, &'a str)>,
    /// Headers.
    pub headers: Vec<(&'a str, &'a str)>,
    /// Names of further headers to sign.
    pub additional: Vec<&'a str>,
    /// The region of the scope.
    pub region: &'a str,
    /// The product of the scope.
    pub product: &'a str,
    /// The time of signing, such as `20231216T162057Z`.
    pub date: &'a str,
    /// The access key id.
    pub id: &'a str,
    /// The access key secret.
    pub secret: &'a str,
    /// The security token, empty when there is none.
    pub token: &'a str,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The canonical request.
    pub canonical_request: String,
    /// The string to sign.
    pub string_to_sign: String,
    /// The signature in hexadecimal digits.
    pub signature: String,
    /// Headers or query parameters to add, in order.
    pub added: Vec<(String, String)>,
}

/// Signs for the `authorization` header.
#[must_use]
pub fn header(input: &Input<'_>) -> Output {
    let mut added = vec![
        ("x-oss-date".to_owned(), input.date.to_owned()),
        ("x-oss-content-sha256".to_owned(), "UNSIGNED-PAYLOAD".to_owned()),
    ];
    if !input.token.is_empty() {
        added.push(("x-oss-security-token".to_owned(), input.token.to_owned()));
    }
    let is_added = |name: &str| added.iter().any(|(own, _)| *own == name.to_ascii_lowercase());
    let mut headers: Vec<(&str, &str)> = input.headers.clone();
    headers.retain(|(name, _)| !is_added(name));
    headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_str())));

    let additional = additional_names(&headers, &input.additional);
    let canonical_request = canonical_request(input, &input.query, &headers, &additional, "UNSIGNED-PAYLOAD");
    let (string_to_sign, signature) = sign(input, &canonical_request);
    let list = if additional.is_empty() { String::new() } else { format!("AdditionalHeaders={additional},") };
    let authorization =
        format!("OSS4-HMAC-SHA256 Credential={}/{},{list}Signature={signature}", input.id, scope(input));
    added.push(("authorization".to_owned(), authorization));
    Output { canonical_request, string_to_sign, signature, added }
}

/// Signs for the query of a URL that is valid for so many seconds.
#[must_use]
pub fn presign(input: &Input<'_>, expires_seconds: u64) -> Output {
    let additional = additional_names(&input.headers, &input.additional);
    let mut added = vec![
        ("x-oss-signature-version".to_owned(), "OSS4-HMAC-SHA256".to_owned()),
        ("x-oss-date".to_owned(), input.date.to_owned()),
        ("x-oss-expires".to_owned(), expires_seconds.to_string()),
        ("x-oss-credential".to_owned(), format!("{}/{}", input.id, scope(input))),
    ];
    if !input.token.is_empty() {
        added.push(("x-oss-security-token".to_owned(), input.token.to_owned()));
    }
    if !additional.is_empty() {
        added.push(("x-oss-additional-headers".to_owned(), additional.clone()));
    }
    let mut query = input.query.clone();
    query.retain(|(name, _)| {
        !matches!(
            *name,
            "x-oss-signature-version"
                | "x-oss-date"
                | "x-oss-expires"
                | "x-oss-credential"
                | "x-oss-security-token"
                | "x-oss-additional-headers"
                | "x-oss-signature"
        )
    });
    query.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut payload = "UNSIGNED-PAYLOAD";
    for (name, value) in input.headers.iter().rev() {
        if name.eq_ignore_ascii_case("x-oss-content-sha256") && !strip(value).is_empty() {
            payload = strip(value);
        }
    }
    let canonical_request = canonical_request(input, &query, &input.headers, &additional, payload);
    let (string_to_sign, signature) = sign(input, &canonical_request);
    added.push(("x-oss-signature".to_owned(), signature.clone()));
    Output { canonical_request, string_to_sign, signature, added }
}

fn canonical_request(
    input: &Input<'_>,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    additional: &str,
    payload: &str,
) -> String {
    let path = match (input.bucket, input.key) {
        (None, _) => "/".to_owned(),
        (Some(bucket), None) => format!("/{bucket}/"),
        (Some(bucket), Some(key)) => format!("/{bucket}/{key}"),
    };
    let mut pairs: Vec<(String, String)> =
        query.iter().map(|(name, value)| (encode(name, ""), encode(value, ""))).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if always_signed(&name) || !name.is_empty() && additional.split(';').any(|other| other == name) {
            lines.entry(name).or_default().push(strip(value));
        }
    }
    let lines: String = lines.iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect();
    [input.method, &encode(&path, "/"), &pairs.join("&"), &lines, additional, payload].join("\n")
}

fn additional_names(headers: &[(&str, &str)], additional: &[&str]) -> String {
    let wanted: BTreeSet<String> = additional.iter().map(|name| name.to_ascii_lowercase()).collect();
    let is_there = |name: &String| {
        headers.iter().any(|(other, value)| other.to_ascii_lowercase() == *name && !strip(value).is_empty())
    };
    let names =
        wanted.into_iter().filter(|name| !name.is_empty() && name != "authorization" && !always_signed(name));
    names.filter(is_there).collect::<Vec<_>>().join(";")
}

fn always_signed(lower_name: &str) -> bool {
    lower_name.starts_with("x-oss-") || lower_name == "content-type" || lower_name == "content-md5"
}

fn strip(value: &str) -> &str {
    value.trim_matches(|c| c == ' ' || c == '\t')
}

/// Percent-encodes all but the unreserved characters and those to keep.
#[must_use]
pub fn encode(text: &str, keep: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || keep.contains(c) {
            encoded.push(c);
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string succeeds");
        }
    }
    encoded
}

fn scope(input: &Input<'_>) -> String {
    format!("{}/{}/{}/aliyun_v4_request", &input.date[..8], input.region, input.product)
}

fn sign(input: &Input<'_>, canonical_request: &str) -> (String, String) {
    let digest = hex(&Sha256::digest(canonical_request));
    let string_to_sign = format!("OSS4-HMAC-SHA256\n{}\n{}\n{digest}", input.date, scope(input));
    let mut key = format!("aliyun_v4{}", input.secret).into_bytes();
    for message in [&input.date[..8], input.region, input.product, "aliyun_v4_request"] {
        key = hmac(&key, message.as_bytes());
    }
    let signature = hex(&hmac(&key, string_to_sign.as_bytes()));
    (string_to_sign, signature)
}

/// RFC 2104, over SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// Signs for the `authorization` header with V1; `date` is the HTTP date.
#[must_use]
pub fn header_v1(input: &Input<'_>, sub_resources: &[&str]) -> Output {
    let mut headers = input.headers.clone();
    let mut added = Vec::new();
    if !input.token.is_empty() {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-oss-security-token"));
        headers.push(("x-oss-security-token", input.token));
        added.push(("x-oss-security-token".to_owned(), input.token.to_owned()));
    }
    added.push(("date".to_owned(), input.date.to_owned()));
    let date = match first(&headers, "x-oss-date") {
        "" => input.date,
        own => own,
    };
    let string_to_sign = string_to_sign_v1(input, &headers, &input.query, date, sub_resources);
    let signature = sign_v1(input, &string_to_sign);
    added.push(("authorization".to_owned(), format!("OSS {}:{signature}", input.id)));
    Output { canonical_request: String::new(), string_to_sign, signature, added }
}

/// Signs for the query of a URL with V1; `date` is the second of its end.
#[must_use]
pub fn presign_v1(input: &Input<'_>, sub_resources: &[&str]) -> Output {
    let mut added = vec![
        ("OSSAccessKeyId".to_owned(), input.id.to_owned()),
        ("Expires".to_owned(), input.date.to_owned()),
    ];
    let mut query = input.query.clone();
    if !input.token.is_empty() {
        query.retain(|(name, _)| *name != "security-token");
        query.push(("security-token", input.token));
        added.push(("security-token".to_owned(), input.token.to_owned()));
    }
    let string_to_sign = string_to_sign_v1(input, &input.headers, &query, input.date, sub_resources);
    let signature = sign_v1(input, &string_to_sign);
    added.push(("Signature".to_owned(), signature.clone()));
    Output { canonical_request: String::new(), string_to_sign, signature, added }
}

fn string_to_sign_v1(
    input: &Input<'_>,
    headers: &[(&str, &str)],
    query: &[(&str, &str)],
    date: &str,
    sub_resources: &[&str],
) -> String {
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name.starts_with("x-oss-") {
            lines.entry(name).or_default().push(strip(value));
        }
    }
    let lines: String = lines.iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect();
    let path = match (input.bucket, input.key) {
        (None, _) => "/".to_owned(),
        (Some(bucket), None) => format!("/{bucket}/"),
        (Some(bucket), Some(key)) => format!("/{bucket}/{key}"),
    };
    let is_sub_resource = |name: &str| {
        SUB_RESOURCES.split_whitespace().any(|other| other == name)
            || name.starts_with("x-oss-")
            || sub_resources.contains(&name)
    };
    let mut pairs: Vec<_> = query.iter().filter(|(name, _)| is_sub_resource(name)).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { (*name).to_owned() } else { format!("{name}={value}") })
        .collect();
    let mark = if pairs.is_empty() { "" } else { "?" };
    let (md5, kind) = (first(headers, "content-md5"), first(headers, "content-type"));
    format!("{}\n{md5}\n{kind}\n{date}\n{lines}{path}{mark}{}", input.method, pairs.join("&"))
}

fn first<'a>(headers: &[(&str, &'a str)], name: &str) -> &'a str {
    headers.iter().find(|(other, _)| other.to_ascii_lowercase() == name).map_or("", |(_, value)| strip(value))
}

/// RFC 2104, over SHA-1.
fn sign_v1(input: &Input<'_>, string_to_sign: &str) -> String {
    let key = input.secret.as_bytes();
    let mut block = if key.len() > 64 { Sha1::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha1::digest([pad(0x36), string_to_sign.as_bytes().to_vec()].concat());
    Base64::encode_string(&Sha1::digest([pad(0x5c), inner.to_vec()].concat()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SUB_RESOURCES: &str = "
    accessPoint accessPointConfigForObjectProcess accessPointForObjectProcess accessPointPolicy
    accessPointPolicyForObjectProcess acl append asyncFetch bucketArchiveDirectRead bucketInfo callback
    callback-var cleanRestoredObject cloudboxes cname comp continuation-token cors dataPipeline delete
    encryption endTime group httpsConfig img inventory inventoryId legalHold lifecycle link live
    location logging metaQuery objectInfo objectMeta objectWorm overwriteConfig partNumber policy
    policyStatus position publicAccessBlock qos qosInfo qosRequester redundancyTransition referer
    regionList replication replicationLocation replicationProgress requestPayment requesterQosInfo
    resourceGroup resourcePool resourcePoolBuckets resourcePoolInfo response-cache-control
    response-content-disposition response-content-encoding response-content-language
    response-content-type response-expires restore retention rtc seal security-token sequential
    startTime stat status style styleName symlink tagging transferAcceleration uploadId uploads
    userDefinedLogFieldsConfig versionId versioning versions vod website worm wormExtend wormId
";
