//! Laws of the exchange, under any sequence of events.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::collections::BTreeSet;
use core::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use oss_credentials::CredentialError;
use oss_proto::{
    Action, Call, Credentials, Effect, Endpoint, ErrorKind, Event, Exchange, Failure, FailureKind, Head, Now,
    Operation, Outcome, Payload, Raw, Region, Replay, ReplyHead, Scope, Sent, Service, UnixTime,
};
use oss_sim::fuzz::{DOCUMENTS, KINDS};
use proptest::prelude::*;

/// Decisions, one after the other; 0 when there are no more, which always leads to an end.
struct Chance<'a>(&'a [u8]);

impl Chance<'_> {
    fn below(&mut self, n: u8) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first % n
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.below(u8::try_from(choices.len()).unwrap()))].clone()
    }
}

fn service(attempts: u32, operation: Option<Duration>) -> Service {
    let endpoint = Endpoint::parse("http://127.0.0.1").unwrap();
    let service = Service::new(endpoint).with_region(Region::parse("cn-hangzhou").unwrap());
    service.with(|settings| {
        settings.retry = settings.retry.with_max_attempts(attempts);
        settings.timeouts.operation = operation;
    })
}

fn operation(effect: Effect, body: Payload) -> Raw {
    Raw::new("AnyObject", Method::PUT, Scope::Object).bucket("bucket").key("key").effect(effect).body(body)
}

fn start() -> Now {
    Now { mono: Duration::from_secs(5), wall: UnixTime::from_secs(1_702_743_657) }
}

const EFFECTS: [Effect; 5] =
    [Effect::Read, Effect::Idempotent, Effect::Conditional, Effect::Orphaning, Effect::Once];

/// What a driver reported, as far as it bears on what may follow.
#[derive(Debug, Default, PartialEq)]
struct Story {
    sends: u32,
    /// Sends after a failure that leaves the effect open.
    sends_after_doubt: u32,
    /// Sends after two of them.
    sends_after_two: u32,
    has_started: bool,
    doubts: u32,
    trace: Vec<String>,
    outcome: Option<Outcome>,
    is_ok: bool,
    attempts: usize,
}

fn clock(now: &mut Now, chance: &mut Chance<'_>) {
    let step = chance.of(&[0, 1, 200, 20_000, 1_000_000]);
    now.mono = now.mono.saturating_add(Duration::from_millis(step));
    // The time of day jumps where it likes.
    let jump = chance.of(&[0, 1, -3600, 86_400 * 400, i64::MIN / 2]);
    now.wall = now.wall.saturating_add(jump);
}

fn sent(chance: &mut Chance<'_>, has_started: bool, len: usize) -> Sent {
    let mut sent = Sent::with_crc64();
    if has_started {
        sent.start();
        let taken = chance.of(&[len, 0, len / 2]);
        sent.add(&vec![b'x'; taken]);
    }
    sent
}

/// A driver that keeps the contract, in a world where anything may happen.
fn run(operation: &Raw, len: usize, service: &Service, seed: u64, chance: &mut Chance<'_>) -> Story {
    let mut exchange = Exchange::new(operation, service, Call::seeded(seed));
    let mut now = start();
    let mut story = Story::default();
    let mut document = Bytes::new();
    let mut reads = 0;
    loop {
        let action = exchange.poll(now);
        story.trace.push(format!("{action:?}"));
        clock(&mut now, chance);
        let event = match action {
            Action::Authenticate { .. } => match chance.below(8) {
                1 => Event::NoCredentials(CredentialError::NotFound { tried: Vec::new() }),
                2 => Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())),
                3 => Event::Credentials(Credentials::anonymous()),
                _ => Event::Credentials(Credentials::new("id", "secret").unwrap()),
            },
            Action::Retry(proposal) => Event::Retry((chance.below(4) != 0).then_some(proposal.delay)),
            Action::Send(_) => {
                story.sends += 1;
                story.sends_after_doubt += u32::from(story.doubts > 0);
                story.sends_after_two += u32::from(story.doubts > 1);
                reads = 0;
                let (event, body) = answer(&mut story, len, chance);
                document = body;
                event
            }
            Action::Read { .. } => {
                reads += 1;
                match (chance.below(5), reads) {
                    (1, _) => Event::Failed(Failure::new(chance.of(&KINDS), Sent::new())),
                    (_, 1) if !document.is_empty() => Event::Body(document.clone()),
                    (2, 2..20) => Event::Body(Bytes::from_static(b"more")),
                    _ => Event::End,
                }
            }
            Action::Wait { until } => {
                now.mono = now.mono.max(until);
                continue;
            }
            Action::Done(result) => {
                story.is_ok = result.is_ok();
                story.outcome = result.as_ref().err().map(oss_proto::Error::outcome);
                story.attempts = result.map_or_else(|e| e.attempts().len(), |reply| reply.attempts.len());
                return story;
            }
        };
        exchange.handle(event, now);
    }
}

fn answer(story: &mut Story, len: usize, chance: &mut Chance<'_>) -> (Event, Bytes) {
    if chance.below(3) == 1 {
        let kind = chance.of(&KINDS);
        let has_started = chance.below(2) == 1;
        story.has_started |= has_started;
        story.doubts += u32::from(has_started && kind != FailureKind::BodySource);
        let failure = Failure::new(kind, sent(chance, has_started, len));
        return (Event::Failed(if chance.below(4) == 1 { failure.stale() } else { failure }), Bytes::new());
    }
    let (status, document) = chance.of(&DOCUMENTS);
    story.has_started = true;
    story.doubts += u32::from(status == 500);
    let mut headers = HeaderMap::new();
    if chance.below(2) == 1 {
        headers.insert("content-length", HeaderValue::from(document.len()));
    }
    let head = Head::new(ReplyHead::new(status, headers), sent(chance, true, len));
    (Event::Head(head), Bytes::from_static(document.as_bytes()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// I2, I4, I6, I10: few requests, no second effect, a true outcome, and the same again for a seed.
    #[test]
    fn i02_i04_i06_i10_an_obedient_driver_is_led_to_an_end(
        choices in prop::collection::vec(any::<u8>(), 0..200),
        effect in prop::sample::select(EFFECTS.to_vec()),
        attempts in 0_u32..5,
        deadline in prop::option::of(0_u64..60),
        seed: u64,
    ) {
        let service = service(attempts, deadline.map(Duration::from_secs));
        let operation = operation(effect, Payload::from("hello"));
        let story = run(&operation, 5, &service, seed, &mut Chance(&choices));

        prop_assert!(story.sends <= attempts.max(1) + 3, "{story:?}");
        prop_assert!(story.attempts <= usize::try_from(story.sends).unwrap(), "{story:?}");
        match effect {
            Effect::Once | Effect::Conditional => prop_assert_eq!(story.sends_after_doubt, 0, "{:?}", story),
            Effect::Orphaning => prop_assert_eq!(story.sends_after_two, 0, "{:?}", story),
            _ => {}
        }
        if let Some(outcome) = story.outcome {
            prop_assert_eq!(outcome == Outcome::NotSent, !story.has_started, "{:?}", story);
            prop_assert!(story.doubts == 0 || outcome == Outcome::Unknown, "{story:?}");
        }
        let again = run(&operation, 5, &service, seed, &mut Chance(&choices));
        prop_assert_eq!(story, again);
    }

    /// F10: a body that can be read once leaves once.
    #[test]
    fn f10_a_body_that_was_taken_from_is_not_sent_again(
        choices in prop::collection::vec(any::<u8>(), 0..200),
        seed: u64,
    ) {
        let body = Payload::Stream { len: Some(5), replay: Replay::Once };
        let operation = operation(Effect::Idempotent, body);
        let service = service(5, None);
        let mut exchange = Exchange::new(&operation, &service, Call::seeded(seed));
        let (mut now, mut chance, mut has_taken) = (start(), Chance(&choices), false);
        loop {
            let event = match exchange.poll(now) {
                Action::Authenticate { .. } => Event::Credentials(Credentials::new("id", "secret").unwrap()),
                Action::Retry(proposal) => Event::Retry(Some(proposal.delay)),
                Action::Send(_) => {
                    prop_assert!(!has_taken);
                    let event = answer(&mut Story::default(), 5, &mut chance).0;
                    has_taken = match &event {
                        Event::Head(head) => head.sent.bytes() > 0,
                        Event::Failed(failure) => failure.sent.bytes() > 0,
                        _ => false,
                    };
                    event
                }
                Action::Read { .. } => Event::End,
                Action::Wait { until } => {
                    now.mono = until;
                    continue;
                }
                Action::Done(_) => break,
            };
            exchange.handle(event, now);
        }
    }

    /// I9, I11: any event at any time is survived, and after it the exchange still ends.
    #[test]
    fn i09_i11_any_event_at_any_time_is_survived(
        choices in prop::collection::vec(any::<u8>(), 0..300),
        effect in prop::sample::select(EFFECTS.to_vec()),
        mono: u64,
        wall: i64,
    ) {
        let service = service(3, Some(Duration::from_secs(30)));
        let operation = operation(effect, Payload::from("hello"));
        let mut exchange = Exchange::new(&operation, &service, Call::seeded(1));
        let mut now = Now { mono: Duration::from_nanos(mono), wall: UnixTime::from_secs(wall) };
        let mut chance = Chance(&choices);
        let mut has_ended = false;
        while !chance.0.is_empty() {
            clock(&mut now, &mut chance);
            let event = match chance.below(10) {
                0..4 => {
                    if let Action::Done(result) = exchange.poll(now) {
                        if has_ended {
                            let kind = result.unwrap_err().kind().clone();
                            prop_assert!(matches!(kind, ErrorKind::Misuse(_)), "{kind:?}");
                        }
                        has_ended = true;
                    }
                    continue;
                }
                4 => Event::Credentials(Credentials::anonymous()),
                5 => Event::Retry(chance.of(&[None, Some(Duration::ZERO), Some(Duration::MAX)])),
                6 => answer(&mut Story::default(), 5, &mut chance).0,
                7 => Event::Body(Bytes::from_static(b"<Error><Code>SlowDown</Code></Error>")),
                8 => Event::End,
                _ => Event::NoCredentials(CredentialError::NotFound { tried: Vec::new() }),
            };
            exchange.handle(event, now);
            let _shown = format!("{exchange:?}");
        }
        // A driver that polls without answering is told so, and that is the end.
        let ends = (0..3).any(|_| {
            now.mono = Duration::MAX;
            matches!(exchange.poll(now), Action::Done(_))
        });
        prop_assert!(ends || has_ended);
        let _learned = exchange.ledger();
    }
}

/// The states that the diagram names are those of the enum, and every step that a call makes is drawn.
#[test]
fn the_diagram_is_that_of_the_machine() {
    let page = include_str!("../../crates/oss-proto/src/exchange/mod.rs");
    let machine = include_str!("../../crates/oss-proto/src/exchange/machine.rs");
    let diagram = page.split("```text").nth(1).unwrap().split("```").next().unwrap();
    let drawn: BTreeSet<&str> = words(diagram).collect();
    let body = machine.split("enum State {").nth(1).unwrap().split("\n}").next().unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let states: BTreeSet<&str> = lines.filter_map(|line| words(line).next()).collect();
    assert_eq!(drawn, states);

    let edges = edges(diagram);
    let mut seen = BTreeSet::new();
    for number in 0..15_000_u64 {
        walk(number, &mut seen);
    }
    for (from, to) in &seen {
        assert!(reaches(&edges, from, to), "{from} to {to} is not drawn: {edges:?}");
    }
    for (from, to) in &edges {
        // Seen directly, or as a part of a step in which the machine passes through a state.
        let is_part = seen.iter().any(|(a, b)| passes(&edges, a, b, (from, to)));
        assert!(is_part, "{from} to {to} is drawn and never happens: {seen:?}");
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
}

type Edge = (String, String);

/// The arrows of the rows, and what the junction `judge` leads to: again, the question, or the end.
fn edges(diagram: &str) -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for row in diagram.lines() {
        let (forward, names): (bool, Vec<&str>) = (row.contains("──▶"), words(row).collect());
        for pair in names.windows(2) {
            let between = row.split(pair[0]).nth(1).unwrap().split(pair[1]).next().unwrap();
            if forward && between.contains('▶') {
                edges.insert((pair[0].to_owned(), pair[1].to_owned()));
            } else if between.contains('◀') {
                edges.insert((pair[1].to_owned(), pair[0].to_owned()));
            }
        }
    }
    for judged in ["Sending", "Collecting"] {
        for to in ["Start", "Asking", "Finished"] {
            edges.insert((judged.to_owned(), to.to_owned()));
        }
    }
    // The way back on the left, and what ends a call anywhere: its time, its credentials, its draft, a "no".
    edges.insert(("Backoff".to_owned(), "Start".to_owned()));
    for from in ["Start", "Authenticating", "Ready", "Asking", "Backoff"] {
        edges.insert((from.to_owned(), "Finished".to_owned()));
    }
    edges
}

/// Whether the diagram leads from here to there, with at most one state passed on the way.
fn reaches(edges: &BTreeSet<Edge>, from: &str, to: &str) -> bool {
    let is_edge = |a: &str, b: &str| edges.contains(&(a.to_owned(), b.to_owned()));
    is_edge(from, to) || edges.iter().any(|(a, through)| a == from && is_edge(through, to))
}

fn passes(edges: &BTreeSet<Edge>, from: &str, to: &str, edge: (&String, &String)) -> bool {
    let is_edge = |a: &str, b: &str| edges.contains(&(a.to_owned(), b.to_owned()));
    let (a, b) = edge;
    (a == from && b == to)
        || (!is_edge(from, to) && ((a == from && is_edge(b, to)) || (b == to && is_edge(from, a))))
}

/// Notes the steps of one call from state to state.
fn walk(number: u64, seen: &mut BTreeSet<Edge>) {
    let digits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    let more = number.wrapping_mul(0xD1B5_4A32_D192_ED03).to_le_bytes();
    let choices = [digits, more].concat();
    let mut chance = Chance(&choices);
    let service = service(3, number.is_multiple_of(3).then_some(Duration::from_secs(25)));
    let key = if number.is_multiple_of(50) { "" } else { "key" };
    let operation = operation(Effect::Idempotent, Payload::from("hello")).key(key);
    let mut exchange = Exchange::new(&operation, &service, Call::seeded(number));
    let mut now = start();
    let name = |exchange: &Exchange<Raw>| {
        let shown = format!("{exchange:?}");
        shown.trim_end_matches(')').rsplit([' ', '(']).next().unwrap_or_default().to_owned()
    };
    let mut before = name(&exchange);
    let mut document = Bytes::new();
    let mut note = |exchange: &Exchange<Raw>| {
        let after = name(exchange);
        if after != before {
            seen.insert((core::mem::replace(&mut before, after.clone()), after));
        }
    };
    loop {
        let action = exchange.poll(now);
        note(&exchange);
        let step = chance.of(&[0, 1, 30_000]);
        now.mono = now.mono.saturating_add(Duration::from_millis(step));
        let event = match action {
            Action::Authenticate { .. } if chance.below(9) == 1 => {
                Event::NoCredentials(CredentialError::NotFound { tried: Vec::new() })
            }
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("id", "secret").unwrap()),
            Action::Retry(proposal) => Event::Retry((chance.below(4) != 1).then_some(proposal.delay)),
            Action::Send(_) => {
                let (event, body) = answer(&mut Story::default(), 5, &mut chance);
                document = body;
                event
            }
            Action::Read { .. } if !document.is_empty() => Event::Body(core::mem::take(&mut document)),
            Action::Read { .. } if chance.below(2) == 1 => {
                Event::Failed(Failure::new(FailureKind::Reset, Sent::new()))
            }
            Action::Read { .. } => Event::End,
            Action::Wait { until } => {
                now.mono = now.mono.max(until);
                continue;
            }
            Action::Done(_) => return,
        };
        exchange.handle(event, now);
        note(&exchange);
    }
}

/// The trait is used by its name, so that a draft that cannot be made is an error here and not in a call.
#[test]
fn the_operations_of_these_tests_can_be_sent() {
    for effect in EFFECTS {
        assert!(operation(effect, Payload::from("hello")).draft().is_ok());
    }
}
