//! The signer and the naive second one agree on random requests, however odd.
//!
//! `PROPTEST_CASES` sets the number of requests per property.

use std::env;

use oss_sign::{Scratch, UnixTime};
use oss_sim::agreement::{self, Case, agree};
use oss_sim::naive_sign;
use proptest::prelude::*;

/// An owned request with everything that a signature depends on.
#[derive(Clone, Debug)]
struct Odd {
    method: String,
    bucket: Option<String>,
    key: Option<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    additional: Vec<String>,
    region: String,
    product: String,
    secs: i64,
    credentials: (String, String, String),
}

fn odd() -> impl Strategy<Value = Odd> {
    let place = ("[a-z0-9-]{0,12}", prop_oneof!["oss", "oss-cloudbox", "\\PC{0,6}"]);
    let credentials = ("[A-Za-z0-9.]{0,24}", "\\PC{0,80}", prop_oneof![Just(String::new()), text()]);
    let time = UnixTime::MIN.as_secs()..=UnixTime::MAX.as_secs();
    let resource =
        (prop::option::weighted(0.9, "[a-z0-9-]{3,12}|\\PC{0,6}"), prop::option::weighted(0.8, key()));
    let parts = (
        prop::collection::vec((parameter(), text()), 0..8),
        prop::collection::vec((header(), text()), 0..10),
        prop::collection::vec(header(), 0..5),
    );
    ("GET|PUT|POST|HEAD|DELETE", resource, parts, place, time, credentials).prop_map(
        |(method, (bucket, key), (query, headers, additional), (region, product), secs, credentials)| {
            let key = bucket.as_ref().and(key);
            Odd { method, bucket, key, query, headers, additional, region, product, secs, credentials }
        },
    )
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[a-z./%+ ?#&=\\\\]{0,20}",
        "(\\./|\\.\\./|//|%2F|中|😀| |\\+){0,6}",
        any::<String>()
    ]
}

/// Values with white space at either end, nothing at all, and anything printable.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ \\t]{0,2}[a-z,;:/=+%]{0,6}[ \\t]{0,2}", "\\PC{0,20}"]
}

fn parameter() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab+|%~/ -]{0,3}",
        1 => "\\PC{0,8}",
        1 => prop::sample::select(oss_sign::PRESIGN_PARAMETERS.to_vec()).prop_map(str::to_owned),
        1 => Just("X-Oss-Date".to_owned()),
    ]
}

/// Few names in any case, so that they repeat and meet those of the signer.
fn header() -> impl Strategy<Value = String> {
    let names = vec![
        "a",
        "b",
        "host",
        "range",
        "content-type",
        "content-md5",
        "content-types",
        "x-oss-",
        "x-oss",
        "x-osss",
        "x-oss-a",
        "x-oss-b",
        "x-oss-date",
        "x-oss-content-sha256",
        "x-oss-security-token",
        "authorization",
    ];
    (prop::sample::select(names), any::<u32>()).prop_map(|(name, cases)| {
        let upper = |index: usize| cases >> (index % 32) & 1 == 1;
        let letters = name.chars().enumerate();
        letters.map(|(index, c)| if upper(index) { c.to_ascii_uppercase() } else { c }).collect()
    })
}

/// Signs with both in all forms and compares everything that they return.
fn both(odd: &Odd, valid_secs: u64, scratch: &mut Scratch) -> Result<(), TestCaseError> {
    let input = naive_sign::Input {
        method: &odd.method,
        bucket: odd.bucket.as_deref(),
        key: odd.key.as_deref(),
        query: odd.query.iter().map(|(name, value)| (&**name, &**value)).collect(),
        headers: odd.headers.iter().map(|(name, value)| (&**name, &**value)).collect(),
        additional: odd.additional.iter().map(|name| &**name).collect(),
        region: &odd.region,
        product: &odd.product,
        date: "",
        id: &odd.credentials.0,
        secret: &odd.credentials.1,
        token: &odd.credentials.2,
    };
    let sub_resources = odd.query.iter().map(|(name, _)| &**name).take(1).collect();
    let case = Case { input, time: UnixTime::from_secs(odd.secs), valid_secs, sub_resources };
    agree(&case, scratch).map_err(TestCaseError::fail)
}

/// `PROPTEST_CASES`, else enough to meet each oddity many times within seconds.
fn config() -> ProptestConfig {
    let cases = match env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None => 1_500,
    };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_agree_on_every_form(odds in prop::collection::vec((odd(), 1..=43_200_u64), 1..3)) {
        // Together in one buffer: a request must not show what the one before it left there.
        let mut scratch = Scratch::new();
        for (odd, secs) in &odds {
            both(odd, *secs, &mut scratch)?;
        }
    }
}

#[test]
fn both_agree_on_seeded_requests() {
    let (mut odd, mut scratch) = (agreement::Odd::new(2), Scratch::new());
    for _ in 0..2_000 {
        assert_eq!(odd.with_next(|case| agree(case, &mut scratch)), Ok(()));
    }
}
