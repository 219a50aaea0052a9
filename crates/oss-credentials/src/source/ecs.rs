//! The RAM role of an ECS instance, from the instance's metadata service.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use crate::lookup::Place;
use crate::search::{Context, Grant, Input, Procedure, Turn};
use crate::source::{read, sts};
use crate::{Answer, CredentialError, HttpAnswer, HttpLookup, Lookup, Secret, Source, SourceName};

/// The RAM role of the ECS instance that the program runs on.
///
/// The metadata service at `100.100.100.200` is asked in its hardened mode (IMDSv2): for a token, for the
/// name of the role unless it is given, and for credentials. Each step has a second to connect and a second
/// to answer, and is tried three times. The next credentials show up half an hour before the old ones end; so
/// that is when they are asked for.
///
/// ```
/// use oss_credentials::{EcsRole, Source};
///
/// let source: Source = EcsRole::new().name("photo-reader").into();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EcsRole {
    name: Option<String>,
    endpoint: Option<String>,
    is_v1_allowed: bool,
    pub(crate) is_configured_by_environment: bool,
}

impl EcsRole {
    /// The role of the instance, whatever its name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of the role, which saves a request: 1 to 64 letters, digits and `._-`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Asks in the old mode, without a token, when the service has none to give: when it takes no connection
    /// for one, or answers 404 or 405.
    ///
    /// In the old mode any program that can be made to fetch a URL gives the credentials away; see "hardened
    /// mode" in the documents of ECS.
    #[must_use]
    pub fn allow_v1(mut self) -> Self {
        self.is_v1_allowed = true;
        self
    }

    /// Asks this host, with `:port` where that is not 80, and not the metadata service: for an emulator.
    ///
    /// Whoever answers there decides with which identity the program works, so no environment variable says
    /// it.
    #[must_use]
    pub fn endpoint(mut self, authority: impl Into<String>) -> Self {
        self.endpoint = Some(authority.into());
        self
    }

    /// As a member of the default chain: switched by environment variables, and absent where no metadata
    /// service can be reached.
    pub(crate) fn by_environment() -> Self {
        Self { is_configured_by_environment: true, ..Self::default() }
    }
}

impl From<EcsRole> for Source {
    fn from(role: EcsRole) -> Self {
        Self::EcsRole(role)
    }
}

/// Asks for switches, a token, the name and the credentials, as far as each is needed.
///
/// ```text
///   Switches ──▶ Token ──200──▶ Name ──▶ Credentials ──▶ found
///                 │  ▲           │ 401        │ 401 (once)
///     none to give│  └───────────┴────────────┘
///                 └─ v1 allowed: Name, without a token
/// ```
#[derive(Debug)]
pub(crate) struct AskMetadata {
    role: EcsRole,
    asks: Asks,
    token: Option<Secret>,
    tries: u8,
    is_token_renewed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Switches,
    Token,
    Name,
    Credentials,
}

impl AskMetadata {
    pub(crate) fn new(role: EcsRole) -> Self {
        Self { role, asks: Asks::Switches, token: None, tries: 0, is_token_renewed: false }
    }

    fn begin(&mut self) -> Turn {
        let refuse = |name, problem| {
            Turn::Broken(CredentialError::Setting { source: SourceName::EcsRole, name, problem })
        };
        if self.role.name.as_ref().is_some_and(|name| !is_role_name(name)) {
            return refuse("the name of the role", "is not 1 to 64 letters, digits or ._-: it is no ARN");
        }
        if self.role.endpoint.as_ref().is_some_and(|authority| !sts::is_authority(authority)) {
            return refuse("the endpoint", "is no host: write it without a scheme and without a path");
        }
        let first = if self.role.is_configured_by_environment { Asks::Switches } else { Asks::Token };
        self.ask(first)
    }

    fn ask(&mut self, asks: Asks) -> Turn {
        self.asks = asks;
        self.tries = 0;
        Turn::Ask
    }

    fn read(&mut self, answer: Answer) -> Turn {
        if self.asks == Asks::Switches {
            return match read::variables::<2>(SourceName::EcsRole, answer) {
                Ok(values) => self.read_switches(&values),
                Err(turn) => turn,
            };
        }
        let is_fault = match &answer {
            Answer::Http(answer) => answer.status >= 500,
            other => matches!(other, Answer::Unreachable | Answer::Unavailable),
        };
        self.tries = self.tries.saturating_add(1);
        if is_fault && self.tries < TRIES_MAX {
            return Turn::Ask;
        }
        match answer {
            Answer::Http(answer) if answer.body.expose().len() > crate::lookup::ANSWER_BYTES_MAX => {
                Turn::Broken(CredentialError::TooLong { source: SourceName::EcsRole })
            }
            Answer::Http(answer) => self.read_http(&answer),
            Answer::Unreachable if self.asks == Asks::Token && self.role.is_v1_allowed => {
                self.without_token()
            }
            Answer::Unreachable if self.may_be_absent() => Turn::Absent("no metadata service can be reached"),
            other => read::no_answer(SourceName::EcsRole, other),
        }
    }

    /// In the default chain, a machine without a role is no ECS instance with a role; unless one is named.
    fn may_be_absent(&self) -> bool {
        self.role.is_configured_by_environment && self.role.name.is_none() && self.token.is_none()
    }

    fn read_switches(&mut self, [disabled, name]: &[Option<Secret>; 2]) -> Turn {
        if disabled.as_ref().is_some_and(|value| is_true(value.expose())) {
            return Turn::Absent("ALIBABA_CLOUD_ECS_METADATA_DISABLED is set");
        }
        if let Some(name) = name {
            if !is_role_name(name.expose()) {
                return Turn::Broken(CredentialError::Setting {
                    source: SourceName::EcsRole,
                    name: SWITCHES[1],
                    problem: "is not 1 to 64 letters, digits or ._-: it is the name of the role, no ARN",
                });
            }
            self.role.name = Some(String::from(name.expose()));
        }
        self.ask(Asks::Token)
    }

    fn read_http(&mut self, answer: &HttpAnswer) -> Turn {
        let status = answer.status;
        match (self.asks, status) {
            (Asks::Token, 200) => self.read_token(answer),
            (Asks::Token, 404 | 405) if self.role.is_v1_allowed => self.without_token(),
            (Asks::Name | Asks::Credentials, 401) if self.token.is_some() && !self.is_token_renewed => {
                self.is_token_renewed = true;
                self.ask(Asks::Token)
            }
            (Asks::Name, 200) => self.read_name(answer),
            (Asks::Name, 404) => Turn::Absent("the instance has no RAM role"),
            (Asks::Credentials, 200) => read_credentials(answer),
            _ => Turn::Broken(CredentialError::Refused { source: SourceName::EcsRole, status, code: None }),
        }
    }

    fn read_token(&mut self, answer: &HttpAnswer) -> Turn {
        let token = core::str::from_utf8(answer.body.expose()).unwrap_or_default().trim_ascii();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Turn::Broken(malformed("a token that no header can carry"));
        }
        self.token = Some(Secret::from(token));
        self.ask_name()
    }

    fn without_token(&mut self) -> Turn {
        self.token = None;
        self.ask_name()
    }

    fn ask_name(&mut self) -> Turn {
        let next = if self.role.name.is_some() { Asks::Credentials } else { Asks::Name };
        self.ask(next)
    }

    fn read_name(&mut self, answer: &HttpAnswer) -> Turn {
        let name = core::str::from_utf8(answer.body.expose()).unwrap_or_default();
        // One line end is no second line.
        let name = name.strip_suffix('\n').unwrap_or(name);
        let name = name.strip_suffix('\r').unwrap_or(name);
        if !is_role_name(name) {
            return Turn::Broken(malformed("a name that no role has"));
        }
        self.role.name = Some(String::from(name));
        self.ask(Asks::Credentials)
    }
}

impl Procedure for AskMetadata {
    fn name(&self) -> SourceName {
        SourceName::EcsRole
    }

    fn step(&mut self, input: Input, _: &mut Context<'_>) -> Turn {
        match input {
            Input::Begin => self.begin(),
            Input::Answer(answer) => self.read(answer),
            Input::Found(_) | Input::Absent => {
                Turn::Broken(CredentialError::Mismatch { source: self.name() })
            }
        }
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        let authority = self.role.endpoint.clone().unwrap_or_else(|| String::from(METADATA));
        let place = Place { is_https: false, authority, is_metadata: true };
        let name = self.role.name.as_deref().unwrap_or_default();
        let (method, target) = match self.asks {
            Asks::Switches => return Lookup::Env(SWITCHES.to_vec()),
            Asks::Token => ("PUT", Secret::from(TOKEN)),
            Asks::Name => ("GET", Secret::from(CREDENTIALS)),
            Asks::Credentials => ("GET", Secret::from(format!("{CREDENTIALS}{name}"))),
        };
        let header = match (self.asks, &self.token) {
            (Asks::Token, _) => Some((TTL_HEADER, Secret::from(TTL))),
            (_, Some(token)) => Some((TOKEN_HEADER, token.clone())),
            (_, None) => None,
        };
        let headers = header.into_iter().collect();
        Lookup::Http(HttpLookup {
            headers,
            connect_timeout: CONNECT,
            read_timeout: READ,
            ..HttpLookup::new(method, place, target)
        })
    }
}

fn read_credentials(answer: &HttpAnswer) -> Turn {
    let source = SourceName::EcsRole;
    let read = read::object(source, &answer.body, crate::lookup::ANSWER_BYTES_MAX).and_then(|object| {
        match object.text("Code").map(Secret::expose) {
            Some("Success") => read::temporary(source, &object, read::NAMES),
            _ => Err(malformed("a code other than Success")),
        }
    });
    match read {
        Ok(credentials) => Turn::Found(Grant { credentials, is_renewed_late: true }),
        Err(error) => Turn::Broken(error),
    }
}

fn malformed(problem: &'static str) -> CredentialError {
    CredentialError::Malformed { source: SourceName::EcsRole, problem, at: 0 }
}

/// It becomes part of a path: nothing but this, whoever says otherwise.
pub(crate) fn is_role_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain) && !name.bytes().all(|byte| byte == b'.')
}

pub(crate) fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value == "1"
}

const SWITCHES: [&str; 2] = ["ALIBABA_CLOUD_ECS_METADATA_DISABLED", "ALIBABA_CLOUD_ECS_METADATA"];
const METADATA: &str = "100.100.100.200";
const TOKEN: &str = "/latest/api/token";
const CREDENTIALS: &str = "/latest/meta-data/ram/security-credentials/";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
/// Seconds; a token is used for one lookup.
const TTL: &str = "300";
const CONNECT: Duration = Duration::from_secs(1);
const READ: Duration = Duration::from_secs(1);
const TRIES_MAX: u8 = 3;
