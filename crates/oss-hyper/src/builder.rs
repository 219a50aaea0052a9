//! How a transport is made: every setting of its connections.

use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;

use http::Uri;
use oss_proto::{Error, InvalidRequest, InvalidValue};
use tower_service::Service;

use crate::bandwidth::Limits;
use crate::body::BLOCK_BYTES;
use crate::connect::{Connector, Way};
use crate::dial::{Dialer, Resolver};
use crate::own::OwnConnector;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::tls::{Identity, Tls, TlsOptions, TlsVersion, Versions};
use crate::{BoxError, Transport};

/// How a [`Transport`] is made.
///
/// ```
/// use core::time::Duration;
/// use oss_hyper::{Proxy, TlsVersion, Transport};
///
/// let transport = Transport::builder()
///     .connect_timeout(Duration::from_secs(5))
///     .max_connections(64)
///     .tls_min_version(TlsVersion::Tls13)
///     .proxy(Proxy::all("http://proxy.example:3128")?.except(".internal.example"))
///     .upload_bandwidth_max(10 << 20)
///     .build()?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TransportBuilder {
    connect_timeout: Duration,
    max_connections: usize,
    idle_connection_timeout: Duration,
    block_bytes: usize,
    upload_bytes_per_sec: u64,
    download_bytes_per_sec: u64,
    tls: TlsOptions,
    proxy: Proxy,
    resolver: Option<Resolver>,
    local: Option<IpAddr>,
    connector: Option<OwnConnector>,
    /// The options that a connector of one's own does not see.
    of_connecting: Vec<&'static str>,
}

impl TransportBuilder {
    pub(crate) fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            max_connections: 20,
            idle_connection_timeout: Duration::from_secs(50),
            block_bytes: BLOCK_BYTES,
            upload_bytes_per_sec: 0,
            download_bytes_per_sec: 0,
            tls: TlsOptions::default(),
            proxy: Proxy::none(),
            resolver: None,
            local: None,
            connector: None,
            of_connecting: Vec::new(),
        }
    }

    /// How long a connection may take, name look-up, proxy and TLS included, and how long a call waits for
    /// one while open bodies hold them all: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The most connections at a time, idle ones included: 20. At least 1.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// How long an unused connection may be used again: 50 s, before OSS closes it at 60 s.
    ///
    /// An older one is closed by the next call, whatever that is, or when the peer closes it.
    #[must_use]
    pub fn idle_connection_timeout(mut self, idle: Duration) -> Self {
        self.idle_connection_timeout = idle;
        self
    }

    /// How many bytes of a request's body are read and handed to the connection at a time: 64 KiB. Taken as
    /// 4 KiB to 1 MiB, whatever is said.
    ///
    /// A body of [`Body::wrap`](crate::Body::wrap) keeps the chunks that it comes in.
    #[must_use]
    pub fn block_size(mut self, bytes: usize) -> Self {
        self.block_bytes = bytes.clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        self
    }

    /// The most bytes a second that all connections together send: 0, which is no limit.
    ///
    /// After a pause a tenth of a second is caught up with, so no burst is longer than that, and a sixteenth
    /// of a second (64 KiB at most) for each connection. Waiting for the limit counts as nobody's silence.
    /// Heads count, what TLS adds does not.
    #[must_use]
    pub fn upload_bandwidth_max(mut self, bytes_per_sec: u64) -> Self {
        self.upload_bytes_per_sec = bytes_per_sec;
        self
    }

    /// The most bytes a second that all connections together receive: 0, which is no limit.
    ///
    /// As [`upload_bandwidth_max`](Self::upload_bandwidth_max); what has reached the system's queue already
    /// counts when it is read.
    #[must_use]
    pub fn download_bandwidth_max(mut self, bytes_per_sec: u64) -> Self {
        self.download_bytes_per_sec = bytes_per_sec;
        self
    }

    /// Trusts these certificates too, beside Mozilla's: any number in PEM, or one in DER.
    #[must_use]
    pub fn root_certificates(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.tls.roots.push(bytes.into().into_boxed_slice());
        self.connecting("root_certificates")
    }

    /// The oldest version of TLS to accept: 1.2. It takes the place of an earlier `tls_version`.
    #[must_use]
    pub fn tls_min_version(mut self, version: TlsVersion) -> Self {
        self.tls.versions = Versions::From(version);
        self.connecting("tls_min_version")
    }

    /// The only version of TLS to accept; by default there are two. It takes the place of an earlier
    /// `tls_min_version`.
    #[must_use]
    pub fn tls_version(mut self, version: TlsVersion) -> Self {
        self.tls.versions = Versions::Only(version);
        self.connecting("tls_version")
    }

    /// Whether to accept any certificate, of anyone, for any name, also of a proxy: false.
    ///
    /// Whoever is on the way can then read and change everything, so it is for tests;
    /// [`root_certificates`](Self::root_certificates) is the way to a server of one's own. Where credentials
    /// come from is verified all the same.
    #[must_use]
    pub fn insecure_skip_verify(mut self, skip: bool) -> Self {
        self.tls.is_unverified = skip;
        if skip { self.connecting("insecure_skip_verify") } else { self }
    }

    /// Shows this certificate to a server, or a proxy, that asks for one: none by default. The certificate
    /// comes first, then the rest of its chain; both arguments in PEM or DER, the key without a password.
    #[must_use]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let (chain, key) = (chain.into().into_boxed_slice(), key.into().into_boxed_slice());
        self.tls.identity = Some(Identity { chain, key });
        self.connecting("client_certificate")
    }

    /// The proxies to go through: none, and the environment is not asked; [`Proxy::from_env`] asks it.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self.connecting("proxy")
    }

    /// Looks up host names by this function instead of by the system; it shares the time limit for
    /// connecting.
    ///
    /// An address with port 0 gets the port of the URL, another port wins over it. The addresses are tried in
    /// their order. A host that is an address itself is not looked up, one behind a proxy is the proxy's to
    /// look up, and TLS checks the host's name, not its address.
    #[must_use]
    pub fn resolver<F, Fut>(mut self, resolver: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.resolver = Some(Arc::new(move |host| Box::pin(resolver(host))));
        self.connecting("resolver")
    }

    /// Connects from this address of the machine, on any port: by default the system chooses.
    #[must_use]
    pub fn bind_address(mut self, address: IpAddr) -> Self {
        self.local = Some(address);
        self.connecting("bind_address")
    }

    /// Makes connections by this connector of hyper, for instance a Unix socket: by default by TCP and TLS of
    /// our own.
    ///
    /// It is called with scheme and authority of the endpoint, and what it gives must speak HTTP/1.1 there:
    /// names, TCP, TLS and proxies are its affair, so none of their options goes with it. The limits on time,
    /// connections and bandwidth stay ours.
    #[must_use]
    pub fn connector<C>(mut self, connector: C) -> Self
    where
        C: Service<Uri> + Clone + Send + 'static,
        C::Response: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send,
    {
        self.connector = Some(OwnConnector::new(connector));
        self
    }

    /// The transport; it opens nothing yet.
    ///
    /// # Errors
    /// When a certificate or a key cannot be read, or an option goes with another one only.
    pub fn build(self) -> Result<Transport, Error> {
        let invalid = |field, problem: String| {
            Error::from(InvalidRequest::new("a request", field, InvalidValue::new(problem)))
        };
        let way = match self.connector {
            Some(connector) => match self.of_connecting.first() {
                None => Way::Own(connector),
                Some(other) => {
                    let problem = format!(
                        "`connector` and `{other}` are both set; a connector of one's own sees to that \
                         itself, so leave one of them out"
                    );
                    return Err(invalid("connector", problem));
                }
            },
            None => {
                let tls = Tls::new(&self.tls).map_err(|(field, problem)| invalid(field, problem))?;
                let dialer = Dialer { resolver: self.resolver, local: self.local };
                Way::Ours { dialer, proxy: self.proxy, tls }
            }
        };
        let limits = Limits::new(self.upload_bytes_per_sec, self.download_bytes_per_sec);
        let connector = Connector { timeout: self.connect_timeout, way, limits };
        let pool = Pool::new(connector, self.max_connections, self.idle_connection_timeout);
        Ok(Transport::over(pool, self.block_bytes))
    }

    /// Sets something under the name that the caller knows it by.
    pub(crate) fn called(self, name: &'static str, set: impl FnOnce(Self) -> Self) -> Self {
        let known = self.of_connecting.len();
        let mut own = set(self);
        own.of_connecting.iter_mut().skip(known).for_each(|option| *option = name);
        own
    }

    fn connecting(mut self, option: &'static str) -> Self {
        self.of_connecting.push(option);
        self
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("max_connections", &self.max_connections)
            .field("idle_connection_timeout", &self.idle_connection_timeout)
            .field("block_bytes", &self.block_bytes)
            .field("upload_bytes_per_sec", &self.upload_bytes_per_sec)
            .field("download_bytes_per_sec", &self.download_bytes_per_sec)
            .field("proxy", &self.proxy)
            .field("local", &self.local)
            .field("tls_versions", &self.tls.versions)
            .field("is_unverified", &self.tls.is_unverified)
            .field("has_resolver", &self.resolver.is_some())
            .field("has_connector", &self.connector.is_some())
            .finish_non_exhaustive()
    }
}

const BLOCK_BYTES_MIN: usize = 4 << 10;
const BLOCK_BYTES_MAX: usize = 1 << 20;
