//! The two services that hand out credentials beside OSS: STS and the metadata service of an ECS instance.
//! Their settings, and what they share.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::config::{AccessKey, Config, Token};
use crate::ids::Ids;
use crate::metadata::{self, MetadataMode};
use crate::sts::{self, Role};

/// How often the services that hand out credentials were called, since the emulator was made.
///
/// A call counts under its action whatever came of it; `sts_refused` and `metadata_refused` count the calls
/// among them that got no success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Calls of `AssumeRole`.
    pub assume_role: u64,
    /// Calls of `AssumeRoleWithOIDC`.
    pub assume_role_with_oidc: u64,
    /// Calls of `GetCallerIdentity`.
    pub caller_identity: u64,
    /// Calls to STS that were not answered with 200, of whichever action.
    pub sts_refused: u64,
    /// Metadata tokens given out.
    pub metadata_tokens: u64,
    /// Answers that named the instance's role.
    pub metadata_role_names: u64,
    /// Answers with the credentials of the instance's role.
    pub metadata_credentials: u64,
    /// Calls to the metadata service that were not answered with 200.
    pub metadata_refused: u64,
    /// Answers of the credentials URI.
    pub credentials_uri: u64,
    /// Temporary credentials made, by any of these services.
    pub issued: u64,
}

impl Config {
    /// Adds a role that STS lets every access key assume: its ARN, `acs:ram::<account>:role/<name>`, or a
    /// [`Role`] with settings of its own.
    ///
    /// Without a role STS answers `EntityNotExist.Role`.
    pub fn with_role(mut self, role: impl Into<Role>) -> Self {
        self.peers.roles.push(role.into());
        self
    }

    /// Refuses `AssumeRole` with `NoPermission` to this access key, as STS refuses the account itself and a
    /// RAM user without the permission.
    pub fn without_assume_role(mut self, access_key_id: impl Into<String>) -> Self {
        self.peers.denied.insert(access_key_id.into());
        self
    }

    /// Adds a token that `AssumeRoleWithOIDC` takes from the identity provider of this ARN before
    /// `expires_at` (since the Unix epoch). The token is any text; it is compared, not parsed.
    pub fn with_oidc_token(
        mut self,
        provider_arn: impl Into<String>,
        token: impl Into<String>,
        expires_at: Duration,
    ) -> Self {
        let (provider_arn, token) = (provider_arn.into(), token.into());
        self.peers.oidc.push(OidcToken { provider_arn, token, expires_at });
        self
    }

    /// Attaches a role to the instance, which switches the metadata service on, hardened unless
    /// [`with_metadata_mode`](Self::with_metadata_mode) says otherwise.
    ///
    /// The name is served as it is, so that a test can see what a client makes of a bad one.
    pub fn with_ecs_role(mut self, name: impl Into<String>) -> Self {
        self.peers.ecs_role = Some(name.into());
        self.peers.metadata.get_or_insert_default();
        self
    }

    /// Takes the role away from the instance: the metadata service stays, and answers 404.
    pub fn without_ecs_role(mut self) -> Self {
        self.peers.ecs_role = None;
        self.peers.metadata.get_or_insert_default();
        self
    }

    /// How the metadata service answers; this switches it on.
    pub fn with_metadata_mode(mut self, mode: MetadataMode) -> Self {
        self.peers.metadata = Some(mode);
        self
    }

    /// How long the credentials of the instance's role live; 6 hours by default.
    ///
    /// The next ones are handed out in the last 30 minutes, or in the last half of a shorter life.
    pub fn with_ecs_credential_lifetime(mut self, lifetime: Duration) -> Self {
        self.peers.ecs_lifetime = lifetime;
        self
    }

    /// Serves temporary credentials of an hour as JSON at this path, for example `/credentials`: what
    /// `ALIBABA_CLOUD_CREDENTIALS_URI` names.
    pub fn with_credentials_uri(mut self, path: impl Into<String>) -> Self {
        self.peers.credentials_path = Some(path.into());
        self
    }
}

/// What the configuration says about these services.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) roles: Vec<Role>,
    pub(crate) denied: BTreeSet<String>,
    pub(crate) oidc: Vec<OidcToken>,
    pub(crate) ecs_role: Option<String>,
    pub(crate) metadata: Option<MetadataMode>,
    pub(crate) ecs_lifetime: Duration,
    pub(crate) credentials_path: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            roles: Vec::new(),
            denied: BTreeSet::new(),
            oidc: Vec::new(),
            ecs_role: None,
            metadata: None,
            ecs_lifetime: metadata::LIFETIME,
            credentials_path: None,
        }
    }
}

#[derive(Clone)]
pub(crate) struct OidcToken {
    pub(crate) provider_arn: String,
    pub(crate) token: String,
    pub(crate) expires_at: Duration,
}

impl fmt::Debug for OidcToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OidcToken({}, ***)", self.provider_arn)
    }
}

/// What these services keep between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) counters: Counters,
    pub(crate) sts: sts::State,
    pub(crate) metadata: metadata::State,
}

/// What a call to one of these services works with.
pub(crate) struct Desk<'e> {
    pub(crate) config: &'e mut Config,
    pub(crate) ids: &'e mut Ids,
    pub(crate) state: &'e mut State,
    pub(crate) now: Duration,
}

impl Desk<'_> {
    /// Makes temporary credentials, which the OSS side takes until they expire.
    pub(crate) fn issue(&mut self, session: Session, lifetime: Duration) -> Issued {
        let now = self.now;
        // A client that comes late is to hear that its token has expired, not that nobody knows it.
        if self.state.counters.issued.is_multiple_of(CLEAN_EVERY) {
            self.config.issued.retain(|_, key| !is_forgotten(key, now));
        }
        let expires_at = Duration::from_secs(now.saturating_add(lifetime).as_secs());
        let issued = Issued {
            id: self.ids.temporary_id(),
            secret: self.ids.secret(),
            token: self.ids.security_token(),
            issued_at: now,
            expires_at,
        };
        let token = Some(Token { text: issued.token.clone(), expires_at });
        let key = AccessKey { secret: issued.secret.clone(), token, session: Some(session) };
        self.config.issued.insert(issued.id.clone(), key);
        self.state.counters.issued += 1;
        issued
    }
}

fn is_forgotten(key: &AccessKey, now: Duration) -> bool {
    key.token.as_ref().is_some_and(|token| token.expires_at.saturating_add(MEMORY) < now)
}

/// Temporary credentials as they are handed out.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) issued_at: Duration,
    pub(crate) expires_at: Duration,
}

impl fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Issued({}, ***)", self.id)
    }
}

/// Who temporary credentials act as.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) role_arn: String,
    pub(crate) name: String,
}

impl Session {
    pub(crate) fn account(&self) -> &str {
        self.role_arn.split(':').nth(3).unwrap_or("")
    }

    pub(crate) fn role_name(&self) -> &str {
        self.role_arn.split_once(":role/").map_or("", |(_, name)| name)
    }

    /// 18 digits that stay the same for a role.
    pub(crate) fn role_id(&self) -> String {
        let hash =
            self.role_arn.bytes().fold(3_u64, |hash, byte| (hash * 31 + u64::from(byte)) % 10_u64.pow(17));
        alloc::format!("3{hash:017}")
    }

    pub(crate) fn principal_id(&self) -> String {
        [&self.role_id(), ":", &self.name].concat()
    }
}

/// Keys by their id, for whoever looks one up: the configured ones and the issued ones.
pub(crate) type Keys = BTreeMap<String, AccessKey>;

/// An owned copy of a header, trimmed; one that is not UTF-8 counts as absent.
pub(crate) fn header(headers: &http::HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    core::str::from_utf8(value.as_bytes()).ok().map(|text| text.trim().to_owned())
}

/// What has grown is cleaned up once in so many additions, so that each costs little.
pub(crate) const CLEAN_EVERY: u64 = 1024;
/// How long expired credentials are remembered.
const MEMORY: Duration = Duration::from_secs(24 * 3600);
