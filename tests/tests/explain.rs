//! What an error says when OSS does not take a signature: calls against the emulator, with something wrong
//! here or between the two.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use oss_emulator::{Config, Emulator, Verdict};
use oss_proto::{
    Action, Call, Credentials, Endpoint, Error, Event, Exchange, Head, HeadObject, Now, Policy, PutObject,
    Region, ReplyHead, Service, SignatureVersion, UnixTime,
};
use proptest::prelude::*;

/// What happens to a request on its way.
type Way<'a> = dyn Fn(&mut http::request::Parts) + 'a;

struct Trial {
    region: &'static str,
    credentials: Credentials,
    version: SignatureVersion,
    /// How far the clock here is ahead.
    ahead_secs: i64,
}

impl Default for Trial {
    fn default() -> Self {
        let (region, credentials) = ("cn-hangzhou", key("id", SECRET));
        Self { region, credentials, version: SignatureVersion::V4, ahead_secs: 0 }
    }
}

impl Trial {
    /// The error of an upload that goes this way.
    fn upload(&self, way: &Way<'_>) -> Error {
        let put = PutObject::new("bucket", "a+b", Bytes::new())
            .content_type("text/plain")
            .metadata([("author", "eric")])
            .callback(oss_proto::Callback::new("http://example.com", "callback-body-mark"));
        self.run(Exchange::new(&put, &self.service(), Call::seeded(7)), way).unwrap_err()
    }

    fn service(&self) -> Service {
        let region = Region::parse(self.region).unwrap();
        Service::new(Endpoint::public(&Region::parse("cn-hangzhou").unwrap()))
            .with_region(region)
            .with_signature(self.version)
            .with_retry(Policy::none())
    }

    fn run<O: oss_proto::Operation>(&self, mut call: Exchange<O>, way: &Way<'_>) -> Result<(), Error> {
        let mut emulator = emulator();
        let now = Now { mono: Duration::ZERO, wall: WALL.saturating_add(self.ahead_secs) };
        let mut body = None;
        loop {
            let event = match call.poll(now) {
                Action::Authenticate { .. } => Event::Credentials(self.credentials.clone()),
                Action::Send(transmit) => {
                    let mut sent = transmit.tally();
                    sent.start();
                    let (mut head, ()) = transmit.request.into_parts();
                    head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
                    way(&mut head);
                    let reply = match emulator.begin(&head, NOW) {
                        Verdict::Refuse(reply) => reply,
                        Verdict::Accept(id) => emulator.end(id, NOW),
                    };
                    let (answer, ()) = reply.head.into_parts();
                    body = Some(reply.body.into_bytes());
                    Event::Head(Head::new(ReplyHead::new(answer.status.as_u16(), answer.headers), sent))
                }
                Action::Read { .. } => body.take().map_or(Event::End, Event::Body),
                Action::Retry(_) => Event::Retry(None),
                Action::Wait { .. } => panic!("nothing is repeated"),
                Action::Done(result) => return result.map(drop),
            };
            call.handle(event, now);
        }
    }
}

fn emulator() -> Emulator {
    let config = Config::new("cn-hangzhou").with_access_key("id", SECRET).with_temporary_key(
        "sts",
        SECRET,
        TOKEN,
        Duration::from_secs(u64::from(u32::MAX)),
    );
    let mut emulator = Emulator::new(config);
    emulator.create_bucket("bucket", NOW);
    emulator
}

fn key(id: &str, secret: &str) -> Credentials {
    Credentials::new(id, secret).unwrap()
}

fn temporary() -> Credentials {
    key("sts", SECRET).with_token(TOKEN).unwrap()
}

fn set(head: &mut http::request::Parts, name: &'static str, value: &str) {
    head.headers.insert(name, HeaderValue::from_str(value).unwrap());
}

#[test]
fn each_cause_is_told_in_one_sentence() {
    use SignatureVersion::{V1, V4};
    let beijing = |version| Trial { region: "cn-beijing", version, ..Trial::default() };
    let wrong = |version| Trial { credentials: key("id", "wrong"), version, ..Trial::default() };
    let trial = |version| Trial { version, ..Trial::default() };
    let off = |version, ahead_secs| Trial { version, ahead_secs, ..Trial::default() };
    let same: &Way<'_> = &|_| ();
    let typed: &Way<'_> = &|head| set(head, "content-type", "image/png");
    let added: &Way<'_> = &|head| set(head, "x-oss-range-behavior", "standard");
    let dropped: &Way<'_> = &|head| drop(head.headers.remove("x-oss-meta-author"));
    let verb: &Way<'_> = &|head| head.method = http::Method::DELETE;
    let query: &Way<'_> = &|head| head.uri = "/a%2Bb?acl".parse().unwrap();
    let region =
        "signed for the region `cn-beijing`, but the endpoint is of `cn-hangzhou`: set the region of";
    let content_type =
        "OSS saw content-type `image/png` where `text/plain` was signed: something between you";
    let behavior =
        "OSS saw x-oss-range-behavior `standard`, which was not signed: something between you and OSS";
    let author = "OSS did not see x-oss-meta-author `eric`, which was signed: something between you and OSS";
    let table: [(Trial, &Way<'_>, &str); 15] = [
        (beijing(V4), same, region),
        (wrong(V4), same, "OSS signed the same text, so the secret is wrong: check it for white space"),
        (wrong(V1), same, "OSS signed the same text, so the secret is wrong: check it for white space"),
        (trial(V4), typed, content_type),
        (trial(V1), typed, content_type),
        (trial(V4), added, behavior),
        (trial(V1), added, behavior),
        (trial(V4), dropped, author),
        (trial(V1), dropped, author),
        (trial(V4), verb, "OSS saw method `DELETE` where `PUT` was signed: a CDN"),
        (trial(V1), verb, "OSS saw method `DELETE` where `PUT` was signed: a CDN"),
        (trial(V4), query, "OSS saw acl ``, which was not signed: the query was changed"),
        (trial(V1), query, "OSS saw acl ``, which was not signed: the query was changed"),
        (off(V4, 17 * 60), same, "the clock here is 17 min ahead of that of OSS: set it right"),
        (off(V1, -2 * 3600 - 60), same, "the clock here is 2 h 1 min behind that of OSS: set it right"),
    ];
    for (trial, way, start) in table {
        let error = trial.upload(way);
        let explanation = error.explanation().unwrap_or_else(|| panic!("{error}, not {start}"));
        assert!(explanation.starts_with(start), "{explanation}, not {start}");
        assert!(error.to_string().contains(&format!("; {explanation}")), "{error}");
    }
}

#[test]
fn a_head_without_a_document_has_the_usual_causes() {
    let trial = Trial { credentials: key("id", "wrong"), ..Trial::default() };
    let head = HeadObject::new("bucket", "a+b");
    let error = trial.run(Exchange::new(&head, &trial.service(), Call::seeded(7)), &|_| ()).unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    assert!(error.explanation().is_some());
}

#[test]
fn other_errors_have_no_explanation() {
    let trial = Trial { credentials: key("nobody", SECRET), ..Trial::default() };
    let error = trial.upload(&|_| ());
    assert_eq!((error.code(), error.explanation()), (Some("InvalidAccessKeyId"), None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is changed on the way, the error shows neither secret nor token, even if the peer writes
    /// them where nobody expects them.
    #[test]
    fn no_secret_is_told(
        name in prop::sample::select(vec![
            "x-oss-meta-a", "content-type", "content-md5", "x-oss-callback", "x-oss-security-token",
            "x-oss-date", "date",
        ]),
        value in "[ -~]{0,30}",
        echoes in 0..3,
        removes: bool,
        is_v1: bool,
        is_temporary: bool,
    ) {
        let version = if is_v1 { SignatureVersion::V1 } else { SignatureVersion::V4 };
        let credentials = if is_temporary { temporary() } else { key("id", "wrong-secret-mark-of-ours") };
        let access = credentials.access_key().unwrap();
        let value = match echoes {
            0 => value,
            1 => access.secret.to_owned(),
            _ => format!("{value}{}", access.token.unwrap_or_default()),
        };
        let trial = Trial { version, credentials: credentials.clone(), ..Trial::default() };
        let error = trial.upload(&|head| {
            if removes {
                head.headers.remove(name);
            } else {
                set(head, name, &value);
            }
        });
        let shown = format!("{error} {error:?} {:?}", error.explanation());
        for mark in ["secret-mark", "token-mark", "callback-body-mark"] {
            prop_assert!(!shown.contains(mark), "{shown}");
        }
    }
}

const SECRET: &str = "the-secret-mark-of-the-key";
const TOKEN: &str = "the-token-mark-of-the-temporary-key";
const NOW: Duration = Duration::from_secs(1_702_743_657);
const WALL: UnixTime = UnixTime::from_secs(1_702_743_657);
