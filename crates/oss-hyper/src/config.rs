//! The settings of a client, under the names of the OSS documents.

mod connections;

use alloc::borrow::Cow;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;

use oss_proto::{
    BucketName, Checked, CloudBoxId, EndpointOptions, EndpointWarning, Error, FinanceNetwork, IntoField,
    InvalidValue, Redirects, Region, Service, SignatureVersion,
};

use self::connections::Connections;
use crate::account::Account;
use crate::client::invalid;
use crate::trace;
use crate::{
    BoxError, Bucket, Client, CredentialsProvider, Environment, Proxy, Retryer, TlsVersion, Transport,
    TransportBuilder,
};

/// Everything that can be configured about a client, under the names and with the defaults of the OSS
/// documents ("Configure a client").
///
/// Nothing is read, resolved or connected while it is built; what is wrong with it is said by
/// [`client`](Self::client) and [`bucket`](Self::bucket), before anything is sent. `docs/cookbook.md` has an
/// example for each passage of the documents.
///
/// ```
/// use core::time::Duration;
/// use oss_hyper::{Config, Environment, Policy};
///
/// let client = Config::new()
///     .region("cn-hangzhou")
///     .credentials_provider(Environment)
///     .use_internal_endpoint(true)
///     .connect_timeout(Duration::from_secs(30))
///     .retryer(Policy::new().with_max_attempts(5))
///     .client()?;
/// assert_eq!(client.service().endpoint.authority(), "oss-cn-hangzhou-internal.aliyuncs.com");
/// # Ok::<(), oss_hyper::Error>(())
/// ```
///
/// | what the documents say | default |
/// | --- | --- |
/// | `region` | none: required by V4 |
/// | `credentials_provider` | none: required |
/// | `endpoint` | the public one of the region, https |
/// | `signature_version` | V4 |
/// | `retry_max_attempts`, `retryer` | 3 attempts, full jitter from 0.2 s, at most 20 s |
/// | `connect_timeout`, `readwrite_timeout` | 10 s, 20 s |
/// | `enabled_redirect`, `insecure_skip_verify`, `disable_ssl` | off |
/// | `disable_upload_crc64_check`, `disable_download_crc64_check` | off: both are checked |
/// | `max_connections` | 20 |
#[derive(Clone, Default)]
#[must_use]
pub struct Config {
    endpoint: EndpointOptions,
    region: Option<String>,
    provider: Option<CredentialsProvider>,
    signature: SignatureVersion,
    retryer: Option<Retryer>,
    retry_max_attempts: Option<u32>,
    readwrite_timeout: Option<Duration>,
    operation_timeout: Option<Duration>,
    redirects: Redirects,
    skips_upload_crc64: bool,
    skips_download_crc64: bool,
    buckets_versioned: bool,
    write_nonce: bool,
    additional_headers: Vec<String>,
    user_agent: Option<String>,
    cloud_box_id: Option<String>,
    detects_cloud_box: bool,
    transport: Connections,
}

impl Config {
    /// The documents' defaults; a region and credentials are still to be set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The documents' defaults with what the environment says: `OSS_REGION`, `OSS_ENDPOINT`, and credentials
    /// from the variables of [`Environment`].
    ///
    /// The first two are read now, an empty one counts as not set, and what is set afterwards wins.
    pub fn from_env() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut config = Self::new().credentials_provider(Environment);
        config.region = variable("OSS_REGION");
        config.endpoint.endpoint = variable("OSS_ENDPOINT");
        config
    }

    /// The region, such as `cn-hangzhou`: what V4 signs for, and where requests go without an
    /// [`endpoint`](Self::endpoint).
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where requests go: `https://oss-cn-hangzhou.aliyuncs.com`; without a scheme, https.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint.endpoint = Some(endpoint.into());
        self
    }

    /// Where credentials come from.
    pub fn credentials_provider(mut self, provider: impl Into<CredentialsProvider>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The version of signatures.
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.signature = version;
        self
    }

    /// How many attempts a call has in all, the first included; 0 means 1. It beats the retryer's own number.
    pub fn retry_max_attempts(mut self, attempts: u32) -> Self {
        self.retry_max_attempts = Some(attempts);
        self
    }

    /// Whether and when an attempt is repeated: a [`Policy`](crate::Policy), or [`Retryer::from_fn`].
    pub fn retryer(mut self, retryer: impl Into<Retryer>) -> Self {
        self.retryer = Some(retryer.into());
        self
    }

    /// How long a connection may take, name lookup, proxy and TLS included: 10 s.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.connect("connect_timeout", |own| own.connect_timeout(timeout))
    }

    /// How long the peer may be silent while it is waited for: 20 s. A slow caller is not accused.
    pub fn readwrite_timeout(mut self, timeout: Duration) -> Self {
        self.readwrite_timeout = Some(timeout);
        self
    }

    /// How long a whole call may take, retries included: no limit.
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = Some(timeout);
        self
    }

    /// Whether http is used where the endpoint names no scheme: no.
    pub fn disable_ssl(mut self, disable: bool) -> Self {
        self.endpoint.disable_ssl = disable;
        self
    }

    /// Whether certificates are left unverified, a proxy's too: no. With it anybody between you and OSS can
    /// read and change everything.
    pub fn insecure_skip_verify(self, skip: bool) -> Self {
        self.connect_if(skip, "insecure_skip_verify", |own| own.insecure_skip_verify(skip))
    }

    /// Whether a redirect is followed: no.
    ///
    /// With it, a read goes on at another endpoint of the same service, once and signed anew; everything else
    /// stays an error that names the endpoint to configure.
    pub fn enabled_redirect(mut self, enabled: bool) -> Self {
        self.redirects = if enabled { Redirects::SameService } else { Redirects::Never };
        self
    }

    /// A proxy for all requests: `http://user:password@proxy.example.com:3128`; an empty text is none. More
    /// is said by [`proxy`](Self::proxy), which does not go with it.
    pub fn proxy_host(mut self, url: impl Into<String>) -> Self {
        let url = Some(url.into()).filter(|url| !url.trim().is_empty());
        let is_said = url.is_some();
        self.transport.proxy_host = url;
        self.connect_if(is_said, "proxy_host", |own| own)
    }

    /// The proxies of each scheme, and the hosts that are reached without one.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.transport.proxy = Some(proxy);
        self.connect("proxy", |own| own)
    }

    /// Whether the proxies are those of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`: no. They are
    /// read when the client is made, and do not go with [`proxy`](Self::proxy) or
    /// [`proxy_host`](Self::proxy_host).
    pub fn proxy_from_environment(mut self, enabled: bool) -> Self {
        self.transport.proxy_from_environment = enabled;
        self.connect_if(enabled, "proxy_from_environment", |own| own)
    }

    /// Whether the bucket is named in the path: no.
    pub fn use_path_style(mut self, enabled: bool) -> Self {
        self.endpoint.use_path_style = enabled;
        self
    }

    /// Whether the endpoint is a custom domain that is bound to the bucket: no.
    pub fn use_cname(mut self, enabled: bool) -> Self {
        self.endpoint.use_cname = enabled;
        self
    }

    /// Whether the region's host with IPv4 and IPv6 is used: no. Without effect beside an endpoint.
    pub fn use_dualstack_endpoint(mut self, enabled: bool) -> Self {
        self.endpoint.use_dualstack_endpoint = enabled;
        self
    }

    /// Whether the host of transfer acceleration is used: no. Without effect beside an endpoint.
    pub fn use_accelerate_endpoint(mut self, enabled: bool) -> Self {
        self.endpoint.use_accelerate_endpoint = enabled;
        self
    }

    /// Whether the host of transfer acceleration outside the Chinese mainland is used: no. Without effect
    /// beside an endpoint.
    pub fn use_accelerate_overseas_endpoint(mut self, enabled: bool) -> Self {
        self.endpoint.use_accelerate_overseas_endpoint = enabled;
        self
    }

    /// Whether the region's host inside Alibaba Cloud is used: no. Without effect beside an endpoint.
    pub fn use_internal_endpoint(mut self, enabled: bool) -> Self {
        self.endpoint.use_internal_endpoint = enabled;
        self
    }

    /// The network in which the bucket of a finance region is. Without effect beside an endpoint.
    pub fn finance_network(mut self, network: FinanceNetwork) -> Self {
        self.endpoint.finance_network = Some(network);
        self
    }

    /// Whether the formula is used where the catalogue of regions has no host of the chosen kind: no.
    pub fn allow_unlisted_host(mut self, allow: bool) -> Self {
        self.endpoint.allow_unlisted_host = allow;
        self
    }

    /// Whether the CRC-64 of uploads is left unchecked: no.
    pub fn disable_upload_crc64_check(mut self, disable: bool) -> Self {
        self.skips_upload_crc64 = disable;
        self
    }

    /// Whether the CRC-64 of downloads is left unchecked: no.
    pub fn disable_download_crc64_check(mut self, disable: bool) -> Self {
        self.skips_download_crc64 = disable;
        self
    }

    /// Whether the CRC-64 is checked in both directions: yes. The one switch of the older document.
    pub fn enable_crc(self, enabled: bool) -> Self {
        self.disable_upload_crc64_check(!enabled).disable_download_crc64_check(!enabled)
    }

    /// Whether the buckets keep versions: no. With it a put or a delete of unknown outcome is not repeated,
    /// since each arrival makes a version more, and `forbid_overwrite`, which OSS ignores there, is refused.
    ///
    /// More about it is said by [`Settings`](crate::Settings), where
    /// [`Service::with`](crate::Service::with) also finds the choice to repeat all the same.
    pub fn buckets_versioned(mut self, versioned: bool) -> Self {
        self.buckets_versioned = versioned;
        self
    }

    /// Whether a write that forbids to overwrite, or begins an object by an append, carries a number of its
    /// own in its metadata (`x-oss-meta-write-nonce`): no. With it a lost answer leaves no doubt whose object
    /// is there.
    pub fn write_nonce(mut self, enabled: bool) -> Self {
        self.write_nonce = enabled;
        self
    }

    /// Headers that are signed besides those that V4 always signs; V1 has none.
    pub fn additional_headers<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.additional_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// What the `user-agent` header says after the name of this crate: printable ASCII.
    #[doc(alias = "app_name")]
    pub fn user_agent(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// The id of the cloud box that the endpoint is of, `cb-…`: it takes the place of the region in
    /// signatures.
    pub fn cloud_box_id(mut self, id: impl Into<String>) -> Self {
        self.cloud_box_id = Some(id.into());
        self
    }

    /// Whether the id of the cloud box is taken from the endpoint, if it is one: no.
    pub fn enable_auto_detect_cloud_box_id(mut self, enabled: bool) -> Self {
        self.detects_cloud_box = enabled;
        self
    }

    /// The most connections at a time, idle ones included: 20. At least 1.
    #[doc(alias = "pool_size")]
    pub fn max_connections(self, connections: usize) -> Self {
        self.connect("max_connections", |own| own.max_connections(connections))
    }

    /// How long an unused connection may be used again: 50 s, before OSS closes it at 60 s.
    pub fn idle_connection_timeout(self, timeout: Duration) -> Self {
        self.connect("idle_connection_timeout", |own| own.idle_connection_timeout(timeout))
    }

    /// The least version of TLS: 1.2.
    pub fn tls_min_version(self, version: TlsVersion) -> Self {
        self.connect("tls_min_version", |own| own.tls_min_version(version))
    }

    /// The only version of TLS.
    pub fn tls_version(self, version: TlsVersion) -> Self {
        self.connect("tls_version", |own| own.tls_version(version))
    }

    /// Trusts these certificates besides those of Mozilla: any number in PEM, or one in DER.
    pub fn root_certificates(self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.connect("root_certificates", |own| own.root_certificates(bytes))
    }

    /// Shows this certificate to a server that asks for one: the chain and its key, in PEM or DER.
    pub fn client_certificate(self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let (chain, key) = (chain.into(), key.into());
        self.connect("client_certificate", |own| own.client_certificate(chain, key))
    }

    /// The address of this machine from which connections are made.
    pub fn bind_address(self, address: IpAddr) -> Self {
        self.connect("bind_address", |own| own.bind_address(address))
    }

    /// How much all uploads together may send: KiB per second, 0 for no limit.
    pub fn upload_bandwidth_limit(self, kib_per_second: u64) -> Self {
        let bytes = kib_per_second.saturating_mul(1024);
        self.connect_if(bytes > 0, "upload_bandwidth_limit", |own| own.upload_bandwidth_max(bytes))
    }

    /// How much all downloads together may receive: KiB per second, 0 for no limit.
    pub fn download_bandwidth_limit(self, kib_per_second: u64) -> Self {
        let bytes = kib_per_second.saturating_mul(1024);
        self.connect_if(bytes > 0, "download_bandwidth_limit", |own| own.download_bandwidth_max(bytes))
    }

    /// How much of a body is handed to the connection at a time, in bytes.
    pub fn block_size(self, bytes: usize) -> Self {
        self.connect("block_size", |own| own.block_size(bytes))
    }

    /// Finds the addresses of hosts, instead of the system's resolver; see [`TransportBuilder::resolver`].
    pub fn resolver<F, Fut>(self, resolve: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.connect("resolver", |own| own.resolver(resolve))
    }

    /// Makes connections in a way of one's own (`adapter`); see [`TransportBuilder::connector`].
    #[doc(alias = "adapter")]
    pub fn connector<C>(self, connector: C) -> Self
    where
        C: tower_service::Service<http::Uri> + Clone + Send + 'static,
        C::Response: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send,
    {
        self.connect("connector", |own| own.connector(connector))
    }

    /// Connections that other clients share, or an HTTP client of one's own (`http_client`, `session`).
    ///
    /// It brings its own settings for connecting, so those of this configuration must be left alone: a
    /// [`TransportBuilder`] has them all.
    #[doc(alias = "http_client")]
    #[doc(alias = "session")]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport.shared = Some(transport);
        self
    }

    /// The client; it connects nowhere and asks for nothing yet.
    ///
    /// # Errors
    /// `Invalid`, naming the setting: two kinds of endpoint without an explicit one, CNAME with path style,
    /// no region for V4, no credentials provider, a text that is no region, endpoint, header or user agent, a
    /// certificate or proxy that cannot be read, a proxy said in two ways, a setting for connecting beside a
    /// transport.
    pub fn client(self) -> Result<Client, Error> {
        let service = self.service()?;
        let provider = self.provider.clone().ok_or_else(|| {
            let problem = "is not set; set it, for example to `Environment`, or to \
                           `Credentials::anonymous()` for public objects";
            invalid("credentials_provider", InvalidValue::new(problem))
        })?;
        self.warnings()?.iter().for_each(trace::warn);
        let account = Account::new(provider).with_retryer(self.retryer.as_ref());
        Ok(Client::of(service, account, self.transport.make()?))
    }

    /// The client seen from one bucket.
    ///
    /// # Errors
    /// As [`client`](Self::client), and when the name is not one by its form.
    pub fn bucket(self, name: impl IntoField<Checked<BucketName>>) -> Result<Bucket, Error> {
        self.client()?.bucket(name)
    }

    /// The pure half of the configuration, for a driver of one's own.
    ///
    /// # Errors
    /// As [`client`](Self::client), as far as it is not about connections.
    pub fn service(&self) -> Result<Service, Error> {
        self.check_headers()?;
        let options = self.options()?;
        let endpoint = options.resolve().map_err(|error| invalid("endpoint", error.into()))?;
        let detected = match endpoint.cloud_box_id().filter(|_| self.detects_cloud_box) {
            None => None,
            Some(id) => Some(cloud_box(id)?),
        };
        let mut service = Service::new(endpoint).with_signature(self.signature);
        match (options.cloud_box_id.or(detected), options.region) {
            (Some(id), _) => service = service.with_cloud_box(id),
            (None, Some(region)) => service = service.with_region(region),
            (None, None) if self.needs_region() => {
                let problem = "is not set; set the region of the bucket, such as `cn-hangzhou`: \
                               signature V4 needs it, whatever the endpoint";
                return Err(invalid("region", InvalidValue::new(problem)));
            }
            (None, None) => {}
        }
        Ok(service.with(|settings| {
            if let Some(retryer) = &self.retryer {
                settings.retry = retryer.policy;
            }
            if let Some(attempts) = self.retry_max_attempts {
                settings.retry.max_attempts = attempts;
            }
            if let Some(timeout) = self.readwrite_timeout {
                settings.timeouts.idle = timeout;
            }
            settings.timeouts.operation = self.operation_timeout;
            settings.redirects = self.redirects;
            settings.checks_upload_crc64 = !self.skips_upload_crc64;
            settings.checks_download_crc64 = !self.skips_download_crc64;
            settings.buckets_versioned = self.buckets_versioned;
            settings.write_nonce = self.write_nonce;
            settings.additional_headers.clone_from(&self.additional_headers);
            settings.user_agent = user_agent(self.user_agent.as_deref());
        }))
    }

    /// What a person should know of this configuration, worth a line in a log each; often nothing: a region
    /// that is closing, a finance region whose network was not chosen.
    ///
    /// With the feature `tracing`, [`client`](Self::client) says them as events of level `warn`.
    ///
    /// # Errors
    /// When the region is not one by its form.
    pub fn warnings(&self) -> Result<Vec<EndpointWarning>, Error> {
        Ok(self.options()?.warnings())
    }

    fn options(&self) -> Result<EndpointOptions, Error> {
        let region = self.region.as_deref().filter(|text| !text.is_empty()).map(Region::parse).transpose();
        let region = region.map_err(|error| invalid("region", error.into()))?;
        let cloud_box_id = self.cloud_box_id.as_deref().map(cloud_box).transpose()?;
        Ok(EndpointOptions { region, cloud_box_id, ..self.endpoint.clone() })
    }

    fn check_headers(&self) -> Result<(), Error> {
        let is_name = |name: &&String| http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        if let Some(bad) = self.additional_headers.iter().find(|name| !is_name(name)) {
            let problem = format!("the additional header {bad:?} is no header name");
            return Err(invalid("additional_headers", InvalidValue::new(problem)));
        }
        let is_printable = |text: &&str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if let Some(bad) = self.user_agent.as_deref().filter(|text| !is_printable(text)) {
            let problem = format!("{bad:?} cannot stand in a header; use printable ASCII");
            return Err(invalid("user_agent", InvalidValue::new(problem)));
        }
        Ok(())
    }

    /// V1 and anonymous calls do without; of what a function will give nothing is known yet.
    fn needs_region(&self) -> bool {
        let is_signed = self.provider.as_ref().is_none_or(CredentialsProvider::is_surely_signed);
        self.signature == SignatureVersion::V4 && is_signed
    }

    fn connect(
        mut self,
        setting: &'static str,
        set: impl FnOnce(TransportBuilder) -> TransportBuilder,
    ) -> Self {
        self.transport.own = self.transport.own.called(setting, set);
        self.transport.setting.get_or_insert(setting);
        self
    }

    /// The same for a value that may say what holds anyway, which goes with everything.
    fn connect_if(
        mut self,
        is_other: bool,
        setting: &'static str,
        set: impl FnOnce(TransportBuilder) -> TransportBuilder,
    ) -> Self {
        if is_other {
            return self.connect(setting, set);
        }
        self.transport.own = set(self.transport.own);
        self
    }
}

/// Debug shows what was set without what is secret.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("credentials_provider", &self.provider)
            .field("signature_version", &self.signature)
            .field("retryer", &self.retryer)
            .finish_non_exhaustive()
    }
}

fn cloud_box(id: &str) -> Result<CloudBoxId, Error> {
    CloudBoxId::parse(id).map_err(|error| invalid("cloud_box_id", error.into()))
}

fn user_agent(suffix: Option<&str>) -> Cow<'static, str> {
    let own = concat!("oss-hyper/", env!("CARGO_PKG_VERSION"));
    match suffix.filter(|suffix| !suffix.is_empty()) {
        Some(suffix) => Cow::Owned(format!("{own} {suffix}")),
        None => Cow::Borrowed(own),
    }
}
