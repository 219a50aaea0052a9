//! Credentials that end, are taken away or cannot be renewed while calls are made with them, against the STS
//! and the metadata service of the emulator.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::time::Instant;

use common::{BUCKET, ID, SECRET, key, service};
use oss_emulator_server::{Config, Counters, Server, StsRefusal};
use oss_hyper::{
    Bucket, Client, CredentialsProvider, EcsRole, Error, GetObject, PutObject, RamRole, StsEndpoint,
    StsSignature,
};
use tokio::task::JoinSet;

const ROLE: &str = "acs:ram::1234567890123456:role/writer";
const MINUTE: Duration = Duration::from_secs(60);

async fn server(change: impl FnOnce(Config) -> Config) -> Server {
    let config = Config::new("cn-hangzhou").with_access_key(ID, SECRET).with_role(ROLE);
    let server = Server::start(change(config)).await.unwrap();
    server.create_bucket(BUCKET);
    server
}

fn role(server: &Server) -> RamRole {
    RamRole::new(ROLE).assumed_by(key()).endpoint(StsEndpoint::InsecureHttp(server.address().to_string()))
}

fn bucket(server: &Server, provider: impl Into<CredentialsProvider>) -> Bucket {
    Client::new(service(&server.endpoint()), provider).bucket(BUCKET).unwrap()
}

fn counters(server: &Server) -> Counters {
    server.with(|emulator| emulator.counters())
}

/// The AccessKey that a call would sign with now.
async fn key_id(bucket: &Bucket) -> String {
    let url = bucket.presign(GetObject::to("key"), MINUTE).await.unwrap();
    let (_, rest) = url.expose_url().split_once("x-oss-credential=").unwrap();
    rest.split("%2F").next().unwrap().to_owned()
}

/// Credentials that are new were just asked for: nobody asks again in their first second.
async fn grow_older() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

async fn put(bucket: &Bucket) -> Result<usize, Error> {
    bucket.send(PutObject::to("key", "hello")).await.map(|reply| reply.attempts.len())
}

/// This many calls at the same time, and the error of the first that failed.
async fn puts(bucket: &Bucket, count: usize) -> Result<(), Error> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let bucket = bucket.clone();
        calls.spawn(async move { put(&bucket).await });
    }
    let mut result = Ok(());
    while let Some(call) = calls.join_next().await {
        let call = call.unwrap().map(drop);
        result = result.and(call);
    }
    result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f77_credentials_taken_away_amid_a_thousand_calls_are_fetched_once_anew() {
    let server = server(|config| config).await;
    let bucket = bucket(&server, role(&server));
    let first = key_id(&bucket).await;
    grow_older().await;
    let done = Arc::new(AtomicUsize::new(0));
    let mut calls = JoinSet::new();
    for number in 0..1_000 {
        let (bucket, done) = (bucket.clone(), Arc::clone(&done));
        calls.spawn(async move {
            bucket.put(format!("key-{number}"), "hello").await.unwrap();
            done.fetch_add(1, Ordering::Relaxed);
        });
    }
    while done.load(Ordering::Relaxed) < 300 {
        tokio::task::yield_now().await;
    }
    assert!(server.with(|emulator| emulator.revoke(&first)));
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_ne!(key_id(&bucket).await, first);
    let counters = counters(&server);
    assert_eq!((counters.assume_role, counters.sts_refused, counters.issued), (2, 0, 2));
    assert_eq!(server.with(|emulator| emulator.objects(BUCKET).count()), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f77_an_instance_role_that_rotates_is_fetched_once_for_each_generation() {
    // New ones show up in the last half of a life of 5 s, and are asked for after 70 to 80 % of it.
    let life = Duration::from_secs(5);
    let server = server(|config| config.with_ecs_role("writer").with_ecs_credential_lifetime(life)).await;
    let bucket = bucket(&server, EcsRole::new().endpoint(server.address().to_string()));
    let end = Instant::now() + Duration::from_millis(8_500);
    let count = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (bucket, count) = (bucket.clone(), Arc::clone(&count));
        callers.spawn(async move {
            while Instant::now() < end {
                // More than one attempt would be one that OSS refused: signed with an expired token.
                assert_eq!(put(&bucket).await.unwrap(), 1);
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    let counters = counters(&server);
    assert!(count.load(Ordering::Relaxed) > 1_000 && counters.issued >= 3, "{count:?} {counters:?}");
    assert_eq!(counters.metadata_credentials, counters.issued, "{counters:?}");
    assert_eq!(counters.metadata_refused, 0, "{counters:?}");
}

#[tokio::test]
async fn a_token_that_oss_finds_expired_is_fetched_once_anew() {
    let server = server(|config| config).await;
    // The server's clock is behind ours, less than a signature minds: the token ends before we expect it.
    server.shift_clock(-800);
    let bucket = bucket(&server, role(&server).duration(MINUTE * 15));
    put(&bucket).await.unwrap();
    grow_older().await;
    server.shift_clock(200);
    puts(&bucket, 100).await.unwrap();
    let counted = counters(&server);
    assert_eq!((counted.assume_role, counted.issued), (2, 2), "one refresh, however many were refused");
    assert_eq!(put(&bucket).await.unwrap(), 1);
}

#[tokio::test]
async fn f78_f79_while_sts_is_down_calls_go_on_and_then_share_an_error() {
    let server = server(|config| config).await;
    let bucket = bucket(&server, role(&server));
    put(&bucket).await.unwrap();
    grow_older().await;
    server.with(|emulator| emulator.refuse_sts(StsRefusal::Unavailable, u32::MAX));

    // 55 of 60 minutes later the credentials are to be renewed, and still good.
    server.shift_clock(55 * 60);
    put(&bucket).await.unwrap();
    puts(&bucket, 100).await.unwrap();
    wait_for(|| counters(&server).assume_role == 4).await;
    puts(&bucket, 100).await.unwrap();
    let told = bucket.client().account().explain().to_string();
    assert!(told.contains("the RAM role: stopped here, the RAM role was refused with status 503"), "{told}");
    assert_eq!(counters(&server).assume_role, 4, "one lookup of three tries, and quiet since");

    // 6 more, and they have ended, which OSS is the first to say.
    server.shift_clock(61 * 60);
    let error = puts(&bucket, 50).await.unwrap_err();
    assert_eq!(error.code(), Some("SecurityTokenExpired"), "{error}");
    let began = Instant::now();
    let mut lookups = 0;
    while began.elapsed() < Duration::from_secs(4) {
        let error = puts(&bucket, 50).await.unwrap_err();
        assert!(error.to_string().contains("the RAM role was refused with status 503"), "{error}");
        lookups = (counters(&server).assume_role - 1).div_ceil(3);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // After 1-2 s, 2-4 s, 4-8 s: the one above, and two in these seconds.
    assert!((2..=4).contains(&lookups), "{:?}", counters(&server));

    server.with(|emulator| emulator.refuse_sts(StsRefusal::Unavailable, 0));
    let began = Instant::now();
    while puts(&bucket, 50).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", counters(&server));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(counters(&server).issued, 2);
}

async fn wait_for(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never was so");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_an_hour_is_corrected_for_sts_and_for_oss() {
    for (seconds, signature) in
        [(3_600, StsSignature::Rpc), (-3_600, StsSignature::Acs3), (5 * 3_600, StsSignature::Acs3)]
    {
        let server = server(|config| config).await;
        server.shift_clock(seconds);
        let bucket = bucket(&server, role(&server).signature(signature));
        let counted = || {
            let counted = counters(&server);
            (counted.assume_role, counted.sts_refused, counted.issued)
        };
        puts(&bucket, 20).await.unwrap();
        assert_eq!(counted(), (2, 1, 1), "{seconds}: refused once, and asked again with the time of STS");
        // By OSS the clock is corrected for all that is done afterwards; the credentials live on.
        grow_older().await;
        puts(&bucket, 20).await.unwrap();
        assert_eq!(counted(), (2, 1, 1), "{seconds}: what was found is kept");
        let first = key_id(&bucket).await;
        server.with(|emulator| emulator.revoke(&first));
        puts(&bucket, 20).await.unwrap();
        assert_eq!(counted(), (3, 1, 2), "{seconds}: what was learned of the clock is kept");
    }
}
