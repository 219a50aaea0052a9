//! Time limits, and who is to blame when they pass.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::time::Instant;

use common::{
    BUCKET, OK, bucket_of, bucket_over, content, emulator, key, raw, read_head, read_request, service,
    strict, write,
};
use oss_hyper::{
    Body, Client, CredentialsProvider, Error, ErrorKind, FailureKind, GetObject, Outcome, PutObject,
    Transport, Wait,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::{sleep, timeout};

const IDLE: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

fn transport_error(error: &Error) -> (FailureKind, String) {
    let ErrorKind::Transport(transport) = error.kind() else { panic!("{error:?}") };
    (transport.kind, transport.cause.as_ref().unwrap().to_string())
}

#[tokio::test]
async fn f70_time_limits_without_end_are_limits_without_end() {
    let server = emulator().await;
    let transport =
        Transport::builder().connect_timeout(Duration::MAX).idle_connection_timeout(Duration::MAX);
    let transport = transport.build().unwrap();
    let endless = service(&server.endpoint()).with(|settings| {
        settings.timeouts.idle = Duration::MAX;
        settings.timeouts.slow_answer = Duration::MAX;
        settings.timeouts.error_body = Duration::MAX;
        settings.timeouts.credentials = Duration::MAX;
    });
    for operation in [None, Some(Duration::MAX)] {
        let service = endless.clone().with(|settings| settings.timeouts.operation = operation);
        let bucket = bucket_over(service, &transport);
        bucket.put("key", Body::reader(5, &b"hello"[..])).await.unwrap();
        bucket.copy("key", "copy").await.unwrap();
        assert_eq!(bucket.get("copy").await.unwrap().text().await.unwrap(), "hello");
        assert!(bucket.get("none").await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn f13_a_source_that_has_given_all_and_does_not_end_is_named() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()).with(|settings| settings.timeouts.idle = IDLE));
    for len in [5, 0] {
        let (mut writer, reader) = tokio::io::duplex(64);
        writer.write_all(&b"12345"[..len]).await.unwrap();
        let began = Instant::now();
        let error = bucket.put("key", Body::reader(len as u64, reader)).await.unwrap_err();
        let said =
            format!("the body gave all {len} bytes but does not end; wrap its reader in `take({len})`");
        assert_eq!(transport_error(&error), (FailureKind::BodySource, said));
        assert_eq!(error.attempts().len(), 1);
        assert!((IDLE..LONG / 2).contains(&began.elapsed()), "{:?}", began.elapsed());
        assert!(!bucket.exists("key").await.unwrap());
        drop(writer);
    }
    // The advice is good.
    let (mut writer, reader) = tokio::io::duplex(64);
    writer.write_all(b"12345").await.unwrap();
    bucket.put("key", Body::reader(5, reader.take(5))).await.unwrap();
}

#[tokio::test]
async fn f13_a_peer_that_takes_what_was_queued_in_its_own_time_is_not_silent() {
    let address = raw(|_, mut stream| async move {
        let (_, mut body) = read_head(&mut stream).await;
        // By now the system has taken everything.
        sleep(IDLE * 4).await;
        while body.len() < 1_000_000 && stream.read_buf(&mut body).await.unwrap_or(0) > 0 {}
        write(&mut stream, OK).await;
    })
    .await;
    bucket_of(strict(address, IDLE)).put("key", content(1_000_000)).await.unwrap();
}

/// Blocks its thread, as a program's own code may.
struct Blocks;

impl AsyncRead for Blocks {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        std::thread::sleep(IDLE * 10);
        Poll::Ready(Ok(()))
    }
}

/// The connection lives on a runtime of its own, and only that one's thread is blocked: which task a blocked
/// worker takes along would otherwise be tokio's to choose.
#[test]
fn f70_a_source_that_blocks_its_thread_does_not_hold_up_the_calls_end() {
    let theirs = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ours = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = theirs.block_on(emulator());
    let wires = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (service, transport) = (service(&server.endpoint()), Transport::new());
    let first = bucket_over(service.clone(), &transport);
    wires.block_on(first.put("first", "it opens the connection")).unwrap();
    let ending = service.with(|settings| settings.timeouts.operation = Some(IDLE));
    let bucket = bucket_over(ending, &transport);
    let began = Instant::now();
    let error = ours.block_on(bucket.put("key", Body::reader(5, Blocks))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{error:?}");
    assert!(began.elapsed() < IDLE * 8, "{:?}", began.elapsed());
}

/// Gives three bytes, and then panics.
struct Panics(bool);

impl AsyncRead for Panics {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(!core::mem::replace(&mut self.0, true), "a source of the program panics");
        buffer.put_slice(b"123");
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn f09_a_source_that_panics_is_no_failure_of_the_wire() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let reopened = Body::reopen(6, move || {
        count.fetch_add(1, Ordering::Relaxed);
        core::future::ready(Ok(Panics(true)))
    });
    let bodies =
        [Body::reader(6, Panics(true)), Body::reader(6, Panics(false)), Body::reader(None, Panics(false))];
    for body in bodies.into_iter().chain([reopened]) {
        let error = bucket.put("key", body).await.unwrap_err();
        let said = "the body's source panicked".to_owned();
        assert_eq!(transport_error(&error), (FailureKind::BodySource, said));
        assert_eq!((error.attempts().len(), error.outcome() == Outcome::Unknown), (1, false));
        assert!(!bucket.exists("key").await.unwrap());
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_source_that_opens_slowly_keeps_no_connection() {
    let server = emulator().await;
    let transport = Transport::builder().max_connections(1).connect_timeout(IDLE).build().unwrap();
    let bucket = bucket_over(service(&server.endpoint()), &transport);
    bucket.put("source", "12345").await.unwrap();
    let never = Body::reopen(5, core::future::pending::<io::Result<&[u8]>>);
    let (hanging, other) = tokio::join!(timeout(IDLE * 2, bucket.put("a", never)), async {
        sleep(IDLE / 4).await;
        bucket.put("b", "x").await
    });
    assert!(hanging.is_err());
    other.unwrap();
    // A source that takes a connection to open can be collected before it is sent, even from a pool of one.
    let from = bucket.clone();
    let copy = Body::reopen(5, move || {
        let from = from.clone();
        async move {
            let bytes = async { from.get("source").await?.bytes().await }.await.map_err(io::Error::other)?;
            Ok(io::Cursor::new(bytes))
        }
    });
    bucket.put("copy", copy).await.unwrap();
}

#[tokio::test]
async fn f87_running_calls_are_waited_for() {
    let address = raw(|_, mut stream| async move {
        while !read_request(&mut stream).await.0.is_empty() {
            sleep(IDLE * 2).await;
            write(&mut stream, OK).await;
        }
    })
    .await;
    let transport = Transport::builder().max_connections(1).connect_timeout(IDLE).build().unwrap();
    let bucket = bucket_over(strict(address, LONG), &transport);
    let (a, b, c) = tokio::join!(bucket.put("a", "x"), bucket.put("b", "x"), bucket.put("c", "x"));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
}

#[tokio::test]
async fn a_runtime_that_was_busy_does_not_accuse_the_peer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                while io::Read::read(&mut stream, &mut [0; 8192]).unwrap_or(0) > 0 {
                    for part in ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "he", "llo"] {
                        std::thread::sleep(IDLE / 4);
                        io::Write::write_all(&mut stream, part.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    let bucket = bucket_of(strict(address, IDLE));
    let busy = async |after: Duration| {
        sleep(after).await;
        std::thread::sleep(IDLE * 2);
    };
    // While the head is waited for, and while the body is, by the call and by its reader.
    for after in [IDLE / 10, IDLE * 3 / 8, IDLE * 5 / 8] {
        let read = async { bucket.get("key").await?.text().await };
        let (text, ()) = tokio::join!(read, busy(after));
        assert_eq!(text.unwrap(), "hello", "{after:?}");
        let (put, ()) = tokio::join!(bucket.send(PutObject::to("key", "x")), busy(after));
        put.unwrap();
    }
}

#[tokio::test]
async fn a_calls_own_end_bounds_the_credentials_of_a_url() {
    let service = service("http://127.0.0.1:1").with(|settings| settings.timeouts.operation = Some(IDLE));
    let client = Client::new(
        service,
        CredentialsProvider::from_fn(|| async {
            sleep(LONG).await;
            Ok::<_, io::Error>(Some(key()))
        }),
    );
    let began = Instant::now();
    let error = client.presign(GetObject::new(BUCKET, "key"), Duration::from_secs(60)).await.unwrap_err();
    assert!(error.to_string().contains("gave no answer in time"), "{error}");
    assert!(began.elapsed() < LONG / 2);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn f80_a_lookup_that_ends_with_its_runtime_is_asked_again_by_who_waits() {
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = serving.block_on(emulator());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let client = Client::new(
        service(&server.endpoint()),
        CredentialsProvider::from_fn(move || {
            let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                if is_first {
                    sleep(LONG).await;
                }
                Ok::<_, io::Error>(Some(key()))
            }
        }),
    );
    let bucket = client.bucket(BUCKET).unwrap();
    let first = runtime();
    assert!(first.block_on(async { timeout(IDLE, bucket.put("key", "x")).await.is_err() }));
    // One caller waits already when the runtime of the question ends, one comes later.
    let waiting = std::thread::spawn({
        let bucket = bucket.clone();
        move || runtime().block_on(bucket.put("key", "x")).map(drop)
    });
    std::thread::sleep(IDLE);
    drop(first);
    waiting.join().unwrap().unwrap();
    runtime().block_on(bucket.put("key", "x")).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_call_whose_time_is_over_says_where_the_time_went() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await;
        sleep(LONG).await;
    })
    .await;
    let hurried = || strict(address, LONG).with(|settings| settings.timeouts.operation = Some(IDLE));
    let waited = |error: &Error| match error.kind() {
        ErrorKind::Deadline(late) => late.wait,
        other => panic!("{other:?}"),
    };
    let transport = Transport::builder().max_connections(1).build().unwrap();
    let held = bucket_over(strict(address, LONG), &transport).get("a").await.unwrap();
    let error = bucket_over(hurried(), &transport).get("b").await.unwrap_err();
    assert_eq!((waited(&error), error.outcome()), (Wait::Turn, Outcome::NotSent));
    drop(held);

    let named = hurried().with(|settings| settings.endpoint = "http://oss.example".parse().unwrap());
    let transport = Transport::builder().resolver(|_| core::future::pending()).build().unwrap();
    let error = bucket_over(named, &transport).get("c").await.unwrap_err();
    assert_eq!((waited(&error), error.outcome()), (Wait::Connect, Outcome::NotSent));
}
