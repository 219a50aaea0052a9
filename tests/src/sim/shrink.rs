//! A schedule made smaller, as long as it violates the same invariant.

use crate::sim::fault::Fault;
use crate::sim::rare::Place;
use crate::sim::schedule::{Schedule, Source};
use crate::sim::server::Which;
use crate::sim::world::Bench;
use crate::sim::{Violation, run};

/// The smallest schedule that could be found greedily, and what it violates.
pub fn shrunk(schedule: &Schedule, violation: &Violation, which: Which) -> (Schedule, Violation) {
    let mut bench = Bench::new(which);
    let (mut best, mut found) = (schedule.clone(), violation.clone());
    for _ in 0..ROUNDS_MAX {
        let smaller = candidates(&best).into_iter().find_map(|candidate| {
            let ran = run(&candidate, which, &mut bench, false).violation?;
            (ran.invariant == violation.invariant).then_some((candidate, ran))
        });
        match smaller {
            Some((candidate, ran)) => (best, found) = (candidate, ran),
            None => break,
        }
    }
    (best, found)
}

/// Everything that is one step smaller.
fn candidates(schedule: &Schedule) -> Vec<Schedule> {
    let mut all = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Schedule)| {
        let mut candidate = schedule.clone();
        change(&mut candidate);
        if candidate != *schedule {
            all.push(candidate);
        }
    };
    for at in 0..schedule.calls.len() {
        offer(&|smaller| {
            smaller.calls.remove(at);
        });
    }
    for at in 0..schedule.happenings.len() {
        offer(&|smaller| {
            smaller.happenings.remove(at);
        });
    }
    for (at, plan) in schedule.calls.iter().enumerate() {
        for fault in 0..plan.faults.len() {
            offer(&|smaller| {
                smaller.calls[at].faults.remove(fault);
            });
            offer(&|smaller| smaller.calls[at].faults[fault] = Fault::Calm);
            if let Fault::Harms(first, second) = plan.faults[fault] {
                offer(&|smaller| smaller.calls[at].faults[fault] = Fault::Harm(first));
                offer(&|smaller| smaller.calls[at].faults[fault] = Fault::Harm(second));
            }
        }
        offer(&|smaller| smaller.calls[at].cancel_at = None);
        offer(&|smaller| smaller.calls[at].timeout_ms = None);
        offer(&|smaller| smaller.calls[at].slow_ms = 0);
        offer(&|smaller| smaller.calls[at].body = Source::Memory);
        offer(&|smaller| smaller.calls[at].span = None);
        offer(&|smaller| smaller.calls[at].start_ms = 0);
        offer(&|smaller| smaller.calls[at].is_versioned = false);
        offer(&|smaller| smaller.calls[at].place = Place::Address);
        offer(&|smaller| smaller.calls[at].follows = false);
        offer(&|smaller| smaller.calls[at].is_marked = false);
        offer(&|smaller| smaller.calls[at].is_twin = false);
        offer(&|smaller| smaller.calls[at].len /= 2);
        offer(&|smaller| smaller.calls[at].base_ms = 0);
    }
    offer(&|smaller| smaller.latency_ms = 0);
    offer(&|smaller| smaller.is_end_of_time = false);
    offer(&|smaller| smaller.client_ahead_secs = 0);
    offer(&|smaller| smaller.peer_ahead_secs = 0);
    offer(&|smaller| smaller.other_ahead_secs = 0);
    offer(&|smaller| smaller.keys_live_secs = None);
    offer(&|smaller| smaller.quota = 500);
    offer(&|smaller| smaller.connections_max = 4);
    all
}

const ROUNDS_MAX: usize = 200;
