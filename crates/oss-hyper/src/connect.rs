//! From a host name to a connection that speaks HTTP: DNS, TCP and TLS under one time limit.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use http::uri::{Authority, Scheme};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use oss_proto::FailureKind;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::BoxError;
use crate::clock::after;
use crate::outgoing::Outgoing;
use crate::stream::{Meter, Metered, Stream};
use crate::tls::Tls;

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// An open connection. Dropping it closes it at once, whatever it was doing.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Outgoing>,
    pub(crate) meter: Arc<Meter>,
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why there is no connection, or no answer.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FailureKind,
    pub(crate) cause: BoxError,
}

impl Fault {
    pub(crate) fn new(kind: FailureKind, cause: impl Into<BoxError>) -> Self {
        Self { kind, cause: cause.into() }
    }
}

/// Opens connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) timeout: Duration,
    pub(crate) tls: Tls,
}

impl Origin {
    /// Where a composed request goes; `None` for one without scheme or host, which `compose` never makes.
    pub(crate) fn of(uri: &http::Uri) -> Option<Self> {
        Some(Self { scheme: uri.scheme()?.clone(), authority: uri.authority()?.clone() })
    }

    /// The host without the brackets of an IPv6 address.
    fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or_else(|| if self.is_tls() { 443 } else { 80 })
    }
}

impl Connector {
    /// A new connection, within the time limit for connecting and before the call's own end.
    pub(crate) async fn connect(&self, origin: &Origin, end: Option<Instant>) -> Result<Connection, Fault> {
        let limit = after(self.timeout);
        // Where the time went when it runs out.
        let mut stage = FailureKind::Dns;
        let opening = self.open(origin, limit, &mut stage);
        if let Ok(opened) = timeout_at(end.map_or(limit, |end| end.min(limit)), opening).await {
            return opened;
        }
        if end.is_some_and(|end| end < limit) {
            return Err(Fault::new(FailureKind::Timeout, "the call's time was over while it connected"));
        }
        let (authority, seconds) = (&origin.authority, self.timeout.as_secs_f64());
        Err(Fault::new(stage, format!("no connection to {authority} within {seconds} s")))
    }

    async fn open(
        &self,
        origin: &Origin,
        limit: Instant,
        stage: &mut FailureKind,
    ) -> Result<Connection, Fault> {
        let host = origin.host();
        let addresses = lookup_host((host, origin.port())).await;
        let addresses: Vec<SocketAddr> = addresses.map_err(|e| Fault::new(FailureKind::Dns, e))?.collect();
        *stage = FailureKind::Connect;
        let tcp = dial(&addresses, limit).await.map_err(|e| Fault::new(FailureKind::Connect, e))?;
        // A request must not wait for the acknowledgement of the one before.
        let _best_effort = tcp.set_nodelay(true);
        let stream = Metered::new(tcp);
        let meter = stream.meter();
        let stream =
            if origin.is_tls() { self.tls.handshake(host, stream).await? } else { Stream::Plain(stream) };
        let handshake = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_header_size(HEADER_BYTES_MAX)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|e| Fault::new(FailureKind::Connect, e))?;
        let task = tokio::spawn(async move {
            // Whoever waits for an answer is told by hyper; an idle connection that ends interests nobody.
            let _ended = connection.await;
        });
        Ok(Connection { sender, meter, task: task.abort_handle() })
    }
}

/// Tries one address after another, each with an equal share of the time that is left.
async fn dial(addresses: &[SocketAddr], limit: Instant) -> io::Result<TcpStream> {
    let mut problem = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for (i, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let rest = u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
        let share = now + limit.saturating_duration_since(now) / rest;
        match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => problem = io::Error::new(error.kind(), format!("{address}: {error}")),
            Err(_elapsed) => problem = io::Error::new(io::ErrorKind::TimedOut, silent(address)),
        }
    }
    Err(problem)
}

fn silent(address: &SocketAddr) -> String {
    format!("{address}: no answer")
}

/// RELIABILITY: an answer with more is no answer of OSS.
const HEADERS_MAX: usize = 128;
const HEADER_BYTES_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_host_without_brackets_and_a_port() {
        let cases = [
            ("http://127.0.0.1:8080/a", "127.0.0.1", 8080, false),
            ("https://b.oss-cn-hangzhou.aliyuncs.com/", "b.oss-cn-hangzhou.aliyuncs.com", 443, true),
            ("http://[::1]/", "::1", 80, false),
        ];
        for (uri, host, port, is_tls) in cases {
            let origin = Origin::of(&uri.parse().unwrap()).unwrap();
            assert_eq!((origin.host(), origin.port(), origin.is_tls()), (host, port, is_tls), "{uri}");
        }
        assert_eq!(Origin::of(&"/path".parse().unwrap()), None);
    }
}
