//! A RAM role for whoever shows a token of an identity provider: RRSA of ACK, and CI systems.

use alloc::string::String;
use core::time::Duration;

use crate::lookup::ANSWER_BYTES_MAX;
use crate::search::{Context, Input, Procedure, Turn};
use crate::source::home::FilePath;
use crate::source::ram_role::Session;
use crate::source::sts::{Attempts, StsCall, StsEndpoint};
use crate::source::{ecs, read};
use crate::{Answer, CredentialError, FileLookup, Lookup, Secret, SecretBytes, Source, SourceName};

/// A RAM role for whoever shows a token of an identity provider: `AssumeRoleWithOIDC` of STS.
///
/// The token is in a file that somebody else renews, so it is read again each time. In ACK with RRSA
/// everything stands in the environment: [`by_environment`](Self::by_environment).
///
/// ```
/// use oss_credentials::{OidcRole, Source};
///
/// let source: Source = OidcRole::by_environment().into();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcRole {
    /// `None` when the environment has to say it.
    pub(crate) settings: Option<Settings>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) session: Session,
    pub(crate) provider_arn: String,
    pub(crate) token_file: FilePath,
}

impl OidcRole {
    /// The role of this ARN, `acs:ram::<account>:role/<name>`, for the holder of the token in this file,
    /// which the provider of that ARN, `acs:ram::<account>:oidc-provider/<name>`, has given out.
    pub fn new(
        role_arn: impl Into<String>,
        provider_arn: impl Into<String>,
        token_file: impl Into<String>,
    ) -> Self {
        let settings = Settings {
            session: Session::new(role_arn.into()),
            provider_arn: provider_arn.into(),
            token_file: FilePath::new(token_file.into()),
        };
        Self { settings: Some(settings) }
    }

    /// What the variables `ALIBABA_CLOUD_ROLE_ARN`, `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE` say; absent unless all three are set.
    ///
    /// `ALIBABA_CLOUD_ROLE_SESSION_NAME` names the session; `ALIBABA_CLOUD_STS_ENDPOINT`, or
    /// `ALIBABA_CLOUD_STS_REGION` with `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED`, say where STS is asked. The
    /// other settings of this type have no effect on it.
    pub fn by_environment() -> Self {
        Self { settings: None }
    }

    /// The name of the session; see [`RamRole::session_name`](crate::RamRole::session_name).
    #[must_use]
    pub fn session_name(self, name: impl Into<String>) -> Self {
        self.set(|session| session.name = name.into())
    }

    /// How long the credentials live; see [`RamRole::duration`](crate::RamRole::duration).
    #[must_use]
    pub fn duration(self, duration: Duration) -> Self {
        self.set(|session| session.duration = Some(duration))
    }

    /// A policy that takes rights away; see [`RamRole::policy`](crate::RamRole::policy).
    #[must_use]
    pub fn policy(self, policy: impl Into<Secret>) -> Self {
        self.set(|session| session.policy = Some(policy.into()))
    }

    /// Where STS is asked; default is [`StsEndpoint::Central`].
    #[must_use]
    pub fn endpoint(self, endpoint: StsEndpoint) -> Self {
        self.set(|session| session.endpoint = endpoint)
    }

    fn set(mut self, change: impl FnOnce(&mut Session)) -> Self {
        if let Some(settings) = &mut self.settings {
            change(&mut settings.session);
        }
        self
    }
}

impl From<OidcRole> for Source {
    fn from(role: OidcRole) -> Self {
        Self::Oidc(role)
    }
}

/// Asks for the settings if need be, the token, then STS.
///
/// ```text
///   Variables ──▶ Home, when the path begins with ~ ──▶ Token ──▶ Sts ──▶ found
///                                                         ▲        │
///                                                         └────────┘ the token had expired (once)
/// ```
#[derive(Debug)]
pub(crate) struct ShowToken {
    settings: Option<Settings>,
    asks: Asks,
    token: Secret,
    attempts: Attempts,
    is_token_read_again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Variables,
    Home,
    Token,
    Sts,
}

impl ShowToken {
    pub(crate) fn new(role: OidcRole) -> Self {
        Self {
            settings: role.settings,
            asks: Asks::Variables,
            token: Secret::default(),
            attempts: Attempts::default(),
            is_token_read_again: false,
        }
    }

    fn begin(&mut self) -> Turn {
        let Some(settings) = &self.settings else {
            return Turn::Ask;
        };
        if let Err(error) = settings.check() {
            return Turn::Broken(error);
        }
        self.asks = if settings.token_file.is_in_home() { Asks::Home } else { Asks::Token };
        Turn::Ask
    }

    fn read(&mut self, answer: Answer, context: &mut Context<'_>) -> Turn {
        let source = self.name();
        match self.asks {
            Asks::Variables => match read::variables(source, answer) {
                Ok(values) => match configured(values) {
                    Ok(settings) => {
                        self.settings = Some(settings);
                        self.begin()
                    }
                    Err(why) => Turn::Absent(why),
                },
                Err(turn) => turn,
            },
            Asks::Home => {
                let resolved = match (read::variables(source, answer), &mut self.settings) {
                    (Ok(homes), Some(settings)) => settings.token_file.resolve(source, homes),
                    (Err(turn), _) => return turn,
                    (Ok(_), None) => Err(CredentialError::Mismatch { source }),
                };
                self.asks = Asks::Token;
                resolved.map_or_else(Turn::Broken, |()| Turn::Ask)
            }
            Asks::Token => match answer {
                Answer::File(file) => self.read_token(&file.bytes),
                // It was named, so it cannot just not be there.
                Answer::Absent => Turn::Broken(CredentialError::Missing { source, name: "token file" }),
                other => read::no_answer(source, other),
            },
            Asks::Sts => self.read_sts(answer, context),
        }
    }

    fn read_token(&mut self, bytes: &SecretBytes) -> Turn {
        let token = core::str::from_utf8(bytes.expose()).unwrap_or_default().trim_ascii();
        // 4 to 20,000 characters are the limits of the interface.
        if !(4..=20_000).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Turn::Broken(CredentialError::Missing { source: self.name(), name: "token in its file" });
        }
        self.token = Secret::from(token);
        self.asks = Asks::Sts;
        Turn::Ask
    }

    fn read_sts(&mut self, answer: Answer, context: &mut Context<'_>) -> Turn {
        let turn = self.attempts.judge(self.name(), answer, context);
        let Turn::Broken(CredentialError::Refused { code: Some(code), .. }) = &turn else {
            return turn;
        };
        if code != TOKEN_EXPIRED || self.is_token_read_again {
            return turn;
        }
        self.is_token_read_again = true;
        self.asks = Asks::Token;
        Turn::Ask
    }
}

impl Procedure for ShowToken {
    fn name(&self) -> SourceName {
        SourceName::Oidc
    }

    fn step(&mut self, input: Input, context: &mut Context<'_>) -> Turn {
        match input {
            Input::Begin => self.begin(),
            Input::Answer(answer) => self.read(answer, context),
            Input::Found(_) | Input::Absent => {
                Turn::Broken(CredentialError::Mismatch { source: self.name() })
            }
        }
    }

    fn question(&mut self, context: &mut Context<'_>) -> Lookup {
        match (self.asks, &self.settings) {
            (Asks::Variables, _) | (_, None) => Lookup::Env(VARIABLES.to_vec()),
            (Asks::Home, _) => FilePath::homes(),
            (Asks::Token, Some(settings)) => Lookup::File(FileLookup {
                path: settings.token_file.path.clone(),
                max_bytes: ANSWER_BYTES_MAX,
            }),
            (Asks::Sts, Some(settings)) => {
                let duration = settings.session.duration_text();
                let mut parameters = settings.session.parameters(&duration);
                parameters.push(("OIDCProviderArn", &settings.provider_arn));
                parameters.push(("OIDCToken", self.token.expose()));
                // It was checked at the beginning.
                let place = settings.session.endpoint.place(SourceName::Oidc).unwrap_or_default();
                Lookup::Http(StsCall { place, action: "AssumeRoleWithOIDC", parameters }.unsigned(context))
            }
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), CredentialError> {
        let source = SourceName::Oidc;
        self.session.check(source)?;
        let arn = &self.provider_arn;
        if !arn.starts_with("acs:ram::") || arn.bytes().any(|byte| !byte.is_ascii_graphic()) {
            let problem = "is not acs:ram::<account>:oidc-provider/<name>: copy it from RAM";
            return Err(CredentialError::Setting { source, name: "the ARN of the provider", problem });
        }
        Ok(())
    }
}

fn configured(values: [Option<Secret>; 7]) -> Result<Settings, &'static str> {
    let values = values.map(|value| value.map(|value| String::from(value.expose())));
    let [role, provider, file, name, endpoint, region, vpc] = values;
    let mut session = Session::new(role.ok_or("ALIBABA_CLOUD_ROLE_ARN is not set")?);
    let provider_arn = provider.ok_or("ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not set")?;
    let token_file = FilePath::new(file.ok_or("ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set")?);
    if let Some(name) = name {
        session.name = name;
    }
    let is_vpc = vpc.is_some_and(|value| ecs::is_true(&value));
    session.endpoint = StsEndpoint::configured(endpoint.as_deref(), region.as_deref(), is_vpc);
    Ok(Settings { session, provider_arn, token_file })
}

const VARIABLES: [&str; 7] = [
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
    "ALIBABA_CLOUD_STS_ENDPOINT",
    "ALIBABA_CLOUD_STS_REGION",
    "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED",
];
const TOKEN_EXPIRED: &str = "AuthenticationFail.OIDCToken.Expired";
