//! The broad groups: every call against every single fault, pairs of faults, and faults that last.

use super::Case;
use super::calls::{self, Call};
use super::instructions::{Does, Instruction};
use super::rules::{Class, Given, expect};

pub(super) fn cases() -> Vec<Case> {
    let mut all = plain();
    all.extend(one_fault());
    all.extend(two_faults());
    all.extend(lasting_faults());
    all
}

/// What the broad groups call.
fn every_call() -> Vec<Call> {
    let mut all = calls::reads();
    all.extend(calls::overwrites());
    all.push(calls::read_once());
    all.extend(calls::conditional());
    all.push(calls::initiate());
    all.extend(calls::once());
    all
}

/// Nothing goes wrong.
fn plain() -> Vec<Case> {
    let case = |call: &Call| Case::new("plain", "served", call, &Given::default(), &[]);
    every_call().iter().map(case).collect()
}

/// The first request meets a fault; the next ones are served.
fn one_fault() -> Vec<Case> {
    let mut all = Vec::new();
    for call in every_call() {
        for does in SINGLE_FAULTS {
            let does = &taking(&call, *does);
            let silence_ms = (*does == Does::Silence).then_some(SILENCE_MS);
            let given = Given { silence_ms, ..Given::default() };
            all.push(Case::new("one-fault", &does.name(), &call, &given, &[(*does).into()]));
        }
    }
    all
}

/// What a second fault does after each first one: doubt sticks, refusals do not.
fn two_faults() -> Vec<Case> {
    let seconds = [TRANSIENT, &[Does::Answer(403, "AccessDenied")]].concat();
    let mut all = Vec::new();
    for call in every_call().into_iter().filter(|call| OF_EACH_KIND.contains(&call.name)) {
        for first in TRANSIENT {
            for second in &seconds {
                let (first, second) = (taking(&call, *first), taking(&call, *second));
                let script = [first.into(), second.into()];
                // Where the first fault is final there is no second one.
                if expect(&call, &Given::default(), &script).requests.len() > 1 {
                    let name = format!("{}-then-{}", first.name(), second.name());
                    all.push(Case::new("two-faults", &name, &call, &Given::default(), &script));
                }
            }
        }
    }
    all
}

/// The same fault for as long as the client tries.
fn lasting_faults() -> Vec<Case> {
    let mut all = Vec::new();
    for call in every_call().into_iter().filter(|call| OF_EACH_CLASS.contains(&call.name)) {
        for does in TRANSIENT {
            for attempts in [0, 1, 2, 3, 5] {
                let given = Given { attempts, ..Given::default() };
                // Looks take instructions too.
                let script: Vec<Instruction> = vec![(*does).into(); 2 * attempts.max(1) as usize];
                let used = expect(&call, &given, &script).requests.len();
                let name = format!("{}-for-ever-{attempts}-attempts", does.name());
                let has_more =
                    attempts > 3 && call.class == Class::Once && *does != Does::Answer(503, "SlowDown");
                if !has_more {
                    all.push(Case::new("lasting", &name, &call, &given, &script[..used]).row("F69"));
                }
            }
        }
    }
    all
}

/// What can be read once is spent from its first byte on, so a fault of its sender takes them all.
fn taking(call: &Call, does: Does) -> Does {
    if call.is_read_once && does == Does::Close(0) { Does::Close(5) } else { does }
}

const SINGLE_FAULTS: &[Does] = &[
    Does::Answer(503, "SlowDown"),
    Does::Answer(429, ""),
    Does::Answer(503, ""),
    Does::Answer(500, "InternalError"),
    Does::Answer(502, ""),
    Does::Answer(400, "RequestTimeout"),
    Does::Answer(400, "IncompleteBody"),
    Does::Answer(403, "AccessDenied"),
    Does::Answer(307, ""),
    Does::Lose,
    Does::Close(0),
    Does::Silence,
];

/// One fault of each kind that may pass.
const TRANSIENT: &[Does] =
    &[Does::Answer(503, "SlowDown"), Does::Answer(500, ""), Does::Lose, Does::Close(0)];

const OF_EACH_CLASS: &[&str] = &["get", "put", "put-new", "append", "initiate", "worm"];
const OF_EACH_KIND: &[&str] = &[
    "get",
    "put",
    "put-once",
    "abort",
    "restore",
    "complete",
    "complete-known",
    "put-new",
    "put-taken",
    "append",
    "initiate",
    "worm",
];

/// How long a client waits for a silent server where a case is about that.
pub(super) const SILENCE_MS: u64 = 500;
