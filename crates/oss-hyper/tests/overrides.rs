//! What a call does differently from its client: each override is honoured, and only by that call.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Mutex;

use common::{OK, bucket_of, content, emulator, header, raw, read_request, service, write};
use oss_hyper::{
    Credentials, CredentialsProvider, ErrorKind, FailureKind, GetObject, Overrides, Policy, Retryer, Wait,
};
use tokio::time::Instant;

/// A bucket on a server that answers everything with this, and the heads of the requests it got.
async fn recorder(answer: &'static str) -> (oss_hyper::Bucket, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let address = raw(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            loop {
                let (head, _) = read_request(&mut stream).await;
                if head.is_empty() {
                    return;
                }
                seen.lock().unwrap().push(head);
                write(&mut stream, answer).await;
            }
        }
    })
    .await;
    (bucket_of(service(&format!("http://{address}"))), heads)
}

const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn the_number_of_attempts_is_that_of_the_call() {
    let (bucket, heads) = recorder(BUSY).await;
    for (attempts, expected) in [(1, 1), (0, 1), (4, 4)] {
        heads.lock().unwrap().clear();
        let call = Overrides::new().retry_max_attempts(attempts);
        let error = bucket.with(&call).head("key").await.unwrap_err();
        assert_eq!((error.attempts().len(), heads.lock().unwrap().len()), (expected, expected));
    }
    heads.lock().unwrap().clear();
    let call = Overrides::new().retryer(Policy::none());
    bucket.with(&call).head("key").await.unwrap_err();
    assert_eq!(heads.lock().unwrap().len(), 1);
    // The client itself is as it was.
    bucket.head("key").await.unwrap_err();
    assert_eq!(heads.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_rule_of_ones_own_decides_on_retries() {
    let (bucket, heads) = recorder(BUSY).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let rule = Retryer::from_fn(7, move |failed| {
        count.fetch_add(1, Ordering::Relaxed);
        assert_eq!(failed.status, Some(503));
        (failed.attempt < 5).then_some(Duration::from_millis(1))
    });
    let error = bucket.with(&Overrides::new().retryer(rule.clone())).head("key").await.unwrap_err();
    assert_eq!((error.attempts().len(), asked.load(Ordering::Relaxed)), (5, 5));
    let fewer = Overrides::new().retryer(rule.clone()).retry_max_attempts(2);
    bucket.with(&fewer).head("key").await.unwrap_err();
    assert_eq!(heads.lock().unwrap().len(), 7);
    // A policy after a rule takes its place.
    let policy = Overrides::new().retryer(rule).retryer(Policy::none());
    let error = bucket.with(&policy).head("key").await.unwrap_err();
    assert_eq!((error.attempts().len(), asked.load(Ordering::Relaxed)), (1, 6));
    assert_eq!(heads.lock().unwrap().len(), 8);
}

#[tokio::test]
async fn the_time_limits_are_those_of_the_call() {
    let address = raw(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let bucket = bucket_of(service(&format!("http://{address}")));
    let began = Instant::now();
    let call = Overrides::new().readwrite_timeout(Duration::from_millis(50)).retry_max_attempts(1);
    let error = bucket.with(&call).head("key").await.unwrap_err();
    let ErrorKind::Transport(transport) = error.kind() else { panic!("{error:?}") };
    assert_eq!(transport.kind, FailureKind::Timeout);
    let call = Overrides::new().operation_timeout(Duration::from_millis(50));
    let error = bucket.with(&call).head("key").await.unwrap_err();
    let ErrorKind::Deadline(deadline) = error.kind() else { panic!("{error:?}") };
    assert_eq!(deadline.wait, Wait::Answer);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_identity_is_that_of_the_call() {
    let server = emulator().await;
    let stranger = bucket_of(service(&server.endpoint())).with(
        &Overrides::new()
            .credentials_provider(Credentials::new("other-id", "other-secret").unwrap())
            .retry_max_attempts(1),
    );
    assert_eq!(stranger.head("key").await.unwrap_err().status(), Some(403));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let provider = CredentialsProvider::from_fn(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, std::io::Error>(Some(common::key())) }
    });
    let known = stranger.with(&Overrides::new().credentials_provider(provider));
    known.put("key", "hello").await.unwrap();
    assert_eq!(known.get("key").await.unwrap().text().await.unwrap(), "hello");
    known.presign(GetObject::to("key"), Duration::from_secs(60)).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(stranger.head("key").await.unwrap_err().status(), Some(403));
}

/// An override for one call at a time is still one identity.
#[tokio::test]
async fn f77_an_identity_is_asked_for_once_however_often_it_is_put_in() {
    let server = emulator().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let provider = CredentialsProvider::from_fn(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, std::io::Error>(Some(common::key())) }
    });
    let known = Overrides::new().credentials_provider(provider);
    let bucket = bucket_of(service(&server.endpoint()));
    bucket.with(&known).put("key", "hello").await.unwrap();
    for _ in 0..10 {
        bucket.with(&known.clone().retry_max_attempts(1)).head("key").await.unwrap();
        // Another client has other clocks.
        tokio::time::sleep(Duration::from_millis(2)).await;
        bucket_of(service(&server.endpoint())).with(&known).head("key").await.unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn clients_of_different_ages_share_an_identity_that_is_put_in() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let provider = CredentialsProvider::from_fn(move || {
        count.fetch_add(1, Ordering::Relaxed);
        // It tells no end, so it lives for a quarter of an hour.
        async { common::key().with_token("token").map(Some) }
    });
    let known = Overrides::new().credentials_provider(provider);
    let old = bucket_of(service("http://127.0.0.1:1"));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let young = bucket_of(service("http://127.0.0.1:1"));
    for bucket in [&young, &old, &young] {
        bucket.with(&known).presign(GetObject::to("key"), Duration::from_secs(60)).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_checksums_are_those_of_the_call() {
    const WRONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-oss-hash-crc64ecma: 7\r\n\r\n";
    let (bucket, _) = recorder(WRONG).await;
    let bucket = bucket.with(&Overrides::new().retry_max_attempts(1));
    let put = |disable| {
        let bucket = bucket.with(&Overrides::new().disable_upload_crc64_check(disable));
        async move { bucket.put("key", content(100)).await }
    };
    assert!(matches!(put(false).await.unwrap_err().kind(), ErrorKind::Corrupt(_)));
    put(true).await.unwrap();
    let get = |disable| {
        let bucket = bucket.with(&Overrides::new().disable_download_crc64_check(disable));
        async move { bucket.get("key").await?.bytes().await }
    };
    assert!(matches!(get(false).await.unwrap_err().kind(), ErrorKind::Corrupt(_)));
    get(true).await.unwrap();
}

#[tokio::test]
async fn headers_and_parameters_are_added_signed_and_have_the_last_word() {
    let (bucket, heads) = recorder(OK).await;
    let signed_of = |head: &str| {
        let authorization = header(head, "authorization").unwrap();
        let (_, rest) = authorization.split_once("AdditionalHeaders=").unwrap_or_default();
        rest.split(',').next().unwrap_or_default().to_owned()
    };
    let call = Overrides::new()
        .header("X-Oss-Meta-Trace", "4711")
        .header("Content-Type", "text/x-first")
        .header("content-type", "text/x-last")
        .query("x-oss-traffic-limit", "819200")
        .additional_headers(["host", "content-length"]);
    bucket.with(&call).put("a.txt", "hello").await.unwrap();
    bucket.put("a.txt", "hello").await.unwrap();
    let heads = heads.lock().unwrap();
    let (with, without) = (&heads[0], &heads[1]);
    assert!(with.contains("?x-oss-traffic-limit=819200 HTTP"), "{with}");
    assert_eq!(header(with, "x-oss-meta-trace"), Some("4711"));
    assert_eq!(header(with, "content-type"), Some("text/x-last"));
    assert_eq!(with.matches("content-type").count(), 1);
    assert_eq!(signed_of(with), "content-length;host");
    assert_eq!(header(without, "x-oss-meta-trace"), None);
    assert_eq!((header(without, "content-type"), signed_of(without)), (Some("text/plain"), String::new()));
}

#[tokio::test]
async fn what_is_added_is_verified_by_the_emulator_and_seen_by_reads() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let call = Overrides::new().header("x-oss-meta-trace", "4711").additional_headers(["content-length"]);
    bucket.with(&call).put("key", content(1000)).await.unwrap();
    // A range that a header asks for is checked as one that the operation asks for.
    let ranged = bucket.with(&Overrides::new().header("Range", "bytes=10-19"));
    let bytes = ranged.get("key").await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, content(1000)[10..20]);
    for (name, value) in [("range", "bytes=0-1,5-6"), ("host", "other"), ("x y", "1"), ("x", "a\nb")] {
        let error = bucket.with(&Overrides::new().header(name, value)).get("key").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{name}: {error}");
    }
    let error = bucket.with(&Overrides::new().query("Signature", "x")).head("key").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
    // Overrides of overrides add up.
    let both = call.query("response-content-type", "text/x-asked");
    let object = bucket.with(&both).with(&Overrides::new().operation_timeout(Duration::from_secs(9)));
    let object = object.get("key").await.unwrap();
    assert_eq!(object.reply().output.content_type.as_deref(), Some("text/x-asked"));
    assert_eq!(object.reply().output.metadata.get("trace"), Some("4711"));
}
