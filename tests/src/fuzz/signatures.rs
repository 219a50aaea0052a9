//! Signatures: two signers agree, and nothing shows a secret.

use core::time::Duration;

use oss_endpoint::{Endpoint, Region};
use oss_proto::{Credentials, GetObject, Operation, Service, presign};
use oss_sign::{
    AccessKey, Request, Resource, Scope, Scratch, SigningKey, Theirs, UnixTime, presign_query,
    presign_query_v1, sign_headers, sign_headers_v1,
};

use super::{SECRET, TOKEN, is_short_line};
use crate::{agreement, naive_sign};

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
        is_short_line(&message);
        // Ours, that is: what they claim to have seen need not be ours to hide.
        for secret in [SECRET, TOKEN, ours.signature()] {
            let shown = format!("{message} {explanation:?} {theirs:?}");
            assert!(text.contains(secret) || !shown.contains(secret), "a secret is shown");
        }
    }
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
    let split = presigned.expose_url().split_once('?');
    let (path, query) = split.expect("the signature stands in the query");
    let shown = format!("{presigned} {presigned:?}");
    // A key may be called like anything, and is shown.
    let is_kept = |text: &str| path.contains(text) || !shown.contains(text);
    for pair in query.split('&').filter(|pair| pair.len() > "x-oss-date=".len()) {
        assert!(is_kept(pair), "the query is shown: {pair}");
    }
    assert!(is_kept(SECRET) && is_kept(TOKEN), "a secret is shown");
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
