//! A RAM role that another identity assumes.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::search::{Below, Context, Input, Procedure, Turn};
use crate::source::sts::{Attempts, StsCall, StsEndpoint, StsSignature};
use crate::{CredentialError, Credentials, Lookup, Secret, Source, SourceName};

/// A RAM role that another identity assumes: `AssumeRole` of STS.
///
/// Whoever assumes it is any other source, by default [`Source::Environment`]; that may again be a role. STS
/// takes 100 such requests a second from one account (2022-09), so use one cache for many callers.
///
/// ```
/// use oss_credentials::{RamRole, Source, StsEndpoint};
///
/// let source: Source = RamRole::new("acs:ram::123456789012:role/reader")
///     .assumed_by(Source::Environment)
///     .external_id("agreed-with-the-owner")
///     .endpoint(StsEndpoint::region("cn-hangzhou"))
///     .into();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RamRole {
    pub(crate) role: Role,
    pub(crate) base: Box<Source>,
}

impl RamRole {
    /// The role of this ARN, `acs:ram::<account>:role/<name>`, assumed by what the environment says.
    pub fn new(arn: impl Into<String>) -> Self {
        Self { role: Role::new(arn.into()), base: Box::new(Source::Environment) }
    }

    /// Who assumes the role: a RAM user, or another role; never an account itself.
    #[must_use]
    pub fn assumed_by(mut self, source: impl Into<Source>) -> Self {
        self.base = Box::new(source.into());
        self
    }

    /// The name of the session in the records of what was done: 2 to 64 letters, digits and `.@-_`. Default
    /// is `oss-credentials`.
    #[must_use]
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.role.session.name = name.into();
        self
    }

    /// How long the credentials live: 15 minutes to 12 hours, and no longer than the role allows. Default is
    /// an hour.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.role.session.duration = Some(duration);
        self
    }

    /// A policy, in JSON, that takes rights away: what the session may do is what both it and the role allow.
    /// 1 to 2,048 characters.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<Secret>) -> Self {
        self.role.session.policy = Some(policy.into());
        self
    }

    /// The text that the owner of a role in another account asks for: 2 to 1,224 letters, digits and
    /// `_+=,.@:/-`.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<Secret>) -> Self {
        self.role.external_id = Some(id.into());
        self
    }

    /// Who is behind the session, kept along a chain of roles: 2 to 64 letters, digits and `_+=,.@-`.
    #[must_use]
    pub fn source_identity(mut self, identity: impl Into<String>) -> Self {
        self.role.source_identity = Some(identity.into());
        self
    }

    /// Where STS is asked; default is [`StsEndpoint::Central`].
    #[must_use]
    pub fn endpoint(mut self, endpoint: StsEndpoint) -> Self {
        self.role.session.endpoint = endpoint;
        self
    }

    /// How the request is signed; default is [`StsSignature::Rpc`].
    #[must_use]
    pub fn signature(mut self, signature: StsSignature) -> Self {
        self.role.signature = signature;
        self
    }
}

impl From<RamRole> for Source {
    fn from(role: RamRole) -> Self {
        Self::RamRole(Box::new(role))
    }
}

/// A role without whoever assumes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) session: Session,
    pub(crate) external_id: Option<Secret>,
    pub(crate) source_identity: Option<String>,
    pub(crate) signature: StsSignature,
}

impl Role {
    pub(crate) fn new(arn: String) -> Self {
        Self {
            session: Session::new(arn),
            external_id: None,
            source_identity: None,
            signature: StsSignature::default(),
        }
    }

    /// The limits of the interface (2015-04-01), so that a mistake is told by its name and nothing is sent.
    fn check(&self) -> Result<(), CredentialError> {
        let source = SourceName::RamRole;
        self.session.check(source)?;
        let external_id = self.external_id.as_ref().map(Secret::expose);
        if external_id.is_some_and(|id| !is_word(id, 2..=1_224, b"_+=,.@:/-")) {
            let problem = "is not 2 to 1,224 letters, digits or _+=,.@:/-: use what the role's owner gave";
            return Err(CredentialError::Setting { source, name: "the external id", problem });
        }
        // No colon, so none of the reserved beginnings either.
        if self.source_identity.as_ref().is_some_and(|identity| !is_word(identity, 2..=64, b"_+=,.@-")) {
            let problem = "is not 2 to 64 letters, digits or _+=,.@-: shorten it or change those letters";
            return Err(CredentialError::Setting { source, name: "the source identity", problem });
        }
        Ok(())
    }
}

/// What all requests for a role have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) duration: Option<Duration>,
    pub(crate) policy: Option<Secret>,
    pub(crate) endpoint: StsEndpoint,
}

impl Session {
    pub(crate) fn new(arn: String) -> Self {
        let name = String::from(SESSION_NAME);
        Self { arn, name, duration: None, policy: None, endpoint: StsEndpoint::default() }
    }

    pub(crate) fn check(&self, source: SourceName) -> Result<(), CredentialError> {
        let refuse = |name, problem| Err(CredentialError::Setting { source, name, problem });
        let is_arn = |arn: &str| {
            let role = arn.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(":role/"));
            role.is_some_and(|(account, name)| !account.is_empty() && !name.is_empty())
        };
        if !is_arn(&self.arn) || self.arn.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return refuse("the ARN of the role", "is not acs:ram::<account>:role/<name>: copy it from RAM");
        }
        if !is_word(&self.name, 2..=64, b".@-_") {
            let problem = "is not 2 to 64 letters, digits or .@-_: shorten it or change those letters";
            return refuse("the session name", problem);
        }
        let secs = self.duration.map(|duration| duration.as_secs());
        if secs.is_some_and(|secs| !(900..=43_200).contains(&secs)) {
            return refuse("the duration", "is not between 900 s and 43,200 s: choose one that is");
        }
        let policy_chars = self.policy.as_ref().map(|policy| policy.expose().chars().count());
        if policy_chars.is_some_and(|chars| !(1..=2_048).contains(&chars)) {
            return refuse("the policy", "is not 1 to 2,048 characters long: leave out blanks or the policy");
        }
        self.endpoint.place(source).map(drop)
    }

    /// The parameters; `duration` is the room for its text.
    pub(crate) fn parameters<'a>(&'a self, duration: &'a str) -> Vec<(&'static str, &'a str)> {
        let mut parameters =
            Vec::from([("RoleArn", self.arn.as_str()), ("RoleSessionName", self.name.as_str())]);
        parameters.push(("DurationSeconds", duration));
        parameters.extend(self.policy.as_ref().map(|policy| ("Policy", policy.expose())));
        parameters
    }

    pub(crate) fn duration_text(&self) -> String {
        self.duration.map_or(SESSION_SECS, |duration| duration.as_secs()).to_string()
    }
}

/// Asks the source below, then STS.
#[derive(Debug)]
pub(crate) struct AssumeRole {
    role: Arc<Role>,
    /// Taken when it is opened.
    base: Option<Below>,
    caller: Option<Credentials>,
    attempts: Attempts,
}

impl AssumeRole {
    pub(crate) fn new(role: Arc<Role>, base: Below) -> Self {
        Self { role, base: Some(base), caller: None, attempts: Attempts::default() }
    }
}

impl Procedure for AssumeRole {
    fn name(&self) -> SourceName {
        SourceName::RamRole
    }

    fn step(&mut self, input: Input, context: &mut Context<'_>) -> Turn {
        let source = SourceName::RamRole;
        match input {
            Input::Begin => match (self.role.check(), self.base.take()) {
                (Err(error), _) => Turn::Broken(error),
                (Ok(()), Some(base)) => Turn::Open(base),
                (Ok(()), None) => Turn::Absent("nobody assumes it"),
            },
            Input::Absent => Turn::Absent("whoever assumes it has no credentials"),
            Input::Found(grant) if grant.credentials.is_anonymous() => {
                let problem = "is nobody, who cannot assume a role: give it an AccessKey";
                Turn::Broken(CredentialError::Setting { source, name: "whoever assumes it", problem })
            }
            Input::Found(grant) => {
                self.caller = Some(grant.credentials);
                Turn::Ask
            }
            Input::Answer(answer) => self.attempts.judge(source, answer, context),
        }
    }

    fn question(&mut self, context: &mut Context<'_>) -> Lookup {
        let role = &self.role;
        let duration = role.session.duration_text();
        let mut parameters = role.session.parameters(&duration);
        parameters.extend(role.external_id.as_ref().map(|id| ("ExternalId", id.expose())));
        parameters
            .extend(role.source_identity.as_ref().map(|identity| ("SourceIdentity", identity.as_str())));
        // Both were checked before the caller was asked for.
        let place = role.session.endpoint.place(SourceName::RamRole).unwrap_or_default();
        let caller = self.caller.as_ref().and_then(Credentials::access_key);
        let key = caller.unwrap_or(oss_sign::AccessKey { id: "", secret: "", token: None });
        Lookup::Http(StsCall { place, action: "AssumeRole", parameters }.sign(&key, role.signature, context))
    }
}

fn is_word(text: &str, length: core::ops::RangeInclusive<usize>, others: &[u8]) -> bool {
    length.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

const SESSION_NAME: &str = "oss-credentials";
/// The default of STS, sent all the same: a role may allow less, and then the error says so.
const SESSION_SECS: u64 = 3_600;
