//! Answers that are made to cost much: what each takes of memory, on a small stack.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/hostile/cases.rs"]
mod cases;

use cases::{CASES, Case};

#[global_allocator]
static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;

/// G12: heap at most 3 x the answer and 1 MiB, an error at most 64 KiB, and little stack, whatever comes.
#[test]
fn g12_b48_an_answer_takes_memory_by_its_length_and_no_stack() {
    let over: Vec<String> =
        CASES.iter().flat_map(|case| PARTS.map(|part| over(case, part))).flatten().collect();
    assert!(over.is_empty(), "{}", over.join("\n"));
}

/// What is over in a case, at so many sixteenths of its length.
fn over(case: &'static Case, part: usize) -> Option<String> {
    let input = (case.make)(case.bytes_max / 16 * part);
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let (reading, usage) = oss_alloc::measure(|| (case.read)(&input));
        let peak_max = 3 * input.len() + (1 << 20);
        let held_max = if reading.is_err() { ERROR_BYTES_MAX } else { peak_max };
        let is_over = usage.peak_bytes > peak_max || usage.held_bytes > held_max;
        let how = if reading.is_ok() { "taken" } else { "refused" };
        is_over.then(|| format!("{}: {how}, {usage:?} for {} bytes", case.name, input.len()))
    });
    thread.unwrap().join().unwrap()
}

/// Nine sixteenths are the worst of what grows to the double.
const PARTS: [usize; 3] = [1, 9, 16];
/// A build without optimisation keeps every temporary, and its actions are large. `cargo xtask hostile` has
/// 64 KiB, with optimisation.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 192 << 10 } else { 64 << 10 };
const ERROR_BYTES_MAX: usize = 64 << 10;
