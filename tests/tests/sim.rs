//! The simulated world: what every schedule must keep to, every call cancelled at each of its events, clocks
//! that jump, and a policy without retries.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use oss_proto::{Effect, GetObject, Policy, ops};
use oss_sim::conformance::{Content, Scenario, Simulated, Stage as _};
use oss_sim::peer::{Answer, BUCKET, Deed};
use oss_sim::sim::fault::{Fault, Harm, Refusal};
use oss_sim::sim::schedule::{Happening, Kind, LINK_KEY, Plan, Schedule, Source, Span};
use oss_sim::sim::{Bench, ENDINGS, HASHES, Tally, Which, run, run_seeds};

const BOTH: [Which; 2] = [Which::Scripted, Which::Emulated];

/// Runs a schedule that must not violate anything.
fn sound(schedule: &Schedule, which: Which, bench: &mut Bench) -> Tally {
    let ran = run(schedule, which, bench, false);
    if let Some(violation) = ran.violation {
        let lines = run(schedule, which, &mut Bench::new(which), true).lines.join("\n");
        panic!("{lines}\n{violation:?}\n{schedule:?}");
    }
    ran.tally
}

/// A schedule of one call, and of another one that begins when everything is over and must not be disturbed.
fn with_witness(plan: Plan) -> Schedule {
    let mut schedule = Schedule { connections_max: 1, latency_ms: 5, ..Schedule::quiet(7) };
    let mut witness = Plan::new(99, Kind::Get, 4);
    witness.start_ms = 3_000_000;
    schedule.calls = vec![plan, witness];
    schedule
}

fn plan_of(kind: Kind) -> Plan {
    let key = match kind {
        Kind::PutNew => 2,
        Kind::Append => 4,
        Kind::Part(_) => 8,
        Kind::Complete => 6,
        Kind::Copy(_) | Kind::CopyNew(_) => 3,
        Kind::Link(_) => LINK_KEY,
        _ => 0,
    };
    Plan::new(1, kind, key)
}

#[test]
fn i01_i02_i03_i04_i06_i07_i08_i10_i11_hold_in_every_schedule() {
    for (which, seeds, due) in HASHES {
        let (tally, violated) = run_seeds(1..=seeds, which);
        assert_eq!(violated, None, "cargo xtask sim --seeds 1 --from SEED shows it event by event");
        assert!(tally.endings[0] > tally.calls / 4, "too little succeeds to say much: {tally:?}");
        assert_eq!(
            format!("{:016x}", tally.hash),
            format!("{due:016x}"),
            "calls go otherwise than they did; if that is meant, `cargo xtask sim --hash` says what to write \
             into HASHES in tests/src/sim/mod.rs"
        );
    }
}

/// A second endpoint with its own clock, redirects, callbacks, copies and links that a look decides, and
/// writers of the same bytes.
#[test]
fn f16_f21_f28_f46_f60_i01_i04_i06_hold_in_every_schedule_with_something_rare() {
    for (which, seeds) in [(Which::Scripted, 5000), (Which::Emulated, 500)] {
        let mut bench = Bench::new(which);
        let mut tally = Tally::default();
        (1..=seeds).for_each(|seed| tally.add(&sound(&Schedule::rare(seed), which, &mut bench)));
        let [ok, .., moved, _, _, _] = tally.endings;
        assert!(ok > tally.calls / 4, "too little succeeds to say much: {tally:?}");
        assert!(moved > tally.calls / 50, "too little is led away to say much: {tally:?}");
    }
}

/// G13: each kind of call, with each kind of trouble, dropped at each of its events. What it held is there
/// for the next call, which has one connection and must succeed.
#[test]
fn f72_i09_a_call_is_dropped_at_each_of_its_events() {
    let troubles: [&[Fault]; 15] = [
        &[],
        &[Fault::Lose],
        &[Fault::Lose, Fault::Lose, Fault::Lose],
        &[Fault::Refuse(Refusal::INTERNAL)],
        &[Fault::Refuse(Refusal::SLOW_DOWN), Fault::Refuse(Refusal::INTERNAL)],
        &[Fault::Close(3)],
        &[Fault::Hang],
        &[Fault::StopReading],
        &[Fault::Late(3000), Fault::Lose],
        &[Fault::Refused, Fault::NoName],
        &[Fault::NoConnection],
        &[Fault::Early(2, Refusal::INTERNAL)],
        &[Fault::Garble(3)],
        &[Fault::Harm(Harm::Cut(5)), Fault::Harm(Harm::Pieces(7))],
        &[Fault::Harm(Harm::Stall(4)), Fault::Harm(Harm::Flip(1))],
    ];
    let mut points = 0;
    for which in BOTH {
        let mut bench = Bench::new(which);
        for kind in Kind::ALL {
            for trouble in troubles {
                for event in 1.. {
                    let mut plan = plan_of(kind);
                    plan.faults = trouble.to_vec();
                    plan.cancel_at = Some(event);
                    let tally = sound(&with_witness(plan), which, &mut bench);
                    assert!(tally.endings[0] > 0, "the call after it fails: {kind:?}, {trouble:?}, {event}");
                    if tally.endings[ENDINGS.len() - 1] == 0 {
                        break;
                    }
                    points += 1;
                }
            }
        }
    }
    println!("figure: points of cancellation = {points} of 2000 due");
    assert!(points >= 2000, "{points}");
}

/// G13: every operation of the catalogue by its name, with a first attempt that fails, dropped at each of its
/// events, and ended by its own time limit every few milliseconds.
#[test]
fn f72_i06_i07_i09_every_operation_is_dropped_at_each_of_its_events() {
    let troubles: [&[Fault]; 5] = [
        &[Fault::Refuse(Refusal::INTERNAL), Fault::Refuse(Refusal::SLOW_DOWN)],
        &[Fault::Lose],
        &[Fault::Close(2)],
        &[Fault::Hang],
        &[Fault::Refused, Fault::Harm(Harm::Cut(3))],
    ];
    let mut bench = Bench::furnished();
    let mut points = 0;
    for (place, spec) in ops::ALL.iter().enumerate() {
        for trouble in troubles {
            let mut plan = Plan::new(1, Kind::Named(place), 0);
            (plan.faults, plan.base_ms) = (trouble.to_vec(), 20);
            let mut play = |change: &dyn Fn(&mut Plan)| {
                let mut changed = plan.clone();
                change(&mut changed);
                sound(&with_witness(changed), Which::Emulated, &mut bench)
            };
            let name = spec.name;
            let whole = play(&|_| {});
            let is_repeated = whole.requests > 2;
            let may_harm = spec.effect == Effect::Once && trouble[0] != Fault::Refused;
            assert!(is_repeated || may_harm, "{name}, {trouble:?}: nothing is repeated");
            let is_emulated = !NOT_EMULATED.contains(&name);
            let is_open = is_left_open(name, trouble);
            assert_eq!(whole.endings[0] == 2, is_emulated && !is_open, "{name}, {trouble:?}: {whole:?}");
            for event in 1.. {
                let tally = play(&|plan| plan.cancel_at = Some(event));
                let is_cancelled = tally.endings[ENDINGS.len() - 1] == 1;
                if !is_cancelled {
                    assert_eq!(tally.endings, whole.endings, "{name}, {trouble:?}, {event}");
                    break;
                }
                assert_eq!(tally.endings[0], 1, "the call after it fails: {name}, {trouble:?}, {event}");
                assert!(tally.requests <= whole.requests, "{name}, {trouble:?}, {event}");
                points += 1;
            }
            for limit in (0..LIMIT_MS_MAX).step_by(3) {
                let tally = play(&|plan| plan.timeout_ms = Some(limit));
                assert!(tally.endings[0] > 0, "the call after it fails: {name}, {trouble:?}, {limit} ms");
            }
        }
    }
    println!("figure: points of cancellation of {} operations = {points} of 2000 due", ops::ALL.len());
    assert!(points >= 2000, "{points}");
}

/// The same at every millisecond, between two events too; another call asks for credentials meanwhile, and
/// must get them, since those who wait ask in place of who is dropped.
#[test]
fn f72_f80_i09_every_operation_is_dropped_at_any_time() {
    let mut bench = Bench::furnished();
    for (place, spec) in ops::ALL.iter().enumerate() {
        for at_ms in 0..60 {
            let mut plan = Plan::new(1, Kind::Named(place), 0);
            (plan.faults, plan.base_ms) = (vec![Fault::Refuse(Refusal::INTERNAL)], 20);
            let mut schedule = with_witness(plan);
            let mut waiter = Plan::new(2, Kind::Get, 0);
            (waiter.start_ms, waiter.timeout_ms) = (1, Some(2000));
            schedule.calls.push(waiter);
            schedule.happenings.push((at_ms, Happening::Drop(1)));
            let tally = sound(&schedule, Which::Emulated, &mut bench);
            assert!(tally.endings[0] >= 2, "a call beside it fails: {}, {at_ms} ms: {tally:?}", spec.name);
        }
    }
}

/// Streams and reads in parts besides, dropped in the same way.
#[test]
fn f72_streams_are_dropped_at_each_of_their_events() {
    let mut bench = Bench::new(Which::Scripted);
    for (is_sized, is_replayable, fails_at) in [
        (true, true, None),
        (false, true, None),
        (true, false, None),
        (true, true, Some(40)),
        (false, false, None),
    ] {
        for kind in [Kind::Put, Kind::PutNew, Kind::Append, Kind::Part(2), Kind::Get] {
            for event in 1..20 {
                let mut plan = plan_of(kind);
                plan.body = Source::Stream { is_sized, is_replayable, fails_at, surplus: 0 };
                plan.span = Some(Span::Closed(20, 120));
                plan.faults = vec![Fault::Harm(Harm::Cut(30)), Fault::Lose];
                plan.cancel_at = Some(event);
                sound(&with_witness(plan), Which::Scripted, &mut bench);
            }
        }
    }
}

#[test]
fn f70_clocks_jump_by_an_hour_by_ten_years_and_to_the_end_of_their_range() {
    const HOUR: i64 = 3600;
    const DECADE: i64 = 315_576_000;
    for which in BOTH {
        let mut bench = Bench::new(which);
        for kind in Kind::ALL {
            for secs in [HOUR, -HOUR, DECADE, -DECADE, i64::MAX, i64::MIN] {
                for at_ms in [0, 8, 30, 5000] {
                    let mut schedule = with_witness(plan_of(kind));
                    schedule.calls[0].faults = vec![Fault::Lose, Fault::Refuse(Refusal::INTERNAL)];
                    schedule.keys_live_secs = Some(1800);
                    schedule.happenings.push((at_ms, Happening::ClientClock(secs)));
                    let tally = sound(&schedule, which, &mut bench);
                    // What is off by an hour is set right; what is off by years is refused, and no panic.
                    assert!(
                        secs.abs_diff(0) > HOUR as u64 || tally.endings[0] > 0,
                        "{kind:?} {secs} {at_ms}"
                    );
                }
            }
            for peer_secs in [HOUR, -HOUR, DECADE, -DECADE] {
                let mut schedule = with_witness(plan_of(kind));
                schedule.happenings.push((8, Happening::PeerClock(peer_secs)));
                sound(&schedule, which, &mut bench);
            }
        }
    }
}

#[test]
fn f70_i03_a_clock_at_the_end_of_its_range_ends_every_call() {
    let mut bench = Bench::new(Which::Scripted);
    for kind in Kind::ALL {
        for fault in [Fault::Calm, Fault::Hang, Fault::NoConnection, Fault::Refuse(Refusal::SLOW_DOWN)] {
            let mut schedule = with_witness(plan_of(kind));
            schedule.is_end_of_time = true;
            schedule.calls[0].faults = vec![fault; 3];
            schedule.calls[0].timeout_ms = (kind != Kind::List).then_some(60_000);
            sound(&schedule, Which::Scripted, &mut bench);
        }
    }
}

/// An outer layer that repeats by itself sees one request for each of its tries, whether another makes sense,
/// and which attempt it was.
#[test]
fn f69_a_layer_above_can_retry_alone() {
    let failures = [Answer::error(500, "InternalError"), Answer::error(503, "SlowDown"), Answer::new(502)];
    let scenario = Scenario::new("f69")
        .tuned(|settings| settings.retry = Policy::none())
        .holds("a", "hello")
        .deeds(failures.map(Deed::Answer).into_iter().chain([Deed::Lose]));
    let mut stage = Simulated::new(&scenario);
    let get = GetObject::new(BUCKET, "a");
    for tries in 1..=4 {
        let error = stage.call(&get, &Content::default()).unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(error.attempts().len(), 1, "{error}");
        assert_eq!(stage.peer(|peer| peer.seen()), tries, "one request for each try");
    }
    assert!(stage.call(&get, &Content::default()).is_ok());
    assert!(stage.world().now().mono < Duration::from_secs(1), "nobody paused in between");

    // The same in the world of many calls, for every kind and every trouble that others are repeated for.
    let mut bench = Bench::new(Which::Scripted);
    for kind in Kind::ALL {
        for fault in
            [Fault::Refuse(Refusal::INTERNAL), Fault::Lose, Fault::Refused, Fault::Hang, Fault::Close(0)]
        {
            let mut schedule = with_witness(plan_of(kind));
            schedule.calls[0].attempts = 0;
            schedule.calls[0].faults = vec![fault];
            let tally = sound(&schedule, Which::Scripted, &mut bench);
            assert_eq!((tally.requests, tally.endings[0]), (2, 1), "{kind:?} {fault:?}");
        }
    }
}

/// Whether the call ends without knowing what it did.
fn is_left_open(operation: &str, trouble: &[Fault]) -> bool {
    match operation {
        // The second arrival finds nothing to clean, and nobody knows whose work that was.
        "CleanRestoredObject" => trouble == [Fault::Lose],
        // Nobody said what the object must be.
        "CompleteMultipartUpload" => trouble == [Fault::Lose] || trouble.contains(&Fault::Harm(Harm::Cut(3))),
        _ => false,
    }
}

/// The emulator has no media to process.
const NOT_EMULATED: [&str; 2] = ["AsyncProcessObject", "ProcessObject"];
/// By then every call of the table is over.
const LIMIT_MS_MAX: u32 = 150;
