//! The memory that a signature takes: none, in a buffer that was used before.

use core::time::Duration;

use oss_sign::{AccessKey, Request, Scratch, Signed, SigningKey, presign_query, sign_headers};

use requests::{KEY, LIST_OBJECTS_V2, PUT_OBJECT, SCOPE, SIGNATURES};

#[path = "../../../crates/oss-sign/benches/requests/mod.rs"]
mod requests;

#[global_allocator]
static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;

#[test]
fn signing_into_a_kept_buffer_allocates_nothing() {
    let signing = SigningKey::derive(&KEY, &SCOPE);
    let mut scratch = Scratch::new();
    for (name, request, sign) in SIGNATURES {
        let (_, first) = oss_alloc::measure(|| read(&sign(request, &signing, &mut scratch)));
        let (bytes, usage) = oss_alloc::measure(|| read(&sign(request, &signing, &mut scratch)));
        println!("figure: {name}, allocations = {} allocations", usage.allocations);
        assert!(bytes > 64, "{name}");
        assert_eq!((usage.allocations, usage.peak_bytes), (0, 0), "{name}; the first took {first:?}");
    }
}

/// No order of headers or parameters needs memory, nor does a token.
#[test]
fn a_token_and_another_order_allocate_nothing() {
    let key = AccessKey { token: Some("CAIS+/=token"), ..KEY };
    let signing = SigningKey::derive(&key, &SCOPE);
    let mut scratch = Scratch::new();
    for request in [&PUT_OBJECT, &LIST_OBJECTS_V2] {
        let (mut query, mut headers) = (request.query.to_vec(), request.headers.to_vec());
        query.reverse();
        headers.reverse();
        let turned =
            Request { query: &query, headers: &headers, additional: &["host", "user-agent"], ..*request };
        let mut sign = || read(&sign_headers(&turned, &key, &signing, &SCOPE, &mut scratch));
        sign();
        let (_, usage) = oss_alloc::measure(sign);
        assert_eq!(usage.allocations, 0, "{turned:?}");
        let hour = Duration::from_secs(3_600);
        let mut presign = || presign_query(&turned, &key, &signing, &SCOPE, hour, &mut scratch).is_ok();
        presign();
        let (is_ok, usage) = oss_alloc::measure(presign);
        assert!(is_ok);
        assert_eq!(usage.allocations, 0, "{turned:?}");
    }
}

/// Takes everything that a caller takes.
fn read(signed: &Signed<'_>) -> usize {
    signed.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + signed.signature().len()
}
