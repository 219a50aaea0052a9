//! What answers that are made to hurt cost: `cargo xtask hostile` prints it as a table.
//!
//! Time is that of the fastest of a few runs, for the whole answer and for a half of it: work that is linear
//! takes as long for each byte of both. Ends with failure when an answer takes longer than the bar, or more
//! memory, or more than 64 KiB of stack, which ends it at once.

mod cases;

use core::hint::black_box;
use core::time::Duration;
use std::process::ExitCode;
use std::time::Instant;

use cases::{CASES, Case, Input};

#[global_allocator]
static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;

fn main() -> ExitCode {
    let (copied, scanned) = floor();
    println!("floor: copying {copied:.2} ns/byte, looking for bytes that are no UTF-8 {scanned:.2} ns/byte");
    println!("{:<42} {:>9} {:>9} {:>9} {:>7}  is", "case", "bytes", "ns/byte", "of half", "heap");
    let mut over = Vec::new();
    for case in CASES {
        let small = std::thread::Builder::new().stack_size(STACK_BYTES);
        let cost = small.spawn(|| Cost::of(case)).map(std::thread::JoinHandle::join);
        let Ok(Ok(cost)) = cost else {
            over.push(case.name);
            continue;
        };
        // A busy machine is no fault of ours, and does not stay busy.
        let cost = (0..AGAIN).fold(cost, |cost, _| if cost.is_over() { cost.again(case) } else { cost });
        let Cost { bytes, whole, half, heap, is_taken } = cost;
        let how = if is_taken { "taken" } else { "refused" };
        println!("{:<42} {bytes:>9} {whole:>9.2} {half:>9.2} {heap:>6.2}x  {how}", case.name);
        if cost.is_over() {
            over.push(case.name);
        }
    }
    if over.is_empty() {
        println!("{} cases, each within {NS_MAX} ns a byte, 3 x its length and 1 MiB", CASES.len());
        return ExitCode::SUCCESS;
    }
    println!("over the bar: {}", over.join("; "));
    ExitCode::FAILURE
}

struct Cost {
    bytes: usize,
    /// In nanoseconds a byte.
    whole: f64,
    half: f64,
    /// The most memory, in lengths of the answer.
    heap: f64,
    is_taken: bool,
}

impl Cost {
    fn of(case: &Case) -> Self {
        let (whole, half) = ((case.make)(case.bytes_max), (case.make)(case.bytes_max / 2));
        let (reading, usage) = oss_alloc::measure(|| (case.read)(&whole));
        let bytes = whole.len();
        Self {
            bytes,
            heap: usage.peak_bytes as f64 / bytes as f64,
            is_taken: reading.is_ok(),
            whole: per_byte(case, &whole),
            half: per_byte(case, &half),
        }
    }

    fn again(self, case: &Case) -> Self {
        let whole = per_byte(case, &(case.make)(case.bytes_max));
        Self { whole: self.whole.min(whole), ..self }
    }

    fn is_over(&self) -> bool {
        // What is short has a cost that its length does not tell.
        let is_long = self.bytes >= LONG_BYTES;
        let heap_max = 3.0 + (1 << 20) as f64 / self.bytes as f64;
        (is_long && self.whole > NS_MAX) || self.heap > heap_max
    }
}

/// Nanoseconds for each byte, of the fastest run.
fn per_byte(case: &Case, input: &Input) -> f64 {
    let run = || {
        let start = Instant::now();
        let _ = black_box((case.read)(black_box(input)));
        start.elapsed()
    };
    fastest(run).as_nanos() as f64 / input.len() as f64
}

/// What a copy of 16 MiB costs on this machine at this time, and a look at each byte of it.
fn floor() -> (f64, f64) {
    let text = vec![b'a'; 16 << 20];
    let mut copy = vec![0; text.len()];
    let copied = fastest(|| {
        let start = Instant::now();
        black_box(&mut copy).copy_from_slice(black_box(&text));
        start.elapsed()
    });
    let scanned = fastest(|| {
        let start = Instant::now();
        let _ = black_box(core::str::from_utf8(black_box(&text)));
        start.elapsed()
    });
    let per_byte = |time: Duration| time.as_nanos() as f64 / text.len() as f64;
    (per_byte(copied), per_byte(scanned))
}

fn fastest(mut run: impl FnMut() -> Duration) -> Duration {
    (0..RUNS).map(|_| run()).min().unwrap_or_default()
}

const STACK_BYTES: usize = 64 << 10;
const NS_MAX: f64 = 30.0;
const LONG_BYTES: usize = 1 << 14;
const RUNS: usize = 3;
const AGAIN: usize = 5;
