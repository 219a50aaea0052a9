//! The bodies of the fuzz targets: any bytes in, a value or a typed error out, and laws that hold for both.
//!
//! `fuzz/fuzz_targets` calls them under libFuzzer; `cargo test` replays the committed corpora through them.

mod credentials;

pub use credentials::credentials;

use core::time::Duration;

use crate::xml_agreement::agree;
use http::{HeaderMap, HeaderValue};
use oss_endpoint::{Addressing, BucketName, Endpoint, Kind, ObjectKey, Region};
use oss_proto::xml::{Reader, Writer};
use oss_proto::{Credentials, ErrorCode, GetObject, Operation, ReadError, Service, ServiceError, presign};
use oss_sign::{
    AccessKey, Request, Resource, Scope, Scratch, SigningKey, Theirs, UnixTime, presign_query,
    presign_query_v1, sign_headers, sign_headers_v1,
};

use crate::{agreement, naive_sign};

/// The body of a fuzz target: it panics when a law does not hold.
pub type Body = fn(&[u8]);

/// Every fuzz target: its name, which is also that of its file and of its corpus, and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("credentials", credentials),
    ("endpoint", endpoint),
    ("error_document", error_document),
    ("explain", explain),
    ("http_date", http_date),
    ("object_key", object_key),
    ("presigned", presigned),
    ("sign_v1", sign_v1),
    ("sign_v4", sign_v4),
    ("xml", xml),
];

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
        let message = error.to_string();
        assert!(!message.contains(char::is_control), "a message is one line: {message:?}");
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

/// An answer in which OSS says no, from the body and from the header of an answer to HEAD: always an error
/// that can be shown to a person, on one line and of bounded length.
pub fn error_document(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    shown(&ServiceError::read(404, &headers, bytes));
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    for name in ["x-oss-err", "x-oss-ec", "x-oss-request-id"] {
        headers.insert(name, value.clone());
    }
    shown(&ServiceError::read(503, &headers, b""));
}

/// Three date formats: what is read is written back as the same moment.
pub fn http_date(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Some(time) = UnixTime::parse_http_date(text) {
        assert_eq!(time.http_date().as_str(), text, "there is one way to write an HTTP date");
    }
    if let Some(time) = UnixTime::parse_iso_basic(text) {
        assert_eq!(time.iso_basic().as_str(), text, "there is one way to write a basic date");
    }
    if let Some(time) = UnixTime::parse_iso_extended(text) {
        let written = time.iso_extended();
        assert_eq!(UnixTime::parse_iso_extended(&written), Some(time));
        assert_eq!(UnixTime::parse_http_date(&time.http_date()), Some(time));
        assert_eq!(UnixTime::parse_iso_basic(&time.iso_basic()), Some(time));
    }
}

/// What OSS might say that it signed, after a line that says what: the explanation is one short line and
/// shows no secret.
///
/// The string to sign ends at the first empty line, the canonical request follows.
pub fn explain(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let (string_to_sign, canonical_request) = text.split_once("\n\n").unwrap_or((text, ""));
    let headers = [("content-type", "text/plain"), ("x-oss-meta-a", "1"), ("range", "bytes=0-")];
    let resource = Resource::Object { bucket: "bucket", key: "key" };
    let query = [("acl", ""), ("uploadId", "1")];
    let request =
        Request { method: "PUT", resource, query: &query, headers: &headers, additional: &["range"] };
    let key = AccessKey { id: "fuzz-id", secret: SECRET, token: Some(TOKEN) };
    let time = UnixTime::from_secs(1_702_743_657);
    let scope = Scope { region: "cn-hangzhou", product: "oss", time };
    let mut scratch = Scratch::new();
    let theirs = Theirs { string_to_sign, canonical_request, ..Theirs::default() };
    for v1 in [false, true] {
        let ours = if v1 {
            sign_headers_v1(&request, &key, time, &[], &mut scratch)
        } else {
            sign_headers(&request, &key, &SigningKey::derive(&key, &scope), &scope, &mut scratch)
        };
        let explanation = oss_sign::explain(&theirs, &ours, key.id);
        let message = explanation.to_string();
        assert!(!message.contains(char::is_control), "a message is one line: {message:?}");
        assert!(message.len() <= MESSAGE_BYTES_MAX, "a message is short: {} bytes", message.len());
        // Ours, that is: what they claim to have seen need not be ours to hide.
        for secret in [SECRET, TOKEN, ours.signature()] {
            let shown = format!("{message} {explanation:?} {theirs:?}");
            assert!(text.contains(secret) || !shown.contains(secret), "a secret is shown");
        }
    }
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

/// A URL for the object and the parameters of the lines of [`sign_v4`]: showing it shows no query, and so
/// neither signature nor token.
pub fn presigned(bytes: &[u8]) {
    let Some(lines) = Lines::read(bytes) else { return };
    let region = Region::parse("cn-hangzhou").expect("it is a region");
    let service = Service::new(Endpoint::public(&region)).with_region(region);
    let Ok(credentials) = Credentials::new("fuzz-id", SECRET) else { return };
    let Ok(credentials) = credentials.with_token(TOKEN) else { return };
    let mut operation = GetObject::new(lines.bucket, lines.object);
    if let Some((name, value)) = lines.query.first() {
        operation = operation.response_content_type(*value).version_id(*name);
    }
    let Ok(draft) = operation.draft() else { return };
    let (now, hour) = (UnixTime::from_secs(1_702_743_657), Duration::from_secs(3_600));
    let Ok(presigned) = presign(&draft, &service, &credentials, now, hour) else { return };
    let query = presigned.expose_url().split_once('?').map(|(_, query)| query);
    let query = query.expect("the signature stands in the query");
    let shown = format!("{presigned} {presigned:?}");
    for pair in query.split('&').filter(|pair| pair.len() > "x-oss-date=".len()) {
        assert!(!shown.contains(pair), "the query is shown: {pair}");
    }
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "a secret is shown");
}

/// A request as for [`sign_v4`], with V1: the naive signer agrees, and nothing shows a secret.
pub fn sign_v1(bytes: &[u8]) {
    let Some(lines) = Lines::read(bytes) else { return };
    let token = (bytes.len() % 2 == 1).then_some(TOKEN);
    let key = AccessKey { id: "fuzz-id", secret: SECRET, token };
    let time = UnixTime::from_secs(1_702_743_657);
    agreed(&lines, &key, time);
    let mut scratch = Scratch::new();
    let request = lines.request();
    for presigned in [false, true] {
        let signed = if presigned {
            presign_query_v1(&request, &key, time, &lines.additional, &mut scratch)
        } else {
            sign_headers_v1(&request, &key, time, &lines.additional, &mut scratch)
        };
        assert_eq!(signed.signature().len(), 28);
        assert!(signed.signed_headers().is_sorted_by(|a, b| a < b), "signed headers are sorted, each once");
        // The string to sign of V1 holds the headers, and so the token: it must not be shown.
        let shown = format!("{signed:?} {key:?} {request:?}");
        for secret in [signed.signature(), SECRET, TOKEN] {
            assert!(!shown.contains(secret), "Debug shows a secret");
        }
    }
}

/// A request, a line for each part: signing never panics, sorts, repeats itself, shows no secret, and agrees
/// with the naive signer.
///
/// The first line is the bucket, the second the key; then `?name=value`, `:name=value` and `+name` for
/// query, headers and additional headers; other lines are passed over.
pub fn sign_v4(bytes: &[u8]) {
    let Some(lines) = Lines::read(bytes) else { return };
    let token = (bytes.len() % 2 == 1).then_some(TOKEN);
    let key = AccessKey { id: "fuzz-id", secret: SECRET, token };
    let time = UnixTime::from_secs(1_702_743_657);
    agreed(&lines, &key, time);
    signed(&lines.request(), &key, &Scope { region: "cn-hangzhou", product: "oss", time });
}

/// A document, read by walking, by skipping and by another reader, and a text, written and read back.
pub fn xml(bytes: &[u8]) {
    agree(bytes, ROOT);
    let walked = Reader::open(bytes, ROOT).and_then(|mut reader| {
        walk(&mut reader)?;
        reader.finish()
    });
    let skipped = Reader::open(bytes, ROOT).and_then(Reader::finish);
    if skipped.is_ok() {
        assert!(walked.is_ok(), "what is skipped can be walked: {walked:?}");
    }
    for error in [walked.err(), skipped.err()].into_iter().flatten() {
        let message = error.to_string();
        assert!(!message.contains(char::is_control), "a message is one line: {message:?}");
        assert!(message.len() <= MESSAGE_BYTES_MAX, "a message is short: {} bytes", message.len());
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let mut writer = Writer::new();
    writer.open(ROOT);
    writer.leaf("Key", text);
    writer.close(ROOT);
    let document = writer.finish();
    let read = Reader::open(&document, ROOT).and_then(|mut reader| {
        assert_eq!(reader.child()?, Some("Key"));
        let read = reader.text()?.into_owned();
        assert_eq!(reader.child()?, None);
        reader.finish().map(|_| read)
    });
    // No XML can say NUL; the reader takes no reference to it for one.
    let wanted = if text.contains('\0') { None } else { Some(text) };
    assert_eq!(read.as_deref().ok(), wanted, "what is written is read back: {read:?}");
}

/// Enters every element; the limits of the reader bound the walk.
fn walk(reader: &mut Reader<'_>) -> Result<(), ReadError> {
    let mut depth = 1;
    while depth > 0 {
        depth = if reader.child()?.is_some() { depth + 1 } else { depth - 1 };
        assert!(depth <= DEPTH_MAX, "the reader goes too deep");
    }
    Ok(())
}

fn shown(error: &ServiceError) {
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "an error is shown on one line: {text:?}");
    assert!(text.len() <= MESSAGE_BYTES_MAX, "an error is short: {} bytes", text.len());
    assert!(error.message.chars().count() <= 4096, "the message is bounded");
    assert!(!error.message.contains(char::is_control), "the message is escaped");
    let id = error.request_id.as_deref().unwrap_or("none");
    assert!(id.len() <= 128 && id.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{id:?}");
    assert!(!error.code.as_str().contains(char::is_control), "{:?}", error.code.as_str());
    assert!(error.field_names().all(|name| error.field(name).is_some()));
    if error.field_names().next().is_none() {
        assert_eq!(error.code, ErrorCode::BAD_ERROR_RESPONSE, "a code comes from a document");
    }
    // Only that it comes back: what it must not show has a test beside it.
    assert!(!format!("{error:?}").is_empty());
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

/// The parts of a request, read from lines.
struct Lines<'a> {
    bucket: &'a str,
    object: &'a str,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'a str, &'a str)>,
    additional: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut lines = core::str::from_utf8(bytes).ok()?.split('\n');
        let bucket = lines.next().unwrap_or_default();
        let object = lines.next().unwrap_or_default();
        let rest: Vec<&str> = lines.collect();
        let pairs = |mark: char| -> Vec<(&str, &str)> {
            let marked = rest.iter().filter_map(|line| line.strip_prefix(mark));
            marked.map(|line| line.split_once('=').unwrap_or((line, ""))).collect()
        };
        let additional = rest.iter().filter_map(|line| line.strip_prefix('+')).collect();
        Some(Self { bucket, object, query: pairs('?'), headers: pairs(':'), additional })
    }

    fn request(&self) -> Request<'_> {
        let resource = match (self.bucket, self.object) {
            ("", _) => Resource::Service,
            (bucket, "") => Resource::Bucket(bucket),
            (bucket, key) => Resource::Object { bucket, key },
        };
        let Self { query, headers, additional, .. } = self;
        Request { method: "PUT", resource, query, headers, additional }
    }
}

fn agreed(lines: &Lines<'_>, key: &AccessKey<'_>, time: UnixTime) {
    let input = naive_sign::Input {
        method: "PUT",
        bucket: Some(lines.bucket).filter(|bucket| !bucket.is_empty()),
        key: Some(lines.object).filter(|key| !key.is_empty()),
        query: lines.query.clone(),
        headers: lines.headers.clone(),
        additional: lines.additional.clone(),
        region: "cn-hangzhou",
        product: "oss",
        date: "",
        id: key.id,
        secret: key.secret,
        token: key.token.unwrap_or_default(),
    };
    let case = agreement::Case { input, time, valid_secs: 900, sub_resources: lines.additional.clone() };
    assert_eq!(agreement::agree(&case, &mut Scratch::new()), Ok(()), "the naive signer disagrees");
}

fn signed(request: &Request<'_>, key: &AccessKey<'_>, scope: &Scope<'_>) {
    let signing = SigningKey::derive(key, scope);
    let (mut fresh, mut used) = (Scratch::new(), Scratch::new());
    let first = sign_headers(request, key, &signing, scope, &mut fresh);
    // A buffer that has been used for something else makes no difference.
    let lifetime = Duration::from_secs(900);
    let presigned = presign_query(request, key, &signing, scope, lifetime, &mut used);
    let signature = presigned.map(|presigned| {
        in_order(presigned.canonical_request());
        let shown = format!("{presigned:?}");
        assert!(!shown.contains(presigned.signature()), "Debug shows the signature");
        let added: Vec<&str> = presigned.iter().map(|(name, _)| name).collect();
        assert_eq!(added.last(), Some(&"x-oss-signature"));
        presigned.signature().len()
    });
    assert_eq!(signature, Ok(64), "a quarter of an hour is allowed");
    let second = sign_headers(request, key, &signing, scope, &mut used);
    assert_eq!(first.canonical_request(), second.canonical_request());
    assert_eq!(first.string_to_sign(), second.string_to_sign());
    assert_eq!(first.signature(), second.signature());
    assert!(first.iter().eq(second.iter()));
    assert!(first.signed_headers().is_sorted_by(|a, b| a < b), "signed headers are sorted, each once");
    in_order(first.canonical_request());
    let shown = format!("{first:?} {key:?} {request:?} {signing:?} {fresh:?}", fresh = &used);
    for secret in [first.signature(), SECRET, TOKEN] {
        assert!(!shown.contains(secret), "Debug shows a secret");
    }
}

/// The query of a canonical request is sorted by encoded name, then value.
fn in_order(canonical: &str) {
    let query = canonical.split('\n').nth(2).unwrap_or_default();
    let pairs: Vec<(&str, &str)> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    assert!(pairs.is_sorted(), "{query}");
}

const DEPTH_MAX: usize = 32;
const MESSAGE_BYTES_MAX: usize = 8192;
const ROOT: &str = "Result";
const SECRET: &str = "fuzz-secret-that-must-never-be-shown";
const TOKEN: &str = "fuzz-token-that-must-never-be-shown";
