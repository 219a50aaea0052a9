//! Answers that are bent on harm, over raw sockets: floods, lengths that contradict each other, headers that
//! are none. And what leaves us: nothing that asks for leave, nothing but what was signed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use common::{
    OK, bucket_of, bucket_over, content, emulator, header, raw, read_head, read_request, service, strict,
    write,
};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oss_hyper::{
    Body, Endpoint, Error, ErrorKind, FailureKind, GetObjectAcl, Outcome, Policy, PutObject, RequestBody,
    Transport,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service;

const IDLE: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

fn transport_error(error: &Error) -> FailureKind {
    match error.kind() {
        ErrorKind::Transport(transport) => transport.kind,
        other => panic!("{other:?}"),
    }
}

/// What a read ends with that is answered with these bytes, and how many bytes of the body it gave.
async fn read(answer: impl Into<Bytes>) -> (Result<(), Error>, usize) {
    let answer = answer.into();
    let address = raw(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            while !read_request(&mut stream).await.0.is_empty() {
                write(&mut stream, &answer).await;
            }
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG).with_retry(Policy::new().with_base_delay(IDLE / 100)));
    let mut object = match bucket.get("key").await {
        Ok(object) => object,
        Err(error) => return (Err(error), 0),
    };
    let mut len = 0;
    loop {
        match object.chunk().await {
            Ok(Some(bytes)) => len += bytes.len(),
            Ok(None) => return (Ok(()), len),
            Err(error) => return (Err(error), len),
        }
    }
}

#[tokio::test]
async fn f12_no_request_asks_for_leave_to_continue() {
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&heads);
    let address = raw(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            while let (head, mut body) = read_head(&mut stream).await
                && !head.is_empty()
            {
                // A server that gives no leave; a client that waits for it would wait for ever.
                let len = header(&head, "content-length").map(|len| len.parse::<usize>().unwrap());
                while len.map_or_else(|| !body.ends_with(b"0\r\n\r\n"), |len| body.len() < len) {
                    assert!(stream.read_buf(&mut body).await.unwrap() > 0);
                }
                seen.lock().unwrap().push(head);
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let large = || io::Cursor::new(content(3_000_000));
    bucket.put("key", content(3_000_000)).await.unwrap();
    bucket.put("key", Body::reader(3_000_000, large())).await.unwrap();
    bucket.put("key", Body::reader(None, large())).await.unwrap();
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 3);
    assert!(heads.iter().all(|head| header(head, "expect").is_none()), "{heads:?}");
}

#[tokio::test]
async fn f29_a_flood_of_interim_answers_ends_with_the_time_for_an_answer() {
    for pause in [Duration::ZERO, IDLE / 10] {
        let address = raw(move |_, mut stream| async move {
            read_request(&mut stream).await;
            let one = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
            let many = if pause.is_zero() { one.repeat(100) } else { one.to_owned() };
            while stream.write_all(many.as_bytes()).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        })
        .await;
        let began = Instant::now();
        let error = bucket_of(strict(address, IDLE)).put("key", "x").await.unwrap_err();
        assert_eq!((transport_error(&error), error.outcome()), (FailureKind::Timeout, Outcome::Unknown));
        assert!((IDLE..LONG / 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn f29_a_body_where_there_is_none_is_not_taken_for_the_next_answer() {
    let stray = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong";
    for status in ["204 No Content", "205 Reset Content", "304 Not Modified"] {
        let address = raw(move |_, mut stream| async move {
            for number in 0.. {
                if read_request(&mut stream).await.0.is_empty() {
                    return;
                }
                if number == 0 {
                    write(&mut stream, format!("HTTP/1.1 {status}\r\n\r\n{stray}")).await;
                } else {
                    write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nright").await;
                }
            }
        })
        .await;
        // On every connection the first answer is the bad one, so a call that meets another one is right.
        let bucket = bucket_of(strict(address, IDLE).with_retry(Policy::none()));
        for _ in 0..4 {
            match bucket.get("key").await {
                Ok(object) => assert!(object.text().await.is_ok_and(|text| text != "wrong"), "{status}"),
                Err(error) => assert_ne!(error.status(), Some(200), "{status}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn f40_a_trickle_is_allowed_until_the_calls_own_time_is_over() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(IDLE / 6).await;
        }
    })
    .await;
    let own = IDLE * 3;
    let service = strict(address, IDLE).with(|settings| settings.timeouts.operation = Some(own));
    let began = Instant::now();
    let mut object = bucket_of(service).get("key").await.unwrap();
    let mut len = 0;
    let error = loop {
        match object.chunk().await {
            Ok(bytes) => len += bytes.unwrap().len(),
            Err(error) => break error,
        }
    };
    // Longer than any silence may be, and not longer than the call.
    assert!((own..own * 5).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)) && len > 5, "{len} bytes: {error:?}");
}

#[tokio::test]
async fn f45_b36_lengths_that_contradict_each_other_or_are_none_end_the_call() {
    let lengths = [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5\r\ncontent-length: 5\r\n",
        "content-length: 5, 6\r\n",
        "content-length: 5, 5\r\n",
        "content-length: +5\r\n",
        "content-length: -5\r\n",
        "content-length: 0x5\r\n",
        "content-length: 5 5\r\n",
        "content-length: 18446744073709551616\r\n",
        "content-length:\r\n",
    ];
    for length in lengths {
        let (result, len) = read(format!("HTTP/1.1 200 OK\r\n{length}\r\nhello, and more")).await;
        let error = result.unwrap_err();
        let is_typed = match error.kind() {
            ErrorKind::Transport(failure) => failure.kind == FailureKind::Protocol,
            ErrorKind::Reply(_) => true,
            _ => false,
        };
        assert!(is_typed && len == 0, "{length:?}: {error:?}");
        assert_eq!(error.attempts().len(), 1, "{length:?}: {error:?}");
    }
}

#[tokio::test]
async fn f45_of_a_length_beside_chunks_no_more_and_no_less_is_delivered() {
    // What the HTTP library makes of both is its affair; our check of the length holds all the same.
    for (chunks, is_whole) in [
        ("5\r\nhello\r\n0\r\n\r\n", true),
        ("3\r\nhel\r\n0\r\n\r\n", false),
        ("6\r\nhello!\r\n0\r\n\r\n", false),
    ] {
        for both in [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        ] {
            let (result, len) = read(format!("HTTP/1.1 200 OK\r\n{both}\r\n{chunks}")).await;
            assert!(len <= 5, "{both:?} {chunks:?}");
            assert!(result.is_err() || (is_whole && len == 5), "{both:?} {chunks:?}: {len} bytes");
        }
    }
}

#[tokio::test]
async fn f51_headers_that_are_none_are_a_typed_error() {
    let cases: [&[u8]; 10] = [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n\tb\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\rcontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx y: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnothing\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\r\n\r\n",
    ];
    for answer in cases {
        let shown = String::from_utf8_lossy(answer);
        let error = read(answer).await.0.unwrap_err();
        assert_eq!(
            (transport_error(&error), error.attempts().len()),
            (FailureKind::Protocol, 1),
            "{shown:?}"
        );
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}

#[tokio::test]
async fn f51_a_head_is_taken_up_to_its_limits_and_not_beyond() {
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let long = |len: usize| format!("x-long: {}\r\n", "a".repeat(len));
    for (headers, fits) in
        [(many(127), true), (many(128), false), (long(60_000), true), (long(70_000), false)]
    {
        let shown: String = headers.chars().take(20).collect();
        let (result, _) = read(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\n\r\n")).await;
        let failed = result.map_err(|error| (transport_error(&error), error.attempts().len()));
        let due = if fits { Ok(()) } else { Err((FailureKind::Protocol, 1)) };
        assert_eq!(failed, due, "{shown} of {}", headers.len());
    }
}

#[tokio::test]
async fn f51_a_head_without_end_is_not_collected() {
    let taken: Arc<Mutex<usize>> = Arc::default();
    let count = Arc::clone(&taken);
    let address = raw(move |_, mut stream| {
        let count = Arc::clone(&count);
        async move {
            read_request(&mut stream).await;
            write(&mut stream, "HTTP/1.1 200 OK\r\n").await;
            let line = format!("x: {}\r\n", "a".repeat(1000));
            while stream.write_all(line.as_bytes()).await.is_ok() {
                *count.lock().unwrap() += line.len();
            }
        }
    })
    .await;
    let error = bucket_of(strict(address, LONG)).get("key").await.unwrap_err();
    assert_eq!(transport_error(&error), FailureKind::Protocol);
    // What we read, and what the queues of the system hold between us.
    assert!(*taken.lock().unwrap() < 32 << 20);
}

/// An HTTP client of the program's own that does something to a request before it sends it.
#[derive(Clone)]
struct Meddling {
    client: HyperClient<HttpConnector, RequestBody>,
    change: Change,
}

type Change = fn(&mut Request<RequestBody>);

impl Service<Request<RequestBody>> for Meddling {
    type Response = Response<Incoming>;
    type Error = hyper_util::client::legacy::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        (self.change)(&mut request);
        Box::pin(self.client.request(request))
    }
}

/// Another target for a request, made from its own.
fn retarget(request: &mut Request<RequestBody>, from: &str, to: &str) {
    *request.uri_mut() = request.uri().to_string().replace(from, to).parse().unwrap();
}

#[tokio::test]
async fn f88_what_a_client_of_ones_own_changes_is_refused() {
    let server = emulator().await;
    let changes: [(&str, Change); 7] = [
        ("nothing", |_| {}),
        ("a header that is not signed", |request| {
            request.headers_mut().insert("x-request-id", HeaderValue::from_static("7"));
        }),
        ("the path", |request| retarget(request, "a//b", "a/b")),
        ("its encoding", |request| retarget(request, "%2B", "%20")),
        ("the query", |request| retarget(request, "b?", "b?x-oss-process=x&")),
        ("a signed header", |request| {
            request.headers_mut().insert("x-oss-meta-name", HeaderValue::from_static("other"));
        }),
        ("a header more", |request| {
            request.headers_mut().insert("x-oss-object-acl", HeaderValue::from_static("public-read"));
        }),
    ];
    for (at, (what, change)) in changes.into_iter().enumerate() {
        let client = HyperClient::builder(TokioExecutor::new()).build_http();
        let transport = Transport::from_service(Meddling { client, change });
        let bucket = bucket_over(service(&server.endpoint()), &transport);
        let put = PutObject::to("a//b+c b", "hello").metadata([("name", "value")]);
        let put = bucket.send(put).await.map(drop);
        let get = bucket.send(GetObjectAcl::to("a//b+c b")).await.map(drop);
        let refused: Vec<_> = [put, get].into_iter().filter_map(Result::err).collect();
        if at < 2 {
            assert!(refused.is_empty(), "{what}: {refused:?}");
            continue;
        }
        assert!(!refused.is_empty(), "{what}");
        for error in refused {
            assert_eq!((error.code(), error.outcome()), (Some("SignatureDoesNotMatch"), Outcome::Rejected));
            assert_eq!(error.attempts().len(), 1);
        }
    }
}

/// Whether this address is one that a policy may not want to be led to: link-local, or that of the metadata
/// service.
fn is_of_the_machine(ip: core::net::IpAddr) -> bool {
    match ip {
        core::net::IpAddr::V4(ip) => ip.is_link_local() || ip.octets() == [100, 100, 100, 200],
        core::net::IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[tokio::test]
async fn b10_a_resolver_of_ones_own_refuses_addresses_and_the_default_does_not() {
    // Private names and loopback are normal endpoints.
    let server = emulator().await;
    let endpoint = format!("http://localhost:{}", server.address().port());
    bucket_over(service(&endpoint), &Transport::new()).put("key", "x").await.unwrap();

    let transport = Transport::builder().resolver(|host| async move {
        let found = if host == "oss.rebound.example" { "169.254.169.254:0" } else { "100.100.100.200:0" };
        let found: core::net::SocketAddr = found.parse().unwrap();
        match is_of_the_machine(found.ip()) {
            true => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, "leads to an address of the machine"))
            }
            false => Ok(vec![found]),
        }
    });
    let transport = transport.build().unwrap();
    for host in ["oss.rebound.example", "oss.metadata.example"] {
        let service = service(&format!("http://{host}")).with_retry(Policy::none());
        let error = bucket_over(service, &transport).put("key", "x").await.unwrap_err();
        assert_eq!((transport_error(&error), error.outcome()), (FailureKind::Dns, Outcome::NotSent));
        assert!(error.to_string().contains("leads to an address of the machine"), "{error}");
    }
    // An address that is written out is looked up by nobody; it is known before a request is made.
    for (text, refused) in [
        ("http://169.254.169.254", true),
        ("https://100.100.100.200", true),
        ("http://[fe80::1]", true),
        ("http://127.0.0.1", false),
        ("oss-cn-hangzhou.aliyuncs.com", false),
    ] {
        let ip = Endpoint::parse(text).map(|endpoint| endpoint.ip());
        // What is no canonical address is no endpoint.
        assert_eq!(ip.map_or(true, |ip| ip.is_some_and(is_of_the_machine)), refused, "{text}");
    }
}
