//! What a signed `http::Request` costs, from a draft, as a multiple of what no signer can go below: the
//! SHA-256 of its canonical request and one HMAC with a key that is ready.
//!
//! `cargo bench -p oss-sim --bench compose` prints the statistics of each way and then one table in which all
//! ways took turns, so that the ratios are of the same moment.
#![allow(missing_docs, reason = "criterion_group! makes a public function without one")]
#![allow(clippy::unwrap_used)]

mod cases;
#[path = "../turns/mod.rs"]
mod turns;

use core::hint::black_box;
use core::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use oss_proto::{Composer, Credentials, Draft, Service};
use oss_sign::{Request, Resource, Scope, Scratch, SigningKey, sign_headers};
use sha2::{Digest, Sha256};

use cases::{NOW, credentials, drafts, service};
use turns::{best, figure};

/// One draft, and what its signature hashes.
struct Case {
    draft: Draft,
    service: Service,
    credentials: Credentials,
    composer: Composer,
    canonical: String,
    to_sign: String,
    mac: Hmac<Sha256>,
    request: http::Request<()>,
}

impl Case {
    fn of(draft: Draft) -> Self {
        let (service, credentials, mut composer) = (service(), credentials(), Composer::new());
        let request = composer.compose(&draft, &service, &credentials, NOW).unwrap();
        let headers: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let query: Vec<_> = draft.query.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect();
        let bucket = draft.bucket.as_ref().unwrap().as_str();
        let resource = match &draft.key {
            Some(key) => Resource::Object { bucket, key: key.as_str() },
            None => Resource::Bucket(bucket),
        };
        let method = draft.method.as_str();
        let to_sign = Request { method, resource, query: &query, headers: &headers, additional: &[] };
        let access = credentials.access_key().unwrap();
        let scope = Scope { region: "cn-hangzhou", product: "oss", time: NOW };
        let mut scratch = Scratch::new();
        let key = SigningKey::derive(&access, &scope);
        let signed = sign_headers(&to_sign, &access, &key, &scope, &mut scratch);
        // The floor is that of this request and no other.
        assert!(request.headers()["authorization"].to_str().unwrap().ends_with(signed.signature()));
        let (canonical, to_sign) = (signed.canonical_request().into(), signed.string_to_sign().into());
        let mac = Hmac::new_from_slice(&[7; 32]).unwrap();
        Self { draft, service, credentials, composer, canonical, to_sign, mac, request }
    }

    fn floor(&mut self) {
        black_box(Sha256::digest(black_box(&self.canonical)));
        black_box(self.mac.clone().chain_update(black_box(&self.to_sign)).finalize());
    }

    fn compose(&mut self) {
        let draft = black_box(&self.draft);
        black_box(self.composer.compose(draft, &self.service, &self.credentials, NOW).unwrap());
    }

    /// The least that a header map costs: names that are known, and a buffer for each value.
    fn header_map(&mut self) {
        let headers = black_box(self.request.headers());
        let mut map = http::HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            map.append(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        black_box(map);
    }

    /// The least that a URL costs: the scheme and the host are known, path and query are written.
    fn uri(&mut self) {
        let mut parts = black_box(self.request.uri()).clone().into_parts();
        let target = parts.path_and_query.as_ref().unwrap().as_str().to_owned();
        parts.path_and_query = Some(http::uri::PathAndQuery::from_maybe_shared(Bytes::from(target)).unwrap());
        black_box(http::Uri::from_parts(parts).unwrap());
    }

    fn compose_cold(&mut self) {
        let mut composer = Composer::new();
        let draft = black_box(&self.draft);
        black_box(composer.compose(draft, &self.service, &self.credentials, NOW).unwrap());
    }
}

fn statistics(criterion: &mut Criterion) {
    for (name, draft) in drafts() {
        let mut case = Case::of(draft);
        let mut group = criterion.benchmark_group(name);
        for (name, way) in WAYS {
            group.bench_function(name, |bencher| bencher.iter(|| way(&mut case)));
        }
        group.finish();
        table(name, &mut case);
    }
}

fn table(name: &str, case: &mut Case) {
    let case = core::cell::RefCell::new(case);
    let run = |way: Way| {
        let case = &case;
        move || (0..TURN).for_each(|_| way(&mut case.borrow_mut()))
    };
    let [mut floor, mut warm, mut cold, mut map, mut uri] = WAYS.map(|(_, way)| run(way));
    let times = best(TURNS, &mut [&mut floor, &mut warm, &mut cold, &mut map, &mut uri]);
    println!("\n{name}, best of {TURNS} turns");
    for ((way, _), time) in WAYS.iter().zip(&times) {
        println!("{way:<20} {:>8.0} ns", time.as_secs_f64() * 1e9 / f64::from(TURN));
    }
    let ratio = |time: Duration| time.as_secs_f64() / times[0].as_secs_f64();
    figure(&format!("{name}/compose"), ratio(times[1]), "x the floor");
    figure(&format!("{name}/compose, cold key"), ratio(times[2]), "x the floor");
    figure(&format!("{name}/header map alone"), ratio(times[3]), "x the floor");
    figure(&format!("{name}/url alone"), ratio(times[4]), "x the floor");
}

type Way = fn(&mut Case);

const WAYS: [(&str, Way); 5] = [
    ("floor", Case::floor),
    ("compose", Case::compose),
    ("compose, cold", Case::compose_cold),
    ("header map alone", Case::header_map),
    ("url alone", Case::uri),
];
const TURNS: u32 = 300;
/// Calls in a row: long against the clock's own cost, short against a change of the machine's speed.
const TURN: u32 = 64;

criterion_group!(benches, statistics);
criterion_main!(benches);
