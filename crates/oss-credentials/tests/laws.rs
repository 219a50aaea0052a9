//! What holds after any sequence of calls, at any time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

use core::time::Duration;

use oss_credentials::{
    Answer, CredentialCache, Credentials, CredentialsUri, Generation, HttpAnswer, Lookup, Need, RamRole,
    Source, Step, Ticket,
};
use oss_sign::UnixTime;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Poll { span: i64, refused: Option<usize> },
    Answer { which: usize, kind: u8, life: i64 },
    Abandon { which: usize },
    Invalidate,
    Pass { millis: u64 },
    Mono { to: Duration },
    Wall { to: i64 },
}

fn calls() -> impl Strategy<Value = Op> {
    let span = prop_oneof![0..4_000_i64, Just(i64::MAX), Just(i64::MIN)];
    let life = prop_oneof![-10..10_i64, 0..100_000_i64, Just(i64::MAX), Just(i64::MIN)];
    let millis = prop_oneof![0..2_000_u64, 0..4_000_000_u64, 0..100_000_000_u64];
    let refused = proptest::option::of(0..5_usize);
    prop_oneof![
        8 => (span, refused).prop_map(|(span, refused)| Op::Poll { span, refused }),
        5 => (0..4_usize, 0..8_u8, life).prop_map(|(which, kind, life)| Op::Answer { which, kind, life }),
        1 => (0..4_usize).prop_map(|which| Op::Abandon { which }),
        1 => Just(Op::Invalidate),
        6 => millis.prop_map(|millis| Op::Pass { millis }),
    ]
}

fn jumps() -> impl Strategy<Value = Op> {
    let any_mono = any::<u64>().prop_map(Duration::from_secs);
    let mono = prop_oneof![Just(Duration::MAX), Just(Duration::ZERO), any_mono];
    let wall = prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(EPOCH), any::<i64>()];
    prop_oneof![
        6 => calls(),
        1 => mono.prop_map(|to| Op::Mono { to }),
        1 => wall.prop_map(|to| Op::Wall { to }),
    ]
}

fn sources() -> impl Strategy<Value = Source> {
    let fixed = Credentials::new("fixed", "s").unwrap().with_token("t").unwrap();
    let ending = fixed.clone().with_expiration(UnixTime::from_secs(EPOCH + 1_000));
    let one = prop_oneof![
        3 => Just(Source::Custom(0)),
        1 => Just(Source::Environment),
        1 => Just(Source::Static(fixed)),
        1 => Just(Source::Static(ending)),
        1 => Just(Source::Static(Credentials::anonymous())),
    ];
    prop_oneof![one.clone(), vec(one, 0..4).prop_map(Source::Chain)]
}

/// A cache, its clocks, and what an outsider knows of it.
struct World {
    cache: CredentialCache,
    mono: Duration,
    wall: UnixTime,
    /// Questions that are neither answered nor abandoned nor lost, with the moment they were handed out.
    out: Vec<(Ticket, Duration)>,
    tickets: Vec<Ticket>,
    seen: Vec<Generation>,
    made: u32,
}

impl World {
    fn new(source: Source) -> Self {
        let (mono, wall) = (Duration::from_secs(5), UnixTime::from_secs(EPOCH));
        let cache = CredentialCache::new(source, 3);
        Self { cache, mono, wall, out: vec![], tickets: vec![], seen: vec![], made: 0 }
    }

    fn poll(&mut self, need: Need) -> Result<Step, TestCaseError> {
        let step = self.cache.poll(need, self.mono, self.wall);
        match &step {
            Step::Ready(credentials) => {
                let end = credentials.expiration();
                prop_assert!(end.is_none_or(|end| end > self.wall), "expired: {credentials:?}");
                prop_assert!(credentials.generation() > Generation::default());
                self.seen.push(credentials.generation());
            }
            Step::Ask(ticket, _) => {
                let mono = self.mono;
                self.out.retain(|(_, asked)| mono.abs_diff(*asked) < Duration::from_secs(90));
                prop_assert!(self.out.is_empty(), "two questions are out: {:?}", self.out);
                prop_assert!(self.tickets.last() < Some(ticket));
                self.tickets.push(*ticket);
                self.out.push((*ticket, mono));
            }
            Step::Wait { until } => {
                prop_assert!(!self.out.is_empty(), "waits for nobody");
                prop_assert!(*until > self.mono || self.mono > Duration::MAX - Duration::from_secs(90));
            }
            Step::Failed(_) => {}
        }
        Ok(step)
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Poll { span, refused } => {
                let mut need = Need::until(self.wall.saturating_add(span));
                if let Some(generation) = refused.and_then(|back| self.seen.iter().rev().nth(back)) {
                    need = need.instead_of(*generation);
                }
                self.poll(need)?;
            }
            Op::Answer { which, kind, life } => {
                // Mostly the question that is out, sometimes one of long ago.
                let Some(ticket) = self.tickets.iter().rev().nth(which.saturating_sub(1)).copied() else {
                    return Ok(());
                };
                let answer = self.make(kind, life);
                self.out.retain(|(other, _)| *other != ticket);
                self.cache.answer(ticket, answer, self.mono, self.wall);
            }
            Op::Abandon { which } => {
                if let Some(ticket) = self.tickets.iter().rev().nth(which).copied() {
                    self.out.retain(|(other, _)| *other != ticket);
                    self.cache.abandon(ticket);
                }
            }
            Op::Invalidate => self.cache.invalidate(),
            Op::Pass { millis } => {
                self.mono = self.mono.saturating_add(Duration::from_millis(millis));
                self.wall = self.wall.saturating_add(i64::try_from(millis / 1_000).unwrap());
            }
            Op::Mono { to } => self.mono = to,
            Op::Wall { to } => self.wall = UnixTime::from_secs(to),
        }
        Ok(())
    }

    fn make(&mut self, kind: u8, life: i64) -> Answer {
        self.made += 1;
        let numbered = Credentials::new(format!("id{}", self.made), "s").unwrap();
        let same = Credentials::new("same", "s").unwrap().with_token("t").unwrap();
        match kind {
            0 => Answer::Unavailable,
            1 => Answer::Failed("down".into()),
            2 => Answer::Absent,
            3 => Answer::Env(vec![Some("i".into()), Some("s".into()), Some("t".into())]),
            4 => Answer::Env(vec![Some("i".into()), None, None]),
            5 => Answer::Custom(same.with_expiration(UnixTime::from_secs(EPOCH + 50_000))),
            6 => Answer::Custom(
                numbered.with_token("t").unwrap().with_expiration(self.wall.saturating_add(life)),
            ),
            _ => Answer::Custom(numbered),
        }
    }

    /// A driver that answers everything comes to an end within a few steps.
    fn ends(&mut self) -> Result<(), TestCaseError> {
        for (ticket, _) in core::mem::take(&mut self.out) {
            self.cache.abandon(ticket);
        }
        for _ in 0..8 {
            match self.poll(Need::until(self.wall))? {
                Step::Ready(_) | Step::Failed(_) => return Ok(()),
                Step::Wait { .. } => return Err(TestCaseError::fail("waits for a driver that has answered")),
                Step::Ask(ticket, _) => {
                    self.out.clear();
                    let answer = self.make(7, 0);
                    self.cache.answer(ticket, answer, self.mono, self.wall);
                }
            }
        }
        Err(TestCaseError::fail("asks for ever"))
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_sequence_is_survived(source in sources(), ops in vec(jumps(), 0..60)) {
        let mut world = World::new(source);
        for op in ops {
            world.apply(op)?;
        }
        world.ends()?;
    }

    #[test]
    fn generations_never_go_back(source in sources(), ops in vec(calls(), 0..60)) {
        let mut world = World::new(source);
        for op in ops {
            world.apply(op)?;
        }
        prop_assert!(world.seen.is_sorted());
    }

    #[test]
    fn fetches_are_bounded_when_the_source_is_down(
        need in 0..10_000_i64,
        valid in proptest::option::of(1..7_200_i64),
        pause in 100..120_000_u64,
        (refuse, forget) in any::<(bool, bool)>(),
    ) {
        let mut world = World::new(Source::Custom(0));
        let mut refused = None;
        if let Some(life) = valid {
            world.poll(Need::until(world.wall))?;
            world.apply(Op::Answer { which: 0, kind: 6, life })?;
        }
        let (start, mut fetches) = (world.mono, 0);
        while world.mono < start + Duration::from_secs(3_600) {
            let mut need = Need::until(world.wall.saturating_add(need));
            if let Some(generation) = refused.filter(|_| refuse) {
                need = need.instead_of(generation);
            }
            match world.poll(need)? {
                Step::Ask(ticket, _) => {
                    fetches += 1;
                    world.out.clear();
                    world.cache.answer(ticket, Answer::Unavailable, world.mono, world.wall);
                    if forget {
                        world.cache.invalidate();
                    }
                }
                Step::Ready(credentials) => refused = Some(credentials.generation()),
                Step::Wait { .. } | Step::Failed(_) => {}
            }
            world.apply(Op::Pass { millis: pause })?;
        }
        prop_assert!(fetches <= 130, "{} fetches in an hour", fetches);
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

/// Every order of the events of two and of three callers, all but one of whom may be dropped at any time.
#[test]
fn f80_every_interleaving_of_a_few_callers_ends() {
    let role = || RamRole::new("acs:ram::1:role/r").assumed_by(Source::Custom(0)).into();
    // As many questions, and nothing to sign.
    let uri = || CredentialsUri::by_environment().into();
    let scenarios = [
        Scenario { source: Source::Custom(0), questions: 1, is_refused: false },
        Scenario { source: role(), questions: 2, is_refused: false },
        Scenario { source: role(), questions: 2, is_refused: true },
        Scenario { source: uri(), questions: 2, is_refused: false },
        Scenario { source: uri(), questions: 2, is_refused: true },
    ];
    for scenario in &scenarios {
        let mut counts = vec![];
        let is_signed = matches!(scenario.source, Source::RamRole(_));
        for callers in if is_signed { 2..=2 } else { 2..=3 } {
            let mut runs = 0;
            interleave(scenario, callers, &mut Vec::new(), &mut runs);
            counts.push(runs);
        }
        // Fewer would mean that schedules are left out.
        assert_eq!(counts, [[79, 2_839], [367, 50_785]][scenario.questions - 1][..counts.len()]);
    }
}

/// A source that asks so many questions in a row; the last may be answered with a refusal.
struct Scenario {
    source: Source,
    questions: usize,
    is_refused: bool,
}

impl Scenario {
    fn answer(&self, lookup: &Lookup) -> Answer {
        match lookup {
            Lookup::Http(_) if self.is_refused => Answer::Http(HttpAnswer::new(403, "{}")),
            Lookup::Http(_) => {
                let body = r#"{"AccessKeyId":"i","AccessKeySecret":"s","SecurityToken":"t",
                    "Credentials":{"AccessKeyId":"i","AccessKeySecret":"s","SecurityToken":"t"}}"#;
                Answer::Http(HttpAnswer::new(200, body))
            }
            Lookup::Env(_) => Answer::Env(vec![Some("https://a.example/".into())]),
            _ => Answer::Custom(Credentials::new("i", "s").unwrap()),
        }
    }
}

/// What a caller does next when it is its turn: go on, or be dropped.
type Script = Vec<(usize, bool)>;

fn interleave(scenario: &Scenario, callers: usize, script: &mut Script, runs: &mut usize) {
    let alive = replay(scenario, callers, script);
    *runs += 1;
    for caller in alive {
        for dropped in [false, true] {
            // One drop is enough: whoever is left must come to an end.
            if dropped && script.iter().filter(|(_, dropped)| *dropped).count() + 1 == callers {
                continue;
            }
            script.push((caller, dropped));
            interleave(scenario, callers, script, runs);
            script.pop();
        }
    }
}

/// Runs the script and returns the callers that can still take a turn; without any, all must have ended.
fn replay(scenario: &Scenario, callers: usize, script: &Script) -> Vec<usize> {
    #[derive(Clone, PartialEq)]
    enum Caller {
        Polls,
        Holds(Ticket, Lookup),
        Waits,
        Ended,
    }
    let (mono, wall) = (Duration::ZERO, UnixTime::from_secs(EPOCH));
    let mut cache = CredentialCache::new(scenario.source.clone(), 1);
    let mut states = vec![Caller::Polls; callers];
    let mut fetches = 0;
    for &(caller, dropped) in script {
        let wake = |states: &mut Vec<Caller>| {
            states
                .iter_mut()
                .filter(|state| **state == Caller::Waits)
                .for_each(|state| *state = Caller::Polls);
        };
        match states[caller].clone() {
            Caller::Holds(ticket, _) if dropped => {
                cache.abandon(ticket);
                states[caller] = Caller::Ended;
                wake(&mut states);
            }
            _ if dropped => states[caller] = Caller::Ended,
            Caller::Holds(ticket, lookup) => {
                fetches += 1;
                cache.answer(ticket, scenario.answer(&lookup), mono, wall);
                states[caller] = Caller::Polls;
                wake(&mut states);
            }
            _ => {
                states[caller] = match cache.poll(Need::until(wall), mono, wall) {
                    Step::Ready(_) => Caller::Ended,
                    Step::Ask(ticket, lookup) => Caller::Holds(ticket, lookup),
                    Step::Wait { .. } => Caller::Waits,
                    Step::Failed(error) => {
                        assert!(scenario.is_refused, "{error} after {script:?}");
                        Caller::Ended
                    }
                };
            }
        }
    }
    let runnable = |state: &Caller| matches!(state, Caller::Polls | Caller::Holds(..));
    let alive: Vec<_> = (0..callers).filter(|&caller| runnable(&states[caller])).collect();
    let held = states.iter().filter(|state| matches!(state, Caller::Holds(..))).count();
    assert!(held <= 1 && fetches <= scenario.questions, "{held} held, {fetches} answered in {script:?}");
    assert!(!alive.is_empty() || states.iter().all(|state| *state == Caller::Ended), "stuck: {script:?}");
    alive
}

const EPOCH: i64 = 1_700_000_000;
