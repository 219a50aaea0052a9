//! What an emulator is told before its first request.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::ops::{Callback, CallbackOutcome};
use crate::peers::{Keys, Session, Settings};

/// The settings of an [`Emulator`](crate::Emulator): region, access keys, host names, owner and seed.
///
/// Without an access key every signed request is refused with `InvalidAccessKeyId`.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) region: String,
    pub(crate) product: String,
    pub(crate) keys: Keys,
    /// What the emulator itself handed out; kept when the settings change.
    pub(crate) issued: Keys,
    pub(crate) peers: Settings,
    pub(crate) endpoint: Option<String>,
    pub(crate) domains: Vec<String>,
    pub(crate) cnames: BTreeMap<String, String>,
    pub(crate) owner_id: String,
    pub(crate) owner_name: String,
    pub(crate) seed: u64,
    pub(crate) takes_v1: bool,
    callback: Option<Hook>,
}

impl Config {
    /// A server of this region (`cn-hangzhou`, without `oss-`), product `oss`, seed 0 and no access key.
    ///
    /// It answers virtual-host requests under `localhost` and under the region's public, internal, dual-stack
    /// and acceleration domains, and path-style requests on IP addresses and `localhost`.
    pub fn new(region: impl Into<String>) -> Self {
        let region = region.into();
        let domains = vec![
            "localhost".to_owned(),
            format!("oss-{region}.aliyuncs.com"),
            format!("oss-{region}-internal.aliyuncs.com"),
            format!("{region}.oss.aliyuncs.com"),
            "oss-accelerate.aliyuncs.com".to_owned(),
            "oss-accelerate-overseas.aliyuncs.com".to_owned(),
        ];
        Self {
            region,
            product: "oss".to_owned(),
            keys: Keys::new(),
            issued: Keys::new(),
            peers: Settings::default(),
            endpoint: None,
            domains,
            cnames: BTreeMap::new(),
            owner_id: "1234567890123456".to_owned(),
            owner_name: "1234567890123456".to_owned(),
            seed: 0,
            takes_v1: true,
            callback: None,
        }
    }

    /// Adds a permanent access key.
    pub fn with_access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.keys.insert(id.into(), AccessKey { secret: secret.into(), token: None, session: None });
        self
    }

    /// Adds a temporary access key that is valid with this security token, before `expires_at` (since the
    /// Unix epoch).
    pub fn with_temporary_key(
        mut self,
        id: impl Into<String>,
        secret: impl Into<String>,
        token: impl Into<String>,
        expires_at: Duration,
    ) -> Self {
        let token = Some(Token { text: token.into(), expires_at });
        self.keys.insert(id.into(), AccessKey { secret: secret.into(), token, session: None });
        self
    }

    /// Takes an access key away: requests signed with it are refused with `InvalidAccessKeyId`.
    pub fn without_access_key(mut self, id: &str) -> Self {
        self.keys.remove(id);
        self
    }

    /// The product in the credential scope; `oss` by default.
    pub fn with_product(mut self, product: impl Into<String>) -> Self {
        self.product = product.into();
        self
    }

    /// The endpoint that `ListBuckets` and `GetBucketInfo` name, for example `http://127.0.0.1:9000`.
    ///
    /// Clients compare it with the one they were given, so a server sets its own address here. Without it the
    /// region's public endpoint is named.
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Adds a domain under which buckets are sub-domains (`service.example` for `bucket.service.example`).
    pub fn with_domain(mut self, domain: impl Into<String>) -> Self {
        self.domains.push(domain.into().to_ascii_lowercase());
        self
    }

    /// Maps a host name of its own (a CNAME) to a bucket.
    pub fn with_cname(mut self, domain: impl Into<String>, bucket: impl Into<String>) -> Self {
        self.cnames.insert(domain.into().to_ascii_lowercase(), bucket.into());
        self
    }

    /// The id and display name of the account that owns every bucket.
    pub fn with_owner(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.owner_id = id.into();
        self.owner_name = name.into();
        self
    }

    /// The seed of request ids and upload ids.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Refuses signature V1, as OSS does for new accounts.
    pub fn without_signature_v1(mut self) -> Self {
        self.takes_v1 = false;
        self
    }

    /// Decides what comes of callbacks, which a server without a network cannot make. Without this hook each
    /// of them fails, and the upload is answered with 203 `CallbackFailed`.
    ///
    /// The hook is called while a request is answered: it must not wait, and it must not call the emulator.
    pub fn with_callback(
        mut self,
        hook: impl Fn(&Callback) -> CallbackOutcome + Send + Sync + 'static,
    ) -> Self {
        self.callback = Some(Hook(Arc::new(hook)));
        self
    }

    /// The region, as given.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The endpoint that answers name: the configured one, else the region's public endpoint.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("oss-{}.aliyuncs.com", self.region))
    }

    /// Whether an endpoint was configured.
    pub fn has_endpoint(&self) -> bool {
        self.endpoint.is_some()
    }

    /// An access key that was configured or handed out.
    pub(crate) fn key(&self, id: &str) -> Option<&AccessKey> {
        self.keys.get(id).or_else(|| self.issued.get(id))
    }

    pub(crate) fn callback_outcome(&self, callback: &Callback) -> CallbackOutcome {
        match &self.callback {
            Some(Hook(hook)) => hook(callback),
            None => CallbackOutcome::Failed("the callback server cannot be reached".to_owned()),
        }
    }

    /// The internal endpoint that answers name: the configured endpoint, else the region's internal one.
    pub(crate) fn internal_endpoint(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("oss-{}-internal.aliyuncs.com", self.region))
    }
}

#[derive(Clone)]
struct Hook(Arc<dyn Fn(&Callback) -> CallbackOutcome + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

/// The secret half of an access key, with its token when it is temporary.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) secret: String,
    pub(crate) token: Option<Token>,
    /// Whose session a key is that was handed out.
    pub(crate) session: Option<Session>,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) expires_at: Duration,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.token.is_some() { "AccessKey(***, token ***)" } else { "AccessKey(***)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let config = Config::new("cn-hangzhou").with_access_key("id", "hidden-secret").with_temporary_key(
            "sts",
            "hidden-other",
            "hidden-token",
            Duration::from_secs(1),
        );
        let text = format!("{config:?}");
        assert!(text.contains("sts") && !text.contains("hidden"), "{text}");
    }
}
