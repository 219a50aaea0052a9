//! The simulator: any number of calls at once in a world without IO, faults as data, and an oracle.
//!
//! A schedule is drawn from one seed (`schedule`), with what goes wrong in it (`fault`); the world (`world`,
//! with its network in `wire`) runs it against one of two peers (`server`): a cheap model of OSS (`model`) or
//! the emulator that verifies every signature. The oracle (`oracle`) knows every version that every key ever
//! had (`history`) and checks the invariants I1 to I11. What is found comes with the seed that repeats it and
//! with a schedule that was made smaller (`shrink`).
//!
//! There is another simulated world, `crate::world`, which the conformance suite plays on. It makes one call
//! at a time and sends the text of HTTP, as the sockets do that it is compared with; this one makes no text,
//! since it is to run millions of schedules.

pub mod chance;
pub mod fault;
mod flow;
pub mod history;
mod keys;
mod machine;
mod model;
mod named;
mod oracle;
pub mod rare;
pub mod schedule;
mod server;
mod shrink;
pub mod storm;
mod trace;
mod wire;
mod world;

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

pub use oracle::Violation;
pub use schedule::Schedule;
pub use server::Which;
pub use shrink::shrunk;
pub use trace::{ENDINGS, Tally};
pub use world::Bench;
use world::World;

/// What one schedule came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// In numbers.
    pub tally: Tally,
    /// What must not be, if it was.
    pub violation: Option<Violation>,
    /// A line for each event, if they were wanted.
    pub lines: Vec<String>,
}

/// Runs a schedule. A panic is a violation of I11.
pub fn run(schedule: &Schedule, which: Which, bench: &mut Bench, is_told: bool) -> Run {
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(schedule, bench, is_told);
        world.run();
        world.finish()
    }));
    match ran {
        Ok((tally, trace, violation)) => Run { tally, violation, lines: trace.lines.unwrap_or_default() },
        Err(panic) => {
            *bench = Bench::new(which);
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text");
            let found = format!("a panic: {text}");
            let violation = Some(Violation { invariant: "I11", call: None, found });
            Run { tally: Tally { schedules: 1, ..Tally::default() }, violation, lines: Vec::new() }
        }
    }
}

/// Runs the schedules of these seeds until one violates something; the tally of all that ran, and the seed.
pub fn run_seeds(seeds: impl Iterator<Item = u64>, which: Which) -> (Tally, Option<u64>) {
    let mut bench = Bench::new(which);
    let mut tally = Tally::default();
    for seed in seeds {
        let run = run(&Schedule::of(seed), which, &mut bench, false);
        tally.add(&run.tally);
        if run.violation.is_some() {
            return (tally, Some(seed));
        }
    }
    (tally, None)
}

/// For each peer how many seeds, from 1 on, come to which hash: the same in every build.
///
/// Whatever changes what a call does, or what a schedule is, changes them too: then they are renewed with
/// `cargo xtask sim --hash`, after a look at whether the change was meant.
pub const HASHES: [(Which, u64, u64); 2] =
    [(Which::Scripted, 2000, 0x34dc_730a_49f2_234e), (Which::Emulated, 300, 0xb556_6f2f_b05e_b21e)];
