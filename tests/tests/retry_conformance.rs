//! The cases of `conformance/oss-retry-conformance.json` on every driver, and the file against the rules.

extern crate alloc;

use alloc::collections::BTreeSet;
use core::fmt::Debug;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Mutex;

use oss_sim::conformance::{Blocking, Hyper, Scenario, Simulated, Stage};
use oss_sim::retry_cases::document;
use oss_sim::retry_cases::play::{Case, cases};

#[test]
fn g04_the_file_is_what_the_rules_give() {
    let rules = document();
    if std::env::var_os("OSS_RENEW").is_some() {
        std::fs::write(FILE, &rules).expect("the file can be written");
    }
    let file = std::fs::read_to_string(FILE).expect("the file is there");
    let differs = rules.lines().zip(file.lines()).find(|(rule, line)| rule != line);
    let is_same = rules == file;
    assert!(
        is_same,
        "{differs:?}: OSS_RENEW=1 cargo test -p oss-sim --test retry_conformance writes it anew"
    );
}

#[test]
fn g04_there_are_cases_enough_and_each_has_a_name_of_its_own() {
    let cases = all();
    let ids: BTreeSet<_> = cases.iter().map(Case::id).collect();
    assert_eq!(ids.len(), cases.len());
    let over_tcp = cases.iter().filter(|case| case.is_for_tcp()).count();
    println!("{} cases, {over_tcp} of them over TCP too", cases.len());
    assert!(over_tcp >= 400, "{over_tcp}");
}

#[test]
fn g04_simulated() {
    run(&all(), Simulated::new);
}

#[test]
fn g04_over_tcp_with_hyper() {
    run(&of_tcp(), Hyper::new);
}

#[test]
fn g04_over_tcp_with_blocking_sockets() {
    run(&of_tcp(), Blocking::new);
}

/// Full jitter uses the whole of its room.
#[test]
fn f68_waits_are_spread_over_their_room() {
    let cases = all();
    let cases: Vec<_> = cases.iter().filter(|case| case.group() == "backoff").collect();
    assert!(!cases.is_empty());
    for case in cases {
        let mut lots: Vec<Vec<Duration>> = Vec::new();
        for seed in 0..SEEDS {
            let mut stage = Simulated::seeded(&case.scenario(), seed * 1000);
            let mut watched = Watched { stage: &mut stage, waits: Vec::new() };
            assert_eq!(case.play(&mut watched), Vec::<String>::new(), "{} with seed {seed}", case.id());
            lots.push(watched.waits);
        }
        for (nth, (least, most)) in case.waits().into_iter().enumerate() {
            let draws = || lots.iter().filter_map(|waits| waits.get(nth));
            let (low, high) = (draws().min().copied(), draws().max().copied());
            let room = most - least;
            assert!(low < Some(least + room / 4), "{}: {low:?} is the shortest of wait {nth}", case.id());
            assert!(
                high > Some(least + room / 4 * 3),
                "{}: {high:?} is the longest of wait {nth}",
                case.id()
            );
        }
    }
}

/// The simulated stage, with an ear to the waits.
struct Watched<'a> {
    stage: &'a mut Simulated,
    waits: Vec<Duration>,
}

impl Stage for Watched<'_> {
    fn call<O>(
        &mut self,
        operation: &O,
        content: &oss_sim::conformance::Content,
    ) -> Result<oss_proto::Reply<O::Output>, oss_proto::Error>
    where
        O: oss_proto::Operation<Output: Debug + Send> + Clone + Debug + Send + Sync + 'static,
    {
        self.stage.call(operation, content)
    }

    fn fetch(
        &mut self,
        operation: &oss_proto::GetObject,
        sink: &mut Vec<u8>,
    ) -> Result<oss_proto::Reply<oss_proto::Verified>, oss_proto::Error> {
        self.stage.fetch(operation, sink)
    }

    fn pause(&mut self, time: Duration) {
        self.stage.pause(time);
    }

    fn waits(&mut self) -> Option<Vec<Duration>> {
        let waits = self.stage.waits();
        self.waits.extend(waits.iter().flatten());
        waits
    }

    fn peer<T>(&mut self, look: impl FnOnce(&mut oss_sim::peer::Peer) -> T) -> T {
        self.stage.peer(look)
    }
}

/// Plays the cases, several at a time.
fn run<S: Stage>(cases: &[Case], stage: impl Fn(&Scenario) -> S + Sync) {
    let next = AtomicUsize::new(0);
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = case.play(&mut stage(&case.scenario()));
                    if !found.is_empty() {
                        let text = format!("{}\n    {}", case.id(), found.join("\n    "));
                        differences.lock().expect("no thread panicked").push(text);
                    }
                }
            });
        }
    });
    let mut differences = differences.into_inner().expect("no thread panicked");
    differences.sort();
    assert!(differences.is_empty(), "{} cases differ\n{}", differences.len(), differences.join("\n"));
}

fn all() -> Vec<Case> {
    cases(&std::fs::read_to_string(FILE).expect("the file is there"))
}

fn of_tcp() -> Vec<Case> {
    all().into_iter().filter(Case::is_for_tcp).collect()
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/oss-retry-conformance.json");
/// Many cases wait for silence.
const THREADS: usize = 24;
const SEEDS: u64 = 40;
