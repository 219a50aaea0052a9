//! From a value to a request and back: what the URL says is what was asked for, and the emulator's own
//! verifier, which shares no line with the signer, accepts it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;

use http::Method;
use oss_emulator::{Config, Emulator, Verdict};
use oss_proto::{
    Addressing, Credentials, Endpoint, Operation as _, Payload, Raw, Region, Scope, Service,
    SignatureVersion, UnixTime, compose, presign,
};
use proptest::prelude::*;

/// How the bucket is named in the URL.
#[derive(Clone, Copy, Debug)]
enum Style {
    Path,
    VirtualHost,
    Cname,
}

fn service(style: Style) -> Service {
    let region = Region::parse("cn-hangzhou").unwrap();
    let endpoint = match style {
        Style::Path => Endpoint::parse("http://127.0.0.1:9000").unwrap(),
        Style::VirtualHost => Endpoint::public(&region),
        Style::Cname => {
            Endpoint::parse("https://img.example.com").unwrap().with_addressing(Addressing::Cname)
        }
    };
    Service::new(endpoint).with_region(region)
}

fn emulator() -> Emulator {
    let config = Config::new("cn-hangzhou")
        .with_access_key("id", "secret")
        .with_temporary_key("sts", "secret", "a/b+c==", Duration::from_secs(u64::from(u32::MAX)))
        .with_cname("img.example.com", "bucket");
    let mut emulator = Emulator::new(config);
    emulator.create_bucket("bucket", NOW);
    emulator
}

fn credentials(is_temporary: bool) -> Credentials {
    if is_temporary {
        return Credentials::new("sts", "secret").unwrap().with_token("a/b+c==").unwrap();
    }
    Credentials::new("id", "secret").unwrap()
}

/// What the emulator says to the request as it arrives: the code of its refusal, if it refuses.
fn refusal(emulator: &mut Emulator, request: http::Request<()>) -> Option<String> {
    // On the wire the target is path and query; the host is in its header.
    let (mut head, ()) = request.into_parts();
    let target = head.uri.path_and_query().unwrap().as_str().to_owned();
    head.uri = target.parse().unwrap();
    match emulator.begin(&head, NOW) {
        Verdict::Accept(id) => {
            emulator.abort(id);
            None
        }
        Verdict::Refuse(reply) => {
            let document = String::from_utf8_lossy(&reply.body.into_bytes()).into_owned();
            let code = document.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next());
            Some(code.unwrap_or(&document).to_owned())
        }
    }
}

/// The emulator knows few parameters and says so once it has verified the signature.
fn is_verified(refusal: Option<&str>) -> bool {
    refusal.is_none_or(|code| {
        !matches!(code, "SignatureDoesNotMatch" | "InvalidAccessKeyId" | "AccessDenied" | "InvalidURI")
    })
}

fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            decoded.push(u8::from_str_radix(core::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).unwrap()
}

/// Bucket and key as the URL's bytes say.
fn addressed(style: Style, uri: &http::Uri) -> (String, String) {
    let path = uri.path().strip_prefix('/').unwrap();
    match style {
        Style::Path => {
            let (bucket, key) = path.split_once('/').unwrap();
            (bucket.to_owned(), decode(key))
        }
        Style::VirtualHost => (uri.host().unwrap().split('.').next().unwrap().to_owned(), decode(path)),
        Style::Cname => ("bucket".to_owned(), decode(path)),
    }
}

fn styles() -> impl Strategy<Value = Style> {
    prop::sample::select(vec![Style::Path, Style::VirtualHost, Style::Cname])
}

fn methods() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::POST])
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        // Anything that is a key.
        "[^/\\\\][\\PC/]{0,40}",
        // What URLs and signatures trip over.
        "[a./%+ ?#&=~!*'();:@,\\[\\]^`{|}<>\"文😀]{1,20}"
            .prop_filter("no leading slash", |key| !key.starts_with('/')),
        "(\\.\\./|\\./|//|%2[fe]|a){1,6}b".prop_filter("no leading slash", |key| !key.starts_with('/')),
    ]
}

fn versions() -> impl Strategy<Value = SignatureVersion> {
    prop::sample::select(vec![SignatureVersion::V4, SignatureVersion::V1])
}

/// Names of queries that V1 signs, and some that it does not.
fn sub_resources() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = vec!["acl", "uploadId", "partNumber", "x-oss-any", "response-expires", "versionId", "prefix"];
    let queries = prop::collection::btree_map(prop::sample::select(names), "[\\PC]{0,20}", 0..4);
    let queries = queries
        .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>());
    queries.prop_shuffle()
}

fn queries() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = "[a-z][a-zA-Z0-9 _.%+&=文-]{0,10}".prop_map(|name| format!("p-{name}"));
    let queries = prop::collection::btree_map(name, "[\\PC]{0,20}", 0..6);
    queries.prop_map(|map| map.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof!["x-oss-meta-[a-z0-9-]{1,8}", Just("content-type".to_owned()), "x-[a-n][a-z]{1,8}"];
    let value = "([!-~]([ -~]{0,20}[!-~])?)?";
    prop::collection::btree_map(name, value, 0..5).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// B12–B30: any key, query and headers, in every addressing style.
    #[test]
    fn b12_b30_what_is_composed_says_what_was_asked_and_verifies(
        style in styles(),
        key in keys(),
        queries in queries(),
        headers in headers(),
        is_temporary: bool,
        method in methods(),
        additional in prop::sample::select(vec![vec![], vec!["host"], vec!["host", "user-agent"]]),
        version in versions(),
        sub_resources in sub_resources(),
    ) {
        let queries: Vec<_> = queries.into_iter().chain(sub_resources).collect();
        let mut raw = Raw::new("Any", method, Scope::Object).bucket("bucket").key(key.as_str());
        raw.query = queries.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        raw.headers = headers.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        raw.body = Payload::Empty;
        let service = service(style).with_signature(version).with(|settings| {
            if version == SignatureVersion::V1 {
                settings.region = None;
            }
            settings.additional_headers = additional.iter().map(|name| (*name).to_owned()).collect();
        });
        let draft = raw.draft().unwrap();
        let request = compose(&draft, &service, &credentials(is_temporary), WALL).unwrap();

        prop_assert_eq!(addressed(style, request.uri()), ("bucket".to_owned(), key));
        let sent = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let sent: Vec<_> = sent.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
        let mut sent: Vec<_> = sent.into_iter().map(|(name, value)| (decode(name), decode(value))).collect();
        // V4 has an order of its own, which says nothing.
        let mut queries = queries;
        sent.sort();
        queries.sort();
        prop_assert_eq!(sent, queries);
        let refusal = refusal(&mut emulator(), request);
        prop_assert!(is_verified(refusal.as_deref()), "{refusal:?}");
    }

    /// F88: what leaves otherwise than it was signed is refused.
    #[test]
    fn f88_any_change_of_what_was_signed_is_refused(
        style in styles(),
        key in keys(),
        value in "[!-~]([ -~]{0,20}[!-~])?",
        is_temporary: bool,
        change in 0_usize..7,
        version in versions(),
    ) {
        let mut raw = Raw::new("Any", Method::PUT, Scope::Object).bucket("bucket").key(key.as_str());
        raw.query = vec![("uploadId".into(), "7".into())];
        raw.headers = vec![("x-oss-meta-a".into(), value)];
        raw.body = Payload::Empty;
        let service = service(style).with_signature(version).with(|settings| {
            if version == SignatureVersion::V1 {
                settings.region = None;
            }
        });
        let draft = raw.draft().unwrap();
        let mut request = compose(&draft, &service, &credentials(is_temporary), WALL).unwrap();
        prop_assert!(is_verified(refusal(&mut emulator(), copy(&request)).as_deref()));
        meddle(&mut request, change);
        let said = refusal(&mut emulator(), request);
        prop_assert!(!is_verified(said.as_deref()), "{change}: {said:?}");
    }

    /// A presigned URL verifies for whoever sends it with its headers, and not after its end.
    #[test]
    fn b31_what_is_presigned_verifies(
        style in styles(),
        key in keys(),
        headers in headers(),
        is_temporary: bool,
        minutes in 1_u64..600,
        version in versions(),
    ) {
        let mut raw = Raw::new("Any", Method::PUT, Scope::Object).bucket("bucket").key(key.as_str());
        raw.headers = headers.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        let draft = raw.draft().unwrap();
        let valid_for = Duration::from_secs(60 * minutes);
        let service = service(style).with_signature(version);
        let url = presign(&draft, &service, &credentials(is_temporary), WALL, valid_for).unwrap();

        let request = || {
            let uri: http::Uri = url.expose_url().parse().unwrap();
            let host = uri.authority().unwrap().as_str();
            let mut request = http::Request::builder().method("PUT").header("host", host);
            for (name, value) in url.headers() {
                request = request.header(name, value);
            }
            request.header("content-length", 0).uri(uri).body(()).unwrap()
        };
        prop_assert_eq!(addressed(style, request().uri()), ("bucket".to_owned(), key));
        let said = refusal(&mut emulator(), request());
        prop_assert!(is_verified(said.as_deref()), "{said:?}");
        // One character of the signature is another; that of V1 ends with an encoded `=`.
        let end = url.expose_url().trim_end_matches("%3D").len();
        let mut forged = url.expose_url()[..end].to_owned();
        let last = forged.pop().unwrap();
        forged.push(if last == '0' { '1' } else { '0' });
        forged.push_str(&url.expose_url()[end..]);
        let mut request = request();
        *request.uri_mut() = forged.parse().unwrap();
        let said = refusal(&mut emulator(), request);
        prop_assert!(!is_verified(said.as_deref()), "{said:?}");
    }
}

/// What is signed is what is sent, blank for blank.
#[test]
fn b24_inner_blanks_of_a_value_are_signed_as_they_are_sent() {
    for value in ["a b", "a  b", "a\tb", "a \t  b", "a,  b"] {
        for version in [SignatureVersion::V4, SignatureVersion::V1] {
            let mut raw = Raw::new("Any", Method::PUT, Scope::Object).bucket("bucket").key("key");
            raw.headers = vec![("x-oss-meta-a".into(), value.into()), ("content-type".into(), value.into())];
            raw.body = Payload::Empty;
            let service = service(Style::Path).with_signature(version);
            let request = compose(&raw.draft().unwrap(), &service, &credentials(false), WALL).unwrap();
            assert_eq!(request.headers()["x-oss-meta-a"], value);
            let refusal = refusal(&mut emulator(), request);
            assert!(is_verified(refusal.as_deref()), "{value:?} by {version:?}: {refusal:?}");
        }
    }
}

fn copy(request: &http::Request<()>) -> http::Request<()> {
    let mut copy = http::Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// What a transport might do to a request, with the best of intentions.
fn meddle(request: &mut http::Request<()>, change: usize) {
    let uri = request.uri().to_string();
    let set = |request: &mut http::Request<()>, name: &'static str, value: &str| {
        request.headers_mut().insert(name, value.parse().unwrap());
    };
    match change {
        0 => *request.method_mut() = Method::DELETE,
        1 => *request.uri_mut() = uri.replacen('?', "x?", 1).parse().unwrap(),
        2 => *request.uri_mut() = uri.replacen("uploadId=7", "uploadId=8", 1).parse().unwrap(),
        3 => *request.uri_mut() = uri.replacen("?uploadId=7", "", 1).parse().unwrap(),
        4 => set(request, "x-oss-meta-a", "other value"),
        5 => drop(request.headers_mut().remove("x-oss-meta-a")),
        _ => set(request, "x-oss-meta-b", "more"),
    }
}

const NOW: Duration = Duration::from_secs(1_702_743_657);
const WALL: UnixTime = UnixTime::from_secs(1_702_743_657);
