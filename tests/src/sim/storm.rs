//! Many calls of one client while the service is in trouble: how many requests come of them, when they come,
//! and how soon it is over. All of it in virtual time, so the figures are the same on every machine.

use core::fmt;

use crate::sim::schedule::{Kind, Plan, Schedule, Weather};
use crate::sim::server::Which;
use crate::sim::world::{Bench, Watch, World};

/// A number, and what it must not exceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What is measured.
    pub name: &'static str,
    /// In thousandths of its unit.
    pub thousandths: u64,
    /// What it may be, in thousandths.
    pub max: u64,
    /// Its unit.
    pub unit: &'static str,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, thousandths, unit, max } = self;
        let (whole, rest) = (thousandths / 1000, thousandths % 1000);
        write!(f, "figure: {name} = {whole}.{rest:03} {unit} (at most {}.{:03})", max / 1000, max % 1000)
    }
}

impl Figure {
    /// Whether it is within its bound.
    pub fn is_met(&self) -> bool {
        self.thousandths <= self.max
    }
}

/// Every figure.
pub fn figures() -> Vec<Figure> {
    vec![
        total_outage(),
        half_fails(),
        no_waves(),
        pure_throttling(),
        partial_throttling(),
        recovery(10),
        recovery(100),
    ]
}

/// F67: every answer is a failure.
pub fn total_outage() -> Figure {
    let watch = watch(&storm(CALLS, 100, Weather::Gusts(1000)));
    amplification("total outage, requests per call", &watch, 1010)
}

/// F68: every second answer is a failure.
pub fn half_fails() -> Figure {
    let watch = watch(&storm(CALLS, 100, Weather::Gusts(500)));
    amplification("50 % errors, requests per call", &watch, 2000)
}

/// F68: all fail at one moment, with a budget that never runs dry; their repetitions come apart.
pub fn no_waves() -> Figure {
    let mut schedule = storm(CALLS, u32::MAX, Weather::Gusts(500));
    schedule.quota = 1_000_000;
    let watch = watch(&schedule);
    let bins: Vec<u64> = watch.repeats().map(|time| time / BIN_NANOS).collect();
    let (first, last) = (bins.iter().min().copied().unwrap_or(0), bins.iter().max().copied().unwrap_or(0));
    let mut counts = vec![0_u64; usize::try_from(last - first + 1).unwrap_or(0)];
    for bin in &bins {
        counts[usize::try_from(bin - first).unwrap_or(0)] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    // The mean of all bins from the first to the last.
    let thousandths = most * 1000 * counts.len() as u64 / (bins.len() as u64).max(1);
    Figure {
        name: "50 % errors at once, fullest 10 ms of repeats",
        thousandths,
        max: 3000,
        unit: "x the mean",
    }
}

/// Every answer says to slow down.
pub fn pure_throttling() -> Figure {
    let watch = watch(&storm(CALLS, 100, Weather::Throttle(0)));
    amplification("pure throttling, requests per call", &watch, 1050)
}

/// Twice as many calls as the service takes. A success earns a fifth of a repetition, whatever the service
/// says, so this is more than under pure throttling.
pub fn partial_throttling() -> Figure {
    let watch = watch(&storm(CALLS, 100, Weather::Throttle(50)));
    amplification("every second call throttled, requests per call", &watch, 1200)
}

/// How long after an outage of 30 s every call succeeds and the budget is full, at so many calls a second.
pub fn recovery(per_second: u32) -> Figure {
    let schedule = storm(per_second * 120, per_second, Weather::Outage(0, OUTAGE_MS));
    let watch = watch(&schedule);
    let over = u64::from(OUTAGE_MS) * 1_000_000;
    let is_full = |end: &&End| end.is_ok && end.tokens == schedule.quota;
    let last_trouble = watch.ends.iter().filter(|end| !is_full(end)).map(|end| end.time).max().unwrap_or(0);
    let thousandths = last_trouble.saturating_sub(over) / 1_000_000;
    let name =
        if per_second < 50 { "recovery at 10 calls a second" } else { "recovery at 100 calls a second" };
    Figure { name, thousandths, max: 60_000, unit: "s" }
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) time: u64,
    pub(crate) is_ok: bool,
    /// What the budget held then.
    pub(crate) tokens: u32,
}

/// So many calls, so many a second; more than a million a second are all at once.
fn storm(calls: u32, per_second: u32, weather: Weather) -> Schedule {
    let mut schedule = Schedule { connections_max: u16::MAX, latency_ms: 20, weather, ..Schedule::quiet(1) };
    for id in 0..calls {
        let mut plan = Plan::new(u16::try_from(id).unwrap_or(u16::MAX), Kind::Get, 1);
        plan.start_ms = u32::try_from(u64::from(id) * 1000 / u64::from(per_second)).unwrap_or(u32::MAX);
        schedule.calls.push(plan);
    }
    schedule
}

fn watch(schedule: &Schedule) -> Watch {
    let mut bench = Bench::new(Which::Scripted);
    let mut world = World::new(schedule, &mut bench, false);
    world.watch = Some(Watch::default());
    world.run();
    assert_eq!(world.violation, None, "an invariant does not hold in a storm");
    world.watch.take().unwrap_or_default()
}

fn amplification(name: &'static str, watch: &Watch, max: u64) -> Figure {
    let thousandths = watch.arrivals.len() as u64 * 1000 / (watch.ends.len() as u64).max(1);
    Figure { name, thousandths, max, unit: "x" }
}

impl Watch {
    /// When repetitions were sent.
    fn repeats(&self) -> impl Iterator<Item = u64> {
        self.arrivals.iter().filter(|(_, repeats)| *repeats).map(|(time, _)| *time)
    }
}

const CALLS: u32 = 10_000;
const OUTAGE_MS: u32 = 30_000;
const BIN_NANOS: u64 = 10_000_000;
