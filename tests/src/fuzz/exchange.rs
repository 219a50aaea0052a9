//! An exchange under any list of events, in order and out of it.

use core::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use oss_credentials::{CredentialCache, CredentialError};
use oss_proto::{
    AbortMultipartUpload, Action, AppendObject, Call, CompleteMultipartUpload, CopyObject, CopySource,
    Credentials, DeleteObject, Endpoint, Error, ErrorKind, Event, Exchange, Failure, FailureKind, Head,
    InitiateMultipartUpload, ListObjectsV2, Now, Operation, Outcome, Proposal, PutObject, Redirects, Region,
    ReplyHead, Sent, Service, Shared, UnixTime,
};

use super::{Chance, SECRET, TOKEN, is_one_line};

/// The first bytes choose an operation and the limits of its call, the others what happens: the call ends in
/// time and after few requests, says what is known of its outcome, and keeps the budget; a driver that breaks
/// the contract is told so.
pub fn exchange(bytes: &[u8]) {
    let mut chance = Chance(bytes);
    let kind = chance.byte();
    match kind % 8 {
        0 => call(&PutObject::new(BUCKET, "a", "hello"), chance),
        1 => call(&PutObject::new(BUCKET, "a", "hello").forbid_overwrite(true), chance),
        2 => call(&AppendObject::new(BUCKET, "a", 5_u64, "hello"), chance),
        3 => call(&InitiateMultipartUpload::new(BUCKET, "a"), chance),
        4 => call(&CompleteMultipartUpload::new(BUCKET, "a", "u"), chance),
        5 => call(&CopyObject::new(BUCKET, "a", CopySource::new(BUCKET, "b")), chance),
        6 => {
            call(&DeleteObject::new(BUCKET, "a"), chance);
            call(&AbortMultipartUpload::new(BUCKET, "a", "u"), Chance(bytes));
        }
        _ => call(&ListObjectsV2::new(BUCKET), chance),
    }
}

fn call<O: Operation>(operation: &O, mut chance: Chance<'_>) {
    let limits = chance.byte();
    let attempts = u32::from(limits & 3);
    let operation_timeout = (limits & 4 != 0).then_some(Duration::from_secs(30));
    let endpoint = Endpoint::parse("http://oss-cn-hangzhou.aliyuncs.com").expect("it is an endpoint");
    let service = Service::new(endpoint).with_region(Region::parse("cn-hangzhou").expect("it is a region"));
    let service = service.with(|settings| {
        settings.retry = settings.retry.with_max_attempts(attempts);
        settings.timeouts.operation = operation_timeout;
        settings.limits.collect_bytes_max = 1 << 12;
        settings.redirects = if limits & 8 != 0 { Redirects::SameService } else { Redirects::Never };
        settings.buckets_versioned = limits & 16 != 0;
    });
    let mut shared = Shared::new(CredentialCache::new(key(0).into(), 1));
    if limits & 32 != 0 {
        shared.quota = oss_retry::Quota::with_capacity(u32::from(limits));
    }
    if limits & 64 != 0 {
        return out_of_order(Exchange::new(operation, &service, shared.call(1)), chance);
    }
    let exchange = Exchange::new(operation, &service, Call::seeded(u64::from(limits)));
    in_order(exchange, &service, &mut shared, chance, attempts);
}

/// What a driver saw of a call.
#[derive(Debug, Default)]
struct Story {
    sends: u32,
    has_started: bool,
    capacity: u32,
}

/// A driver that keeps the contract, in a world where anything may happen.
fn in_order<O: Operation>(
    mut exchange: Exchange<O>,
    service: &Service,
    shared: &mut Shared,
    mut chance: Chance<'_>,
    attempts: u32,
) {
    let mut now = Now { mono: Duration::from_secs(5), wall: UnixTime::from_secs(1_702_743_657) };
    let end = service.timeouts.operation.map(|limit| now.mono + limit);
    let mut story = Story { capacity: shared.quota.tokens(), ..Story::default() };
    let mut document: &'static str = "";
    for _ in 0..STEPS_MAX {
        let is_late = end.is_some_and(|end| now.mono >= end);
        let action = exchange.poll(now);
        assert!(shared.quota.tokens() <= story.capacity, "I8");
        let event = match action {
            Action::Done(result) => return ended(&result.map(drop), &story, &mut exchange, shared, attempts),
            _ if is_late => unreachable!("I3: goes on after its end: {exchange:?}"),
            Action::Authenticate { deadline, .. } => {
                assert!(end.is_none_or(|end| deadline <= end), "I3");
                authenticated(&mut chance)
            }
            Action::Retry(proposal) => Event::Retry(decided(&proposal, shared, &mut chance)),
            Action::Send(transmit) => {
                assert!(end.is_none() || transmit.deadline == end, "I3");
                story.sends += 1;
                let (event, told) = answered(&mut story, &mut chance);
                document = told;
                event
            }
            Action::Read { deadline } => {
                assert!(deadline >= now.mono && end.is_none_or(|end| deadline <= end), "I3");
                read(&mut document, &mut chance)
            }
            Action::Wait { until } => {
                assert!(until > now.mono && end.is_none_or(|end| until <= end), "I3: no wait is without end");
                now.mono = until;
                continue;
            }
        };
        clock(&mut now, &mut chance);
        exchange.handle(event, now);
    }
    unreachable!("I2: no end after {STEPS_MAX} steps: {story:?}");
}

/// I2, I6, I8: what must be true of a call that is over.
fn ended<O: Operation>(
    result: &Result<(), Error>,
    story: &Story,
    exchange: &mut Exchange<O>,
    shared: &mut Shared,
    attempts: u32,
) {
    // Beside the attempts: credentials, clock, connection, redirect, and four looks.
    assert!(story.sends <= attempts.max(1) + 8, "I2: {story:?}");
    shared.settle(exchange.ledger());
    assert!(shared.quota.tokens() <= story.capacity, "I8");
    match result {
        Ok(()) => assert!(story.has_started, "I6: a success that nobody was asked for"),
        Err(error) => {
            assert_eq!(error.outcome() == Outcome::NotSent, !story.has_started, "I6: {error:?} {story:?}");
            assert!(error.attempts().len() <= story.sends as usize, "I6");
            let shown = format!("{error} {error:?}");
            is_one_line(&error.to_string());
            assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "I5");
        }
    }
}

/// I9, I11: any event at any time, and clocks that go anywhere.
fn out_of_order<O: Operation>(mut exchange: Exchange<O>, mut chance: Chance<'_>) {
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(0) };
    let mut has_ended = false;
    let mut document = "";
    while !chance.is_over() {
        clock(&mut now, &mut chance);
        now.mono = chance.of(&[now.mono, now.mono, now.mono, Duration::MAX, Duration::ZERO]);
        let event = match chance.byte() % 12 {
            0..5 => {
                if let Action::Done(result) = exchange.poll(now) {
                    let is_misuse = |error: &Error| matches!(error.kind(), ErrorKind::Misuse(_));
                    assert!(!has_ended || result.as_ref().is_err_and(is_misuse), "it ends once");
                    has_ended = true;
                }
                continue;
            }
            5 => authenticated(&mut chance),
            6 => Event::Retry(chance.of(&[None, Some(Duration::ZERO), Some(Duration::MAX)])),
            7 | 8 => {
                let (event, told) = answered(&mut Story::default(), &mut chance);
                document = told;
                event
            }
            9 => Event::End,
            _ => read(&mut document, &mut chance),
        };
        exchange.handle(event, now);
        let _shown = format!("{exchange:?}");
    }
    now.mono = Duration::MAX;
    // A driver that polls without answering is told so, and that is the end.
    let ends = (0..3).any(|_| matches!(exchange.poll(now), Action::Done(_)));
    assert!(ends || has_ended, "I9");
    let _learned = exchange.ledger();
}

fn clock(now: &mut Now, chance: &mut Chance<'_>) {
    let step = chance.of(&[0, 0, 1, 200, 5_000, 20_000, 1_000_000]);
    now.mono = now.mono.saturating_add(Duration::from_millis(step));
    // The time of day jumps where it likes.
    let jump = chance.of(&[0, 0, 0, 1, -3600, 86_400 * 400, i64::MIN / 2, i64::MAX]);
    now.wall = now.wall.saturating_add(jump);
}

fn key(number: u8) -> Credentials {
    let plain = Credentials::new(format!("fuzz-id-{number}"), SECRET);
    plain.and_then(|plain| plain.with_token(TOKEN)).expect("all three are plain")
}

fn authenticated(chance: &mut Chance<'_>) -> Event {
    match chance.byte() % 8 {
        1 => Event::NoCredentials(CredentialError::NotFound { tried: Vec::new() }),
        2 => Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())),
        number @ 3..5 => Event::Credentials(key(number)),
        // Signing has targets of its own, and takes longer than all the rest.
        _ => Event::Credentials(Credentials::anonymous()),
    }
}

fn decided(proposal: &Proposal, shared: &mut Shared, chance: &mut Chance<'_>) -> Option<Duration> {
    let delay = shared.decide(proposal);
    chance.of(&[delay, delay, delay, Some(Duration::MAX), Some(Duration::ZERO)]).filter(|_| delay.is_some())
}

fn sent(chance: &mut Chance<'_>) -> Sent {
    let mut sent = Sent::with_crc64();
    sent.start();
    sent.add(&b"hello"[..chance.of(&[5, 0, 2])]);
    sent
}

fn answered(story: &mut Story, chance: &mut Chance<'_>) -> (Event, &'static str) {
    let choice = chance.byte();
    if choice % 4 == 1 {
        let kind = chance.of(&KINDS);
        let has_left = chance.byte() % 2 == 1;
        story.has_started |= has_left;
        let failure = Failure::new(kind, if has_left { sent(chance) } else { Sent::new() });
        return (Event::Failed(if choice % 8 == 1 { failure.stale() } else { failure }), "");
    }
    story.has_started = true;
    let (status, document) = chance.of(&DOCUMENTS);
    let mut headers = HeaderMap::new();
    for _ in 0..chance.byte() % 6 {
        let (name, value) = chance.of(HEADERS);
        headers.append(name, HeaderValue::from_static(value));
    }
    if choice % 3 == 1 {
        headers.insert("content-length", HeaderValue::from(document.len()));
    }
    (Event::Head(Head::new(ReplyHead::new(status, headers), sent(chance))), document)
}

fn read(document: &mut &'static str, chance: &mut Chance<'_>) -> Event {
    let choice = chance.byte();
    match choice % 8 {
        1 => Event::Failed(Failure::new(chance.of(&KINDS), Sent::new())),
        2 => Event::Body(Bytes::from_static(b"more")),
        3 => Event::Body(Bytes::from_static(&[b' '; 1 << 11])),
        4 => Event::End,
        _ if document.is_empty() => Event::End,
        _ => {
            let at = (usize::from(choice / 8) + 1).min(document.len());
            let (piece, rest) = document.split_at(at);
            *document = rest;
            Event::Body(Bytes::from_static(piece.as_bytes()))
        }
    }
}

const BUCKET: &str = "examplebucket";
/// Far beyond what attempts, looks and the pieces of their bodies add up to.
const STEPS_MAX: usize = 60_000;
/// How an attempt may fail on its way.
pub const KINDS: [FailureKind; 9] = [
    FailureKind::Reset,
    FailureKind::Timeout,
    FailureKind::Connect,
    FailureKind::Dns,
    FailureKind::Tls,
    FailureKind::PoolExhausted,
    FailureKind::BodySource,
    FailureKind::Canceled,
    FailureKind::Other,
];
/// How an attempt may be answered: a status and a body.
pub const DOCUMENTS: [(u16, &str); 22] = [
    (200, ""),
    (500, ""),
    (500, "<Error><Code>InternalError</Code></Error>"),
    (503, "<Error><Code>SlowDown</Code></Error>"),
    (403, "<Error><Code>AccessDenied</Code></Error>"),
    (403, "<Error><Code>SecurityTokenExpired</Code></Error>"),
    (
        403,
        "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2023-12-16T17:20:55.000Z</ServerTime></Error>",
    ),
    (403, "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>OSS4</StringToSign></Error>"),
    (403, "<Error><Code>AccessDenied</Code><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>"),
    (404, "<Error><Code>NoSuchKey</Code></Error>"),
    (404, "<Error><Code>NoSuchUpload</Code></Error>"),
    (409, "<Error><Code>FileAlreadyExists</Code></Error>"),
    (409, "<Error><Code>PositionNotEqualToLength</Code></Error>"),
    (412, "<Error><Code>PreconditionFailed</Code></Error>"),
    (301, ""),
    (307, ""),
    (203, "<Error><Code>CallbackFailed</Code></Error>"),
    (204, ""),
    (502, "<html>"),
    (200, "<ListBucketResult><Contents><Key>a%2Fb</Key></Contents></ListBucketResult>"),
    (200, "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>"),
    (200, "<Error><Code>InternalError</Code></Error>"),
];
const HEADERS: &[(&str, &str)] = &[
    ("x-oss-request-id", "5F3A"),
    ("content-length", "5"),
    ("content-length", "18446744073709551616"),
    ("x-oss-hash-crc64ecma", "11177415003823052721"),
    ("x-oss-hash-crc64ecma", "-1"),
    ("retry-after", "120"),
    ("retry-after", "99999999999999999999"),
    ("retry-after", "Sat, 16 Dec 2023 16:21:57 GMT"),
    ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("date", "Sat, 16 Dec 2023 17:20:57 GMT"),
    ("last-modified", "Sat, 16 Dec 2023 16:20:57 GMT"),
    ("location", "http://examplebucket.oss-cn-beijing.aliyuncs.com/a"),
    ("location", "//evil.example/"),
    ("x-oss-object-type", "Appendable"),
    ("x-oss-next-append-position", "10"),
    ("etag", "\"1\""),
    ("x-oss-version-id", "CAEQ"),
    ("age", "1"),
];
