//! What the benches share: ways that take turns, and the lines that `cargo xtask bench` gathers.

use core::time::Duration;

use criterion::measurement::{Measurement, WallTime};

/// The best turn of each way. They take turns, so that the ratios are of the same moment, and each is judged
/// by its best one: what slows a turn is not the way's.
pub(crate) fn best(turns: u32, ways: &mut [&mut dyn FnMut()]) -> Vec<Duration> {
    let mut best = vec![Duration::MAX; ways.len()];
    for _ in 0..turns {
        for (way, best) in ways.iter_mut().zip(&mut best) {
            let start = WallTime.start();
            way();
            *best = WallTime.end(start).min(*best);
        }
    }
    best
}

/// Prints a row of the table of `cargo xtask bench`.
pub(crate) fn figure(name: &str, value: f64, unit: &str) {
    println!("figure: {name} = {value:.3} {unit}");
}
