//! How fast the checksum is, against the crate that does its work, and what combining costs.
//!
//! `cargo bench -p oss-sim --bench crc`. The floor is `crc64fast` called as it is: what `oss-crc` adds to it,
//! the count and the resuming, must not be seen. `crc-fast` is shown beside it; the feature of that name puts
//! it in the place of `crc64fast`.
#![allow(missing_docs, reason = "criterion_group! makes a public function without one")]

#[path = "../turns/mod.rs"]
mod turns;

use core::hint::black_box;

use crc_fast::{CrcAlgorithm, checksum as crc_fast};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use oss_crc::{Combiner, Crc64, combine};
use turns::{best, figure};

fn ours(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.value()
}

fn floor(bytes: &[u8]) -> u64 {
    let mut digest = crc64fast::Digest::new();
    digest.write(bytes);
    digest.sum64()
}

fn candidate(bytes: &[u8]) -> u64 {
    crc_fast(CrcAlgorithm::Crc64Xz, bytes)
}

fn checksums(criterion: &mut Criterion) {
    let bytes: Vec<u8> = (0..MIB).map(|index| ((index * 7919) >> 5) as u8).collect();
    let mut group = criterion.benchmark_group("crc64");
    for (size, name) in SIZES {
        let bytes = &bytes[..*size];
        assert_eq!(ours(bytes), floor(bytes));
        assert_eq!(ours(bytes), candidate(bytes), "both compute the same");
        group.throughput(Throughput::Bytes(*size as u64));
        for (way, checksum) in WAYS {
            let id = BenchmarkId::new(*way, name);
            group.bench_with_input(id, bytes, |bencher, bytes| bencher.iter(|| checksum(black_box(bytes))));
        }
    }
    group.finish();
    for (size, name) in SIZES {
        table(&bytes[..*size], name);
    }
}

/// Each turn reads 8 MiB, so that the clock's own cost does not count.
fn table(bytes: &[u8], name: &str) {
    let repeats = 8 * MIB / bytes.len();
    let run = |checksum: fn(&[u8]) -> u64| {
        move || (0..repeats).for_each(|_| _ = black_box(checksum(black_box(bytes))))
    };
    let (mut first, mut second, mut third) = (run(floor), run(ours), run(candidate));
    let times = best(TURNS, &mut [&mut first, &mut second, &mut third]);
    let seconds: Vec<f64> = times.iter().map(core::time::Duration::as_secs_f64).collect();
    println!("\n{name}, best of {TURNS} turns");
    for ((way, _), seconds) in WAYS.iter().zip(&seconds) {
        println!("{way:<10} {:>6.1} GB/s", (repeats * bytes.len()) as f64 / seconds / 1e9);
    }
    figure(&format!("crc64 {name}"), seconds[1] / seconds[0], "x crc64fast");
    figure(&format!("crc64 {name}, crc-fast instead"), seconds[2] / seconds[0], "x crc64fast");
}

fn combining(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("combine");
    for len in LENGTHS {
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| combine(black_box(1), black_box(2), black_box(*len)));
        });
    }
    group.bench_function("10,000 parts", |bencher| bencher.iter(parts));
    group.finish();
    // The longest of them all has sixteen digits that are not zero.
    let mut longest = || (0..CALLS).for_each(|_| _ = black_box(combine(1, 2, black_box(u64::MAX))));
    let mut many = || _ = black_box(parts());
    let times = best(TURNS, &mut [&mut longest, &mut many]);
    figure("combine, the costliest length", times[0].as_secs_f64() * 1e6 / f64::from(CALLS), "us");
    figure("combine 10,000 parts of one length", times[1].as_secs_f64() * 1e3, "ms");
}

/// As a multipart upload does at its end: the operator for the size of a part, then all parts.
fn parts() -> u64 {
    let combiner = Combiner::new(black_box(MIB as u64));
    (0..10_000).fold(0, |whole, part| combiner.combine(whole, black_box(part)))
}

type Checksum = fn(&[u8]) -> u64;

const WAYS: &[(&str, Checksum)] = &[("crc64fast", floor), ("oss-crc", ours), ("crc-fast", candidate)];
const MIB: usize = 1 << 20;
const SIZES: &[(usize, &str)] = &[(64 << 10, "64 KiB"), (MIB, "1 MiB")];
const LENGTHS: &[u64] = &[1, 1 << 20, 48_888_888_888_888, u64::MAX];
const CALLS: u32 = 1_000;
const TURNS: u32 = 300;

criterion_group!(benches, checksums, combining);
criterion_main!(benches);
