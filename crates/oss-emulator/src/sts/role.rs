//! Roles that can be assumed, and the form of what a caller says about a session (documents "AssumeRole" and
//! "AssumeRoleWithOIDC").

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::time::Duration;

use crate::json;
use crate::sts::parameters::Parameters;
use crate::sts::speech::Refusal;

/// A role that STS knows, by its ARN `acs:ram::<account>:role/<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub(crate) arn: String,
    pub(crate) session_max: Duration,
    pub(crate) external_id: Option<String>,
}

impl Role {
    /// A role that every access key may assume, for an hour at most.
    pub fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), session_max: SESSION_DEFAULT, external_id: None }
    }

    /// The longest session, `MaxSessionDuration`; kept inside 1 to 12 hours, as RAM keeps it.
    pub fn with_session_max(mut self, longest: Duration) -> Self {
        self.session_max = longest.clamp(SESSION_DEFAULT, SESSION_MAX);
        self
    }

    /// The role's trust policy asks for this `ExternalId`: a call without it is refused with `NoPermission`.
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }
}

impl From<&str> for Role {
    fn from(arn: &str) -> Self {
        Self::new(arn)
    }
}

impl From<String> for Role {
    fn from(arn: String) -> Self {
        Self::new(arn)
    }
}

/// What a caller asks of a role, with the right form.
pub(crate) struct Wish {
    pub(crate) role_arn: String,
    pub(crate) session_name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) source_identity: Option<String>,
    lifetime_secs: Option<u64>,
}

impl Wish {
    pub(crate) fn of(parameters: &Parameters) -> Result<Self, Refusal> {
        let role_arn = parameters.required("RoleArn")?;
        if !is_role_arn(role_arn) {
            return Err(Refusal::wrong("RoleArn"));
        }
        let session_name = parameters.required("RoleSessionName")?;
        if !fits(session_name, 2, 64, ".@-_") {
            return Err(Refusal::wrong("RoleSessionName"));
        }
        let lifetime = parameters.value("DurationSeconds");
        let lifetime_secs = lifetime.map(|text| text.parse().map_err(|_| wrong_duration())).transpose()?;
        let external_id = parameters.value("ExternalId");
        if external_id.is_some_and(|id| !fits(id, 2, 1224, "_+=,.@:/-")) {
            return Err(Refusal::wrong("ExternalId"));
        }
        let source_identity = parameters.value("SourceIdentity");
        if source_identity.is_some_and(|identity| !is_source_identity(identity)) {
            return Err(Refusal::wrong("SourceIdentity"));
        }
        check_policy(parameters.value("Policy"))?;
        Ok(Self {
            role_arn: role_arn.to_owned(),
            session_name: session_name.to_owned(),
            external_id: external_id.map(ToOwned::to_owned),
            source_identity: source_identity.map(ToOwned::to_owned),
            lifetime_secs,
        })
    }

    /// 900 seconds to the role's longest session, an hour when the caller does not say.
    pub(crate) fn lifetime(&self, role: &Role) -> Result<Duration, Refusal> {
        let seconds = self.lifetime_secs.unwrap_or(SESSION_DEFAULT.as_secs());
        match (SESSION_MIN.as_secs()..=role.session_max.as_secs()).contains(&seconds) {
            true => Ok(Duration::from_secs(seconds)),
            false => Err(wrong_duration()),
        }
    }
}

fn is_role_arn(arn: &str) -> bool {
    let parts = arn.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(":role/"));
    parts.is_some_and(|(account, name)| {
        !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()) && fits(name, 1, 64, ".-_/")
    })
}

fn is_source_identity(text: &str) -> bool {
    let is_reserved = ["acs:", "aliyun:", "alibabacloud:"].iter().any(|prefix| text.starts_with(prefix));
    fits(text, 2, 64, "_+=,.@-") && !is_reserved
}

/// Letters, digits and these marks.
fn fits(text: &str, min: usize, max: usize, marks: &str) -> bool {
    (min..=max).contains(&text.len())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || marks.contains(character))
}

/// The policy is kept to its size and its grammar, and not applied: the OSS side knows one owner only.
fn check_policy(policy: Option<&str>) -> Result<(), Refusal> {
    let Some(policy) = policy else { return Ok(()) };
    if policy.chars().count() > POLICY_CHARS_MAX {
        let why = "The size of Policy must be smaller than 2048 bytes.";
        return Err(Refusal::new(400, "InvalidParameter.PolicySize", why));
    }
    let value = json::parse(policy).ok();
    let statement = value.as_ref().and_then(|value| value.get("Statement")).and_then(|list| list.as_array());
    if statement.is_none() {
        let why = "The parameter Policy has not passed grammar check.";
        return Err(Refusal::new(400, "InvalidParameter.PolicyGrammar", why));
    }
    Ok(())
}

fn wrong_duration() -> Refusal {
    // The text speaks of an hour although the limit is the role's.
    let why = "The Min/Max value of DurationSeconds is 15min/1hr.";
    Refusal::new(400, "InvalidParameter.DurationSeconds", why)
}

const SESSION_MIN: Duration = Duration::from_secs(900);
const SESSION_DEFAULT: Duration = Duration::from_secs(3600);
const SESSION_MAX: Duration = Duration::from_secs(43_200);
const POLICY_CHARS_MAX: usize = 2048;
