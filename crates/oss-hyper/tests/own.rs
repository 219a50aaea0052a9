//! A connector, a resolver or a whole HTTP client of the program's own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::future::{Ready, ready};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use common::{OK, bucket_over, content, emulator, raw, read_head, read_request, service, strict, write};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use oss_hyper::{
    Body, Bucket, Error, ErrorKind, FailureKind, Outcome, Policy, Proxy, RequestBody, TlsVersion, Transport,
};
use tokio::net::TcpStream;
use tower_service::Service;

const LIMIT: Duration = Duration::from_millis(200);

fn told(error: &Error) -> (FailureKind, String) {
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    (failure.kind, failure.cause.as_ref().map(ToString::to_string).unwrap_or_default())
}

async fn works(bucket: &Bucket) {
    let bytes = content(300_000);
    bucket.put("key", bytes.clone()).await.unwrap();
    let reader = io::Cursor::new(bytes.clone());
    bucket.put("key", Body::reader(300_000, reader.clone())).await.unwrap();
    assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    bucket.put("key", Body::reader(None, reader)).await.unwrap();
    assert!(bucket.get("none").await.unwrap_err().is_not_found());
    bucket.delete("key").await.unwrap();
}

#[tokio::test]
async fn the_connector_of_hyper_util_fits() {
    let server = emulator().await;
    let transport = Transport::builder().connector(HttpConnector::new()).build().unwrap();
    works(&bucket_over(service(&server.endpoint()), &transport)).await;
}

/// Connects to a Unix socket, whatever the name.
#[cfg(unix)]
#[derive(Clone)]
struct Unix(std::path::PathBuf);

#[cfg(unix)]
impl Service<Uri> for Unix {
    type Response = TokioIo<tokio::net::UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        assert_eq!(uri, "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/");
        let path = self.0.clone();
        Box::pin(async move { Ok(TokioIo::new(tokio::net::UnixStream::connect(path).await?)) })
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_connector_owns_names_and_tls_and_the_pool_stays_ours() {
    let emulator = emulator().await;
    let path = std::env::temp_dir().join(format!("oss-hyper-own-{}.sock", std::process::id()));
    let _stale = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let (count, handle) = (Arc::clone(&connections), emulator.handle().clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let handle = handle.clone();
            tokio::spawn(async move { handle.serve_connection(stream).await });
        }
    });
    let transport = Transport::builder().connector(Unix(path.clone())).build().unwrap();
    works(&bucket_over(service("https://oss-cn-hangzhou.aliyuncs.com"), &transport)).await;
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    std::fs::remove_file(&path).unwrap();
}

/// Fails, or never ends.
#[derive(Clone)]
struct Bad(bool);

impl Service<Uri> for Bad {
    type Response = TokioIo<TcpStream>;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        if self.0 { Box::pin(ready(Err("no road there"))) } else { Box::pin(core::future::pending()) }
    }
}

#[tokio::test]
async fn a_connector_that_fails_or_never_ends_is_a_failure_to_connect() {
    for (bad, said) in [(Bad(true), "no road there"), (Bad(false), "the connector did not end within 0.2 s")]
    {
        let transport = Transport::builder().connect_timeout(LIMIT).connector(bad).build().unwrap();
        let service = service("http://127.0.0.1:1").with_retry(Policy::none());
        let error = bucket_over(service, &transport).put("key", "x").await.unwrap_err();
        assert_eq!(told(&error), (FailureKind::Connect, said.to_owned()));
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
}

#[test]
fn a_connector_beside_options_that_it_does_not_see_is_refused_by_both_names() {
    let own = || Transport::builder().connector(Bad(true));
    let cases = [
        ("tls_min_version", own().tls_min_version(TlsVersion::Tls13)),
        ("tls_version", own().tls_version(TlsVersion::Tls13)),
        ("insecure_skip_verify", own().insecure_skip_verify(true)),
        ("root_certificates", own().root_certificates("x")),
        ("client_certificate", own().client_certificate("x", "y")),
        ("proxy", own().proxy(Proxy::none())),
        ("resolver", own().resolver(|_| ready(Ok(Vec::new())))),
        ("bind_address", own().bind_address(IpAddr::V4(Ipv4Addr::LOCALHOST))),
    ];
    for (name, builder) in cases {
        let error = builder.build().unwrap_err();
        let said = format!(
            "cannot send a request: connector: `connector` and `{name}` are both set; a connector of one's \
             own sees to that itself, so leave one of them out"
        );
        assert_eq!(error.to_string(), said);
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)));
    }
    own().insecure_skip_verify(false).upload_bandwidth_max(1).block_size(1).build().unwrap();
}

#[tokio::test]
async fn a_resolvers_port_0_is_the_urls_and_another_one_wins() {
    let server = emulator().await;
    let at = server.address();
    let cases = [
        (format!("http://oss-cn-hangzhou.aliyuncs.com:{}", at.port()), SocketAddr::new(at.ip(), 0)),
        ("http://oss-cn-hangzhou.aliyuncs.com".to_owned(), at),
        ("http://oss-cn-hangzhou.aliyuncs.com:1".to_owned(), at),
    ];
    for (endpoint, address) in cases {
        let transport = Transport::builder().resolver(move |host| {
            assert_eq!(host, "examplebucket.oss-cn-hangzhou.aliyuncs.com");
            // The first one refuses, and is not the last one to be tried.
            ready(Ok(vec!["127.0.0.1:1".parse().unwrap(), address]))
        });
        bucket_over(service(&endpoint), &transport.build().unwrap()).put("key", "x").await.unwrap();
    }
    // An address is not looked up.
    let transport = Transport::builder().resolver(|host| ready(Err(io::Error::other(host))));
    bucket_over(service(&server.endpoint()), &transport.build().unwrap()).put("key", "x").await.unwrap();
}

#[tokio::test]
async fn f01_a_name_without_an_address_is_named() {
    type Looked = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
    let of = |look: fn() -> Looked| Transport::builder().connect_timeout(LIMIT).resolver(move |_| look());
    let host = "examplebucket.oss-cn-hangzhou.aliyuncs.com";
    let cases = [
        (of(|| Box::pin(ready(Ok(Vec::new())))), format!("{host}: it has no address")),
        (of(|| Box::pin(ready(Err(io::Error::other("no such record"))))), format!("{host}: no such record")),
        (
            of(|| Box::pin(core::future::pending())),
            "the look-up of its name did not end within 0.2 s".to_owned(),
        ),
    ];
    for (transport, said) in cases {
        let service = service("http://oss-cn-hangzhou.aliyuncs.com").with_retry(Policy::none());
        let bucket = bucket_over(service, &transport.build().unwrap());
        let error = bucket.put("key", "x").await.unwrap_err();
        assert_eq!(told(&error), (FailureKind::Dns, said));
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_come_from_the_address_that_was_chosen() {
    let seen: Arc<Mutex<Vec<IpAddr>>> = Arc::default();
    let log = Arc::clone(&seen);
    let address = raw(move |_, mut tcp| {
        log.lock().unwrap().push(tcp.peer_addr().unwrap().ip());
        async move {
            read_request(&mut tcp).await;
            write(&mut tcp, OK).await;
        }
    })
    .await;
    let local: IpAddr = "127.0.0.2".parse().unwrap();
    let transport = Transport::builder().bind_address(local).build().unwrap();
    bucket_over(strict(address, LIMIT), &transport).delete("key").await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [local]);

    // One that is not this machine's (RFC 5737), and one of the other family.
    for (local, said) in [
        ("192.0.2.1", "cannot connect from 192.0.2.1: "),
        ("::1", "127.0.0.1 has no address of the same family as the local address ::1; choose another"),
    ] {
        let transport = Transport::builder().bind_address(local.parse().unwrap()).build().unwrap();
        let error = bucket_over(strict(address, LIMIT), &transport).delete("key").await.unwrap_err();
        let (kind, cause) = told(&error);
        assert_eq!((kind, error.outcome()), (FailureKind::Connect, Outcome::NotSent));
        assert!(cause.contains(said), "{cause}");
    }
}

#[tokio::test]
async fn the_pooled_client_of_hyper_util_fits() {
    let server = emulator().await;
    let client = HyperClient::builder(TokioExecutor::new())
        // It would send again what may have arrived.
        .retry_canceled_requests(false)
        .build::<_, RequestBody>(HttpConnector::new());
    let transport = Transport::from_service(client);
    works(&bucket_over(service(&server.endpoint()), &transport)).await;

    // Nobody listens there; from outside of such a client that cannot be told from a request that got lost.
    let nowhere = service("http://127.0.0.1:1").with_retry(Policy::none());
    let error = bucket_over(nowhere, &transport).put("key", "x").await.unwrap_err();
    assert_eq!((told(&error).0, error.outcome()), (FailureKind::Other, Outcome::Unknown));

    // Time limits are kept from outside.
    let silent = raw(|_, mut tcp| async move {
        read_head(&mut tcp).await;
        core::future::pending::<()>().await;
    })
    .await;
    let began = Instant::now();
    let settings = strict(silent, LIMIT).with(|settings| settings.timeouts.slow_answer = LIMIT);
    let error = bucket_over(settings, &transport).put("key", content(20 << 20)).await.unwrap_err();
    assert_eq!((told(&error).0, error.outcome()), (FailureKind::Timeout, Outcome::Unknown));
    assert!(began.elapsed() < LIMIT * 20, "{:?}", began.elapsed());
    // An answer that comes before the body has left.
    let early = raw(|_, mut tcp| async move {
        read_head(&mut tcp).await;
        write(&mut tcp, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        while tokio::io::AsyncReadExt::read(&mut tcp, &mut [0; 65536]).await.unwrap_or(0) > 0 {}
    })
    .await;
    let bucket = bucket_over(strict(early, LIMIT * 10), &transport);
    let error = bucket.put("key", content(20 << 20)).await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error:?}");
    // A source that fails is no failure of the client's.
    let bucket = bucket_over(service(&server.endpoint()), &transport);
    let error = bucket.put("key", Body::reader(5, &b"123"[..])).await.unwrap_err();
    assert_eq!((told(&error).0, error.outcome()), (FailureKind::BodySource, Outcome::Rejected));
}

/// What a client saw of one body: its size hint, and the lengths of its chunks.
type Seen = Arc<Mutex<Vec<(Option<u64>, Vec<usize>)>>>;

/// Answers everything with an empty 200, and refuses to be ready at first.
#[derive(Clone)]
struct Fake {
    seen: Seen,
    refusals: Arc<AtomicUsize>,
}

impl Service<Request<RequestBody>> for Fake {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let left =
            self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        Poll::Ready(if left.is_ok() { Err("not yet") } else { Ok(()) })
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        assert!(request.uri().scheme().is_some() && request.headers().contains_key("authorization"));
        let seen = Arc::clone(&self.seen);
        Box::pin(async move {
            let mut body = request.into_body();
            let hint = body.size_hint().exact();
            let mut lengths = Vec::new();
            while let Some(frame) = body.frame().await {
                lengths.push(frame.map_err(|_| "broken")?.into_data().unwrap().len());
            }
            seen.lock().unwrap().push((hint, lengths));
            Ok(Response::new(Full::default()))
        })
    }
}

#[tokio::test]
async fn a_service_sees_exact_sizes_and_one_that_is_not_ready_has_sent_nothing() {
    let fake = Fake { seen: Seen::default(), refusals: Arc::new(AtomicUsize::new(1)) };
    let transport = Transport::from_service(fake.clone());
    let bucket = bucket_over(service("http://127.0.0.1:1"), &transport);
    // A body that can be read once survives the refusal.
    let reply = bucket.put("key", Body::reader(5, &b"hello"[..])).await.unwrap();
    assert_eq!(reply.attempts.len(), 2);
    bucket.put("key", "").await.unwrap();
    bucket.put("key", Body::reader(None, &b"hello"[..])).await.unwrap();
    bucket.put("key", content(150_000)).await.unwrap();
    let seen = fake.seen.lock().unwrap().clone();
    let blocks = vec![65_536, 65_536, 18_928];
    assert_eq!(seen, [(Some(5), vec![5]), (Some(0), vec![]), (None, vec![5]), (Some(150_000), blocks)]);

    fake.refusals.store(9, Ordering::Relaxed);
    let strict = service("http://127.0.0.1:1").with_retry(Policy::none());
    let error = bucket_over(strict, &transport).put("key", "x").await.unwrap_err();
    assert_eq!(told(&error), (FailureKind::Other, "not yet".to_owned()));
    assert_eq!(error.outcome(), Outcome::NotSent);
}

/// Keeps the body of a request, and never answers.
#[derive(Clone, Default)]
struct Hoards(Arc<Mutex<Option<RequestBody>>>);

impl Service<Request<RequestBody>> for Hoards {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = core::future::Pending<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        *self.0.lock().unwrap() = Some(request.into_body());
        core::future::pending()
    }
}

#[tokio::test]
async fn f13_the_body_of_a_call_that_is_over_ends_with_an_error_for_who_still_sends_it() {
    let hoards = Hoards::default();
    let transport = Transport::from_service(hoards.clone());
    let bucket = bucket_over(strict("127.0.0.1:1".parse().unwrap(), LIMIT), &transport);
    let error = bucket.put("key", "hello").await.unwrap_err();
    assert_eq!((told(&error).0, error.outcome()), (FailureKind::Timeout, Outcome::Unknown));
    let mut body = hoards.0.lock().unwrap().take().unwrap();
    let frame = tokio::time::timeout(LIMIT * 10, body.frame()).await.unwrap();
    assert_eq!(frame.unwrap().unwrap_err().to_string(), "the call is over");
}

/// A connector to a pipe in memory, whose other end notes how much came at a time.
#[derive(Clone)]
struct Piped(Arc<Mutex<Vec<usize>>>);

impl Service<Uri> for Piped {
    type Response = TokioIo<tokio::io::DuplexStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, mut theirs) = tokio::io::duplex(8 << 20);
        let log = Arc::clone(&self.0);
        tokio::spawn(async move {
            loop {
                let (head, body) = read_request(&mut theirs).await;
                if head.is_empty() {
                    return;
                }
                log.lock().unwrap().push(body.len());
                write(&mut theirs, OK).await;
            }
        });
        ready(Ok(TokioIo::new(ours)))
    }
}

/// A source that notes how much it is asked for at a time.
struct Asked(usize, Arc<Mutex<usize>>);

impl tokio::io::AsyncRead for Asked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = buffer.remaining();
        let mut asked = self.1.lock().unwrap();
        *asked = most.max(*asked);
        drop(asked);
        let some = most.min(self.0);
        buffer.initialize_unfilled_to(some).fill(b'x');
        buffer.advance(some);
        self.0 -= some;
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_body_is_read_and_sent_in_blocks_of_the_size_that_was_chosen() {
    for (said, expected) in [
        (None, 64 << 10),
        (Some(16 << 10), 16 << 10),
        (Some(1), 4 << 10),
        (Some(256 << 10), 256 << 10),
        (Some(usize::MAX), 1 << 20),
    ] {
        let lengths: Arc<Mutex<Vec<usize>>> = Arc::default();
        let builder = Transport::builder().connector(Piped(Arc::clone(&lengths)));
        let builder = if let Some(bytes) = said { builder.block_size(bytes) } else { builder };
        let bucket = bucket_over(strict("127.0.0.1:1".parse().unwrap(), LIMIT), &builder.build().unwrap());
        let asked = Arc::new(Mutex::new(0));
        let len = 3_000_000;
        bucket.put("key", Body::reader(len as u64, Asked(len, Arc::clone(&asked)))).await.unwrap();
        bucket.put("key", content(len)).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), expected, "{said:?}");
        assert_eq!(*lengths.lock().unwrap(), [len, len]);
    }
}

/// An HTTP client that never has time for a request.
#[derive(Clone)]
struct Busy;

impl Service<Request<RequestBody>> for Busy {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = core::future::Pending<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        core::future::pending()
    }
}

#[tokio::test]
async fn f14_what_a_client_of_ones_own_was_never_ready_for_was_not_sent() {
    let transport = Transport::from_service(Busy);
    let strict = strict("127.0.0.1:1".parse().unwrap(), LIMIT);
    let error = bucket_over(strict.clone(), &transport).put("key", "x").await.unwrap_err();
    let said = "the HTTP client was not ready to take it";
    assert_eq!(told(&error), (FailureKind::Timeout, said.to_owned()));
    assert_eq!(error.outcome(), Outcome::NotSent);
    let hurried = strict.with(|settings| {
        settings.timeouts.idle = Duration::from_secs(20);
        settings.timeouts.operation = Some(LIMIT);
    });
    let error = bucket_over(hurried, &transport).put("key", "x").await.unwrap_err();
    let ErrorKind::Deadline(deadline) = error.kind() else { panic!("{error:?}") };
    assert_eq!((deadline.wait, error.outcome()), (oss_hyper::Wait::Turn, Outcome::NotSent));
}
