//! From an origin to a connection that speaks HTTP: names, TCP, proxy and TLS under one time limit.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use oss_proto::{FailureKind, Wait};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::BoxError;
use crate::bandwidth::{Limits, Paced};
use crate::clock::after;
use crate::dial::Dialer;
use crate::outgoing::RequestBody;
use crate::own::OwnConnector;
use crate::proxy::{Proxy, Via};
use crate::stream::{Meter, Metered, Stream};
use crate::tls::{Tls, TlsOptions};
use crate::tunnel::tunnel;

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// An open connection. Dropping it closes it at once, whatever it was doing.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<RequestBody>,
    pub(crate) meter: Arc<Meter>,
    /// The proxy that requests are handed to, when it reads them itself.
    pub(crate) via: Option<Arc<Via>>,
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
    /// What took the time of a call that is over, if not the answer.
    pub(crate) waiting: Option<Wait>,
}

impl Fault {
    pub(crate) fn new(kind: FailureKind, cause: impl Into<BoxError>) -> Self {
        Self { kind, cause: cause.into(), waiting: None }
    }

    /// The time of the call was over before its request could leave.
    pub(crate) fn late(waiting: Wait, cause: &'static str) -> Self {
        Self { waiting: Some(waiting), ..Self::new(FailureKind::Timeout, cause) }
    }
}

/// Opens connections.
pub(crate) struct Connector {
    pub(crate) timeout: Duration,
    pub(crate) way: Way,
    pub(crate) limits: Limits,
}

/// How a connection comes about.
pub(crate) enum Way {
    Ours { dialer: Dialer, proxy: Proxy, tls: Tls },
    Own(OwnConnector),
}

/// What a connection that is being made waits for: where the time went when it runs out.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Lookup,
    Tcp,
    /// TLS with the proxy.
    ProxyTls,
    /// The proxy's answer to `CONNECT`.
    Tunnel,
    Tls,
    Own,
}

impl Origin {
    /// Where a composed request goes; `None` for one without scheme or host, which `compose` never makes.
    pub(crate) fn of(uri: &http::Uri) -> Option<Self> {
        Some(Self { scheme: uri.scheme()?.clone(), authority: uri.authority()?.clone() })
    }

    /// The host without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or_else(|| if self.is_tls() { 443 } else { 80 })
    }

    /// What a tunnel leads to; an IPv6 address in brackets.
    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", self.authority.host(), self.port())
    }

    fn uri(&self) -> http::Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        http::Uri::from_parts(parts).expect("a URI with all three parts is one")
    }
}

impl Connector {
    /// A connector without settings: to a place that is reached without names, proxies and limits.
    pub(crate) fn plain() -> Self {
        let tls = Tls::new(&TlsOptions::default());
        let tls = tls.expect("without options of the caller's there is nothing to refuse");
        let way = Way::Ours { dialer: Dialer::default(), proxy: Proxy::none(), tls };
        Self { timeout: Duration::from_secs(10), way, limits: Limits::default() }
    }

    /// The same for a place that gives or takes secrets of its own: with certificates verified, whatever is
    /// configured for OSS.
    pub(crate) fn verified(&self) -> Self {
        let way = match &self.way {
            Way::Ours { dialer, proxy, tls } => {
                Way::Ours { dialer: dialer.clone(), proxy: proxy.clone(), tls: tls.verified() }
            }
            Way::Own(connector) => Way::Own(connector.clone()),
        };
        Self { timeout: self.timeout, way, limits: Limits::default() }
    }

    /// A new connection, within the time limit for connecting and before the call's own end.
    pub(crate) async fn connect(&self, origin: &Origin, end: Option<Instant>) -> Result<Connection, Fault> {
        self.connect_within(self.timeout, origin, end).await
    }

    /// The same within another time limit.
    pub(crate) async fn connect_within(
        &self,
        timeout: Duration,
        origin: &Origin,
        end: Option<Instant>,
    ) -> Result<Connection, Fault> {
        let limit = after(timeout);
        let mut step = Step::Lookup;
        let opening = self.open(origin, limit, &mut step);
        if let Ok(opened) = timeout_at(end.map_or(limit, |end| end.min(limit)), opening).await {
            return opened;
        }
        if end.is_some_and(|end| end < limit) {
            return Err(Fault::late(Wait::Connect, "the call's time was over while it connected"));
        }
        let problem = format!("{step} within {} s", timeout.as_secs_f64());
        let fault = Fault::new(step.kind(), problem);
        Err(match &self.way {
            Way::Ours { proxy, .. } => step.about(fault, proxy.to(origin).map(Arc::as_ref)),
            Way::Own(_) => fault,
        })
    }

    async fn open(&self, origin: &Origin, limit: Instant, step: &mut Step) -> Result<Connection, Fault> {
        let wire = match &self.way {
            Way::Ours { dialer, proxy, tls } => wire(dialer, proxy, tls, origin, limit, step).await?,
            Way::Own(connector) => {
                *step = Step::Own;
                let metered = connector.connect(origin.uri()).await;
                let metered = metered.map_err(|error| Fault::new(FailureKind::Connect, error))?;
                Wire { meter: metered.meter(), stream: metered.into(), via: None }
            }
        };
        let Wire { stream, meter, via } = wire;
        let paced = Paced::new(stream, &self.limits, Arc::clone(&meter));
        let handshake = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_header_size(HEADER_BYTES_MAX)
            .handshake(TokioIo::new(paced));
        let (sender, connection) = handshake.await.map_err(|e| Fault::new(FailureKind::Connect, e))?;
        let task = tokio::spawn(async move {
            // Whoever waits for an answer is told by hyper; an idle connection that ends interests nobody.
            let _ended = connection.await;
        });
        Ok(Connection { sender, meter, via, task: task.abort_handle() })
    }
}

/// What HTTP is spoken over.
struct Wire {
    stream: Stream,
    meter: Arc<Meter>,
    via: Option<Arc<Via>>,
}

/// Dials, passes the proxy, if there is one, and shakes hands in TLS, if the origin wants that.
async fn wire(
    dialer: &Dialer,
    proxy: &Proxy,
    tls: &Tls,
    origin: &Origin,
    limit: Instant,
    step: &mut Step,
) -> Result<Wire, Fault> {
    let via = proxy.to(origin);
    let (host, port) = match via {
        Some(via) => (via.host(), via.port()),
        None => (origin.host(), origin.port()),
    };
    let tcp = dialer.dial(host, port, limit, step).await;
    let tcp = Metered::new(tcp.map_err(|fault| step.about(fault, via.map(Arc::as_ref)))?);
    let meter = tcp.meter();
    let mut stream = Stream::Plain(tcp);
    if let Some(via) = via {
        if via.is_tls {
            *step = Step::ProxyTls;
            let shaken = tls.handshake(via.host(), stream).await;
            stream = shaken.map_err(|fault| step.about(fault, Some(via)))?;
        }
        if !origin.is_tls() {
            return Ok(Wire { stream, meter, via: Some(Arc::clone(via)) });
        }
        *step = Step::Tunnel;
        stream = tunnel(stream, via, origin).await?;
    }
    if origin.is_tls() {
        *step = Step::Tls;
        let shaken = tls.handshake(origin.host(), stream).await;
        stream = shaken.map_err(|fault| step.about(fault, via.map(Arc::as_ref)))?;
    }
    Ok(Wire { stream, meter, via: None })
}

impl Step {
    /// A failure of this step, with the proxy that it is about, if there is one on the way.
    fn about(&self, fault: Fault, via: Option<&Via>) -> Fault {
        let Some(via) = via else { return fault };
        let front = match self {
            Self::Lookup | Self::Tcp | Self::ProxyTls | Self::Tunnel => "the proxy",
            // Some proxies answer in the origin's place, with certificates of their own.
            Self::Tls => "through the proxy",
            Self::Own => return fault,
        };
        Fault::new(fault.kind, format!("{front} {}: {}", via.shown(), fault.cause))
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Lookup => FailureKind::Dns,
            _ => FailureKind::Connect,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup => f.write_str("the look-up of its name did not end"),
            Self::Tcp => f.write_str("no answer to TCP"),
            Self::Tunnel => f.write_str("no answer to CONNECT"),
            Self::ProxyTls | Self::Tls => f.write_str("the TLS handshake did not end"),
            Self::Own => f.write_str("the connector did not end"),
        }
    }
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
