//! What a signature costs, as a multiple of what no signer can go below: the SHA-256 of its canonical request
//! and one HMAC with a key that is ready, measured in turns with it.
//!
//! `cargo bench -p oss-sign` prints `put_object/headers  time: [1.3 1.4 1.5 x the floor]`.

#[path = "requests/floor.rs"]
mod floor;
mod requests;

use core::{hint::black_box, time::Duration};

use criterion::{
    Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use oss_sign::{Scratch, SigningKey};

use floor::Floor;
use requests::{KEY, SCOPE, SIGNATURES};

fn signing(criterion: &mut Criterion<TimesFloor>) {
    for (name, request, sign) in SIGNATURES {
        let signing = SigningKey::derive(&KEY, &SCOPE);
        let mut scratch = Scratch::new();
        let floor = Floor::of(&sign(request, &signing, &mut scratch));
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                ratio(&floor, count, || {
                    black_box(sign(black_box(request), &signing, &mut scratch));
                })
            });
        });
        if !name.ends_with("/headers") {
            continue;
        }
        criterion.bench_function(&format!("{name}, cold key"), |bencher| {
            bencher.iter_custom(|count| {
                ratio(&floor, count, || {
                    let signing = SigningKey::derive(black_box(&KEY), &SCOPE);
                    black_box(sign(black_box(request), &signing, &mut scratch));
                })
            });
        });
    }
}

/// `count` times the ratio of `work` to the floor. They take turns, and each is judged by its best one, so
/// that neither a slow machine nor another program counts.
fn ratio(floor: &Floor, count: u64, mut work: impl FnMut()) -> f64 {
    let (mut least, mut ours) = (f64::MAX, f64::MAX);
    let mut left = count;
    while left > 0 {
        let turn = left.min(TURN);
        left -= turn;
        let start = WallTime.start();
        (0..turn).for_each(|_| floor.hash());
        least = least.min(WallTime.end(start).as_secs_f64() / turn as f64);
        let start = WallTime.start();
        (0..turn).for_each(|_| work());
        ours = ours.min(WallTime.end(start).as_secs_f64() / turn as f64);
    }
    ours / least * count as f64
}

/// Values are ratios and not times.
struct TimesFloor;

impl Measurement for TimesFloor {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) {}

    fn end(&self, (): ()) -> f64 {
        0.0
    }

    fn add(&self, a: &f64, b: &f64) -> f64 {
        a + b
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Unit
    }
}

struct Unit;

impl ValueFormatter for Unit {
    fn scale_values(&self, _: f64, _: &mut [f64]) -> &'static str {
        UNIT
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        UNIT
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        UNIT
    }
}

const UNIT: &str = "x the floor";
/// Calls in a row: long against the clock's own cost, short against a change of the machine's speed.
const TURN: u64 = 64;

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(TimesFloor).sample_size(30)
        .warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = signing
}
criterion_main!(benches);
