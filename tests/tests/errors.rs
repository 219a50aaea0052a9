//! What a person reads: every kind of error in its one line, to the letter, in `golden/errors.txt`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::sync::Arc;
use core::time::Duration;
use std::io;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use oss_credentials::CredentialError;
use oss_proto::{
    Action, Call, CloudBoxId, CompleteMultipartUpload, CorruptBody, Credentials, Endpoint, EndpointOptions,
    Error, ErrorKind, Event, Exchange, Failure, FailureKind, GetObject, Head, InitiateMultipartUpload, Now,
    Operation, Outcome, Payload, Policy, PutObject, Raw, Redirects, Region, ReplyHead, Service,
    TransportError, UnixTime, Wait,
};
use oss_sim::conformance::{Content, Scenario, Simulated, Stage as _};
use oss_sim::peer::{Answer, BUCKET, Deed, End};

const GOLDEN: &str = include_str!("golden/errors.txt");

fn service() -> Service {
    let region = Region::parse("cn-hangzhou").unwrap();
    let service = Service::new(Endpoint::public(&region)).with_region(region).with_retry(Policy::none());
    service.with(|settings| settings.timeouts.operation = Some(Duration::from_secs(30)))
}

fn get() -> GetObject {
    GetObject::new("examplebucket", "a.txt")
}

/// What the peer does to a request.
enum Fate {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    Fail(FailureKind, Option<io::Error>),
    /// The time of the call ends while it waits for this.
    Late(Option<Wait>),
}

fn run<O: Operation>(operation: &O, service: &Service, fate: Fate) -> String {
    error(operation, service, fate).to_string()
}

fn error<O: Operation>(operation: &O, service: &Service, fate: Fate) -> Error {
    let mut exchange = Exchange::new(operation, service, Call::seeded(7));
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let (mut fate, mut body) = (Some(fate), None);
    loop {
        let event = match exchange.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("id", "a-secret").unwrap()),
            Action::Send(transmit) => {
                let mut sent = transmit.tally();
                match fate.take().expect("one request") {
                    Fate::Answer(status, pairs, document) => {
                        let mut headers = HeaderMap::new();
                        for (name, value) in pairs {
                            headers.insert(*name, HeaderValue::from_static(value));
                        }
                        body = Some(Bytes::from_static(document.as_bytes()));
                        sent.start();
                        if let Payload::Bytes(bytes) = &transmit.body {
                            sent.add(bytes);
                        }
                        Event::Head(Head::new(ReplyHead::new(status, headers), sent))
                    }
                    Fate::Fail(kind, cause) => {
                        let failure = Failure::new(kind, sent);
                        Event::Failed(match cause {
                            Some(cause) => failure.because(cause),
                            None => failure,
                        })
                    }
                    Fate::Late(wait) => {
                        now.mono = Duration::from_secs(30);
                        let failure = Failure::new(FailureKind::Timeout, sent);
                        Event::Failed(wait.into_iter().fold(failure, Failure::waiting))
                    }
                }
            }
            Action::Read { .. } => body.take().map_or(Event::End, Event::Body),
            Action::Retry(_) => Event::Retry(None),
            Action::Wait { .. } => unreachable!("nothing is repeated"),
            Action::Done(result) => return result.err().expect("it fails"),
        };
        exchange.handle(event, now);
    }
}

fn transport(kind: FailureKind, cause: &str) -> String {
    let cause = (!cause.is_empty()).then(|| io::Error::other(cause.to_owned()));
    run(&get(), &service(), Fate::Fail(kind, cause))
}

fn refused(status: u16, document: &'static str) -> String {
    run(&get(), &service(), Fate::Answer(status, &[], document))
}

fn moved(service: &Service, location: &'static [(&'static str, &'static str)]) -> String {
    run(&get(), service, Fate::Answer(307, location, ""))
}

#[test]
fn every_error_is_one_line_that_says_what_to_change() {
    let mut found = String::new();
    for (part, lines) in [
        ("the transport failed", transport_errors()),
        ("OSS said no", refusals()),
        ("OSS named another place", redirects()),
        ("the time was over", deadlines()),
        ("what arrived is not right", wrong_answers()),
        ("the object changed while it was read", changes()),
        ("nobody knows whether it happened", doubts()),
        ("nothing was sent", unsent()),
        ("a configuration that cannot be", configurations()),
    ] {
        found.push_str(&format!("# {part}\n"));
        for line in lines {
            assert!(!line.contains(char::is_control), "{line:?}");
            found.push_str(&format!("{line}\n"));
        }
    }
    for (number, (found, golden)) in found.lines().zip(GOLDEN.lines()).enumerate() {
        assert_eq!(found, golden, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), GOLDEN.lines().count(), "{found}");
}

fn transport_errors() -> Vec<String> {
    use FailureKind::{
        BodySink, BodySource, Canceled, Connect, Dns, Other, PoolExhausted, Protocol, Proxy, Reset, Timeout,
        Tls,
    };
    let region = Region::parse("cn-hangzhou").unwrap();
    let internal = service().with(|settings| settings.endpoint = Endpoint::internal(&region).unwrap());
    let silent = Fate::Fail(Connect, Some(io::Error::other("10.0.0.1:443: no answer")));
    let exhausted = "all 20 connections were in use for 10 s, 20 of them by open bodies; read or drop those, \
                     or allow more connections";
    vec![
        transport(Dns, "failed to lookup address information: Name or service not known"),
        transport(Connect, "192.0.2.1:443: Connection refused (os error 111)"),
        run(&get(), &internal, silent),
        transport(Tls, "invalid peer certificate: Expired"),
        transport(Proxy { status: 407 }, "proxy.corp.example:3128"),
        transport(Proxy { status: 502 }, ""),
        transport(PoolExhausted, exhausted),
        transport(PoolExhausted, ""),
        transport(Reset, "connection closed before message completed"),
        transport(Timeout, ""),
        transport(Protocol, "invalid HTTP version parsed"),
        transport(BodySource, "notes.txt: permission denied"),
        transport(BodySink, "notes.txt: no space left"),
        transport(Canceled, ""),
        transport(Other, "odd"),
    ]
}

fn refusals() -> Vec<String> {
    let callback = oss_proto::Callback::new("https://app.example", "a=1");
    let put = PutObject::new("examplebucket", "a.txt", "hello").callback(callback);
    let stored = Fate::Answer(203, &[], "<Error><Code>CallbackFailed</Code></Error>");
    vec![
        refused(
            404,
            "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>\
             <RequestId>5F3A</RequestId><EC>0026-00000001</EC></Error>",
        ),
        refused(
            400,
            "<Error><Code>PublicEndpointForbidden</Code><Message>Not allowed using the OSS public endpoint, \
             please use CNAME instead.</Message><RequestId>5F3A</RequestId><EC>0048-00000401</EC></Error>",
        ),
        refused(
            403,
            "<Error><Code>AccessDenied</Code><Message>The bucket you are attempting to access must be \
             addressed using the specified endpoint.</Message><RequestId>5F3A</RequestId>\
             <EC>0003-00001403</EC><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>",
        ),
        refused(403, "<Error><Code>AccessDenied</Code><EC>0002-00000080</EC></Error>"),
        refused(403, "<Error><Code>SecondLevelDomainForbidden</Code></Error>"),
        refused(404, "<Error><Code>NoSuchBucket</Code></Error>"),
        refused(403, "<Error><Code>InvalidAccessKeyId</Code></Error>"),
        refused(403, "<Error><Code>SecurityTokenExpired</Code></Error>"),
        refused(
            403,
            "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2023-12-16T17:20:57.000Z</ServerTime>\
             </Error>",
        ),
        refused(502, "<html>"),
        run(&put, &service(), stored),
    ]
}

fn redirects() -> Vec<String> {
    let following = service().with_redirects(Redirects::SameService);
    const SECRET: &str = "https://user:pw@examplebucket.oss-cn-beijing.aliyuncs.com/a.txt?Signature=s";
    vec![
        moved(&service(), &[("location", SECRET)]),
        moved(&following, &[]),
        moved(&following, &[("location", "https://evil.example/a.txt")]),
        moved(&following, &[("location", "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/a.txt")]),
    ]
}

fn deadlines() -> Vec<String> {
    let waits = [None, Some(Wait::Turn), Some(Wait::Connect)];
    waits.map(|wait| run(&get(), &service(), Fate::Late(wait))).into()
}

fn wrong_answers() -> Vec<String> {
    let put = PutObject::new("examplebucket", "a.txt", "hello");
    let info = Raw::new("GetBucketInfo", http::Method::GET, oss_proto::Scope::Bucket).bucket("examplebucket");
    let corrupt = |body| Error::new(ErrorKind::Corrupt(body), "GetObject", Outcome::Unknown).to_string();
    vec![
        run(&put, &service(), Fate::Answer(200, &[("x-oss-hash-crc64ecma", "1")], "")),
        run(&info, &service(), Fate::Answer(200, &[("content-length", "x")], "")),
        corrupt(CorruptBody::Length { expected: 5, actual: 3 }),
        corrupt(CorruptBody::Range { asked: "bytes=0-1".into(), got: "the whole object".into() }),
    ]
}

fn changes() -> Vec<String> {
    let cut = || Deed::spoil(|answer| answer.end = End::Cut(4));
    let other = Deed::spoil(|answer| answer.set("etag", Some("\"another\"")));
    let refused = |status, code| Deed::Answer(Answer::error(status, code));
    [refused(412, "PreconditionFailed"), refused(404, "NoSuchKey"), other]
        .map(|then| {
            let story = Scenario::new("a change").holds("a.txt", "0123456789").deeds([cut(), then]);
            let get = GetObject::new(BUCKET, "a.txt");
            Simulated::new(&story).fetch(&get, &mut Vec::new()).unwrap_err().to_string()
        })
        .into()
}

fn doubts() -> Vec<String> {
    let story = |deeds: &[Deed]| Scenario::new("a doubt").deeds(deeds.to_vec());
    let initiate = InitiateMultipartUpload::new(BUCKET, "a.txt");
    let another = Deed::spoil(|answer| {
        answer.set("content-length", None);
        answer.body = Bytes::from_static(
            b"<InitiateMultipartUploadResult><Key>b.txt</Key><UploadId>1</UploadId>\
              </InitiateMultipartUploadResult>",
        );
    });
    let versioned = story(&[Deed::Lose]).tuned(|settings| settings.buckets_versioned = true);
    vec![
        told(&versioned, &PutObject::new(BUCKET, "a.txt", "hello")),
        told(&story(&[Deed::Lose, Deed::Lose]), &initiate),
        told(&story(&[another]), &initiate),
        told(&story(&[Deed::Lose]), &CompleteMultipartUpload::new(BUCKET, "a.txt", "gone")),
    ]
}

/// The error of a call in a story.
fn told<O>(story: &Scenario, operation: &O) -> String
where
    O: Operation<Output: core::fmt::Debug + Send> + Clone + core::fmt::Debug + Send + Sync + 'static,
{
    Simulated::new(story).call(operation, &Content::default()).unwrap_err().to_string()
}

fn unsent() -> Vec<String> {
    let without_region = Service::new(Endpoint::parse("oss.example").unwrap());
    let no_credentials =
        |error| Error::new(ErrorKind::Credentials(error), "GetObject", Outcome::NotSent).to_string();
    let now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut twice = Exchange::new(&get(), &service(), Call::seeded(7));
    let _authenticate = twice.poll(now);
    let misuse = match twice.poll(now) {
        Action::Done(result) => result.unwrap_err(),
        other => unreachable!("a misuse ends the call, not {other:?}"),
    };
    vec![
        run(&get(), &without_region, Fate::Late(None)),
        run(&GetObject::new("Bad", "a"), &service(), Fate::Late(None)),
        no_credentials(CredentialError::NotFound { tried: Vec::new() }),
        no_credentials(CredentialError::HalfSet {
            set: "OSS_ACCESS_KEY_ID",
            missing: "OSS_ACCESS_KEY_SECRET",
        }),
        misuse.to_string(),
    ]
}

fn configurations() -> Vec<String> {
    let region = Some(Region::parse("cn-hangzhou").unwrap());
    let region = || EndpointOptions { region: region.clone(), ..EndpointOptions::default() };
    let cloud_box_id = Some(CloudBoxId::parse("cb-123").unwrap());
    let options = [
        EndpointOptions::default(),
        EndpointOptions { use_internal_endpoint: true, use_accelerate_endpoint: true, ..region() },
        EndpointOptions { use_cname: true, use_path_style: true, ..region() },
        EndpointOptions { cloud_box_id, ..region() },
    ];
    options.map(|options| options.resolve().unwrap_err().to_string()).into()
}

/// A cause with another one below it, as hyper's errors are.
#[derive(Debug)]
struct Layer(&'static str, Option<Box<Self>>);

impl core::fmt::Display for Layer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for Layer {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.1.as_deref().map(|below| below as _)
    }
}

#[test]
fn the_line_has_every_cause_once_and_is_one_line() {
    let layers = |below| Layer("client error (Connect)", Some(Box::new(Layer(below, None))));
    let shown = |cause: Layer| TransportError::new(FailureKind::Tls, cause).to_string();
    let failed = "the TLS handshake failed: client error (Connect)";
    assert_eq!(shown(layers("certificate expired")), format!("{failed}: certificate expired"));
    assert_eq!(shown(layers("Connect")), failed);
    assert_eq!(shown(layers("a\nb\u{1b}[31m")), format!("{failed}: a\\u{{a}}b\\u{{1b}}[31m"));
    let endless: &'static str = "x".repeat(10_000).leak();
    assert!(shown(layers(endless)).chars().count() < 400);

    let kind = ErrorKind::Transport(TransportError::new(FailureKind::Tls, layers("certificate expired")));
    let error: Arc<dyn core::error::Error> = Arc::new(Error::new(kind, "GetObject", Outcome::NotSent));
    assert!(error.source().is_none(), "whoever prints the chain would print it twice");
}
