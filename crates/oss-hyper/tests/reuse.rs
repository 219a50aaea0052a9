//! Which answers end what, and which connections are used again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Mutex;

use common::{
    BUCKET, OK, bucket_of, bucket_over, content, emulator, raw, read_head, read_request, service, strict,
    write,
};
use hyper_util::rt::TokioIo;
use oss_hyper::{
    Body, Client, Credentials, CredentialsProvider, GetObject, ListObjectsV2, Overrides, PutObject, Retryer,
    Transport,
};

const IDLE: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

/// A server that answers the first request on the first connection like this, and all others with OK.
async fn first(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let address = raw(move |number, mut stream| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            if number == 0 {
                // What a body there is stays unread.
                read_head(&mut stream).await;
                write(&mut stream, answer).await;
                if answer.contains("close") {
                    return;
                }
            }
            while !read_request(&mut stream).await.0.is_empty() {
                write(&mut stream, OK).await;
            }
        }
    })
    .await;
    (address, connections)
}

#[tokio::test]
async fn f29_an_answer_that_announces_a_body_it_cannot_have_costs_its_connection() {
    let cases = [
        ("HTTP/1.1 204 No Content\r\n\r\n", 1),
        ("HTTP/1.1 204 No Content\r\ncontent-length: 60\r\n\r\n", 2),
        ("HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n", 2),
        ("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n", 2),
    ];
    for (answer, expected) in cases {
        let (address, connections) = first(answer).await;
        let bucket = bucket_of(strict(address, LONG));
        let _answer = bucket.delete("key").await;
        bucket.delete("key").await.unwrap();
        assert_eq!(connections.load(Ordering::Relaxed), expected, "{answer}");
    }
}

#[tokio::test]
async fn f11_the_connection_of_a_body_that_was_refused_unread_is_not_used_again() {
    let (address, connections) = first("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let bucket = bucket_of(strict(address, IDLE * 5));
    // As much as the system takes off our hands at once.
    let error = bucket.put("key", content(500_000)).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    bucket.put("key", Body::empty()).await.unwrap();
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_success_that_ends_with_its_connection_is_one() {
    for answer in ["HTTP/1.0 200 OK\r\nx: close\r\n\r\n", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"] {
        let (address, connections) = first(answer).await;
        let bucket = bucket_of(service(&format!("http://{address}")));
        let reply = bucket.put("key", Body::empty()).await.unwrap();
        assert_eq!((reply.attempts.len(), connections.load(Ordering::Relaxed)), (1, 1), "{answer}");
    }
}

#[tokio::test]
async fn i7_an_answer_that_is_not_read_further_keeps_no_connection_while_credentials_are_sought() {
    let refused = "<Error><Code>InvalidAccessKeyId</Code></Error>";
    let address = raw(move |_, mut stream| async move {
        loop {
            let (head, _) = read_request(&mut stream).await;
            if head.is_empty() || head.starts_with("DELETE") {
                return write(&mut stream, OK).await;
            }
            // Promises more than ever comes.
            let head = "HTTP/1.1 403 Forbidden\r\ncontent-length: 500\r\n\r\n";
            write(&mut stream, format!("{head}{refused}")).await;
        }
    })
    .await;
    let transport = Transport::builder().max_connections(1).build().unwrap();
    let pools: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, watched) = (Arc::clone(&pools), transport.clone());
    let service = service(&format!("http://{address}")).with(|settings| settings.timeouts.error_body = IDLE);
    let client =
        Client::new(
            service,
            CredentialsProvider::from_fn(move || {
                seen.lock().unwrap().push(format!("{watched:?}"));
                let number = seen.lock().unwrap().len();
                async move {
                    Ok::<_, io::Error>(Some(Credentials::new(format!("id-{number}"), "secret").unwrap()))
                }
            }),
        )
        .with_transport(transport);
    let bucket = client.bucket(BUCKET).unwrap();
    bucket.delete("key").await.unwrap();
    // A source is not asked twice in the same moment.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let error = bucket.put("key", "x").await.unwrap_err();
    assert_eq!((error.code(), error.attempts().len()), (Some("InvalidAccessKeyId"), 2));
    let pools = pools.lock().unwrap();
    assert_eq!(pools.len(), 2);
    assert!(pools.iter().all(|pool| pool.contains("in_use: 0")), "{pools:?}");
}

#[tokio::test]
async fn an_object_that_is_too_long_to_collect_says_where_it_is_and_what_to_do() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    bucket.put("key", "hello").await.unwrap();
    let error = bucket.get("key").await.unwrap().collect_at_most(4).bytes().await.unwrap_err();
    let host = server.endpoint();
    let host = host.strip_prefix("http://").unwrap();
    let said = format!(
        "GetObject at {host}: the answer is longer than 4 bytes; read it by `chunk`, or allow more with \
         `collect_at_most` (1 attempt)"
    );
    assert_eq!(error.to_string(), said);
    assert!(error.request_id().is_some());
    bucket.put("key", &b"\xff"[..]).await.unwrap();
    let error = bucket.get("key").await.unwrap().text().await.unwrap_err();
    assert!(error.to_string().contains("read it by `bytes`") && error.request_id().is_some(), "{error}");
}

#[tokio::test]
async fn a_bucket_sends_any_operation_from_a_body_and_pages_any_list() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let body = Body::reader(5, &b"hello"[..]);
    let put = PutObject::to("a/1", body.payload()).metadata([("name", "value")]);
    bucket.send_from(put, body).await.unwrap();
    bucket.put("a/2", "x").await.unwrap();
    let object = bucket.open(GetObject::to("a/1")).await.unwrap();
    assert_eq!(object.reply().head.header("x-oss-meta-name"), Some("value"));
    assert_eq!(object.text().await.unwrap(), "hello");
    let mut pages = bucket.pages(ListObjectsV2::here().prefix("a/").max_keys(1));
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        keys.extend(page.output.contents.into_iter().map(|object| object.key));
    }
    assert_eq!(keys, ["a/1", "a/2"]);
}

/// A connection that answers one request and is over as soon as the next one is about to be written, which
/// nobody can see before.
struct Brief {
    has_come: bool,
    answer: &'static [u8],
    is_over: Arc<AtomicBool>,
}

impl tokio::io::AsyncRead for Brief {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_come && !self.answer.is_empty() {
            buffer.put_slice(core::mem::take(&mut self.answer));
            return Poll::Ready(Ok(()));
        }
        if self.is_over.load(Ordering::SeqCst) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl tokio::io::AsyncWrite for Brief {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.has_come = true;
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Makes such connections, and says which is over.
#[derive(Clone, Default)]
struct Briefly(Arc<Mutex<Vec<Arc<AtomicBool>>>>);

impl tower_service::Service<http::Uri> for Briefly {
    type Response = TokioIo<Brief>;
    type Error = io::Error;
    type Future = core::future::Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let is_over = Arc::<AtomicBool>::default();
        self.0.lock().unwrap().push(Arc::clone(&is_over));
        core::future::ready(Ok(TokioIo::new(Brief { has_come: false, answer: OK.as_bytes(), is_over })))
    }
}

#[tokio::test]
async fn f06_a_connection_that_is_found_closed_is_neither_asked_about_nor_paid_for() {
    let made = Briefly::default();
    let transport = Transport::builder().connector(made.clone()).build().unwrap();
    let never = Retryer::from_fn(3, |proposal| panic!("{proposal:?}"));
    let bucket = bucket_over(service("http://127.0.0.1"), &transport).with(&Overrides::new().retryer(never));
    assert_eq!(bucket.put("key", "x").await.unwrap().attempts.len(), 1);
    made.0.lock().unwrap()[0].store(true, Ordering::SeqCst);
    let reply = bucket.put("key", "x").await.unwrap();
    assert_eq!((reply.attempts.len(), made.0.lock().unwrap().len()), (2, 2));
}
