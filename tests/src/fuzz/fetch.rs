//! A streamed read under any list of events.

use core::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use oss_proto::{
    Action, ByteRange, Call, Credentials, Endpoint, Error, ErrorKind, Event, Failure, FailureKind, Fetch,
    FetchAction, GetObject, GetObjectOutput, Head, Integrity, Now, Region, Reply, ReplyHead, Sent, Service,
    UnixTime, Verified,
};

use super::{Chance, is_one_line, slow_crc64};

/// The first bytes choose what is asked for, the others what happens: no byte is delivered beyond what was
/// asked for and announced, and a success is whole and has the checksum that was stated.
pub fn fetch(bytes: &[u8]) {
    let mut chance = Chance(bytes);
    let (limits, first, len) = (chance.byte(), u64::from(chance.byte()), u64::from(chance.byte()));
    let endpoint = Endpoint::parse("http://127.0.0.1").expect("it is an endpoint");
    let service = Service::new(endpoint).with_region(Region::parse("cn-hangzhou").expect("it is a region"));
    let service = service.with(|settings| {
        settings.retry = settings.retry.with_max_attempts(u32::from(limits >> 6));
        settings.timeouts.operation = (limits & 4 != 0).then_some(Duration::from_secs(60));
    });
    let range = match limits % 4 {
        0 => None,
        1 => Some(ByteRange::new(first..first + len)),
        2 => Some(ByteRange::new(first..)),
        _ => Some(ByteRange::suffix(len)),
    };
    let mut get = GetObject::new("examplebucket", "a");
    get.range = range;
    let mut fetch = Fetch::new(&get, &service, Call::seeded(7));
    if limits & 32 != 0 {
        return out_of_order(&mut fetch, &mut chance);
    }
    let read = in_order(&mut fetch, &mut chance);
    read.check(range);
    let _learned = fetch.ledger();
}

/// What came of a read.
#[derive(Default)]
struct Read {
    opened: Option<Box<Reply<GetObjectOutput>>>,
    delivered: Vec<u8>,
    result: Option<Result<Reply<Verified>, Error>>,
    requests: usize,
    /// Answers with bytes in them, or none.
    has_progressed: usize,
}

impl Read {
    fn check(&self, range: Option<ByteRange>) {
        let delivered = self.delivered.len() as u64;
        // I2: three attempts for each start and each byte, corrections beside them, and 64 resumptions.
        assert!(self.requests <= 4 * (self.has_progressed + 2) + 8, "I2: {} requests", self.requests);
        let told = self.opened.as_ref().map(|opened| told(&opened.head));
        match told {
            None => assert_eq!(delivered, 0, "bytes of an object that was not opened"),
            Some((_, Some(len))) => assert!(delivered <= len, "I1: {delivered} bytes of {len}"),
            Some((_, None)) => assert!(range.is_none(), "a range whose length nobody told"),
        }
        let result = self.result.as_ref().expect("a read that is over has a result");
        let reply = match result {
            Ok(reply) => reply,
            Err(error) => return is_one_line(&error.to_string()),
        };
        assert_eq!(reply.output.bytes, delivered);
        let (selected, len) = told.expect("a success was opened");
        assert!(len.is_none_or(|len| len == delivered), "I1: {delivered} bytes for {len:?}");
        if let Some((range, size)) = range.zip(selected) {
            let due = range.select(size).expect("a range that selects nothing is refused");
            assert_eq!(due.end - due.start, delivered, "I1: the range that was asked for");
        }
        match reply.output.integrity {
            Integrity::Crc64(crc) => {
                assert_eq!(slow_crc64(&self.delivered), crc);
                assert_eq!(reply.head.crc64(), Ok(Some(crc)), "I1: the checksum that was stated");
            }
            Integrity::Unverified => assert!(len.is_none()),
            _ => assert!(len.is_some()),
        }
    }
}

/// Size of the object and length of the body, as a head tells them.
fn told(head: &ReplyHead) -> (Option<u64>, Option<u64>) {
    let length = head.content_length().ok().flatten();
    if head.status != 206 {
        return (length, length);
    }
    let range = head.field::<Option<oss_proto::ContentRange>>("content-range").ok().flatten();
    (range.map(|range| range.size), range.map(|range| range.last - range.first + 1))
}

/// A driver that keeps the contract.
fn in_order(fetch: &mut Fetch, chance: &mut Chance<'_>) -> Read {
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut read = Read::default();
    for _ in 0..STEPS_MAX {
        let event = match fetch.poll(now) {
            FetchAction::Opened(reply) => {
                assert!(read.opened.replace(reply).is_none(), "an object is opened once");
                continue;
            }
            FetchAction::Deliver(bytes) => {
                assert!(read.opened.is_some() && !bytes.is_empty());
                read.delivered.extend_from_slice(&bytes);
                read.has_progressed += 1;
                continue;
            }
            FetchAction::Call(Action::Done(result)) => {
                read.result = Some(result);
                return read;
            }
            FetchAction::Call(Action::Wait { until }) => {
                assert!(until > now.mono);
                now.mono = until;
                continue;
            }
            FetchAction::Call(Action::Authenticate { .. }) => {
                // Signing has targets of its own, and takes longer than all the rest.
                Event::Credentials(Credentials::anonymous())
            }
            FetchAction::Call(Action::Retry(proposal)) => Event::Retry(Some(proposal.delay)),
            FetchAction::Call(Action::Send(transmit)) => {
                read.requests += 1;
                answer(transmit.request.headers(), chance)
            }
            FetchAction::Call(Action::Read { .. }) => body(chance),
        };
        now.mono = now.mono.saturating_add(Duration::from_millis(chance.of(&[0, 1, 100, 10_000])));
        fetch.handle(event, now);
    }
    unreachable!("I2: no end after {STEPS_MAX} steps and {} requests", read.requests);
}

/// I9, I11: any event at any time.
fn out_of_order(fetch: &mut Fetch, chance: &mut Chance<'_>) {
    let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(0) };
    let mut ends = 0;
    while !chance.is_over() {
        now.mono = chance.of(&[now.mono, now.mono.saturating_add(Duration::from_secs(1)), Duration::MAX]);
        let event = match chance.byte() % 10 {
            0..5 => {
                if let FetchAction::Call(Action::Done(result)) = fetch.poll(now) {
                    let is_misuse = |error: &Error| matches!(error.kind(), ErrorKind::Misuse(_));
                    ends += usize::from(!result.as_ref().is_err_and(is_misuse));
                }
                continue;
            }
            5 => Event::Credentials(Credentials::anonymous()),
            6 => Event::Retry(chance.of(&[None, Some(Duration::ZERO), Some(Duration::MAX)])),
            7 => answer(&HeaderMap::new(), chance),
            _ => body(chance),
        };
        fetch.handle(event, now);
        let _shown = format!("{fetch:?}");
    }
    assert!(ends <= 1, "it ends once");
    let _learned = fetch.ledger();
}

/// An answer: one that fits to what was asked, by and large, or anything.
fn answer(asked: &HeaderMap, chance: &mut Chance<'_>) -> Event {
    let choice = chance.byte();
    if choice % 8 == 1 {
        let kind = chance.of(&[FailureKind::Reset, FailureKind::Timeout, FailureKind::Connect]);
        return Event::Failed(Failure::new(kind, Sent::new()));
    }
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| {
        headers.insert(name, HeaderValue::try_from(value).expect("numbers and marks can be sent"));
    };
    let size = u64::from(chance.of(&[OBJECT_BYTES, OBJECT_BYTES, OBJECT_BYTES, 0, 1, 255]));
    let asked = asked.get("range").and_then(|range| range.to_str().ok());
    let asked = asked.and_then(|range| <ByteRange as oss_proto::Text>::parse(range)?.select(size));
    let status = match (choice % 8, &asked) {
        (2, _) => chance.of(&[200, 206, 404, 412, 416, 500, 503, 304]),
        (_, Some(_)) => 206,
        (_, None) => 200,
    };
    if let Some(asked) = asked.filter(|_| choice % 8 != 3) {
        let lie = u64::from(chance.of(&[0, 0, 0, 0, 1, 255_u8]));
        set("content-range", format!("bytes {}-{}/{}", asked.start + lie, asked.end - 1 + lie, size + lie));
    }
    if choice & 8 == 0 && status == 200 {
        set("content-length", (size + u64::from(chance.of(&[0, 0, 0, 1, 7_u8]))).to_string());
    }
    if choice & 16 == 0 {
        set("etag", chance.of(&["\"1\"", "\"1\"", "\"1\"", "\"2\"", "W/\"1\"", "1"]).to_owned());
    }
    if choice & 32 != 0 {
        let crc = slow_crc64(&OBJECT);
        set("x-oss-hash-crc64ecma", crc.wrapping_add(u64::from(chance.of(&[0, 0, 0, 1_u8]))).to_string());
    }
    Event::Head(Head::new(ReplyHead::new(status, headers), Sent::new()))
}

/// A piece of the object, or of another, or no more.
fn body(chance: &mut Chance<'_>) -> Event {
    let choice = chance.byte();
    match choice % 8 {
        1 => Event::Failed(Failure::new(FailureKind::Reset, Sent::new())),
        2 => Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())),
        3 => Event::Body(Bytes::new()),
        4..8 => {
            let at = usize::from(chance.byte() % OBJECT_BYTES);
            let end = (at + usize::from(choice / 8) + 1).min(OBJECT.len());
            Event::Body(Bytes::copy_from_slice(&OBJECT[at..end]))
        }
        _ => Event::End,
    }
}

const OBJECT_BYTES: u8 = 40;
const OBJECT: [u8; OBJECT_BYTES as usize] = *b"0123456789abcdefghijklmnopqrstuvwxyzABCD";
/// Far beyond what 64 resumptions, and pieces that hold nothing, add up to.
const STEPS_MAX: usize = 60_000;
