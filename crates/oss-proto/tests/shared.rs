//! What calls have in common, and what each of them may do to it: the budget, the clock, the attempts, the
//! outcome.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use oss_credentials::{CredentialCache, Source};
use oss_proto::{
    Action, Credentials, DeleteObject, Endpoint, Error, ErrorKind, Event, Exchange, Failure, FailureKind,
    Head, Now, Operation, Outcome, Policy, PutObject, Region, Reply, ReplyHead, Service, Shared, Transmit,
    UnixTime, UploadPart,
};

/// What the peer does with one request.
#[derive(Clone)]
enum Play {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// It takes the request and says nothing.
    Vanish,
    /// The connection was closed before it took anything.
    Stale,
}

struct World {
    shared: Shared,
    now: Now,
    requests: Vec<Transmit>,
    /// How often the budget was asked.
    asked: u32,
    /// How much later than it wanted a call is woken from a pause.
    oversleeps: Duration,
}

impl World {
    fn new() -> Self {
        let source = Source::from(Credentials::new("ak", "sk").unwrap());
        Self {
            shared: Shared::new(CredentialCache::new(source, 7)),
            now: Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) },
            requests: Vec::new(),
            asked: 0,
            oversleeps: Duration::ZERO,
        }
    }

    /// Makes a call; when the plays are over, the last one is played again.
    fn call<O: Operation>(
        &mut self,
        operation: &O,
        service: &Service,
        plays: &[Play],
    ) -> Result<Reply<O::Output>, Error> {
        self.requests.clear();
        let mut call = Exchange::new(operation, service, self.shared.call(1));
        let mut body = Bytes::new();
        for _step in 0..STEPS_MAX {
            let event = match call.poll(self.now) {
                Action::Authenticate { .. } => Event::Credentials(Credentials::new("ak", "sk").unwrap()),
                Action::Retry(proposal) => {
                    self.asked += 1;
                    Event::Retry(self.shared.decide(&proposal))
                }
                Action::Wait { until } => {
                    self.now.mono = until + self.oversleeps;
                    continue;
                }
                Action::Send(transmit) => {
                    let play = plays.get(self.requests.len()).or_else(|| plays.last()).unwrap();
                    let event = play.event(&transmit, &mut body);
                    self.requests.push(transmit);
                    event
                }
                Action::Read { .. } if body.is_empty() => Event::End,
                Action::Read { .. } => Event::Body(core::mem::take(&mut body)),
                Action::Done(result) => {
                    self.shared.settle(call.ledger());
                    return result;
                }
            };
            call.handle(event, self.now);
        }
        panic!("the call does not end");
    }
}

impl Play {
    fn event(&self, transmit: &Transmit, body: &mut Bytes) -> Event {
        let mut sent = transmit.tally();
        if let Self::Stale = self {
            return Event::Failed(Failure::new(FailureKind::Reset, sent).stale());
        }
        sent.start();
        if let oss_proto::Payload::Bytes(bytes) = &transmit.body {
            sent.add(bytes);
        }
        let Self::Answer(status, headers, text) = self else {
            return Event::Failed(Failure::new(FailureKind::Reset, sent));
        };
        *body = Bytes::from_static(text.as_bytes());
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Event::Head(Head::new(ReplyHead::new(*status, pairs.collect::<HeaderMap>()), sent))
    }
}

fn service() -> Service {
    let region = Region::parse("cn-hangzhou").unwrap();
    Service::new(Endpoint::public(&region)).with_region(region)
}

fn delete() -> DeleteObject {
    DeleteObject::new("bucket", "key")
}

const DONE: Play = Play::Answer(204, &[], "");
const BUSY: Play = Play::Answer(503, &[("content-length", "0")], "");
const CRC_BODY: &str = "14812090116038408753";

#[test]
fn i08_a_repeat_is_paid_for_and_what_was_worth_it_comes_back() {
    let mut world = World::new();
    let full = world.shared.quota.tokens();
    // Two repeats of 14 tokens, lost.
    assert!(world.call(&delete(), &service(), &[BUSY]).is_err());
    assert_eq!((world.requests.len(), world.shared.quota.tokens()), (3, full - 28));
    // The one that helped comes back.
    assert!(world.call(&delete(), &service(), &[BUSY, DONE]).is_ok());
    assert_eq!(world.shared.quota.tokens(), full - 28);
    // A success at once adds one.
    assert!(world.call(&delete(), &service(), &[DONE]).is_ok());
    assert_eq!(world.shared.quota.tokens(), full - 27);
}

#[test]
fn f67_when_the_budget_is_spent_a_call_is_one_request() {
    let mut world = World::new();
    let mut requests = 0;
    for _ in 0..100 {
        assert!(world.call(&delete(), &service(), &[BUSY]).is_err());
        requests += world.requests.len();
    }
    assert_eq!(requests, 100 + 35);
    for _ in 0..500 {
        assert!(world.call(&delete(), &service(), &[DONE]).is_ok());
    }
    assert_eq!(world.shared.quota.tokens(), world.shared.quota.capacity());
}

#[test]
fn i02_a_call_makes_as_many_attempts_as_its_policy_allows() {
    for attempts in [1, 2, 3, 7] {
        let service = service().with_retry(Policy::new().with_max_attempts(attempts));
        let mut world = World::new();
        assert!(world.call(&delete(), &service, &[BUSY]).is_err());
        assert_eq!(world.requests.len(), attempts as usize);
    }
}

#[test]
fn f06_a_connection_that_was_closed_costs_neither_an_attempt_nor_a_token() {
    let mut world = World::new();
    let full = world.shared.quota.tokens();
    assert!(world.call(&delete(), &service(), &[Play::Stale, BUSY, BUSY, DONE]).is_ok());
    assert_eq!((world.requests.len(), world.asked, world.shared.quota.tokens()), (4, 2, full - 14));
    let fresh: Vec<_> = world.requests.iter().map(|transmit| transmit.fresh_connection).collect();
    assert_eq!(fresh, [false, true, true, true]);
    // Once: then it is a failure like any other.
    let mut world = World::new();
    assert!(world.call(&delete(), &service(), &[Play::Stale]).is_err());
    assert_eq!((world.requests.len(), world.asked), (4, 2));
}

#[test]
fn f71_i03_a_call_that_is_woken_after_its_end_sends_nothing_more() {
    let limit = Duration::from_secs(30);
    let service = service().with(|settings| settings.timeouts.operation = Some(limit));
    let mut world = World::new();
    world.oversleeps = Duration::from_secs(60);
    let error = world.call(&delete(), &service, &[BUSY, DONE]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{error}");
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn i06_a_refusal_does_not_undo_what_an_attempt_before_it_may_have_done() {
    let put = PutObject::new("bucket", "key", "body");
    let denied = Play::Answer(403, &[], "<Error><Code>AccessDenied</Code></Error>");
    let error = World::new().call(&put, &service(), &[Play::Vanish, denied.clone()]).unwrap_err();
    assert_eq!((error.status(), error.outcome()), (Some(403), Outcome::Unknown));
    let error = World::new().call(&put, &service(), &[denied]).unwrap_err();
    assert_eq!((error.status(), error.outcome()), (Some(403), Outcome::Rejected));
}

#[test]
fn f60_a_refusal_that_our_own_arrival_may_have_caused_is_looked_into() {
    let put = PutObject::new("bucket", "key", "body").forbid_overwrite(true);
    let exists = Play::Answer(409, &[], "<Error><Code>FileAlreadyExists</Code></Error>");
    let absent = Play::Answer(404, &[], "");
    let ours = Play::Answer(200, &[("content-length", "4"), ("x-oss-hash-crc64ecma", CRC_BODY)], "");
    let theirs = Play::Answer(200, &[("content-length", "4"), ("x-oss-hash-crc64ecma", "1")], "");
    let due = oss_crc::checksum(b"body").to_string();
    assert_eq!(CRC_BODY, due);
    // Lost, not there yet, made again and refused, and there it is.
    let plays = [Play::Vanish, absent.clone(), exists.clone(), ours];
    assert!(World::new().call(&put, &service(), &plays).is_ok());
    let plays = [Play::Vanish, absent.clone(), exists, theirs];
    let error = World::new().call(&put, &service(), &plays).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some("FileAlreadyExists"), Outcome::Rejected));
    // Not found is not refused: it may still be on its way.
    let denied = Play::Answer(403, &[], "<Error><Code>AccessDenied</Code></Error>");
    let error = World::new().call(&put, &service(), &[Play::Vanish, absent, denied]).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some("AccessDenied"), Outcome::Unknown));
}

#[test]
fn f42_an_upload_that_arrived_otherwise_is_found_by_the_checksum_alone() {
    let put = PutObject::new("bucket", "key", "body");
    let other = Play::Answer(200, &[("content-length", "0"), ("x-oss-hash-crc64ecma", "1")], "");
    let error = World::new().call(&put, &service(), &[other]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupt(_)), "{error}");
    let same = Play::Answer(200, &[("content-length", "0"), ("x-oss-hash-crc64ecma", CRC_BODY)], "");
    assert!(World::new().call(&put, &service(), &[same]).is_ok());
}

#[test]
fn f42_a_part_that_arrived_otherwise_is_found_by_its_own_checksum() {
    // Nothing else finds it: the checksum of the whole is put together from what OSS says of each part.
    let part = UploadPart::new("bucket", "key", "id", 1, "body");
    let other = Play::Answer(200, &[("etag", "\"e\""), ("x-oss-hash-crc64ecma", "1")], "");
    let error = World::new().call(&part, &service(), &[other]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupt(_)), "{error}");
}

/// The service's time as of now, and an hour later.
const NOW: &str = "Sat, 16 Dec 2023 16:20:57 GMT";
const LATER: &str = "Sat, 16 Dec 2023 17:20:57 GMT";
const SKEWED: &str = "<Error><Code>RequestTimeTooSkewed</Code></Error>";

#[test]
fn f21_f22_a_clock_is_measured_anew_each_time() {
    let mut world = World::new();
    let ahead = Play::Answer(403, &[("date", LATER)], SKEWED);
    assert!(world.call(&delete(), &service(), &[ahead.clone(), DONE]).is_ok());
    assert_eq!((world.shared.skews.latest(), world.requests.len()), (3600, 2));
    // The same again: nothing is added to what is known.
    assert!(world.call(&delete(), &service(), &[ahead, DONE]).is_ok());
    assert_eq!(world.shared.skews.latest(), 3600);
    // Somebody set a clock right.
    let right = Play::Answer(403, &[("date", NOW)], SKEWED);
    assert!(world.call(&delete(), &service(), &[right, DONE]).is_ok());
    assert_eq!((world.shared.skews.latest(), world.requests.len()), (0, 2));
}

#[test]
fn f23_no_other_answer_moves_the_clock() {
    let mut world = World::new();
    for play in [
        Play::Answer(204, &[("date", LATER)], ""),
        Play::Answer(403, &[("date", LATER)], "<Error><Code>AccessDenied</Code></Error>"),
        Play::Answer(404, &[("date", LATER)], "<Error><Code>NoSuchKey</Code></Error>"),
        Play::Answer(503, &[("date", LATER), ("content-length", "0")], ""),
    ] {
        let _result = world.call(&delete(), &service(), &[play]);
        assert_eq!(world.shared.skews.latest(), 0);
    }
}

/// An error's body comes in pieces of a kibibyte for as long as it is read.
#[test]
fn f50_of_an_error_no_more_than_its_limit_is_read() {
    let mut call = Exchange::new(&delete(), &service(), World::new().shared.call(1));
    let now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut read = 0;
    let error = loop {
        assert!(read < 1000, "{read} KiB");
        let event = match call.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("ak", "sk").unwrap()),
            Action::Send(transmit) => {
                Event::Head(Head::new(ReplyHead::new(404, HeaderMap::new()), transmit.tally()))
            }
            Action::Read { .. } => {
                read += 1;
                Event::Body(Bytes::from(vec![b' '; 1024]))
            }
            Action::Done(result) => break result.unwrap_err(),
            other => panic!("{other:?}"),
        };
        call.handle(event, now);
    };
    assert_eq!((error.status(), read), (Some(404), 65));
}

const STEPS_MAX: usize = 10_000;
