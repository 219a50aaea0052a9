//! Names and where they lead: endpoints, buckets, keys, regions.

use oss_endpoint::{Addressing, BucketName, Endpoint, Kind, ObjectKey, Region};
use oss_sign::{AccessKey, Request, Resource, Scope, Scratch, SigningKey, UnixTime, sign_headers};

use super::{SECRET, is_one_line};

/// Endpoint, bucket, key and region, a line each: what parses goes to the host that was named, and no other.
pub fn endpoint(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(4, '\n');
    let endpoint = Endpoint::parse(lines.next().unwrap_or_default());
    let bucket = BucketName::parse(lines.next().unwrap_or_default());
    let region = Region::parse(lines.next().unwrap_or_default());
    // Last, since a key may hold line ends.
    let key = lines.next().unwrap_or_default();
    let (strict, key) = (ObjectKey::parse(key), ObjectKey::verbatim(key));
    if let Ok(strict) = &strict {
        assert_eq!(key.as_ref(), Ok(strict), "what is parsed is also taken verbatim");
    }
    for error in
        [endpoint.as_ref().err(), bucket.as_ref().err(), region.as_ref().err(), strict.as_ref().err()]
    {
        let Some(error) = error else { continue };
        is_one_line(&error.to_string());
    }
    if let Ok(region) = &region {
        // What the formulas make of any id, or the catalogue has for it, is what a person could write.
        for kind in [Kind::Public, Kind::Internal, Kind::DualStack] {
            let listed = region.entry().map(|entry| entry.host(kind, None));
            let Ok(host) = Endpoint::of(kind, region) else {
                assert_eq!(listed, Some(None), "a host is refused only where the catalogue has none");
                continue;
            };
            let formula = match kind {
                Kind::Internal => format!("oss-{region}-internal.aliyuncs.com"),
                Kind::DualStack => format!("{region}.oss.aliyuncs.com"),
                _ => format!("oss-{region}.aliyuncs.com"),
            };
            assert_eq!(host.host(), listed.flatten().unwrap_or(&formula));
            assert_eq!(Endpoint::parse(&host.to_string()), Ok(host));
        }
    }
    let Ok(endpoint) = endpoint else { return };
    assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint.clone()), "what is shown parses again");
    let authority = endpoint.authority();
    assert!(is_plain_authority(&authority), "{authority:?}");
    let (Ok(bucket), Ok(key)) = (&bucket, &key) else { return };
    addressed(&endpoint, bucket, key);
}

/// A key: what is on the wire and what is signed is its one encoding, and both decode to it.
pub fn object_key(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let Ok(key) = ObjectKey::verbatim(text) else { return };
    let bucket = BucketName::parse("examplebucket").expect("it is a name of a bucket");
    for url in ["https://oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:9000", "https://a.example"] {
        let endpoint = Endpoint::parse(url).expect("it is an endpoint");
        addressed(&endpoint, &bucket, &key);
    }
    let access = AccessKey { id: "fuzz-id", secret: SECRET, token: None };
    let scope = Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::from_secs(0) };
    let resource = Resource::Object { bucket: bucket.as_str(), key: key.as_str() };
    let request = Request { method: "GET", resource, query: &[], headers: &[], additional: &[] };
    let mut scratch = Scratch::new();
    let signing = SigningKey::derive(&access, &scope);
    let signed = sign_headers(&request, &access, &signing, &scope, &mut scratch);
    let path = signed.canonical_request().split('\n').nth(1).unwrap_or_default();
    let sent = Endpoint::public(&Region::parse("cn-hangzhou").expect("it is a region"));
    let sent = sent.address(Some(&bucket), Some(&key)).path;
    assert_eq!(path, format!("/{bucket}{sent}"), "what is signed is what is sent");
}

/// The host and the path that were asked for, computed the slow way.
fn addressed(endpoint: &Endpoint, bucket: &BucketName, key: &ObjectKey) {
    let address = endpoint.address(Some(bucket), Some(key));
    let (host, prefix) = match endpoint.addressing() {
        Addressing::VirtualHosted => (format!("{bucket}.{}", endpoint.authority()), "/".to_owned()),
        Addressing::Path => (endpoint.authority(), format!("/{bucket}/")),
        _ => (endpoint.authority(), "/".to_owned()),
    };
    assert_eq!(address.authority, host);
    let encoded = address.path.strip_prefix(&prefix);
    assert_eq!(encoded.and_then(decoded).as_deref(), Some(key.as_str().as_bytes()), "{}", address.path);
    assert!(address.path.bytes().all(|byte| byte.is_ascii_graphic()), "{}", address.path);
    assert!(!address.path.contains(['?', '#', '\\', '"', '<', '>']), "{}", address.path);
}

/// Percent-decoding, one byte after the other; `None` for a broken escape.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { 16 * digit(bytes.next()?)? + digit(bytes.next()?)? } else { byte });
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    // Upper case only: so does OSS compute the canonical path.
    let digit = b"0123456789ABCDEF".iter().position(|known| *known == byte)?;
    u8::try_from(digit).ok()
}

fn is_plain_authority(authority: &str) -> bool {
    !authority.is_empty()
        && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}
