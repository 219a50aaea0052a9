//! What a call costs beyond hyper: the time of the client's processor, as a multiple of what the same hyper
//! takes for the same bytes without address, signature, checksum, limits of time, retries or pool.
//!
//! `cargo bench -p oss-sim --bench over_hyper`. Both take turns in one thread against one peer, which has a
//! thread of its own; only the client's thread is measured, and what the system does for it counts as well.
#![allow(clippy::unwrap_used)]

mod peer;
mod ways;

use core::net::SocketAddr;
use core::time::Duration;

use cpu_time::ThreadTime;
use tokio::runtime::Runtime;

use ways::{Raw, bucket, content, get, put, runtime};

fn main() {
    // As criterion does: without `cargo bench`, a look at whether it works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let peer = peer::start(&[SMALL.bytes, LARGE.bytes]).unwrap();
    for size in [SMALL, LARGE] {
        let turns = if is_bench { size.turns } else { 1 };
        measure(peer, &size, turns);
    }
}

/// An object, and how often it is read and written.
struct Size {
    name: &'static str,
    bytes: u64,
    /// Calls in a row: long against the clock's own cost.
    calls: u32,
    turns: usize,
}

const SMALL: Size = Size { name: "4 KiB", bytes: 4 << 10, calls: 200, turns: 101 };
const LARGE: Size = Size { name: "64 MiB", bytes: 64 << 20, calls: 1, turns: 25 };

fn measure(peer: SocketAddr, size: &Size, turns: usize) {
    let runtime = runtime();
    let (checked, unchecked) = (bucket(peer, true), bucket(peer, false));
    let (key, body) = (size.bytes.to_string(), content(size.bytes));
    let [mut reader, mut writer] = [(); 2].map(|()| runtime.block_on(Raw::connect(peer, body.clone())));
    let all = size.bytes;
    let mut ways: [(&str, &mut dyn FnMut()); 6] = [
        ("GET, hyper", &mut || run(&runtime, size, async || reader.get().await == all)),
        ("GET, no CRC", &mut || run(&runtime, size, async || get(&unchecked, &key).await == all)),
        ("GET", &mut || run(&runtime, size, async || get(&checked, &key).await == all)),
        ("PUT, hyper", &mut || run(&runtime, size, async || writer.put().await == 0)),
        ("PUT, no CRC", &mut || run(&runtime, size, async || put(&unchecked, &key, &body).await == 0)),
        ("PUT", &mut || run(&runtime, size, async || put(&checked, &key, &body).await == 0)),
    ];
    let times = best(turns, &mut ways);
    println!("\n{}, best of {turns} turns", size.name);
    for (index, ((name, _), time)) in ways.iter().zip(&times).enumerate() {
        let floor = times[index / 3 * 3];
        let ratio = time.as_secs_f64() / floor.as_secs_f64();
        let micros = time.as_secs_f64() * 1e6 / f64::from(size.calls);
        println!("{name:<12} {micros:>10.1} us {ratio:>6.3}");
        if index % 3 != 0 {
            println!("figure: {} {name} = {ratio:.3} x hyper", size.name);
        }
    }
}

fn run(runtime: &Runtime, size: &Size, mut call: impl AsyncFnMut() -> bool) {
    runtime.block_on(async {
        for _ in 0..size.calls {
            assert!(call().await, "an answer is of another length");
        }
    });
}

/// The best turn of each way, which take turns, so that all are of the same moments.
///
/// Not the median: a peer's thread that happens to run on another processor makes each of its answers cost
/// two to three times as much, for as long as the system leaves it there.
fn best(turns: usize, ways: &mut [(&str, &mut dyn FnMut())]) -> Vec<Duration> {
    // Connections are made and buffers grow once.
    ways.iter_mut().for_each(|(_, way)| way());
    let mut best = vec![Duration::MAX; ways.len()];
    for _ in 0..turns {
        for ((_, way), best) in ways.iter_mut().zip(&mut best) {
            let start = ThreadTime::now();
            way();
            *best = start.elapsed().min(*best);
        }
    }
    best
}
