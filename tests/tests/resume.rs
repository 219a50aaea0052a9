//! Streamed reads whose body breaks, at every byte: what is delivered is a beginning of one object, success
//! is all of it, and what is asked again is exactly what is missing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::collections::BTreeSet;
use alloc::rc::Rc;
use core::cell::Cell;
use core::time::Duration;

use bytes::Bytes;
use oss_proto::{
    Action, Call, Change, Credentials, Error, ErrorKind, Event, Failure, FailureKind, Fetch, FetchAction,
    GetObject, Head, Integrity, Ledger, Now, Policy, Reply, ReplyHead, Sent, Service, UnixTime, Verified,
};
use oss_sim::conformance::Scenario;
use oss_sim::peer::{Answer, BUCKET, Deed, End, Framing, credentials};
use oss_sim::world::{EPOCH, World};
use proptest::prelude::*;

/// What came of a read.
struct Told {
    delivered: Vec<u8>,
    result: Result<Reply<Verified>, Error>,
    /// What the peer saw, a line for each request.
    requests: Vec<String>,
    cost: u32,
    ledger: Ledger,
}

impl Told {
    fn verified(&self) -> &Verified {
        &self.result.as_ref().unwrap().output
    }

    fn kind(&self) -> &ErrorKind {
        self.result.as_ref().unwrap_err().kind()
    }
}

fn scenario(content: impl Into<Bytes>, deeds: impl IntoIterator<Item = Deed>) -> Scenario {
    Scenario::new("a read").holds("a", content).deeds(deeds)
}

fn get() -> GetObject {
    GetObject::new(BUCKET, "a")
}

fn read(scenario: &Scenario, get: &GetObject) -> Told {
    let service = scenario.service("http://127.0.0.1");
    read_in(&mut World::new(scenario.peer(EPOCH)), &service, get, &mut |_| {})
}

/// Reads in this world; before each repetition something happens in it.
fn read_in(
    world: &mut World,
    service: &Service,
    get: &GetObject,
    between: &mut dyn FnMut(&mut World),
) -> Told {
    let mut fetch = Fetch::new(get, service, Call::seeded(7));
    let (mut delivered, mut cost) = (Vec::new(), 0);
    let result = loop {
        let event = match fetch.poll(world.now()) {
            FetchAction::Opened(_) => continue,
            FetchAction::Deliver(bytes) => {
                delivered.extend_from_slice(&bytes);
                continue;
            }
            FetchAction::Call(Action::Authenticate { .. }) => Event::Credentials(credentials()),
            FetchAction::Call(Action::Retry(proposal)) => {
                cost += proposal.cost;
                Event::Retry(Some(proposal.delay))
            }
            FetchAction::Call(Action::Send(transmit)) => {
                world.send(&transmit, &mut || Ok(Box::new(std::io::empty())))
            }
            FetchAction::Call(Action::Read { deadline }) => world.read(deadline),
            FetchAction::Call(Action::Wait { until }) => {
                between(world);
                world.wait_until(until);
                continue;
            }
            FetchAction::Call(Action::Done(result)) => break result,
        };
        fetch.handle(event, world.now());
    };
    let requests = world.peer.take_log();
    Told { delivered, result, requests, cost, ledger: fetch.ledger() }
}

fn breaks(at: u64) -> Deed {
    Deed::spoil(move |answer| answer.end = End::Cut(at))
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 7) as u8).collect()
}

/// The range that a request asked for, as it was sent.
fn range_of(line: &str) -> Option<&str> {
    line.split("range: bytes=").nth(1)?.split(',').next()
}

#[test]
fn f36_every_k() {
    for len in (1..=16_usize).chain([31, 32, 33, 63, 64]) {
        let whole = content(len);
        for k in 0..=len {
            let told = read(&scenario(whole.clone(), [breaks(k as u64)]), &get());
            assert_eq!(told.delivered, whole, "{len} {k}");
            let resumes = u32::from(k < len);
            assert_eq!((told.verified().bytes, told.verified().resumes), (len as u64, resumes), "{len} {k}");
            assert!(matches!(told.verified().integrity, Integrity::Crc64(_)), "{len} {k}");
            let asked: Vec<_> = told.requests.iter().map(|line| range_of(line)).collect();
            let rest = format!("{k}-{}", len - 1);
            assert_eq!(asked, [None, Some(&*rest)][..1 + resumes as usize], "{len} {k}");
            assert!(told.requests.iter().skip(1).all(|line| line.contains("if-match: \"")), "{len} {k}");

            // The same inside of a longer object.
            let longer = [b"before", &whole[..], b"after"].concat();
            let range = 6..6 + len as u64;
            let told = read(&scenario(longer, [breaks(k as u64)]), &get().range(range));
            assert_eq!(told.delivered, whole, "{len} {k}");
            assert_eq!(told.verified().integrity, Integrity::Length, "{len} {k}");
            let rest = format!("{}-{}", 6 + k, 6 + len - 1);
            assert_eq!(told.requests.get(1).and_then(|line| range_of(line)), (k < len).then_some(&*rest));
        }
    }
}

#[test]
fn f36_a_suffix_is_gone_on_with_by_its_place_in_the_object() {
    let mut get = get();
    get.range = Some(oss_proto::ByteRange::suffix(4));
    let told = read(&scenario("0123456789", [breaks(1)]), &get);
    assert_eq!(told.delivered, b"6789");
    assert_eq!(range_of(&told.requests[1]), Some("7-9"));
}

#[test]
fn f36_i02_a_read_goes_on_at_most_64_times() {
    let told = read(&scenario(content(200), (0..200).map(|_| breaks(1))), &get());
    assert_eq!((told.requests.len(), told.delivered.len()), (65, 65));
    assert!(matches!(told.kind(), ErrorKind::Transport(_)), "{:?}", told.kind());
    let told = read(&scenario(content(65), (0..64).map(|_| breaks(1))), &get());
    assert_eq!((told.verified().resumes, told.delivered), (64, content(65)));
    assert_eq!(told.result.unwrap().attempts.len(), 65);
}

#[test]
fn f36_i02_what_brings_nothing_is_given_up_after_three_whatever_the_policy() {
    let patient = |settings: &mut oss_proto::Settings| settings.retry = Policy::new().with_max_attempts(10);
    let deeds = || [breaks(3)].into_iter().chain((0..9).map(|_| breaks(0)));
    let told = read(&scenario(content(20), deeds()).tuned(patient), &get());
    assert_eq!((told.requests.len(), told.delivered), (4, content(3)));
    // The policy's own number is the other bound, counted from the last byte that came.
    let told = read(&scenario(content(20), deeds()), &get());
    assert_eq!((told.requests.len(), told.delivered), (3, content(3)));
    let told = read(&scenario(content(20), [0, 0, 2, 0, 5].map(breaks)), &get());
    assert_eq!((told.verified().resumes, told.delivered), (5, content(20)));
}

#[test]
fn f36_i08_what_a_read_took_of_the_budget_comes_back_with_its_success() {
    let told = read(&scenario(content(20), [4, 0, 5].map(breaks)), &get());
    assert_eq!(told.delivered, content(20));
    assert!(told.cost > 0);
    assert_eq!(told.ledger.refund, told.cost);
}

/// Found by the simulator (seed 792): the head had come at the first attempt, and that was all.
#[test]
fn f36_i08_a_read_that_broke_and_failed_earns_nothing() {
    let told =
        read(&scenario(content(20), [breaks(4), Deed::Answer(Answer::error(403, "AccessDenied"))]), &get());
    assert!(told.result.is_err());
    assert_eq!((told.ledger.first_try, told.ledger.refund), (false, 0));
    assert!(read(&scenario(content(20), []), &get()).ledger.first_try);
}

#[test]
fn f36_a_budget_that_says_no_ends_the_read_with_what_broke_it() {
    let scenario = scenario("0123456789", [breaks(4)]);
    let mut world = World::new(scenario.peer(EPOCH));
    let mut fetch = Fetch::new(&get(), &scenario.service("http://127.0.0.1"), Call::seeded(7));
    let error = loop {
        let event = match fetch.poll(world.now()) {
            FetchAction::Opened(_) | FetchAction::Deliver(_) => continue,
            FetchAction::Call(Action::Authenticate { .. }) => Event::Credentials(credentials()),
            FetchAction::Call(Action::Retry(proposal)) => {
                assert_eq!((proposal.attempt, proposal.transport), (1, Some(FailureKind::Reset)));
                Event::Retry(None)
            }
            FetchAction::Call(Action::Send(transmit)) => {
                world.send(&transmit, &mut || Ok(Box::new(std::io::empty())))
            }
            FetchAction::Call(Action::Read { deadline }) => world.read(deadline),
            FetchAction::Call(Action::Wait { .. }) => panic!("nothing to wait for"),
            FetchAction::Call(Action::Done(result)) => break result.unwrap_err(),
        };
        fetch.handle(event, world.now());
    };
    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
    assert_eq!(error.attempts().len(), 1);
    assert!(error.attempts()[0].failure.is_some() && error.attempts()[0].status == Some(200), "{error:?}");
}

#[test]
fn f34_an_object_that_is_really_replaced_is_not_mixed_with_the_new_one() {
    for at in 0..10 {
        let scenario = scenario("0123456789", [breaks(at)]);
        let service = scenario.service("http://127.0.0.1");
        let mut world = World::new(scenario.peer(EPOCH));
        let told = read_in(&mut world, &service, &get(), &mut |world| {
            let now = world.epoch();
            world.peer.store("a", &Bytes::from_static(b"abcdefghij"), now);
        });
        let ErrorKind::ObjectChanged(changed) = told.kind() else { panic!("{:?}", told.kind()) };
        assert_eq!((changed.delivered, &changed.change), (at, &Change::Replaced));
        assert_eq!(told.delivered, &b"0123456789"[..at as usize]);
        let error = told.result.unwrap_err();
        assert!(error.is_object_changed() && error.is_retryable() && error.attempts().len() == 2);
        let due = format!("the object was replaced while it was read, after {at} bytes (2 attempts)");
        assert!(error.to_string().contains(&due), "{error}");
    }
}

#[test]
fn f33_without_an_entity_tag_a_version_id_pins_the_object() {
    let first = || Answer::new(200).header("x-oss-version-id", "v1").body("0123456789").ending(End::Cut(4));
    let rest = |version| {
        Answer::new(206)
            .header("x-oss-version-id", version)
            .header("content-range", "bytes 4-9/10")
            .body("456789")
    };
    let told = read(&scenario("", [first(), rest("v1")].map(Deed::Answer)), &get());
    assert_eq!(told.delivered, b"0123456789");
    assert!(told.requests[1].starts_with("> GET /bucket/a?versionId=v1 "), "{:?}", told.requests);
    assert!(!told.requests[1].contains("if-match"));
    let told = read(&scenario("", [first(), rest("v2")].map(Deed::Answer)), &get());
    assert!(matches!(told.kind(), ErrorKind::ObjectChanged(_)), "{:?}", told.kind());
    assert_eq!(told.delivered, b"0123");
    // The version of a bucket that keeps none is overwritten.
    let null = first().header("x-oss-version-id", "null");
    let mut null = null;
    null.set("x-oss-version-id", Some("null"));
    let told = read(&scenario("", [Deed::Answer(null)]), &get());
    assert_eq!(told.requests.len(), 1);
}

/// Every other sign is right: the entity tag, the length that nobody states, a range that has no checksum.
#[test]
fn f30_f31_r13_another_range_than_the_rest_is_refused_by_its_range_alone() {
    let first = || Deed::spoil(|answer| answer.end = End::Cut(2));
    let whole = Bytes::from_static(b"0123456789");
    let etag =
        read(&scenario(whole.clone(), []), &get()).result.unwrap().head.header("etag").unwrap().to_owned();
    let answer = |status, range: &str, from: usize, to: usize| {
        let answer = Answer::new(status).header("etag", &etag).body(whole.slice(from..to));
        let answer = if range.is_empty() { answer } else { answer.header("content-range", range) };
        // Byte by byte, so that a wrong one would be delivered before there are too many.
        Answer { piece: 1, ..answer.framed(Framing::Chunked) }
    };
    // Asked for is 4-7.
    for rest in [
        answer(206, "bytes 3-7/10", 3, 8),
        answer(206, "bytes 4-8/10", 4, 9),
        answer(206, "bytes 5-7/10", 5, 8),
        answer(206, "bytes 4-6/10", 4, 7),
        answer(206, "bytes 0-9/10", 0, 10),
        answer(206, "bytes 4-7/11", 4, 8),
        answer(206, "", 4, 8),
        answer(200, "", 4, 8),
        answer(200, "bytes 4-7/10", 4, 8),
        answer(203, "bytes 4-7/10", 4, 8),
    ] {
        let shown = format!("{} {:?}", rest.status, rest.headers);
        let told = read(&scenario(whole.clone(), [first(), Deed::Answer(rest)]), &get().range(2..8));
        assert!(told.result.is_err(), "{shown}");
        assert_eq!((&*told.delivered, told.requests.len()), (&b"23"[..], 2), "{shown}");
    }
    let right = answer(206, "bytes 4-7/10", 4, 8);
    let told = read(&scenario(whole.clone(), [first(), Deed::Answer(right)]), &get().range(2..8));
    assert_eq!(told.delivered, b"234567");
}

#[test]
fn f33_an_entity_tag_that_is_weak_missing_or_none_pins_nothing() {
    for etag in [None, Some("W/\"5B3C\""), Some("5B3C"), Some("\"\""), Some("\"5B 3C\""), Some("\"5B\"3C\"")]
    {
        let weak = move |answer: &mut Answer| {
            answer.set("etag", etag);
            answer.end = End::Cut(4);
        };
        let told = read(&scenario("0123456789", [Deed::spoil(weak)]), &get());
        assert_eq!((told.requests.len(), &*told.delivered), (1, &b"0123"[..]), "{etag:?}");
    }
}

#[test]
fn f36_i03_all_resumptions_are_inside_the_time_of_the_call() {
    let hurried = |settings: &mut oss_proto::Settings| {
        settings.timeouts.idle = Duration::from_millis(300);
        settings.timeouts.operation = Some(Duration::from_secs(2));
    };
    let stalls = (0..50).map(|_| Deed::spoil(|answer| answer.end = End::Stall(1)));
    let scenario = scenario(content(100), stalls).tuned(hurried);
    let service = scenario.service("http://127.0.0.1");
    let mut world = World::new(scenario.peer(EPOCH));
    let told = read_in(&mut world, &service, &get(), &mut |_| {});
    assert!(told.result.is_err() && content(100).starts_with(&told.delivered));
    assert!((5..=7).contains(&told.delivered.len()), "{}", told.delivered.len());
    assert!(world.now().mono <= Duration::from_millis(2_010), "{:?}", world.now().mono);
}

/// What is done to an answer that says the truth about the object, as far as it says anything.
#[derive(Clone, Debug)]
enum Harm {
    None,
    Cut(u64),
    Stall(u64),
    Piece(usize),
    Drop(&'static str),
    Weak,
    Chunked(u64),
    Error(u16, &'static str),
    Close,
    /// A superset of the range, told as it is.
    Whole,
    /// Another range of the same object, told as it is.
    Shift(u64),
    /// The object is replaced before the answer is given.
    Replace,
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        Just(Harm::None),
        (0..3000_u64).prop_map(Harm::Cut),
        (0..8_u64).prop_map(Harm::Cut),
        (0..3000_u64).prop_map(Harm::Stall),
        (1..300_usize).prop_map(Harm::Piece),
        prop::sample::select(vec!["etag", "content-range", "x-oss-hash-crc64ecma"]).prop_map(Harm::Drop),
        Just(Harm::Weak),
        (0..3000_u64).prop_map(Harm::Chunked),
        prop::sample::select(vec![
            (500, "InternalError"),
            (503, "SlowDown"),
            (404, "NoSuchKey"),
            (412, "PreconditionFailed"),
            (403, "AccessDenied"),
        ])
        .prop_map(|(status, code)| Harm::Error(status, code)),
        Just(Harm::Close),
        Just(Harm::Whole),
        (0..3_u64).prop_map(Harm::Shift),
        Just(Harm::Replace),
    ]
}

fn deed(harm: &Harm, whole: &Bytes) -> Deed {
    let (harm, whole) = (harm.clone(), whole.clone());
    match harm {
        Harm::Error(status, code) => Deed::Answer(Answer::error(status, code)),
        Harm::Close => Deed::Close(0),
        Harm::Whole => Deed::Answer(Answer::new(200).body(whole)),
        Harm::Shift(from) => {
            let size = whole.len() as u64;
            let first = from.min(size.saturating_sub(1));
            let range = format!("bytes {first}-{}/{size}", size.saturating_sub(1));
            Deed::Answer(Answer::new(206).header("content-range", range).body(whole.slice(first as usize..)))
        }
        harm => Deed::spoil(move |answer| match &harm {
            Harm::Cut(at) => answer.end = End::Cut(*at),
            Harm::Stall(at) => answer.end = End::Stall(*at),
            Harm::Piece(len) => answer.piece = *len,
            Harm::Drop(name) => answer.set(name, None),
            Harm::Weak => answer.set("etag", Some("W/\"1\"")),
            Harm::Chunked(at) => {
                answer.reframe(Framing::Chunked);
                answer.end = End::Cut(*at);
            }
            _ => {}
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// I1, I2, I3: whatever happens to however many answers.
    #[test]
    fn f36_i01_i02_i03_what_is_delivered_is_a_beginning_of_one_object_and_success_is_all_of_it(
        len in prop_oneof![0..65_usize, 0..3000_usize],
        harms in prop::collection::vec(harm(), 0..12),
        range in prop::option::of((0..100_u64, 1..3000_u64)),
    ) {
        let whole = Bytes::from(content(len));
        let deeds: Vec<_> = harms.iter().map(|harm| deed(harm, &whole)).collect();
        let scenario = scenario(whole.clone(), deeds);
        let service = scenario.service("http://127.0.0.1");
        let mut world = World::new(scenario.peer(EPOCH));
        let mut get = get();
        if let Some((first, len)) = range {
            get = get.range(first..first + len);
        }
        let due = match get.range.map(|range| range.select(len as u64)) {
            None => whole.clone(),
            Some(None) => Bytes::new(),
            Some(Some(range)) => whole.slice(range.start as usize..range.end as usize),
        };
        // Before the n-th repetition the object is replaced by another of the same length.
        let replaced = harms.iter().position(|harm| matches!(harm, Harm::Replace));
        let waits = Rc::new(Cell::new(0));
        let other: Bytes = whole.iter().map(|byte| !byte).collect::<Vec<_>>().into();
        let other_due = match get.range.map(|range| range.select(len as u64)) {
            None => other.clone(),
            Some(None) => Bytes::new(),
            Some(Some(range)) => other.slice(range.start as usize..range.end as usize),
        };
        let told = read_in(&mut world, &service, &get, &mut |world| {
            waits.set(waits.get() + 1);
            if Some(waits.get()) == replaced {
                let now = world.epoch();
                world.peer.store("a", &other, now);
            }
        });
        // Everything that came is of one object, and if it is a success it is all of it.
        let is_old = due.starts_with(&told.delivered);
        let is_new = other_due.starts_with(&told.delivered);
        prop_assert!(is_old || is_new, "{:?}", told.requests);
        if let Ok(reply) = &told.result {
            let is_whole = told.delivered == due || told.delivered == other_due;
            prop_assert!(is_whole || reply.output.integrity == Integrity::Unverified, "{:?}", told.requests);
        }
        let attempts = match &told.result {
            Ok(reply) => reply.attempts.len(),
            Err(error) => error.attempts().len(),
        };
        prop_assert_eq!(attempts, told.requests.len());
        // Three for each unit of progress: one harm is used up by each request.
        prop_assert!(told.requests.len() <= harms.len() + 1);
        prop_assert!(told.ledger.refund <= told.cost);
    }

    /// I9, I11: any event at any time is survived, and the bytes that were delivered are those that came.
    #[test]
    fn i09_i11_any_event_at_any_time_is_survived(choices in prop::collection::vec(any::<u8>(), 0..200)) {
        let scenario = scenario("", []);
        let mut fetch = Fetch::new(&get(), &scenario.service("http://127.0.0.1"), Call::seeded(1));
        let mut now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
        let mut ends = 0;
        let mut names = BTreeSet::new();
        for choice in choices {
            now.mono += Duration::from_millis(u64::from(choice));
            names.insert(format!("{fetch:?}"));
            let action = fetch.poll(now);
            let event = match (choice % 8, action) {
                (0, _) => Event::Body(Bytes::from_static(b"01")),
                (1, _) => Event::End,
                (_, FetchAction::Call(Action::Authenticate { .. })) => {
                    Event::Credentials(Credentials::new("id", "secret").unwrap())
                }
                (_, FetchAction::Call(Action::Retry(proposal))) => Event::Retry(Some(proposal.delay)),
                (2, FetchAction::Call(Action::Send(_))) => head(206, "bytes 2-9/10"),
                (_, FetchAction::Call(Action::Send(_))) => head(200, ""),
                (3 | 4, FetchAction::Call(Action::Read { .. })) => {
                    Event::Failed(Failure::new(FailureKind::Reset, Sent::new()))
                }
                (_, FetchAction::Call(Action::Read { .. })) => Event::Body(Bytes::from_static(b"01")),
                (_, FetchAction::Call(Action::Done(result))) => {
                    let is_misuse = |error: &Error| matches!(error.kind(), ErrorKind::Misuse(_));
                    ends += usize::from(!result.as_ref().is_err_and(is_misuse));
                    continue;
                }
                _ => continue,
            };
            fetch.handle(event, now);
        }
        prop_assert!(ends <= 1);
        let _learned = fetch.ledger();
    }
}

fn head(status: u16, range: &str) -> Event {
    let mut headers = http::HeaderMap::new();
    headers.insert("etag", http::HeaderValue::from_static("\"1\""));
    if range.is_empty() {
        headers.insert("content-length", http::HeaderValue::from_static("10"));
    } else {
        headers.insert("content-range", http::HeaderValue::from_str(range).unwrap());
    }
    Event::Head(Head::new(ReplyHead::new(status, headers), Sent::new()))
}

/// The states that the diagram names are those of the enum.
#[test]
fn the_diagram_is_that_of_the_machine() {
    let page = include_str!("../../crates/oss-proto/src/fetch.rs");
    let diagram = page.split("```text").nth(1).unwrap().split("```").next().unwrap();
    let body = page.split("\nenum State {").nth(1).unwrap().split("\n}").next().unwrap();
    let words = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let states: String =
        body.lines().filter_map(|line| line.trim().split(['(', ',']).next()).collect::<Vec<_>>().join(" ");
    assert_eq!(words(diagram), words(&states));
}
