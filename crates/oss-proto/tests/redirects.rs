//! What becomes of an answer that names another place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use oss_proto::{
    Action, Addressing, Call, Credentials, Effect, Endpoint, Error, ErrorKind, Event, Exchange, GetObject,
    Head, HeadObject, ListBuckets, ListObjectsV2, Now, Operation, Policy, PutObject, Raw, Redirects, Region,
    Reply, ReplyHead, Scope, Sent, Service, Unfollowed, UnixTime,
};
use proptest::prelude::*;

const HANGZHOU: &str = "https://oss-cn-hangzhou.aliyuncs.com";

/// An answer: status, `location`, body.
type Said<'a> = (u16, Option<&'a str>, &'a str);

fn service(endpoint: &str) -> Service {
    Service::new(Endpoint::parse(endpoint).unwrap())
        .with_region(Region::parse("cn-hangzhou").unwrap())
        .with_redirects(Redirects::SameService)
}

fn get() -> GetObject {
    GetObject::new("examplebucket", "a/b c?.txt")
}

fn away<'a>(status: u16, location: &'a str) -> Said<'a> {
    (status, Some(location), "")
}

/// The requests of a call, and how it ended.
type Played<O> = (Vec<http::Request<()>>, Result<Reply<<O as Operation>::Output>, Error>);

/// Plays a call. After the answers given, every request is answered with 200.
fn play<O: Operation>(operation: &O, service: &Service, answers: &[Said<'_>]) -> Played<O> {
    play_on(&mut Exchange::new(operation, service, Call::seeded(7)), answers)
}

fn play_on<O: Operation>(exchange: &mut Exchange<O>, answers: &[Said<'_>]) -> Played<O> {
    let plain = Credentials::new("STS.ID", "secret").unwrap();
    let credentials = plain.with_token("the-token").unwrap();
    let (mut requests, mut body, mut answers) = (Vec::new(), None, answers.iter());
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    loop {
        now.mono += Duration::from_millis(1);
        let event = match exchange.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(credentials.clone()),
            Action::Send(transmit) => {
                requests.push(transmit.request);
                let (status, location, document) = answers.next().copied().unwrap_or((200, None, ""));
                let mut headers = HeaderMap::new();
                let location = location.map(|text| HeaderValue::from_bytes(text.as_bytes()).unwrap());
                location.map(|location| headers.insert("location", location));
                body = Some(Bytes::copy_from_slice(document.as_bytes()));
                Event::Head(Head::new(ReplyHead::new(status, headers), Sent::new()))
            }
            Action::Read { .. } => {
                body.take().filter(|bytes| !bytes.is_empty()).map_or(Event::End, Event::Body)
            }
            Action::Retry(proposal) => Event::Retry(Some(proposal.delay)),
            Action::Wait { until } => {
                now.mono = until;
                continue;
            }
            Action::Done(result) => return (requests, result),
        };
        exchange.handle(event, now);
    }
}

/// Where the second request went, when there was one.
fn followed(endpoint: &str, location: &str) -> Result<String, Unfollowed> {
    let (requests, result) = play(&get(), &service(endpoint), &[away(307, location)]);
    match requests.get(1) {
        Some(request) => Ok(request.uri().to_string()),
        None => Err(unfollowed(&result.unwrap_err())),
    }
}

fn unfollowed(error: &Error) -> Unfollowed {
    match error.kind() {
        ErrorKind::Moved(to) => to.unfollowed,
        other => unreachable!("no redirect: {other:?}"),
    }
}

fn scope(request: &http::Request<()>) -> &str {
    let authorization = request.headers()["authorization"].to_str().unwrap();
    authorization.split('/').nth(2).unwrap()
}

#[test]
fn f46_nothing_is_followed_by_default() {
    let service = service(HANGZHOU).with_redirects(Redirects::default());
    let to = "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt?x-oss-signature=secret";
    for status in [301, 302, 303, 307, 308] {
        let (requests, result) = play(&get(), &service, &[away(status, to)]);
        let error = result.unwrap_err();
        assert_eq!((requests.len(), unfollowed(&error)), (1, Unfollowed::Disabled));
        assert!(error.to_string().contains("examplebucket.oss-cn-beijing.aliyuncs.com/"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn f47_a_read_is_composed_and_signed_anew_at_another_host_of_oss() {
    let to = "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3f.txt?signature=theirs";
    for status in [301, 302, 307, 308] {
        let (requests, result) = play(&get(), &service(HANGZHOU), &[away(status, to)]);
        let [first, second] = &requests[..] else { panic!("{} requests", requests.len()) };
        assert_eq!(
            second.uri().to_string(),
            "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt"
        );
        assert_eq!(second.headers()["host"], "examplebucket.oss-cn-beijing.aliyuncs.com");
        assert_eq!((scope(first), scope(second)), ("cn-hangzhou", "cn-beijing"));
        assert_ne!(first.headers()["authorization"], second.headers()["authorization"]);
        let reply = result.unwrap();
        assert_eq!(reply.attempts.len(), 2);
        assert_eq!(reply.attempts[0].status, Some(status));
        assert_eq!(reply.attempts[0].failure.as_deref(), Some("moved to oss-cn-beijing.aliyuncs.com"));
    }
    let head = HeadObject::new("examplebucket", "a/b c?.txt");
    assert_eq!(play(&head, &service(HANGZHOU), &[away(301, to)]).0.len(), 2);
}

#[test]
fn f47_every_way_to_write_the_bucket_and_its_key_is_read() {
    let key = "/a/b%20c%3F.txt";
    let beijing = format!("https://examplebucket.oss-cn-beijing.aliyuncs.com{key}");
    let cases = [
        (HANGZHOU, format!("https://oss-cn-beijing.aliyuncs.com/examplebucket{key}"), beijing.clone()),
        (HANGZHOU, format!("HTTPS://ExampleBucket.OSS-cn-beijing.aliyuncs.com{key}"), beijing.clone()),
        (HANGZHOU, beijing.replace("/a/", "/%61%2F"), beijing.clone()),
        (
            HANGZHOU,
            format!("https://examplebucket.cn-beijing.oss.aliyuncs.com{key}"),
            format!("https://examplebucket.cn-beijing.oss.aliyuncs.com{key}"),
        ),
        ("http://oss-cn-hangzhou.aliyuncs.com", beijing.clone(), beijing.clone()),
        (
            "http://oss-cn-hangzhou.aliyuncs.com",
            beijing.replace("https", "http"),
            beijing.replace("https", "http"),
        ),
        (
            "https://oss.corp.example:8443",
            format!("https://examplebucket.node-2.oss.corp.example:8443{key}"),
            format!("https://examplebucket.node-2.oss.corp.example:8443{key}"),
        ),
        (
            "http://oss.corp.example:9000",
            format!("https://examplebucket.oss.corp.example:9000{key}"),
            format!("https://examplebucket.oss.corp.example:9000{key}"),
        ),
        (
            "http://127.0.0.1:9000",
            format!("https://127.0.0.1:9000/examplebucket{key}"),
            format!("https://127.0.0.1:9000/examplebucket{key}"),
        ),
    ];
    for (endpoint, location, expected) in cases {
        assert_eq!(followed(endpoint, &location).as_ref(), Ok(&expected), "{endpoint} {location}");
    }
}

#[test]
fn f47_the_addressing_and_the_region_stay_where_the_host_says_nothing_else() {
    let in_path = service(HANGZHOU)
        .with(|settings| settings.endpoint = settings.endpoint.clone().with_addressing(Addressing::Path));
    let to = "https://examplebucket.oss-accelerate.aliyuncs.com/a/b%20c%3F.txt";
    let (requests, _) = play(&get(), &in_path, &[away(307, to)]);
    let expected = "https://oss-accelerate.aliyuncs.com/examplebucket/a/b%20c%3F.txt";
    assert_eq!(requests[1].uri().to_string(), expected);
    assert_eq!(scope(&requests[1]), "cn-hangzhou");

    let list = ListObjectsV2::new("examplebucket");
    let to = "https://examplebucket.oss-cn-beijing.aliyuncs.com";
    let (requests, _) = play(&list, &service(HANGZHOU), &[away(307, to)]);
    assert_eq!(requests[1].uri().query(), requests[0].uri().query());
    let to = "https://oss-cn-beijing.aliyuncs.com/";
    let (requests, _) = play(&ListBuckets::new(), &service(HANGZHOU), &[away(307, to)]);
    assert_eq!(requests[1].uri().to_string(), to);
}

/// Each host has a clock of its own: here one is an hour ahead and the other two.
#[test]
fn f21_f47_the_clock_of_the_second_host_is_corrected_in_the_same_call() {
    let to = "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3f.txt";
    let skewed = |hour: u32| {
        format!(
            "<Error><Code>RequestTimeTooSkewed</Code>\
             <ServerTime>2023-12-16T{hour}:20:57.000Z</ServerTime></Error>"
        )
    };
    let (first, second) = (skewed(17), skewed(18));
    let (first, second) = ((403, None, first.as_str()), (403, None, second.as_str()));
    for (attempts, answers, dates, is_done) in [
        (3, &[first, away(307, to), second][..], &["T16", "T17", "T16", "T18"][..], true),
        (1, &[first, away(307, to), second], &["T16", "T17", "T16", "T18"], true),
        (3, &[away(307, to), second], &["T16", "T16", "T18"], true),
        (3, &[away(307, to), second, second], &["T16", "T16", "T18"], false),
    ] {
        let service = service(HANGZHOU).with_retry(Policy::new().with_max_attempts(attempts));
        let mut exchange = Exchange::new(&get(), &service, Call::seeded(7));
        let (requests, result) = play_on(&mut exchange, answers);
        let dated = requests.iter().map(|request| request.headers()["x-oss-date"].to_str().unwrap());
        let dated: Vec<_> = dated.map(|date| &date[8..11]).collect();
        assert_eq!((&dated[..], result.is_ok()), (dates, is_done));
        let learned: Vec<_> =
            exchange.ledger().skews.into_iter().map(|skew| (skew.host, skew.seconds)).collect();
        let beijing = (String::from("oss-cn-beijing.aliyuncs.com"), 7200);
        let hangzhou = (String::from("oss-cn-hangzhou.aliyuncs.com"), 3600);
        let due = if answers[0] == first { vec![hangzhou, beijing] } else { vec![beijing] };
        assert_eq!(learned, due);
    }
}

#[test]
fn f47_the_endpoint_in_a_refusal_is_a_redirect() {
    let refusal = |to: &str| format!("<Error><Code>AccessDenied</Code><Endpoint>{to}</Endpoint></Error>");
    let beijing = refusal("oss-cn-beijing.aliyuncs.com");
    for status in [301, 307, 403] {
        let (requests, result) = play(&get(), &service(HANGZHOU), &[(status, None, &beijing)]);
        assert_eq!(requests[1].uri().host(), Some("examplebucket.oss-cn-beijing.aliyuncs.com"));
        assert_eq!(scope(&requests[1]), "cn-beijing");
        result.unwrap();
    }
    let evil = refusal("oss-cn-beijing.aliyuncs.com.evil.example");
    for (document, redirects, reason) in [
        (&evil, Redirects::SameService, "`oss-cn-beijing.aliyuncs.com.evil.example`; it leads out of the"),
        (&beijing, Redirects::Never, "`oss-cn-beijing.aliyuncs.com`; redirects are off: set this endpoint"),
    ] {
        let service = service(HANGZHOU).with_redirects(redirects);
        let (requests, result) = play(&get(), &service, &[(403, None, document)]);
        let error = result.unwrap_err();
        assert_eq!((requests.len(), error.code()), (1, Some("AccessDenied")));
        let explanation = error.explanation().unwrap();
        assert!(explanation.starts_with(&format!("the bucket is reached at {reason}")), "{explanation}");
    }
    // Any other refusal is a refusal, whatever its document says.
    let other = beijing.replace("AccessDenied", "NoSuchKey");
    assert_eq!(play(&get(), &service(HANGZHOU), &[(404, None, &other)]).0.len(), 1);
}

#[test]
fn f47_one_hop_a_call_and_beside_the_attempts() {
    let to = |region: &str| format!("https://examplebucket.oss-{region}.aliyuncs.com/a/b%20c%3F.txt");
    let (beijing, shanghai) = (to("cn-beijing"), to("cn-shanghai"));
    let (requests, result) =
        play(&get(), &service(HANGZHOU), &[away(307, &beijing), away(307, &shanghai), away(307, &beijing)]);
    let error = result.unwrap_err();
    assert_eq!((requests.len(), unfollowed(&error)), (2, Unfollowed::Again));
    assert_eq!(error.attempts().len(), 2);

    // Three attempts are still three, all of them at the new host.
    let answers = [away(307, &beijing), (500, None, ""), (500, None, ""), (500, None, ""), (500, None, "")];
    let (requests, result) = play(&get(), &service(HANGZHOU), &answers);
    assert_eq!((requests.len(), result.unwrap_err().attempts().len()), (4, 4));
    let hosts = requests[1..].iter().map(|request| request.uri().host().unwrap());
    assert!(hosts.clone().all(|host| host == "examplebucket.oss-cn-beijing.aliyuncs.com"));

    let never = service(HANGZHOU).with_retry(Policy::none());
    assert_eq!(play(&get(), &never, &answers).0.len(), 2);
}

#[test]
fn f46_only_reads_are_followed() {
    let to = "https://examplebucket.oss-cn-beijing.aliyuncs.com/a";
    let put = PutObject::new("examplebucket", "a", "hello");
    let (requests, result) = play(&put, &service(HANGZHOU), &[away(307, to)]);
    assert_eq!((requests.len(), unfollowed(&result.unwrap_err())), (1, Unfollowed::NotARead));
    for (method, effect) in [(Method::POST, Effect::Read), (Method::GET, Effect::Once)] {
        let raw = Raw::new("Odd", method, Scope::Object).bucket("examplebucket").key("a").effect(effect);
        let (requests, result) = play(&raw, &service(HANGZHOU), &[away(307, to)]);
        assert_eq!((requests.len(), unfollowed(&result.unwrap_err())), (1, Unfollowed::NotARead));
    }
}

#[test]
fn f46_r12_a_token_never_leaves_the_domain() {
    let places = [
        "https://evil.example/a/b%20c%3F.txt",
        "https://examplebucket.evil.example/a/b%20c%3F.txt",
        "https://examplebucket.oss-cn-hangzhou.aliyuncs.com.evil.example/a/b%20c%3F.txt",
        "https://examplebucket.oss-cn-hangzhou.aliyuncs.com:443.evil.example/a/b%20c%3F.txt",
        "https://examplebucket.oss-cn-hangzhou.aliyuncs.com%2eevil.example/a/b%20c%3F.txt",
        "https://examplebucket.oss-cn-hangzhou.aliyuncs.com\\.evil.example/a/b%20c%3F.txt",
        "https://evil.example\\examplebucket.oss-cn-hangzhou.aliyuncs.com/a/b%20c%3F.txt",
        "https://evil.example?examplebucket.oss-cn-hangzhou.aliyuncs.com/a/b%20c%3F.txt",
        "https://aliyuncs.com/examplebucket/a/b%20c%3F.txt",
        "https://examplebucket.ecs.aliyuncs.com/a/b%20c%3F.txt",
        "https://evil.oss.aliyuncs.com/examplebucket/a/b%20c%3F.txt",
        "https://169.254.169.254/examplebucket/a/b%20c%3F.txt",
        "https://localhost/examplebucket/a/b%20c%3F.txt",
        "https://[::1]/examplebucket/a/b%20c%3F.txt",
    ];
    for place in places {
        let (requests, result) = play(&get(), &service(HANGZHOU), &[away(307, place)]);
        assert_eq!(requests.len(), 1, "{place}");
        let why = unfollowed(&result.unwrap_err());
        assert!(matches!(why, Unfollowed::Foreign | Unfollowed::NotAbsolute), "{place}: {why:?}");
    }
    let inside = "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt";
    let (requests, _) = play(&get(), &service(HANGZHOU), &[away(307, inside)]);
    assert!(requests.iter().all(|request| request.headers()["x-oss-security-token"] == "the-token"));
}

#[test]
fn f48_https_is_never_left() {
    for (endpoint, location) in [
        (HANGZHOU, "http://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt"),
        (HANGZHOU, "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/a/b%20c%3F.txt"),
        (HANGZHOU, "http://examplebucket.oss-cn-hangzhou.aliyuncs.com:443/a/b%20c%3F.txt"),
        ("https://oss.corp.example", "http://examplebucket.oss.corp.example/a/b%20c%3F.txt"),
    ] {
        assert_eq!(followed(endpoint, location), Err(Unfollowed::Downgrade), "{location}");
    }
    // A host without a scheme is reached as ours is.
    let document = "<Error><Code>AccessDenied</Code><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>";
    for scheme in ["http", "https"] {
        let endpoint = format!("{scheme}://oss-cn-hangzhou.aliyuncs.com");
        let (requests, _) = play(&get(), &service(&endpoint), &[(403, None, document)]);
        assert_eq!(requests[1].uri().scheme_str(), Some(scheme));
    }
}

#[test]
fn f49_a_redirect_to_nowhere_or_elsewhere_says_why_it_is_not_followed() {
    use Unfollowed::{Document, Foreign, Fragment, Loop, NotAbsolute, Nowhere, Port, Resource, UserInfo};
    let cases = [
        (HANGZHOU, "", Nowhere),
        (HANGZHOU, "/a/b%20c%3F.txt", NotAbsolute),
        (HANGZHOU, "//evil.example/a", NotAbsolute),
        (HANGZHOU, "oss-cn-beijing.aliyuncs.com", NotAbsolute),
        (HANGZHOU, "javascript:alert(1)", NotAbsolute),
        (HANGZHOU, "ftp://oss-cn-beijing.aliyuncs.com/examplebucket/a/b%20c%3F.txt", NotAbsolute),
        (HANGZHOU, "https://", NotAbsolute),
        (HANGZHOU, "https://user:pw@oss-cn-beijing.aliyuncs.com/examplebucket/a/b%20c%3F.txt", UserInfo),
        (HANGZHOU, "https://oss-cn-beijing.aliyuncs.com/examplebucket/a/b%20c%3F.txt#a", Fragment),
        (HANGZHOU, "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a/b%20c%3F.txt", Loop),
        (HANGZHOU, "https://examplebucket.oss-cn-hangzhou.aliyuncs.com:443/a/b%20c%3F.txt?b", Loop),
        (HANGZHOU, "https://examplebucket.oss-cn-beijing.aliyuncs.com:8443/a/b%20c%3F.txt", Port),
        (HANGZHOU, "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/other.txt", Resource),
        (HANGZHOU, "https://examplebucket.oss-cn-beijing.aliyuncs.com/", Resource),
        (HANGZHOU, "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/x/../b%20c%3F.txt", Resource),
        (HANGZHOU, "https://oss-cn-beijing.aliyuncs.com/otherbucket/a/b%20c%3F.txt", Resource),
        (HANGZHOU, "https://oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt", Resource),
        (HANGZHOU, "https://otherbucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt", Foreign),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9001/examplebucket/a/b%20c%3F.txt", Port),
        ("http://127.0.0.1", "https://127.0.0.1/examplebucket/a/b%20c%3F.txt", Port),
        ("http://127.0.0.1:9000", "http://localhost:9000/examplebucket/a/b%20c%3F.txt", Foreign),
        ("http://localhost:9000", "http://localhost:9000/examplebucket/a/b%20c%3F.txt", Loop),
    ];
    for (endpoint, location, why) in cases {
        assert_eq!(followed(endpoint, location), Err(why), "{endpoint} {location}");
    }
    let (_, result) = play(&get(), &service(HANGZHOU), &[(301, None, "")]);
    assert_eq!(unfollowed(&result.unwrap_err()), Nowhere);
    let other = "https://examplebucket.oss-cn-beijing.aliyuncs.com/a/b%20c%3F.txt";
    let (_, result) = play(&get(), &service(HANGZHOU), &[away(303, other)]);
    assert_eq!(unfollowed(&result.unwrap_err()), Document);
}

#[test]
fn f46_a_domain_bound_to_the_bucket_follows_nothing() {
    let bound = service("https://static.example.com")
        .with(|settings| settings.endpoint = settings.endpoint.clone().with_addressing(Addressing::Cname));
    let to = "https://www.static.example.com/a/b%20c%3F.txt";
    let (requests, result) = play(&get(), &bound, &[away(301, to)]);
    assert_eq!((requests.len(), unfollowed(&result.unwrap_err())), (1, Unfollowed::BoundDomain));
}

/// Whether a host is inside, said once more and in another way.
fn is_inside(endpoint: &str, host: &str) -> bool {
    let ours = endpoint.split_once("://").unwrap().1.split(':').next().unwrap();
    let host = host.strip_prefix("examplebucket.").unwrap_or(host);
    let mut labels: Vec<&str> = host.rsplit('.').collect();
    if !ours.ends_with(".aliyuncs.com") {
        let is_name = ours.contains(|c: char| c.is_ascii_alphabetic()) && ours.contains('.');
        return host == ours || is_name && host.ends_with(&format!(".{ours}"));
    }
    let is_aliyun = labels.len() > 2 && labels[..2] == ["com", "aliyuncs"];
    let rest = labels.split_off(labels.len().min(2));
    is_aliyun
        && match rest[..] {
            [label] => label.starts_with("oss-"),
            ["oss", region] => Region::parse(region).unwrap().entry().is_some(),
            _ => false,
        }
}

fn location() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "examplebucket",
        "otherbucket",
        "oss-cn-beijing",
        "oss-",
        "oss",
        "aliyuncs",
        "com",
        "evil",
        "example",
        "cn-beijing",
        "oss.corp.example",
        "127.0.0.1",
        "localhost",
        ".aliyuncs.com",
        "https",
        "http",
        "://",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "?",
        "#",
        ".",
        "%2e",
        "%2f",
        "..",
        "443",
        "80",
        "a/b%20c%3F.txt",
        " ",
        "\t",
    ]);
    let scheme = proptest::sample::select(vec!["https://", "http://", "//", "", "HTTPS://", "https:/"]);
    let bucket = proptest::sample::select(vec!["examplebucket.", "", "evil.", "examplebucket."]);
    let host = proptest::sample::select(vec![
        "oss-cn-beijing.aliyuncs.com",
        "cn-beijing.oss.aliyuncs.com",
        "evil.oss.aliyuncs.com",
        "oss.corp.example",
        "n.oss.corp.example",
        "evil.example",
        "oss-x.aliyuncs.com.evil.example",
        "127.0.0.1",
        "aliyuncs.com",
    ]);
    let port = proptest::sample::select(vec!["", "", ":443", ":80", ":9000", ":0", "@evil.example", "\\@a"]);
    let path = proptest::sample::select(vec![
        "/a/b%20c%3F.txt",
        "/examplebucket/a/b%20c%3F.txt",
        "/",
        "",
        "/evil",
        "/a/b%20c%3F.txt?q",
        "#f",
    ]);
    prop_oneof![
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        (scheme, bucket, host, port, path).prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat()),
        "[ -~]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn f46_f48_whatever_the_location_a_request_stays_inside(location in location(), hint in any::<bool>()) {
        let endpoint = format!("<Endpoint><![CDATA[{location}]]></Endpoint>");
        let document = format!("<Error><Code>AccessDenied</Code>{endpoint}</Error>");
        let endpoints = [
            HANGZHOU,
            "http://oss-cn-hangzhou.aliyuncs.com",
            "https://oss.corp.example",
            "http://127.0.0.1:9000",
        ];
        for endpoint in endpoints {
            let said = if hint { (403, None, &*document) } else { away(307, &location) };
            let (requests, result) = play(&get(), &service(endpoint), &[said]);
            let (first, scheme) = (requests[0].uri(), endpoint.split_once("://").unwrap().0);
            for request in &requests[1..] {
                let uri = request.uri();
                prop_assert!(is_inside(endpoint, uri.host().unwrap()), "{} {}", endpoint, uri);
                prop_assert!(scheme == "http" || uri.scheme_str() == Some("https"), "{}", uri);
                prop_assert_eq!(uri.path(), first.path());
            }
            prop_assert!(requests.len() <= 2);
            if let Err(error) = result {
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
    }
}
