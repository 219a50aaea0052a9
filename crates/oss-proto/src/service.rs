//! Where requests go and by which rules: plain data, cheap to clone.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;
use core::time::Duration;

use oss_endpoint::{BucketName, CloudBoxId, Endpoint, Region};
use oss_retry::Policy;

use crate::SignatureVersion;

/// An OSS service as a caller configured it: endpoint, region, retry policy, time limits.
///
/// A clone shares the settings; a `with_…` method copies them first if they are shared.
///
/// ```
/// use oss_proto::{Endpoint, Region, Service};
///
/// let region = Region::parse("cn-hangzhou")?;
/// let service = Service::new(Endpoint::public(&region)).with_region(region);
/// assert_eq!(service.timeouts.idle.as_secs(), 20);
/// # Ok::<(), oss_proto::EndpointError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Service(Arc<Settings>);

/// What a [`Service`] holds; read through it, changed by its `with_…` methods.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where requests are sent.
    pub endpoint: Endpoint,
    /// The region in the signature's scope. V4 needs one; V1 and anonymous calls do not.
    pub region: Option<Region>,
    /// The version of signatures (`signature_version`): V4.
    pub signature: SignatureVersion,
    /// The cloud box that the endpoint is of; V4 signs with its id where a region goes otherwise.
    pub cloud_box: Option<CloudBoxId>,
    /// The product in the signature's scope: `oss`, and for a cloud box `oss-cloudbox`.
    pub product: Cow<'static, str>,
    /// The bucket of operations that name none.
    pub bucket: Option<BucketName>,
    /// Attempts and delays: 3 attempts, full jitter from 0.2 s, at most 20 s.
    pub retry: Policy,
    /// Time limits.
    pub timeouts: Timeouts,
    /// What becomes of an answer that names another place (`enabled_redirect`): an error.
    pub redirects: Redirects,
    /// Limits on what is read into memory.
    pub limits: Limits,
    /// The `user-agent` header.
    pub user_agent: Cow<'static, str>,
    /// Headers that are signed besides those that V4 always signs, in lower case; V1 has none.
    pub additional_headers: Vec<String>,
    /// Whether buckets keep versions: then a repeated put or delete is not the same as one, and is not
    /// repeated when its outcome is unknown. No by default. In a versioned bucket of which this is not
    /// said, a put whose answer was lost can leave a version more than was asked for.
    pub buckets_versioned: bool,
    /// Whether such a put or delete is repeated all the same: no. Each arrival makes a version of its own.
    pub repeats_versions: bool,
    /// Whether a conditional write carries a number of its own in its metadata (`x-oss-meta-write-nonce`):
    /// no. With it a look tells for certain whether a write of unknown outcome took effect, also of a
    /// stream whose length or CRC-64 nobody knows, and also when somebody else writes the same bytes.
    pub write_nonce: bool,
    /// Whether the CRC-64 of uploads is compared with the one that OSS states: yes.
    pub checks_upload_crc64: bool,
    /// Whether the CRC-64 of whole downloads is compared with the one that OSS states: yes.
    pub checks_download_crc64: bool,
}

/// Time limits of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// How long the peer may be silent while we wait for it (`readwrite_timeout`): 20 s.
    pub idle: Duration,
    /// How long it may think before it answers an operation that copies or assembles data: 10 min.
    pub slow_answer: Duration,
    /// How long the body of an error may take: 5 s; then it is judged by what has come.
    pub error_body: Duration,
    /// How long we wait for credentials: 30 s.
    pub credentials: Duration,
    /// How long a whole call may take, retries included: no limit.
    pub operation: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(20),
            slow_answer: Duration::from_secs(600),
            error_body: Duration::from_secs(5),
            credentials: Duration::from_secs(30),
            operation: None,
        }
    }
}

/// What becomes of an answer that names another place for the bucket.
///
/// Such are the statuses 301, 302, 307 and 308, and an `AccessDenied` with an `Endpoint` in its document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirects {
    /// It is the error of the call (`ErrorKind::Moved`) and names the place.
    #[default]
    Never,
    /// A read (GET, HEAD) follows it, once in a call and beside the number of attempts.
    ///
    /// Only the host is taken from the answer, and only if it belongs to the configured service
    /// ([`Endpoint::is_same_service`]), on its port, not from https to http, and for the same bucket and key.
    /// The request is composed and signed anew, for the region that the host names or else the configured
    /// one. Everything else is the error, with the reason ([`Unfollowed`](crate::Unfollowed)). An endpoint
    /// that is bound to a bucket (CNAME) has no other hosts, so nothing is followed from it.
    SameService,
}

/// Limits on what is read into memory; a streamed object is not collected and has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest answer that is collected: 16 MiB.
    pub collect_bytes_max: u64,
    /// How much of an error's body is read: 64 KiB.
    pub error_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { collect_bytes_max: 16 << 20, error_bytes_max: 64 << 10 }
    }
}

impl Service {
    /// A service with the documents' defaults.
    pub fn new(endpoint: Endpoint) -> Self {
        Self(Arc::new(Settings {
            endpoint,
            region: None,
            signature: SignatureVersion::V4,
            cloud_box: None,
            product: Cow::Borrowed("oss"),
            bucket: None,
            retry: Policy::new(),
            timeouts: Timeouts::default(),
            redirects: Redirects::Never,
            limits: Limits::default(),
            user_agent: Cow::Borrowed(concat!("oss-proto/", env!("CARGO_PKG_VERSION"))),
            additional_headers: Vec::new(),
            buckets_versioned: false,
            repeats_versions: false,
            write_nonce: false,
            checks_upload_crc64: true,
            checks_download_crc64: true,
        }))
    }

    /// Whether both share their settings: then they are the same, and stay so.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Changes the settings in one go.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same service with the region that V4 signs for.
    #[must_use]
    pub fn with_region(self, region: Region) -> Self {
        self.with(|settings| settings.region = Some(region))
    }

    /// The same service, which is that of a cloud box: signed with its id in place of a region, for the
    /// product `oss-cloudbox` (SDK option `cloud_box_id`).
    ///
    /// The endpoint must be that of the cloud box;
    /// [`EndpointOptions::cloud_box_id`](oss_endpoint::EndpointOptions::cloud_box_id) checks that there is
    /// one, and [`Endpoint::cloud_box_id`] finds the id in it.
    ///
    /// ```
    /// use oss_proto::{CloudBoxId, Endpoint, Service};
    ///
    /// let endpoint = Endpoint::parse("cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com")?;
    /// let id = endpoint.cloud_box_id().map(CloudBoxId::parse).transpose()?;
    /// let service = id.into_iter().fold(Service::new(endpoint), Service::with_cloud_box);
    /// assert_eq!(service.product, "oss-cloudbox");
    /// # Ok::<(), oss_proto::EndpointError>(())
    /// ```
    #[must_use]
    pub fn with_cloud_box(self, id: CloudBoxId) -> Self {
        self.with(|settings| {
            settings.cloud_box = Some(id);
            settings.product = Cow::Borrowed("oss-cloudbox");
        })
    }

    /// The same service that follows redirects, or does not.
    #[must_use]
    pub fn with_redirects(self, redirects: Redirects) -> Self {
        self.with(|settings| settings.redirects = redirects)
    }

    /// The same service with another version of signatures.
    #[must_use]
    pub fn with_signature(self, version: SignatureVersion) -> Self {
        self.with(|settings| settings.signature = version)
    }

    /// The same service seen from one bucket: operations that name none go there.
    #[must_use]
    pub fn with_bucket(self, bucket: BucketName) -> Self {
        self.with(|settings| settings.bucket = Some(bucket))
    }

    /// The same service with another retry policy.
    #[must_use]
    pub fn with_retry(self, policy: Policy) -> Self {
        self.with(|settings| settings.retry = policy)
    }
}

impl Deref for Service {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}
