//! Runs schedules in the simulated world: `sim [--seeds N] [--from S] [--peer scripted|emulated]`, or
//! `sim --storm`, or `sim --hash`.

use std::time::Instant;
use std::{env, process::ExitCode, thread};

use oss_sim::sim::storm::{Figure, figures};
use oss_sim::sim::{Bench, ENDINGS, HASHES, Schedule, Tally, Which, run, run_seeds, shrunk};

fn main() -> ExitCode {
    let (mut seeds, mut from, mut which) = (SEEDS, 1, Which::Scripted);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--storm" => return storm(),
            "--hash" => return hash(),
            _ => {}
        }
        let value = arguments.next().unwrap_or_default();
        match (argument.as_str(), value.as_str(), value.parse()) {
            ("--seeds", _, Ok(number)) => seeds = number,
            ("--from", _, Ok(number)) => from = number,
            ("--peer", "scripted", _) => which = Which::Scripted,
            ("--peer", "emulated", _) => which = Which::Emulated,
            _ => {
                println!("usage: sim [--seeds N] [--from S] [--peer scripted|emulated] | --storm | --hash");
                return ExitCode::FAILURE;
            }
        }
    }
    if seeds == 1 {
        return explain(from, which);
    }
    let begun = Instant::now();
    let lane = |lane: u64| run_seeds((from + lane..from + seeds).step_by(LANES), which);
    let results: Vec<(Tally, Option<u64>)> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES as u64).map(|number| scope.spawn(move || lane(number))).collect();
        lanes.into_iter().map(|lane| lane.join().expect("a lane does not panic")).collect()
    });
    let mut tally = Tally::default();
    results.iter().for_each(|(lane, _)| tally.add(lane));
    print(&tally, begun.elapsed().as_secs_f64(), which);
    match results.iter().filter_map(|(_, seed)| *seed).min() {
        Some(seed) => explain(seed, which),
        None => ExitCode::SUCCESS,
    }
}

/// One schedule, event by event; and a smaller one, if it violates something.
fn explain(seed: u64, which: Which) -> ExitCode {
    let schedule = Schedule::of(seed);
    let told = run(&schedule, which, &mut Bench::new(which), true);
    println!("{}", told.lines.join("\n"));
    println!("hash {:016x}", told.tally.hash);
    let Some(violation) = told.violation else { return ExitCode::SUCCESS };
    let (smaller, found) = shrunk(&schedule, &violation, which);
    println!("shrunk: {smaller:#?}");
    println!("{}", run(&smaller, which, &mut Bench::new(which), true).lines.join("\n"));
    let peer = if which == Which::Scripted { "scripted" } else { "emulated" };
    println!("violation of {}: call {:?}: {}", found.invariant, found.call, found.found);
    println!("again: cargo xtask sim --seeds 1 --from {seed} --peer {peer}");
    ExitCode::FAILURE
}

/// Whether this build comes to the hashes that are committed.
fn hash() -> ExitCode {
    let mut is_same = true;
    for (which, seeds, due) in HASHES {
        let hash = run_seeds(1..=seeds, which).0.hash;
        println!("(Which::{which:?}, {seeds}, 0x{hash:016x}), committed 0x{due:016x}");
        is_same &= hash == due;
    }
    if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What comes of troubles that many calls share.
fn storm() -> ExitCode {
    let figures = figures();
    figures.iter().for_each(|figure| println!("{figure}"));
    if figures.iter().all(Figure::is_met) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(tally: &Tally, seconds: f64, which: Which) {
    let per_minute = tally.schedules as f64 / seconds * 60.0;
    println!(
        "sim {which:?}: {} schedules in {seconds:.1} s, {:.2} million a minute",
        tally.schedules,
        per_minute / 1e6
    );
    println!("  {} calls, {} requests, {} events", tally.calls, tally.requests, tally.events);
    let shares = ENDINGS
        .iter()
        .zip(tally.endings)
        .map(|(name, count)| format!("{name} {:.2} %", count as f64 * 100.0 / tally.calls.max(1) as f64));
    println!("  {}", shares.collect::<Vec<_>>().join(", "));
    let [not_sent, rejected, unknown] = tally.outcomes;
    println!("  not sent {not_sent}, rejected {rejected}, unknown {unknown}; hash {:016x}", tally.hash);
}

const SEEDS: u64 = 1_000_000;
/// As many threads; each seed's schedule is the same on any.
const LANES: usize = 2;
