//! Limits on bytes per second and on connections, under load.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::future::{Ready, ready};
use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use common::{BUCKET, OK, bucket_over, content, emulator, key, read_request, service, write};
use http::Uri;
use hyper_util::rt::TokioIo;
use oss_emulator_server::Handle;
use oss_hyper::{
    Bucket, Client, ErrorKind, FailureKind, Outcome, Policy, Service as Oss, Transport, TransportBuilder,
};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_service::Service;

/// A connector to the emulator through a pipe in memory, so that time can be the test's own.
#[derive(Clone)]
struct Piped {
    /// `None` is a peer that takes nothing.
    handle: Option<Handle>,
    queue_bytes: usize,
}

impl Service<Uri> for Piped {
    type Response = TokioIo<DuplexStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(self.queue_bytes);
        match self.handle.clone() {
            Some(handle) => drop(tokio::spawn(async move { handle.serve_connection(theirs).await })),
            None => drop(tokio::spawn(async move {
                let _open = theirs;
                core::future::pending::<()>().await;
            })),
        }
        ready(Ok(TokioIo::new(ours)))
    }
}

/// With the documents' 20 s of patience, and no second attempt.
fn patient() -> Oss {
    service("http://127.0.0.1:1").with_retry(Policy::none()).with(|settings| {
        settings.timeouts.idle = Duration::from_secs(20);
    })
}

/// The emulator behind pipes that hold a quarter of a mebibyte.
fn piped(handle: &Handle, limit: impl FnOnce(TransportBuilder) -> TransportBuilder) -> Bucket {
    let connector = Piped { handle: Some(handle.clone()), queue_bytes: 256 << 10 };
    bucket_over(patient(), &limit(Transport::builder().connector(connector)).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn f13_an_upload_at_one_kibibyte_a_second_is_slow_and_not_silent() {
    let server = emulator().await;
    let bucket = piped(server.handle(), |builder| builder.upload_bandwidth_max(1 << 10));
    let began = Instant::now();
    bucket.put("key", content(100 << 10)).await.unwrap();
    // The head of the request counts too, and is below 1 KiB.
    let secs = began.elapsed().as_secs_f64();
    assert!((99.8..101.5).contains(&secs), "{secs}");

    // Twenty connections share it: the turns of one are far apart.
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for i in 0..20 {
        let bucket = bucket.clone();
        calls.spawn(async move { bucket.put(format!("key-{i}"), content(5 << 10)).await.map(drop) });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    let secs = began.elapsed().as_secs_f64();
    assert!((100.0..125.0).contains(&secs), "{secs}");
}

#[tokio::test(start_paused = true)]
async fn f39_a_download_at_one_kibibyte_a_second_is_slow_and_not_silent() {
    let server = emulator().await;
    let limited = || piped(server.handle(), |builder| builder.download_bandwidth_max(1 << 10));
    let bucket = limited();
    let bytes = content(30 << 10);
    bucket.put("small", content(3 << 10)).await.unwrap();
    let began = Instant::now();
    bucket.put("key", bytes.clone()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let began = Instant::now();
    assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    let secs = began.elapsed().as_secs_f64();
    assert!((29.8..32.0).contains(&secs), "{secs}");

    // The emulator has closed that connection in the meantime; here no second attempt is to cover anything.
    let bucket = limited();
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let bucket = bucket.clone();
        calls.spawn(async move { bucket.get("small").await?.bytes().await.map(drop) });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    let secs = began.elapsed().as_secs_f64();
    assert!((59.0..75.0).contains(&secs), "{secs}");
}

#[tokio::test(start_paused = true)]
async fn f13_a_peer_that_takes_nothing_is_silent_also_under_a_limit() {
    let connector = Piped { handle: None, queue_bytes: 4 << 10 };
    let transport = Transport::builder().connector(connector).upload_bandwidth_max(1 << 10).build().unwrap();
    let began = Instant::now();
    let error = bucket_over(patient(), &transport).put("key", content(1 << 20)).await.unwrap_err();
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    assert_eq!((failure.kind, error.outcome()), (FailureKind::Timeout, Outcome::Unknown));
    // Four seconds to fill what is between us, and twenty of patience.
    let secs = began.elapsed().as_secs_f64();
    assert!((23.5..25.5).contains(&secs), "{secs}");
}

/// A server behind pipes that has all the time in the world.
#[derive(Clone)]
struct Unhurried;

impl Service<Uri> for Unhurried {
    type Response = TokioIo<DuplexStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn(async move {
            while !read_request(&mut theirs).await.0.is_empty() {
                write(&mut theirs, OK).await;
            }
        });
        ready(Ok(TokioIo::new(ours)))
    }
}

#[tokio::test(start_paused = true)]
async fn f13_waiting_for_ones_own_limit_is_nobodys_silence() {
    // The turns of one of twenty connections are 1.25 s apart, in both directions six times the patience.
    let limits: [fn(TransportBuilder) -> TransportBuilder; 2] = [
        |builder| builder.upload_bandwidth_max(256),
        |builder| builder.upload_bandwidth_max(256).download_bandwidth_max(4),
    ];
    for limit in limits {
        let transport = limit(Transport::builder().connector(Unhurried)).build().unwrap();
        let service = patient().with(|settings| {
            settings.timeouts.idle = Duration::from_millis(200);
            settings.timeouts.slow_answer = Duration::from_millis(200);
        });
        let bucket = bucket_over(service, &transport);
        let mut calls = JoinSet::new();
        for i in 0..20 {
            let bucket = bucket.clone();
            calls.spawn(async move { bucket.put(format!("key-{i}"), content(1 << 10)).await.map(drop) });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_used_is_no_credit_for_a_burst() {
    let server = emulator().await;
    let bucket = piped(server.handle(), |builder| builder.upload_bandwidth_max(64 << 10));
    bucket.put("key", "x").await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let began = Instant::now();
    bucket.put("key", content(640 << 10)).await.unwrap();
    let secs = began.elapsed().as_secs_f64();
    assert!((9.83..10.1).contains(&secs), "{secs}");
}

#[tokio::test]
async fn limits_hold_on_real_sockets_over_all_connections() {
    let server = emulator().await;
    let limit = 1 << 20;
    let transport = Transport::builder().upload_bandwidth_max(limit).download_bandwidth_max(limit);
    let bucket = bucket_over(service(&server.endpoint()), &transport.build().unwrap());
    let took = async |is_upload| {
        let began = Instant::now();
        let mut calls = JoinSet::new();
        for i in 0..4 {
            let bucket = bucket.clone();
            calls.spawn(async move {
                let key = format!("key-{i}");
                if is_upload {
                    return bucket.put(key, content(256 << 10)).await.map(drop);
                }
                bucket.get(key).await?.bytes().await.map(drop)
            });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap().unwrap();
        }
        began.elapsed().as_secs_f64()
    };
    // A second each, less a tenth of credit and one turn of each connection.
    for is_upload in [true, false] {
        let secs = took(is_upload).await;
        assert!((0.6..15.0).contains(&secs), "{secs}");
    }
}

/// The emulator, which counts connections: at a time, at most, and in all.
async fn counted() -> (Handle, SocketAddr, Arc<[AtomicUsize; 3]>) {
    let server = emulator().await;
    let handle = server.handle().clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    let (count, serving) = (Arc::clone(&counts), handle.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (count, handle) = (Arc::clone(&count), serving.clone());
            let now = count[0].fetch_add(1, Ordering::SeqCst) + 1;
            count[1].fetch_max(now, Ordering::SeqCst);
            count[2].fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _ended = handle.serve_connection(stream).await;
                count[0].fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (handle, address, counts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f87_two_hundred_calls_keep_to_eight_connections() {
    let (_handle, address, counts) = counted().await;
    let transport = Transport::builder().max_connections(8).build().unwrap();
    let bucket = bucket_over(service(&format!("http://{address}")), &transport);
    let mut calls = JoinSet::new();
    for i in 0..200 {
        let bucket = bucket.clone();
        calls.spawn(async move {
            let key = format!("key-{i}");
            bucket.put(key.clone(), key.clone()).await.unwrap();
            assert_eq!(bucket.get(key.clone()).await.unwrap().text().await.unwrap(), key);
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    let [_, at_most, in_all] = &*counts;
    assert_eq!((at_most.load(Ordering::SeqCst), in_all.load(Ordering::SeqCst)), (8, 8));
}

#[tokio::test]
async fn f87_twenty_open_bodies_exhaust_the_pool_and_the_next_call_does_not_hang() {
    let (_handle, address, counts) = counted().await;
    let limit = Duration::from_millis(300);
    let transport = Transport::builder().connect_timeout(limit).build().unwrap();
    let bucket = bucket_over(service(&format!("http://{address}")), &transport);
    bucket.put("key", content(8 << 20)).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(bucket.get("key").await.unwrap());
    }
    let began = Instant::now();
    let error = bucket.get("key").await.unwrap_err();
    assert!((limit..limit * 10).contains(&began.elapsed()), "{:?}", began.elapsed());
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    assert_eq!((failure.kind, error.outcome()), (FailureKind::PoolExhausted, Outcome::NotSent));
    let said = "all 20 connections were in use for 0.3 s, 20 of them by open bodies; read or drop those, or \
                allow more connections";
    assert_eq!(failure.cause.as_ref().unwrap().to_string(), said);
    assert_eq!(counts[1].load(Ordering::SeqCst), 20);
    held.pop();
    bucket.get("key").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f87_a_thousand_calls_on_twenty_connections_all_get_their_turn() {
    let (_handle, address, counts) = counted().await;
    let client = Client::new(service(&format!("http://{address}")), key());
    let bucket = client.bucket(BUCKET).unwrap();
    bucket.put("key", content(4 << 10)).await.unwrap();
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..1000 {
        let bucket = bucket.clone();
        calls.spawn(async move {
            // Two calls in a row by each: who waits is not passed by who comes again.
            for _ in 0..2 {
                let bytes = bucket.get("key").await.unwrap().bytes().await.unwrap();
                assert_eq!(bytes.len(), 4 << 10);
            }
            began.elapsed()
        });
    }
    let mut took = calls.join_all().await;
    took.sort();
    let (median, max) = (took[took.len() / 2], took[took.len() - 1]);
    let spread = max.as_secs_f64() / median.as_secs_f64();
    println!("1000 tasks, 2 calls each, 20 connections: median {median:?}, max {max:?}, {spread:.2}×");
    assert!(spread < 3.0, "median {median:?}, max {max:?}");
    assert_eq!(counts[1].load(Ordering::SeqCst), 20);
}
