//! The server of the stage: it keeps what it saw of each request, and may answer some of them by itself.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use oss_emulator_server::{Handle, Verdict};
use tokio::io::{AsyncRead, AsyncWrite};
pub(crate) use tokio_rustls::rustls::ProtocolVersion;

use super::alloc::collections::VecDeque;
use super::alloc::sync::Arc;

/// The emulator, with a memory. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Peer {
    handle: Handle,
    seen: Arc<Mutex<Vec<Seen>>>,
    canned: Arc<Mutex<VecDeque<Canned>>>,
    connections: Arc<AtomicUsize>,
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: Parts,
    /// The version of TLS; `None` for http.
    pub(crate) tls: Option<ProtocolVersion>,
    /// The number of its connection, from 1.
    pub(crate) connection: usize,
    /// Where it came from.
    pub(crate) client: SocketAddr,
}

/// An answer in place of the emulator's.
#[derive(Clone, Debug)]
pub(crate) enum Canned {
    /// That of a server in trouble.
    Trouble,
    /// Another place for the bucket.
    Redirect(HeaderValue),
    /// Nothing, for so long; then the emulator's.
    Silence(Duration),
}

impl Seen {
    /// What the client asked for: `https://bucket.host/key?query`, the host as in the `host` header.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.header("host"), self.head.uri)
    }

    /// A header; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Peer {
    /// The requests since the last time that it was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut lock(&self.seen))
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Answers the next requests like this.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Canned>) {
        lock(&self.canned).extend(answers);
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Serves one connection until its end.
    pub(super) async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        tls: Option<ProtocolVersion>,
        client: SocketAddr,
    ) -> Result<(), hyper::Error> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let service = service_fn(|request: Request<Incoming>| async move {
            let (head, body) = request.into_parts();
            lock(&self.seen).push(Seen { head: head.clone(), tls, connection, client });
            let body = body.collect().await?.to_bytes();
            let canned = lock(&self.canned).pop_front();
            Ok::<_, hyper::Error>(self.reply(&head, body, canned).await)
        });
        let mut http1 = http1::Builder::new();
        http1.auto_date_header(false).serve_connection(TokioIo::new(stream), service).await
    }

    async fn reply(&self, head: &Parts, body: Bytes, canned: Option<Canned>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        match canned {
            Some(Canned::Trouble) => {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                *response.body_mut() = Full::from(TROUBLE);
                return response;
            }
            Some(Canned::Redirect(place)) => {
                *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
                response.headers_mut().insert(LOCATION, place);
                return response;
            }
            Some(Canned::Silence(time)) => tokio::time::sleep(time).await,
            None => {}
        }
        let now = self.handle.now();
        let reply = self.handle.with(|emulator| match emulator.begin(head, now) {
            Verdict::Accept(id) => {
                emulator.push(id, body);
                emulator.end(id, now)
            }
            Verdict::Refuse(reply) => reply,
        });
        reply.head.map(|()| Full::new(reply.body.into_bytes()))
    }
}

impl From<Handle> for Peer {
    fn from(handle: Handle) -> Self {
        let connections = Arc::default();
        Self { handle, seen: Arc::default(), canned: Arc::default(), connections }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const TROUBLE: &str = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message>\
                       <RequestId>5C3D9175B6FC201293AD****</RequestId></Error>";
