//! Signature V1: HMAC-SHA1, in the `authorization` header and in the query of a URL.

use crate::{
    AccessKey, Request, Resource, Scope, Scratch, Signed, UnixTime,
    canonical::{Source, Taken, sort, trim, write_headers},
    encode::{Pen, first_bytes, is_oss},
    scratch::{Added, Name, Span},
    sha1_mac::{SIGNATURE_BYTES, hmac_sha1},
};

/// Signs a request for the `authorization` header (V1).
///
/// To add, in this order: `x-oss-security-token` when the key has a token, `date`, and `authorization`.
/// Headers of the request with one of these names are not signed: replace them. An `x-oss-date` of the
/// request is signed in place of `date`, as OSS reads it first.
///
/// Signed are `content-md5`, `content-type`, the date, every `x-oss-…` header, the bucket and key, and the
/// [sub-resources](V1_SUB_RESOURCES) of the query; `sub_resources` names further ones. `additional` of the
/// request does not count. Source: the OSS document "Include a V1 signature in the Authorization header".
///
/// OSS has closed V1 to new users on 2025-03-01 and to new buckets on 2025-09-01: prefer
/// [`sign_headers`](crate::sign_headers).
pub fn sign_headers_v1<'s>(
    request: &Request<'_>,
    key: &AccessKey<'_>,
    time: UnixTime,
    sub_resources: &[&str],
    scratch: &'s mut Scratch,
) -> Signed<'s> {
    let date = time.http_date();
    let request = prepare(request, key, scratch);
    if let Some(token) = key.token() {
        scratch.add(const { &Name::new("x-oss-security-token") }, token.as_bytes());
    }
    scratch.collect_headers(&request);
    scratch.add(const { &Name::new("date") }, date.as_bytes());
    collect_sub_resources(scratch, &request, sub_resources, false);
    let own_date = first_value(&request, "x-oss-date").filter(|value| !value.is_empty());
    write(scratch, &request, Date::Text(own_date.unwrap_or(&date)));

    let before = scratch.values.write(|pen| {
        pen.push(b"OSS ");
        pen.push(key.id.as_bytes());
        pen.byte(b':');
    });
    let signature = sign(scratch, key);
    let value = Span { start: before.start, end: signature.end };
    scratch.added.push(Added { name: const { &Name::new("authorization") }, value });
    Signed { scratch, signature }
}

/// Signs a request for a URL that is valid until `expires` (V1).
///
/// To add to the query, in this order: `OSSAccessKeyId`, `Expires`, `security-token` when the key has a
/// token, and `Signature`. Parameters of these names in the request are not signed. Every signed header
/// ([`Signed::signed_headers`]) must be sent with the URL.
///
/// OSS sets no limit to the lifetime; a URL signed with a token ends with the token. Sub-resources count as
/// in [`sign_headers_v1`]. Source: the OSS document "Add signatures to URLs".
pub fn presign_query_v1<'s>(
    request: &Request<'_>,
    key: &AccessKey<'_>,
    expires: UnixTime,
    sub_resources: &[&str],
    scratch: &'s mut Scratch,
) -> Signed<'s> {
    let request = prepare(request, key, scratch);
    scratch.collect_headers(&request);
    scratch.add(const { &Name::new("OSSAccessKeyId") }, key.id.as_bytes());
    // OSS counts no second before 1970.
    let secs = expires.as_secs().max(0).unsigned_abs();
    let expires = scratch.add_number(const { &Name::new("Expires") }, secs);
    if let Some(token) = key.token() {
        let source = Source::added(scratch.added.len());
        scratch.add(&SECURITY_TOKEN, token.as_bytes());
        scratch.pairs.push(Taken { key: SECURITY_TOKEN.key_encoded, source });
    }
    collect_sub_resources(scratch, &request, sub_resources, key.token().is_some());
    write(scratch, &request, Date::Added(expires));
    let signature = sign(scratch, key);
    scratch.added.push(Added { name: const { &Name::new("Signature") }, value: signature });
    Signed { scratch, signature }
}

fn prepare<'a>(request: &Request<'a>, key: &AccessKey<'_>, scratch: &mut Scratch) -> Request<'a> {
    scratch.prepare(request, key, &Scope { region: "", product: "", time: UnixTime::MIN });
    Request { additional: &[], ..*request }
}

/// Takes the parameters that are signed; a token of the caller's is replaced by the key's own.
fn collect_sub_resources(scratch: &mut Scratch, request: &Request<'_>, further: &[&str], own_token: bool) {
    for (index, (name, _)) in request.query.iter().enumerate() {
        if is_sub_resource(name, further) && !(own_token && *name == SECURITY_TOKEN.text) {
            let key = first_bytes(name.as_bytes());
            scratch.pairs.push(Taken { key, source: Source::caller(index) });
        }
    }
}

fn is_sub_resource(name: &str, further: &[&str]) -> bool {
    name.starts_with("x-oss-") || V1_SUB_RESOURCES.binary_search(&name).is_ok() || further.contains(&name)
}

/// The trimmed value of the first header of this name.
fn first_value<'a>(request: &Request<'a>, name: &str) -> Option<&'a str> {
    let mut headers = request.headers.iter();
    headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| trim(value))
}

/// The date line of the string to sign.
enum Date<'a> {
    Text(&'a str),
    /// Among the values.
    Added(Span),
}

/// Writes the string to sign.
fn write(scratch: &mut Scratch, request: &Request<'_>, date: Date<'_>) {
    let Scratch { values, added, canonical, headers, pairs, names, to_sign, .. } = scratch;
    // The block of all signed headers stands in the room of the canonical request, so that their names are
    // kept there; only those of OSS go into the string to sign. They come last.
    let header = |source: Source| source.of(request.headers, added, values);
    let mut start = None;
    let block = canonical.write(|pen| {
        let (others, oss) = headers.split_at(headers.iter().take_while(|taken| !is_oss(taken.key)).count());
        write_headers(pen, others, names, header);
        start = Some(pen.at());
        write_headers(pen, oss, names, header);
    });
    let oss_headers = canonical.at(Span { start: start.unwrap_or(block.start), end: block.end });

    let pair = |source: Source| source.of(request.query, added, values);
    sort(pairs, |a, b| pair(a).cmp(&pair(b)));
    to_sign.write(|pen| {
        let value = |name| first_value(request, name).unwrap_or_default().as_bytes();
        let date = match date {
            Date::Text(text) => text.as_bytes(),
            Date::Added(span) => values.at(span),
        };
        for line in [request.method.as_bytes(), value("content-md5"), value("content-type"), date] {
            pen.push(line);
            pen.byte(b'\n');
        }
        pen.push(oss_headers);
        write_resource(pen, request.resource);
        write_sub_resources(pen, pairs, pair);
    });
    // V1 has no canonical request.
    canonical.forget();
}

fn write_sub_resources<'a>(pen: &mut Pen<'_>, pairs: &[Taken], pair: impl Fn(Source) -> (&'a str, &'a [u8])) {
    for (place, taken) in pairs.iter().enumerate() {
        let (name, value) = pair(taken.source);
        pen.byte(if place == 0 { b'?' } else { b'&' });
        pen.push(name.as_bytes());
        if !value.is_empty() {
            pen.byte(b'=');
            pen.push(value);
        }
    }
}

/// Nothing is encoded.
fn write_resource(pen: &mut Pen<'_>, resource: Resource<'_>) {
    for piece in resource.pieces() {
        pen.push(piece.as_bytes());
    }
}

fn sign(scratch: &mut Scratch, key: &AccessKey<'_>) -> Span {
    let mut text = [0; SIGNATURE_BYTES];
    let signature = hmac_sha1(key.secret.as_bytes(), scratch.to_sign.written(), &mut text);
    scratch.values.write(|pen| pen.push(signature.as_bytes()))
}

static SECURITY_TOKEN: Name = Name::new("security-token");

/// The names of query parameters that a V1 signature covers, sorted; it also covers every name that starts
/// with `x-oss-`, and no other.
///
/// It is the union of the lists in the OSS document and in the official SDKs: the document leaves out names
/// that OSS signs, such as `versionId`.
pub const V1_SUB_RESOURCES: &[&str] = &[
    "accessPoint",
    "accessPointConfigForObjectProcess",
    "accessPointForObjectProcess",
    "accessPointPolicy",
    "accessPointPolicyForObjectProcess",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cleanRestoredObject",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "dataPipeline",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "legalHold",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "objectWorm",
    "overwriteConfig",
    "partNumber",
    "policy",
    "policyStatus",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "rtc",
    "seal",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "userDefinedLogFieldsConfig",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
];

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const DATE: &str = "Sat, 16 Dec 2023 16:20:57 GMT";

    #[test]
    fn the_sub_resources_are_sorted_each_once() {
        assert!(V1_SUB_RESOURCES.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn what_is_signed_is_picked_and_sorted() {
        let request = Request {
            method: "PUT",
            resource: Resource::Object { bucket: "b", key: "a b%20+/中" },
            query: &[
                ("uploadId", "u/+ "),
                ("prefix", "p"),
                ("acl", ""),
                ("x-oss-process", "a"),
                ("mine", "1"),
            ],
            headers: &[
                ("X-Oss-Meta-B", " 2 "),
                ("x-oss-meta-a", "1"),
                ("Content-MD5", "m"),
                ("range", "no"),
                ("content-type", "t"),
                ("x-oss-meta-b", "3"),
            ],
            additional: &["range"],
        };
        let key = AccessKey { id: "ak", secret: "sk", token: Some("to/ken") };
        let mut scratch = Scratch::new();
        let time = UnixTime::from_secs(1_702_743_657);
        let signed = sign_headers_v1(&request, &key, time, &["mine"], &mut scratch);
        let expected = "PUT\nm\nt\nSat, 16 Dec 2023 16:20:57 GMT\nx-oss-meta-a:1\nx-oss-meta-b:2,3\n\
                        x-oss-security-token:to/ken\n/b/a b%20+/中?acl&mine=1&uploadId=u/+ &x-oss-process=a";
        assert_eq!((signed.string_to_sign(), signed.canonical_request()), (expected, ""));
        let names = signed.iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names, ["x-oss-security-token", "date", "authorization"]);
        let names = signed.signed_headers().collect::<Vec<_>>();
        let expected =
            ["content-md5", "content-type", "x-oss-meta-a", "x-oss-meta-b", "x-oss-security-token"];
        assert_eq!(names, expected);

        assert!(!alloc::format!("{signed:?}").contains("to/ken"), "{signed:?}");

        let signed = presign_query_v1(&request, &key, time, &[], &mut scratch);
        let expected = "PUT\nm\nt\n1702743657\nx-oss-meta-a:1\nx-oss-meta-b:2,3\n\
                        /b/a b%20+/中?acl&security-token=to/ken&uploadId=u/+ &x-oss-process=a";
        assert_eq!(signed.string_to_sign(), expected);
        let names = signed.iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names, ["OSSAccessKeyId", "Expires", "security-token", "Signature"]);
    }

    #[test]
    fn a_date_of_oss_stands_in_for_the_date_unless_it_is_empty() {
        let resource = Resource::Bucket("b");
        let key = AccessKey { id: "ak", secret: "sk", token: None };
        let time = UnixTime::from_secs(1_702_743_657);
        for (own, date) in [("Sat, 16 Dec 2023 16:00:00 GMT", "Sat, 16 Dec 2023 16:00:00 GMT"), (" ", DATE)] {
            let headers = [("X-Oss-Date", own)];
            let request = Request { method: "GET", resource, query: &[], headers: &headers, additional: &[] };
            let mut scratch = Scratch::new();
            let signed = sign_headers_v1(&request, &key, time, &[], &mut scratch);
            let expected = alloc::format!("GET\n\n\n{date}\nx-oss-date:{}\n/b/", own.trim());
            assert_eq!(signed.string_to_sign(), expected);
        }
    }

    /// The example that the OSS document prints, the values of its request table put right.
    #[test]
    fn the_example_of_the_document_is_reproduced() {
        let text = "PUT\nODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=\ntext/html\n\
                    Thu, 17 Nov 2005 18:49:58 GMT\nx-oss-magic:abracadabra\nx-oss-meta-author:foo@bar.com\n\
                    /oss-example/nelson";
        let headers = [
            ("content-md5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="),
            ("content-type", "text/html"),
            ("x-oss-meta-author", "foo@bar.com"),
            ("x-oss-magic", "abracadabra"),
        ];
        let resource = Resource::Object { bucket: "oss-example", key: "nelson" };
        let request = Request { method: "PUT", resource, query: &[], headers: &headers, additional: &[] };
        let (id, secret) = ("44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV");
        let key = AccessKey { id, secret, token: None };
        let time = UnixTime::parse_http_date("Thu, 17 Nov 2005 18:49:58 GMT").expect("a date");
        let mut scratch = Scratch::new();
        let signed = sign_headers_v1(&request, &key, time, &[], &mut scratch);
        assert_eq!((signed.string_to_sign(), signed.signature()), (text, "26NBxoKdsyly4EDv6inkoDft/yA="));
        let (_, authorization) = signed.iter().last().expect("it is added last");
        assert_eq!(authorization, "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=");
    }
}
