//! Calls whose judgement needs more than the answer: appends, whose checksum goes on from what lies before,
//! and restorations, which a second arrival finds at work.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use oss_proto::{
    Action, AppendObject, Call, CorruptBody, Credentials, Endpoint, Error, ErrorKind, Event, Exchange,
    Failure, FailureKind, Head, Now, Operation, Outcome, Payload, Region, Replay, Reply, ReplyHead,
    RestoreObject, RestoreTier, Service, UnixTime,
};

/// What the peer does with one request.
enum Play {
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// It takes the request and says nothing.
    Vanish,
}

fn call<O: Operation>(operation: &O, source: &[u8], plays: Vec<Play>) -> Result<Reply<O::Output>, Error> {
    let region = Region::parse("cn-hangzhou").unwrap();
    let service = Service::new(Endpoint::public(&region)).with_region(region);
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut call = Exchange::new(operation, &service, Call::seeded(7));
    let mut plays = plays.into_iter();
    let mut body = Bytes::new();
    let result = loop {
        let event = match call.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("ak", "sk").unwrap()),
            Action::Send(transmit) => {
                let mut sent = transmit.tally();
                sent.start();
                match &transmit.body {
                    Payload::Empty => {}
                    Payload::Bytes(bytes) => sent.add(bytes),
                    Payload::Stream { .. } => sent.add(source),
                }
                match plays.next().unwrap() {
                    Play::Vanish => Event::Failed(Failure::new(FailureKind::Reset, sent)),
                    Play::Answer(status, headers, text) => {
                        body = Bytes::from_static(text.as_bytes());
                        Event::Head(Head::new(head(status, &headers), sent))
                    }
                }
            }
            Action::Read { .. } if body.is_empty() => Event::End,
            Action::Read { .. } => Event::Body(core::mem::take(&mut body)),
            Action::Retry(proposal) => Event::Retry(Some(proposal.delay)),
            Action::Wait { until } => {
                now.mono = until;
                continue;
            }
            Action::Done(result) => break result,
        };
        call.handle(event, now);
    };
    assert!(plays.next().is_none(), "a request was not made");
    result
}

fn head(status: u16, headers: &[(&'static str, String)]) -> ReplyHead {
    let pair = |(name, value): &(&'static str, String)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    ReplyHead::new(status, headers.iter().map(pair).collect::<HeaderMap>())
}

fn crc_of(whole: &str) -> Play {
    let crc = oss_crc::checksum(whole.as_bytes()).to_string();
    Play::Answer(200, vec![("x-oss-hash-crc64ecma", crc), ("x-oss-next-append-position", "8".into())], "")
}

#[test]
fn f42_an_append_carries_its_checksum_on() {
    let initial = oss_crc::checksum(b"once");
    let second = AppendObject::new("examplebucket", "k", 4u64, "more").initial_crc64(initial);
    let output = call(&second, b"", vec![crc_of("oncemore")]).unwrap().output;
    assert_eq!((output.next_append_position, output.crc64), (Some(8), Some(oss_crc::checksum(b"oncemore"))));
    // What the answer gave is what the next append takes.
    let third = AppendObject::new("examplebucket", "k", 8u64, "!").initial_crc64(output.crc64.unwrap());
    assert!(call(&third, b"", vec![crc_of("oncemore!")]).is_ok());
    // The first one has nothing before it.
    let first = AppendObject::new("examplebucket", "k", 0u64, "once");
    assert!(call(&first, b"", vec![crc_of("once")]).is_ok());
    // Nothing at all may be appended.
    let nothing = AppendObject::new("examplebucket", "k", 4u64, "").initial_crc64(initial);
    assert!(call(&nothing, b"", vec![crc_of("once")]).is_ok());
}

#[test]
fn f42_an_append_of_a_stream_is_checked_by_its_tally() {
    let stream = Payload::Stream { len: Some(4), replay: Replay::Once };
    let initial = oss_crc::checksum(b"once");
    let append = AppendObject::new("examplebucket", "k", 4u64, stream).initial_crc64(initial);
    assert!(call(&append, b"more", vec![crc_of("oncemore")]).is_ok());
    assert!(call(&append, b"mord", vec![crc_of("oncemore")]).is_err());
}

#[test]
fn f42_an_append_that_arrived_otherwise_is_damaged_and_not_repeated() {
    let append = AppendObject::new("examplebucket", "k", 4u64, "more");
    for (initial, whole) in [
        (oss_crc::checksum(b"once"), "oncemoro"),
        // Someone else wrote what lies before.
        (oss_crc::checksum(b"0nce"), "oncemore"),
    ] {
        let error = call(&append.clone().initial_crc64(initial), b"", vec![crc_of(whole)]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })), "{error}");
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
    // Without a beginning there is nothing to compare.
    assert!(call(&append, b"", vec![crc_of("anything")]).is_ok());
}

#[test]
fn f61_an_append_whose_answer_was_lost_is_looked_up() {
    let append = || AppendObject::new("examplebucket", "k", 4u64, "more");
    let found = |whole: &str| {
        let crc = oss_crc::checksum(whole.as_bytes()).to_string();
        let kind = ("x-oss-object-type", "Appendable".to_owned());
        let length = ("content-length", whole.len().to_string());
        Play::Answer(200, vec![kind, length, ("x-oss-hash-crc64ecma", crc)], "")
    };
    let known = || append().initial_crc64(oss_crc::checksum(b"once"));
    let reply = call(&known(), b"", vec![Play::Vanish, found("oncemore")]).unwrap();
    assert_eq!((reply.attempts.len(), reply.output.crc64), (2, Some(oss_crc::checksum(b"oncemore"))));
    // Not there yet: it is made again.
    assert!(call(&known(), b"", vec![Play::Vanish, found("once"), crc_of("oncemore")]).is_ok());
    // Somebody else's: the service says so, and a last look that it is still so.
    let document = "<Error><Code>PositionNotEqualToLength</Code><Message>m</Message></Error>";
    let refused = || Play::Answer(409, vec![], document);
    let error =
        call(&known(), b"", vec![Play::Vanish, found("onceelse"), refused(), found("onceelse")]).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some("PositionNotEqualToLength"), Outcome::Rejected));
    // Longer than ours: ours may be in it, with somebody else's behind it.
    let error = call(&known(), b"", vec![Play::Vanish, found("oncemore, and on")]).unwrap_err();
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Unknown, 2));
    let late = vec![Play::Vanish, found("once"), refused(), found("oncemore, and on")];
    let error = call(&known(), b"", late).unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some("PositionNotEqualToLength"), Outcome::Unknown));
    // As long as ours would be, and nobody knows what ours would be: not guessed, and not made again.
    let error = call(&append(), b"", vec![Play::Vanish, found("oncemore")]).unwrap_err();
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Unknown, 2));
}

#[test]
fn f64_a_restoration_at_work_is_ours_when_an_answer_was_lost() {
    let at_work = || {
        let document = "<Error><Code>RestoreAlreadyInProgress</Code><Message>m</Message></Error>";
        Play::Answer(409, vec![], document)
    };
    let restore = RestoreObject::new("examplebucket", "k");
    assert!(call(&restore, b"", vec![Play::Vanish, at_work()]).is_ok());
    let error = call(&restore, b"", vec![at_work()]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Service(service) if service.code == "RestoreAlreadyInProgress")
    );
    let begun = Play::Answer(202, vec![("x-oss-object-restore-priority", "Standard".into())], "");
    assert_eq!(call(&restore, b"", vec![begun]).unwrap().output.priority, Some(RestoreTier::Standard));
}
