//! Credentials in environment variables.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use crate::search::{Below, Context, Input, Procedure, Turn};
use crate::source::ram_role::{AssumeRole, Role};
use crate::source::{Fixed, read};
use crate::{CredentialError, Credentials, Lookup, Secret, SourceName};

/// Which variables are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variables {
    /// `OSS_*`.
    Oss,
    /// `ALIBABA_CLOUD_*`.
    AlibabaCloud,
    /// `OSS_*`, and the role to assume with them.
    Role,
}

#[derive(Debug)]
pub(crate) struct ReadEnvironment(pub(crate) Variables);

impl Procedure for ReadEnvironment {
    fn name(&self) -> SourceName {
        match self.0 {
            Variables::Oss => SourceName::Environment,
            Variables::AlibabaCloud => SourceName::AlibabaEnvironment,
            Variables::Role => SourceName::EnvironmentRole,
        }
    }

    fn step(&mut self, input: Input, _: &mut Context<'_>) -> Turn {
        let answer = match input {
            Input::Begin => return Turn::Ask,
            Input::Found(grant) => return Turn::Found(grant),
            Input::Absent => return Turn::Absent(""),
            Input::Answer(answer) => answer,
        };
        match self.0 {
            Variables::Oss => match read::variables(self.name(), answer) {
                Ok(values) => read_keys(&OSS, values),
                Err(turn) => turn,
            },
            Variables::AlibabaCloud => match read::variables(self.name(), answer) {
                Ok(values) => read_keys(&ALIBABA_CLOUD, values),
                Err(turn) => turn,
            },
            Variables::Role => match read::variables(self.name(), answer) {
                Ok([id, secret, token, arn, session]) => read_role([id, secret, token], arn, session),
                Err(turn) => turn,
            },
        }
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        let [id, secret, token] = OSS;
        Lookup::Env(match self.0 {
            Variables::Oss => OSS.to_vec(),
            Variables::AlibabaCloud => ALIBABA_CLOUD.to_vec(),
            Variables::Role => [id, secret, token, ROLE_ARN, SESSION_NAME].to_vec(),
        })
    }
}

fn read_keys(names: &[&'static str; 3], values: [Option<Secret>; 3]) -> Turn {
    match keys(names, values) {
        Ok(Some(credentials)) => Turn::found(credentials),
        Ok(None) => Turn::Absent("none of its variables is set"),
        Err(error) => Turn::Broken(error),
    }
}

fn keys(
    names: &[&'static str; 3],
    [id, secret, token]: [Option<Secret>; 3],
) -> Result<Option<Credentials>, CredentialError> {
    let half_set =
        |set: usize, missing: usize| CredentialError::HalfSet { set: names[set], missing: names[missing] };
    match (id, secret) {
        (Some(id), Some(secret)) => {
            Credentials::named(names, String::from(id.expose()), secret, token).map(Some)
        }
        (Some(_), None) => Err(half_set(0, 1)),
        (None, Some(_)) => Err(half_set(1, 0)),
        (None, None) if token.is_some() => Err(half_set(2, 0)),
        (None, None) => Ok(None),
    }
}

fn read_role(values: [Option<Secret>; 3], arn: Option<Secret>, session: Option<Secret>) -> Turn {
    let Some(arn) = arn else {
        return Turn::Absent("OSS_STS_ROLE_ARN is not set");
    };
    let caller = match keys(&OSS, values) {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            return Turn::Broken(CredentialError::HalfSet { set: ROLE_ARN, missing: OSS[0] });
        }
        Err(error) => return Turn::Broken(error),
    };
    let mut role = Role::new(String::from(arn.expose()));
    if let Some(session) = session {
        role.session.name = String::from(session.expose());
    }
    let caller = Below::Procedure(Box::new(Fixed(caller)));
    Turn::Open(Below::Procedure(Box::new(AssumeRole::new(Arc::new(role), caller))))
}

/// Id, secret, token: the names that the vendor's SDKs for OSS read.
pub(crate) const OSS: [&str; 3] = ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];
/// The names that the vendor's other SDKs and tools read.
pub(crate) const ALIBABA_CLOUD: [&str; 3] =
    ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"];
const ROLE_ARN: &str = "OSS_STS_ROLE_ARN";
const SESSION_NAME: &str = "OSS_ROLE_SESSION_NAME";
