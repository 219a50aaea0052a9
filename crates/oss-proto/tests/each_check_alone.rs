//! Each check by itself: the peer's answers are such that one check alone can find what is wrong with them,
//! so that a check that is lost is missed even while the others stand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::ops::Range;
use core::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use oss_proto::{
    Action, Call, CorruptBody, Credentials, Endpoint, Error, ErrorKind, Event, Failure, FailureKind, Fetch,
    FetchAction, GetObject, Head, Integrity, Now, Reply, ReplyHead, Sent, Service, Transmit, UnixTime,
    Verified,
};

/// What the peer says to one request.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Bytes>,
    /// The connection breaks at the end of the body.
    breaks: bool,
}

impl Answer {
    fn new(status: u16, body: &[u8]) -> Self {
        let pieces = vec![Bytes::copy_from_slice(body)];
        Self { status, headers: Vec::new(), pieces, breaks: false }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// Byte by byte, so that a wrong byte is delivered before there are too many.
    fn by_bytes(mut self) -> Self {
        let whole = self.pieces.concat();
        self.pieces = whole.iter().map(|byte| Bytes::copy_from_slice(&[*byte])).collect();
        self
    }

    fn breaking(mut self) -> Self {
        self.breaks = true;
        self
    }

    fn head(&self) -> ReplyHead {
        let pairs = self.headers.iter();
        let pairs = pairs.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        ReplyHead::new(self.status, pairs.collect::<HeaderMap<HeaderValue>>())
    }
}

/// What came of a read.
struct Told {
    delivered: Vec<u8>,
    result: Result<Reply<Verified>, Error>,
    requests: Vec<Transmit>,
}

impl Told {
    fn kind(&self) -> &ErrorKind {
        self.result.as_ref().unwrap_err().kind()
    }

    fn asked(&self, request: usize, header: &str) -> Option<&str> {
        self.requests.get(request)?.request.headers().get(header)?.to_str().ok()
    }
}

/// Reads from a peer that answers the n-th request like this.
fn read(get: &GetObject, mut answer: impl FnMut(usize, &Transmit) -> Answer) -> Told {
    let service = Service::new(Endpoint::parse("http://127.0.0.1").unwrap());
    let service = service.with(|settings| settings.region = oss_proto::Region::parse("cn-hangzhou").ok());
    let mut fetch = Fetch::new(get, &service, Call::seeded(7));
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let (mut delivered, mut requests) = (Vec::new(), Vec::new());
    let mut body = Answer::new(200, b"");
    for _step in 0..STEPS_MAX {
        let event = match fetch.poll(now) {
            FetchAction::Opened(_) => continue,
            FetchAction::Deliver(bytes) => {
                delivered.extend_from_slice(&bytes);
                continue;
            }
            FetchAction::Call(Action::Authenticate { .. }) => {
                Event::Credentials(Credentials::new("ak", "sk").unwrap())
            }
            FetchAction::Call(Action::Retry(proposal)) => Event::Retry(Some(proposal.delay)),
            FetchAction::Call(Action::Wait { until }) => {
                now.mono = until;
                continue;
            }
            FetchAction::Call(Action::Send(transmit)) => {
                body = answer(requests.len(), &transmit);
                requests.push(transmit);
                Event::Head(Head::new(body.head(), Sent::new()))
            }
            FetchAction::Call(Action::Read { .. }) if !body.pieces.is_empty() => {
                Event::Body(body.pieces.remove(0))
            }
            FetchAction::Call(Action::Read { .. }) if body.breaks => {
                Event::Failed(Failure::new(FailureKind::Reset, Sent::new()))
            }
            FetchAction::Call(Action::Read { .. }) => Event::End,
            FetchAction::Call(Action::Done(result)) => return Told { delivered, result, requests },
        };
        fetch.handle(event, now);
    }
    panic!("the read does not end");
}

fn get() -> GetObject {
    GetObject::new("bucket", "key")
}

/// The range of a request, as it was sent.
fn range(transmit: &Transmit) -> Option<Range<usize>> {
    let text = transmit.request.headers().get("range")?.to_str().ok()?.strip_prefix("bytes=")?;
    let (first, last) = text.split_once('-')?;
    Some(first.parse().ok()?..last.parse::<usize>().ok()? + 1)
}

#[test]
fn f37_an_end_that_comes_early_is_found_by_the_length_alone() {
    let told = read(&get(), |_, _| Answer::new(200, b"0123456").with("content-length", 10));
    let due = CorruptBody::Length { expected: 10, actual: 7 };
    assert!(matches!(told.kind(), ErrorKind::Corrupt(corrupt) if *corrupt == due), "{:?}", told.kind());
    let told =
        read(&get().range(2..8), |_, _| Answer::new(206, b"23456").with("content-range", "bytes 2-7/10"));
    let due = CorruptBody::Length { expected: 6, actual: 5 };
    assert!(matches!(told.kind(), ErrorKind::Corrupt(corrupt) if *corrupt == due), "{:?}", told.kind());
}

#[test]
fn f38_what_is_too_much_is_found_by_the_length_alone() {
    for get in [get(), get().range(0..4)] {
        let told = read(&get, |_, transmit| match range(transmit) {
            None => Answer::new(200, b"01234567").by_bytes().with("content-length", 4),
            Some(_) => Answer::new(206, b"01234567").by_bytes().with("content-range", "bytes 0-3/10"),
        });
        assert!(told.result.is_err());
        assert_eq!(told.delivered, b"0123");
    }
}

#[test]
fn f31_r13_another_range_is_found_by_the_range_alone() {
    for (first, last) in [(0, 9), (2, 6), (1, 5), (3, 5), (2, 4), (6, 9)] {
        let told = read(&get().range(2..6), |_, _| {
            let body = &b"0123456789"[first..=last];
            Answer::new(206, body).with("content-range", format!("bytes {first}-{last}/10"))
        });
        assert!(told.result.is_err() && told.delivered.is_empty(), "{first}-{last}");
    }
    let told = read(&get().range(2..6), |_, _| Answer::new(200, b"0123456789").with("content-length", 10));
    assert!(told.result.is_err() && told.delivered.is_empty());
}

#[test]
fn f33_a_weak_entity_tag_pins_nothing() {
    for etag in ["W/\"1\"", "1", "\"\""] {
        let told = read(&get(), |_, _| {
            Answer::new(200, b"0123").with("content-length", 10).with("etag", etag).breaking()
        });
        assert!(told.result.is_err());
        assert_eq!((told.requests.len(), &*told.delivered), (1, &b"0123"[..]), "{etag}");
    }
}

/// The first four bytes, and then this answer to what asks for the rest.
fn rest_of(rest: impl Fn() -> Answer) -> Told {
    read(&get(), |request, _| match request {
        0 => Answer::new(200, b"0123").with("content-length", 10).with("etag", "\"1\"").breaking(),
        _ => rest(),
    })
}

#[test]
fn f34_the_rest_of_another_object_is_found_by_its_entity_tag_alone() {
    for other in [Some("\"2\""), None] {
        let told = rest_of(|| {
            let answer = Answer::new(206, b"abcdef").with("content-range", "bytes 4-9/10");
            other.into_iter().fold(answer, |answer, etag| answer.with("etag", etag))
        });
        assert!(matches!(told.kind(), ErrorKind::ObjectChanged(_)), "{:?}", told.kind());
        assert_eq!(told.delivered, b"0123");
    }
}

#[test]
fn f34_the_rest_is_asked_for_under_the_condition_that_it_is_of_the_same_object() {
    let told =
        rest_of(|| Answer::new(206, b"456789").with("content-range", "bytes 4-9/10").with("etag", "\"1\""));
    assert_eq!(told.delivered, b"0123456789");
    assert_eq!((told.asked(0, "if-match"), told.asked(1, "if-match")), (None, Some("\"1\"")));
}

/// A peer that gives exactly what it is asked for, and breaks after `k` bytes of the first answer.
#[test]
fn f36_the_rest_begins_where_the_beginning_ends() {
    let whole: Vec<u8> = (0..20).collect();
    let crc = oss_crc::checksum(&whole);
    for k in 0..whole.len() {
        for get in [get(), get().range(0..20)] {
            let told = read(&get, |request, transmit| {
                let range = range(transmit).unwrap_or(0..20);
                let cut = if request == 0 { k } else { 20 };
                let body = &whole[range.start..range.end.min(cut).max(range.start)];
                let answer = Answer::new(
                    if transmit.request.headers().contains_key("range") { 206 } else { 200 },
                    body,
                );
                let answer = answer.with("etag", "\"1\"").with("content-length", range.len());
                let answer = match answer.status {
                    206 => {
                        answer.with("content-range", format!("bytes {}-{}/20", range.start, range.end - 1))
                    }
                    _ => answer.with("x-oss-hash-crc64ecma", crc),
                };
                if request == 0 { answer.breaking() } else { answer }
            });
            assert_eq!(told.delivered, whole, "{k}");
            let integrity = told.result.unwrap().output.integrity;
            assert!(
                integrity == Integrity::Crc64(crc) || get.range.is_some() && integrity == Integrity::Length
            );
        }
    }
}

#[test]
fn f36_i02_attempts_begin_anew_with_a_byte_and_not_without_one() {
    let answer = |request: usize, transmit: &Transmit, brings: &[usize]| {
        let first = range(transmit).map_or(0, |range| range.start);
        let bytes = brings.get(request).copied().unwrap_or(0);
        let answer =
            Answer::new(if first == 0 { 200 } else { 206 }, &[b'x'; 64][..bytes]).with("etag", "\"1\"");
        if first == 0 {
            answer.with("content-length", 40).breaking()
        } else {
            answer.with("content-range", format!("bytes {first}-39/40")).breaking()
        }
    };
    let told = read(&get(), |request, transmit| answer(request, transmit, &[3]));
    assert_eq!((told.requests.len(), told.delivered.len()), (3, 3));
    let told = read(&get(), |request, transmit| answer(request, transmit, &[3, 0, 1, 0, 1]));
    assert_eq!((told.requests.len(), told.delivered.len()), (7, 5));
}

#[test]
fn f41_a_byte_that_was_changed_is_found_by_the_checksum_alone() {
    let crc = oss_crc::checksum(b"0123456789");
    let answer = |body: &[u8]| {
        Answer::new(200, body)
            .with("content-length", 10)
            .with("etag", "\"1\"")
            .with("x-oss-hash-crc64ecma", crc)
    };
    for at in 0..10 {
        let mut body = *b"0123456789";
        body[at] ^= 1;
        let told = read(&get(), |_, _| answer(&body));
        assert!(matches!(told.kind(), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })), "{:?}", told.kind());
    }
    let told = read(&get(), |_, _| answer(b"0123456789"));
    assert_eq!(told.result.unwrap().output.integrity, Integrity::Crc64(crc));
}

const STEPS_MAX: usize = 10_000;
