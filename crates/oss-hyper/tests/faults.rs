//! Servers that do one thing wrong, over raw sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

use common::{OK, bucket_of, bucket_over, content, header, raw, read_head, read_request, strict, write};
use oss_hyper::{
    Body, CorruptBody, Error, ErrorKind, FailureKind, GetObject, Outcome, Policy, PutObject, Transport, Wait,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

const IDLE: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

fn transport_error(error: &Error) -> FailureKind {
    match error.kind() {
        ErrorKind::Transport(transport) => transport.kind,
        other => panic!("{other:?}"),
    }
}

fn cause(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Transport(transport) => transport.cause.as_ref().unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn f02_a_refused_connection_was_not_sent_and_is_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let retrying = common::service(&format!("http://{address}"));
    let error = bucket_of(retrying).put("key", "x").await.unwrap_err();
    assert_eq!(transport_error(&error), FailureKind::Connect);
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotSent, 3));
    assert!(cause(&error).contains(&address.to_string()), "{}", cause(&error));
}

#[tokio::test]
async fn f01_a_name_without_an_address_was_not_sent() {
    let service = common::service("http://does-not-exist.invalid").with_retry(Policy::none());
    let error = bucket_of(service).put("key", "x").await.unwrap_err();
    assert_eq!((transport_error(&error), error.outcome()), (FailureKind::Dns, Outcome::NotSent));
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn f05_a_handshake_that_stalls_counts_as_connecting() {
    let address = raw(|_, stream| async move {
        sleep(LONG).await;
        drop(stream);
    })
    .await;
    let transport = Transport::builder().connect_timeout(IDLE).build().unwrap();
    let service = common::service(&format!("https://localhost:{}", address.port()));
    let began = Instant::now();
    let error =
        bucket_over(service.with_retry(Policy::none()), &transport).put("key", "x").await.unwrap_err();
    assert_eq!((transport_error(&error), error.outcome()), (FailureKind::Connect, Outcome::NotSent));
    assert!(began.elapsed() < LONG / 2);
    assert!(cause(&error).contains("within 0.2 s"), "{}", cause(&error));
}

#[tokio::test]
async fn f06_a_pooled_connection_that_was_closed_costs_nothing() {
    // A thread of its own closes the connection while the test's runtime sees nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _request = io::Read::read(&mut stream, &mut [0; 4096]);
            // One answer that promises more, and then the end.
            let _answer = io::Write::write_all(&mut stream, OK.as_bytes());
            // Not at once: the client must have taken the connection for one that it may keep.
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let bucket = bucket_of(strict(address, LONG));
    for _ in 0..5 {
        // Not even a call that is never repeated notices.
        let reply = bucket.put("key", Body::empty()).await.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((reply.head.status, reply.attempts.len()), (200, 1));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn f11_an_early_answer_is_read_while_the_body_is_still_on_its_way() {
    let denied = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{denied}", denied.len());
    let bytes = bytes::Bytes::from(content(30_000_000));
    // The server goes on to hold the connection, closes it in order, or breaks it off with the body unread.
    for ending in 0..3 {
        let answer = answer.clone();
        let address = raw(move |_, mut stream| {
            let answer = answer.clone();
            async move {
                read_head(&mut stream).await;
                write(&mut stream, answer).await;
                match ending {
                    0 => sleep(LONG).await,
                    1 => {
                        sleep(Duration::from_millis(50)).await;
                        let _all = timeout(IDLE, stream.read_to_end(&mut Vec::new())).await;
                    }
                    _ => sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await;
        let bucket = bucket_of(strict(address, LONG));
        let began = Instant::now();
        let error = bucket.put("key", bytes.clone()).await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"), "{ending}: {error:?}");
        assert_eq!(error.outcome(), Outcome::Rejected);
        assert!(began.elapsed() < LONG / 2, "{ending}");
    }
}

#[tokio::test]
async fn f11_an_early_success_is_not_believed() {
    let address = raw(|_, mut stream| async move {
        read_head(&mut stream).await;
        write(&mut stream, OK).await;
        sleep(LONG).await;
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let bytes = content(30_000_000);
    let body = Body::reader(bytes.len() as u64, io::Cursor::new(bytes));
    let error = bucket.put("key", body).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupt(CorruptBody::Length { .. })), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn f13_a_peer_that_stops_taking_the_body_is_silent() {
    let address = raw(|_, mut stream| async move {
        read_head(&mut stream).await;
        sleep(LONG).await;
        drop(stream);
    })
    .await;
    let bytes = content(30_000_000);
    let began = Instant::now();
    let error = bucket_of(strict(address, IDLE)).put("key", bytes).await.unwrap_err();
    assert_eq!((transport_error(&error), error.outcome()), (FailureKind::Timeout, Outcome::Unknown));
    assert!((IDLE..LONG / 2).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn f13_a_slow_source_is_not_the_peers_fault() {
    let address = raw(|_, mut stream| async move {
        let (_, body) = read_request(&mut stream).await;
        assert_eq!(body, b"0123");
        write(&mut stream, OK).await;
    })
    .await;
    let (mut writer, reader) = tokio::io::duplex(16);
    tokio::spawn(async move {
        for digit in 0..4 {
            sleep(IDLE * 2).await;
            tokio::io::AsyncWriteExt::write_all(&mut writer, digit.to_string().as_bytes()).await.unwrap();
        }
    });
    bucket_of(strict(address, IDLE)).put("key", Body::reader(4, reader)).await.unwrap();
}

#[tokio::test]
async fn f15_f16_silence_after_the_request_has_left() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        sleep(LONG).await;
    })
    .await;
    let began = Instant::now();
    let error = bucket_of(strict(address, IDLE)).put("key", "x").await.unwrap_err();
    assert_eq!((transport_error(&error), error.outcome()), (FailureKind::Timeout, Outcome::Unknown));
    assert!((IDLE..LONG / 2).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_calls_own_end_bounds_every_wait() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        sleep(LONG).await;
    })
    .await;
    let service = strict(address, LONG).with(|settings| settings.timeouts.operation = Some(IDLE));
    let transport = Transport::builder().max_connections(1).build().unwrap();
    let bucket = bucket_over(service, &transport);
    let (first, second) = tokio::join!(bucket.put("key", "x"), bucket.put("key", "y"));
    for (error, wait) in [(first.unwrap_err(), Wait::Answer), (second.unwrap_err(), Wait::Turn)] {
        let ErrorKind::Deadline(deadline) = error.kind() else { panic!("{error:?}") };
        assert_eq!(deadline.wait, wait);
        assert!((IDLE..LONG / 2).contains(&deadline.after), "{:?}", deadline.after);
    }
}

#[tokio::test]
async fn f87_a_pool_held_by_open_bodies_says_so() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await;
        sleep(LONG).await;
    })
    .await;
    let transport = Transport::builder().max_connections(2).connect_timeout(IDLE).build().unwrap();
    let bucket = bucket_over(strict(address, LONG), &transport);
    let held = [bucket.get("a").await.unwrap(), bucket.get("b").await.unwrap()];
    let error = bucket.get("c").await.unwrap_err();
    assert_eq!((transport_error(&error), error.outcome()), (FailureKind::PoolExhausted, Outcome::NotSent));
    let said = "all 2 connections were in use for 0.2 s, 2 of them by open bodies; read or drop those, \
                or allow more connections";
    assert_eq!(cause(&error), said);
    drop(held);
    assert!(bucket.get("c").await.is_ok());
}

#[tokio::test]
async fn f09_a_source_of_the_wrong_length_never_makes_a_whole_message() {
    let arrived: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let seen = Arc::clone(&arrived);
    let address = raw(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let (_, mut body) = read_head(&mut stream).await;
            // To the end of the connection, whatever was announced.
            let _end = stream.read_to_end(&mut body).await;
            seen.lock().unwrap().push(body);
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG).with_retry(Policy::new()));
    let broken = || {
        let good = tokio::io::AsyncReadExt::chain(&b"12345"[..], Broken);
        Body::reader(None, good)
    };
    let cases: [(&str, Body); 6] = [
        ("the body ended after 5 of the 10 bytes announced", Body::reader(10, &b"12345"[..])),
        (
            "the body has more bytes than were announced",
            Body::reopen(5, || async { Ok(tokio::io::AsyncReadExt::chain(&b"12345"[..], &b"6"[..])) }),
        ),
        ("the body has more than the 3 bytes that were announced", Body::reader(3, &b"12345"[..])),
        ("the body has bytes where none were announced", Body::reader(0, &b"12345"[..])),
        ("the disk is gone", broken()),
        (
            "no such file",
            Body::reopen(5, || async { Err::<tokio::io::Empty, _>(io::Error::other("no such file")) }),
        ),
    ];
    for (message, body) in cases {
        let error = bucket.put("key", body).await.unwrap_err();
        assert_eq!(transport_error(&error), FailureKind::BodySource, "{message}");
        assert_eq!(cause(&error), message);
        assert_eq!(error.attempts().len(), 1, "{message}");
        assert_ne!(error.outcome(), Outcome::Unknown, "{message}");
    }
    sleep(Duration::from_millis(100)).await;
    for body in arrived.lock().unwrap().iter() {
        assert!(body.len() < 5 || !body.ends_with(b"0\r\n\r\n"), "{body:?}");
        assert_ne!(body.as_slice(), b"12345");
    }
}

struct Broken;

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> core::task::Poll<io::Result<()>> {
        core::task::Poll::Ready(Err(io::Error::other("the disk is gone")))
    }
}

#[tokio::test]
async fn f10_a_body_that_can_be_read_once_is_kept_while_nothing_of_it_was_taken() {
    // The first connection is closed at once, the second refuses after the body was taken.
    let address = raw(|number, mut stream| async move {
        let (_, body) = read_request(&mut stream).await;
        assert_eq!(body, b"12345");
        if number == 0 {
            write(&mut stream, "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let service = common::service(&format!("http://{address}"));
    let error = bucket_of(service.clone()).put("key", Body::reader(5, &b"12345"[..])).await.unwrap_err();
    assert_eq!((error.status(), error.attempts().len()), (Some(503), 1));
    assert!(error.to_string().contains("; not repeated, because the body can be read only once"), "{error}");

    // Nothing listens at first: the reader is untouched and goes out with a later attempt.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let service = common::service(&format!("http://{address}"))
        .with_retry(Policy::new().with_max_attempts(50).with_fixed_delay(Duration::from_millis(20)));
    tokio::spawn(async move {
        sleep(Duration::from_millis(60)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(read_request(&mut stream).await.1, b"12345");
        write(&mut stream, OK).await;
    });
    let reply = bucket_of(service).put("key", Body::reader(5, &b"12345"[..])).await.unwrap();
    assert!(reply.attempts.len() > 1);
}

#[tokio::test]
async fn f07_a_reset_while_sending_is_repeated_from_the_start_of_the_body() {
    let address = raw(|number, mut stream| async move {
        if number == 0 {
            read_head(&mut stream).await;
            return;
        }
        assert_eq!(read_request(&mut stream).await.1.len(), 3_000_000);
        write(&mut stream, OK).await;
    })
    .await;
    let bucket = bucket_of(common::service(&format!("http://{address}")));
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let body = Body::reopen(3_000_000, move || {
        count.fetch_add(1, Ordering::Relaxed);
        core::future::ready(Ok(io::Cursor::new(content(3_000_000))))
    });
    let reply = bucket.put("key", body).await.unwrap();
    assert_eq!((reply.attempts.len(), opened.load(Ordering::Relaxed)), (2, 2));
}

#[tokio::test]
async fn f36_f37_a_body_that_breaks_or_ends_early_is_no_object() {
    let cases = [
        // Broken off under a length, under chunks, and ended in order but too early.
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", false),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n", false),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-oss-hash-crc64ecma: 1\r\n\r\n\
             3\r\nhel\r\n0\r\n\r\n",
            true,
        ),
        ("HTTP/1.0 200 OK\r\nx-oss-hash-crc64ecma: 1\r\n\r\nhel", true),
    ];
    for (answer, is_orderly) in cases {
        let address = raw(move |_, mut stream| async move {
            read_request(&mut stream).await;
            write(&mut stream, answer).await;
        })
        .await;
        let mut object = bucket_of(strict(address, LONG)).get("key").await.unwrap();
        assert_eq!(object.chunk().await.unwrap().unwrap(), "hel", "{answer:?}");
        let error = object.chunk().await.unwrap_err();
        if is_orderly {
            assert!(matches!(error.kind(), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })), "{error:?}");
        } else {
            assert_eq!(transport_error(&error), FailureKind::Reset);
        }
        assert!(object.verified().is_none() && object.chunk().await.is_err());
    }
}

#[tokio::test]
async fn f37_content_that_ends_with_its_connection_is_not_collected() {
    let cases = [("transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n", true), ("\r\nhel", false)];
    for (rest, is_whole) in cases {
        let address = raw(move |_, mut stream| async move {
            read_request(&mut stream).await;
            write(&mut stream, format!("HTTP/1.1 200 OK\r\n{rest}")).await;
        })
        .await;
        let text = bucket_of(strict(address, LONG)).get("key").await.unwrap().text().await;
        assert_eq!(text.is_ok_and(|text| text == "hel"), is_whole, "{rest:?}");
    }
}

#[tokio::test]
async fn f38_what_comes_after_the_announced_length_is_never_delivered() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, and more").await;
        sleep(LONG).await;
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    for _ in 0..3 {
        // The rest poisons the connection, and the next call takes another one.
        assert_eq!(bucket.get("key").await.unwrap().text().await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn f39_a_body_that_stalls_is_given_up_and_a_slow_reader_is_not() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel").await;
        sleep(IDLE).await;
        write(&mut stream, "l").await;
        sleep(LONG).await;
    })
    .await;
    let mut object = bucket_of(strict(address, IDLE * 2)).get("key").await.unwrap();
    sleep(IDLE * 4).await;
    let mut received = Vec::new();
    let began = Instant::now();
    let error = loop {
        match object.chunk().await {
            Ok(chunk) => received.extend(chunk.unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!((received.as_slice(), transport_error(&error)), (&b"hell"[..], FailureKind::Timeout));
    assert!((IDLE..LONG / 2).contains(&began.elapsed()));
}

#[tokio::test]
async fn a_read_that_is_dropped_goes_on_where_it_was() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
        sleep(IDLE).await;
        write(&mut stream, "hello").await;
    })
    .await;
    let mut object = bucket_of(strict(address, LONG)).get("key").await.unwrap();
    assert!(timeout(IDLE / 4, object.chunk()).await.is_err());
    assert_eq!(object.chunk().await.unwrap().unwrap(), "hello");
    assert_eq!(object.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn f14_after_a_5xx_the_next_attempt_uses_another_connection() {
    let address = raw(|number, mut stream| async move {
        while !read_request(&mut stream).await.0.is_empty() {
            let status = if number == 0 { "500 Oops" } else { "200 OK" };
            write(&mut stream, format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await;
        }
    })
    .await;
    let bucket = bucket_of(common::service(&format!("http://{address}")));
    assert_eq!(bucket.put("key", "x").await.unwrap().attempts.len(), 2);
    assert_eq!(bucket.put("key", "x").await.unwrap().attempts.len(), 1);
}

#[tokio::test]
async fn connections_are_reused_until_they_have_idled_too_long() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let address = raw(move |_, mut stream| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            while !read_request(&mut stream).await.0.is_empty() {
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    let transport = Transport::builder().idle_connection_timeout(IDLE).build().unwrap();
    let bucket = bucket_over(strict(address, LONG), &transport);
    for _ in 0..5 {
        bucket.put("key", "x").await.unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    sleep(IDLE * 2).await;
    bucket.put("key", "x").await.unwrap();
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

/// A connection that nobody uses any more is closed when its time is over, and not by the next call.
#[tokio::test]
async fn i07_an_idle_connection_is_closed_in_time() {
    let ended = Arc::new(tokio::sync::Notify::new());
    let end = Arc::clone(&ended);
    let address = raw(move |_, mut stream| {
        let end = Arc::clone(&end);
        async move {
            while !read_request(&mut stream).await.0.is_empty() {
                write(&mut stream, OK).await;
            }
            end.notify_one();
        }
    })
    .await;
    let transport = Transport::builder().idle_connection_timeout(IDLE).build().unwrap();
    let bucket = bucket_over(strict(address, LONG), &transport);
    bucket.put("key", "x").await.unwrap();
    bucket.put("key", "x").await.unwrap();
    timeout(LONG, ended.notified()).await.expect("the client closes what it does not use");
    bucket.put("key", "x").await.unwrap();
    timeout(LONG, ended.notified()).await.expect("and again, after a pause");
}

/// Head and body of a request.
type Arrived = (String, Vec<u8>);

#[tokio::test]
async fn f88_what_leaves_is_what_was_signed() {
    let arrived: Arc<Mutex<Vec<Arrived>>> = Arc::default();
    let seen = Arc::clone(&arrived);
    let address = raw(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            loop {
                let request = read_request(&mut stream).await;
                if request.0.is_empty() {
                    return;
                }
                seen.lock().unwrap().push(request);
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let composed: Mutex<Vec<http::Request<()>>> = Mutex::default();
    let client = bucket.client();
    for key in ["../a", "a//b", "%2E%2E/x", "a b+c", "a/./b?x#y", "目录/🦆", "~!*'()"] {
        let put = PutObject::to(key, "hello").metadata([("name", "value")]).cache_control("no-cache");
        let exchange = oss_hyper::Exchange::new(&put, client.service(), client.account().call());
        let body = Body::empty();
        let send = async |transmit: oss_hyper::Transmit| {
            let mut copy = http::Request::new(());
            *copy.method_mut() = transmit.request.method().clone();
            *copy.uri_mut() = transmit.request.uri().clone();
            *copy.headers_mut() = transmit.request.headers().clone();
            composed.lock().unwrap().push(copy);
            client.transport().send(transmit, &body, client.account()).await
        };
        oss_hyper::drive(exchange, client.account(), send).await.unwrap();
    }
    let composed = composed.into_inner().unwrap();
    for (request, (head, body)) in composed.iter().zip(arrived.lock().unwrap().iter()) {
        let mut lines = head.trim_end().split("\r\n");
        let target = request.uri().path_and_query().unwrap();
        assert_eq!(lines.next().unwrap(), format!("PUT {target} HTTP/1.1"));
        assert_eq!(body, b"hello");
        let mut sent: Vec<_> = lines.map(str::to_owned).collect();
        let show = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut signed: Vec<_> = request.headers().iter().map(show).collect();
        sent.sort();
        signed.sort();
        assert_eq!(sent, signed);
    }
    assert_eq!(arrived.lock().unwrap().len(), 7);
    let heads = arrived.lock().unwrap();
    let paths: Vec<_> = heads.iter().map(|(head, _)| head.split(' ').nth(1).unwrap()).collect();
    assert_eq!(paths[..3], ["/examplebucket/../a", "/examplebucket/a//b", "/examplebucket/%252E%252E/x"]);
    assert!(heads.iter().all(|(head, _)| header(head, "host") == Some(&address.to_string())));
}

#[tokio::test]
async fn a_streamed_operation_without_its_stream_says_what_to_do() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let body = Body::reader(5, &b"12345"[..]);
    let error = bucket.send(PutObject::to("key", body.payload())).await.unwrap_err();
    assert_eq!((transport_error(&error), error.outcome()), (FailureKind::BodySource, Outcome::NotSent));
    assert!(cause(&error).contains("send_from"));
    assert!(bucket.send(GetObject::to("key")).await.is_err());
}
