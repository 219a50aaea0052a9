//! What is counted, and what must be none.

use alloc::collections::BTreeMap;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use oss_hyper::transfer::TransferError;
use oss_hyper::{Error, Outcome};

use super::Options;

/// Counts while it goes on.
#[derive(Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Clone, Default)]
struct Counts {
    calls: BTreeMap<&'static str, u64>,
    endings: BTreeMap<String, u64>,
    faults: BTreeMap<&'static str, u64>,
    bytes_read: u64,
    slowest: Duration,
    overran: u64,
    wrong: Vec<String>,
}

impl Tally {
    pub(super) fn fault(&self, name: &'static str) {
        *self.counts().faults.entry(name).or_default() += 1;
    }

    /// A call of this kind ended, so much later than it should have.
    pub(super) fn call<T>(&self, kind: &'static str, result: &Result<T, Error>, over: Duration) {
        let mut counts = self.counts();
        *counts.calls.entry(kind).or_default() += 1;
        *counts.endings.entry(ending(result.as_ref().err())).or_default() += 1;
        counts.slowest = counts.slowest.max(over);
        if over > OVER_MAX {
            counts.overran += 1;
        }
    }

    /// A transfer of this kind ended, in its time.
    pub(super) fn transfer<T>(&self, kind: &'static str, result: &Result<T, TransferError>) {
        let mut counts = self.counts();
        *counts.calls.entry(kind).or_default() += 1;
        let ending = match result {
            Err(error) if error.call().is_none() => "of no call".into(),
            _ => ending(result.as_ref().err().and_then(TransferError::call)),
        };
        *counts.endings.entry(ending).or_default() += 1;
    }

    /// A call was dropped by its caller.
    pub(super) fn dropped(&self, kind: &'static str) {
        let mut counts = self.counts();
        *counts.calls.entry(kind).or_default() += 1;
        *counts.endings.entry("dropped by the caller".into()).or_default() += 1;
    }

    pub(super) fn read(&self, bytes: u64) {
        self.counts().bytes_read += bytes;
    }

    /// What must not be.
    pub(super) fn wrong(&self, what: String) {
        self.counts().wrong.push(what);
    }

    pub(super) fn report(&self, options: Options, requests: u64, left: Left) -> Report {
        Report { options, requests, left, counts: self.counts().clone() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ending(error: Option<&Error>) -> String {
    let Some(error) = error else { return "ok".into() };
    let outcome = match error.outcome() {
        Outcome::NotSent => "not sent",
        Outcome::Rejected => "rejected",
        Outcome::Unknown => "unknown",
    };
    let debug = format!("{:?}", error.kind());
    let kind = debug.split(['(', ' ', '{']).next().unwrap_or_default();
    format!("{kind}, {outcome}")
}

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Census {
    /// Open files and sockets; `None` where that cannot be told.
    files: Option<usize>,
    threads: Option<usize>,
}

impl Census {
    pub(super) fn take() -> Self {
        let count = |path: &str| Some(std::fs::read_dir(path).ok()?.count());
        Self { files: count("/proc/self/fd"), threads: count("/proc/self/task") }
    }

    /// As soon as it is so, or as it is after a while.
    pub(super) fn take_when(is_good: impl Fn(&Self) -> bool) -> Self {
        let began = Instant::now();
        loop {
            let census = Self::take();
            if is_good(&census) || began.elapsed() > CENSUS_MAX {
                return census;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn is_back_to(&self, before: &Self) -> bool {
        self.files <= before.files && self.threads <= before.threads
    }
}

/// What was left when all was over.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) before: Census,
    pub(super) after: Census,
    pub(super) tasks: usize,
    pub(super) files: usize,
    /// What the pool says of itself before it is dropped.
    pub(super) pool: String,
}

/// What came of a run.
pub struct Report {
    options: Options,
    requests: u64,
    left: Left,
    counts: Counts,
}

impl Report {
    /// What must not be; empty when all is well.
    pub fn violations(&self) -> Vec<String> {
        let mut all = self.counts.wrong.clone();
        let Left { before, after, tasks, files, pool } = &self.left;
        let over = self.counts.overran;
        let mut demand = |is_met: bool, what: String| all.extend((!is_met).then_some(what));
        demand(over == 0, format!("{over} calls ended more than {OVER_MAX:?} after their time"));
        demand(after.is_back_to(before), format!("left behind: {before:?} became {after:?}"));
        demand(*tasks == 0, format!("{tasks} tasks were left"));
        demand(*files == 0, format!("{files} files were left"));
        demand(pool.contains("in_use: 0"), format!("connections were left in use: {pool}"));
        all
    }

    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.counts.calls.values().sum()
    }

    /// How many calls succeeded.
    pub fn successes(&self) -> u64 {
        self.counts.endings.get("ok").copied().unwrap_or(0)
    }

    /// How many requests were answered wrongly.
    pub fn faults(&self) -> u64 {
        self.counts.faults.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { options, requests, left, counts } = self;
        writeln!(f, "seed {}, {} s, {} callers", options.seed, options.seconds, options.callers)?;
        let mebibytes = counts.bytes_read >> 20;
        writeln!(f, "{} calls, {requests} requests, {mebibytes} MiB read and compared", self.calls())?;
        table(f, "calls", counts.calls.iter())?;
        table(f, "faults", counts.faults.iter())?;
        table(f, "endings", counts.endings.iter())?;
        writeln!(f, "latest end: {:.3} s after a call's time", counts.slowest.as_secs_f64())?;
        let Left { before, after, tasks, files, .. } = left;
        writeln!(f, "held before: {before:?}, after: {after:?}; {tasks} tasks, {files} files left")?;
        let violations = self.violations();
        writeln!(f, "violations: {}", violations.len())?;
        violations.iter().take(SHOWN_MAX).try_for_each(|violation| writeln!(f, "  {violation}"))
    }
}

fn table<'a, N: fmt::Display + 'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl Iterator<Item = (&'a N, &'a u64)> + Clone,
) -> fmt::Result {
    let total: u64 = rows.clone().map(|(_, count)| count).sum();
    writeln!(f, "{title}: {total}")?;
    for (name, count) in rows {
        writeln!(f, "  {count:>9}  {name}")?;
    }
    Ok(())
}

/// How much later than its time a call may end.
const OVER_MAX: Duration = Duration::from_secs(1);
const CENSUS_MAX: Duration = Duration::from_secs(25);
const SHOWN_MAX: usize = 20;
