//! The profiles of the vendor's command line tool.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use oss_sign::UnixTime;

use crate::json::{self, Object, Value};
use crate::search::{Below, Context, Procedure};
use crate::source::ecs::{AskMetadata, EcsRole};
use crate::source::home::FilePath;
use crate::source::oidc::{OidcRole, Settings, ShowToken};
use crate::source::process::{CLI_NAMES, Process, RunProcess};
use crate::source::profile::sso::AskCloudSso;
use crate::source::profile::{Choice, Format, Named, Refusal};
use crate::source::ram_role::{AssumeRole, Role, Session};
use crate::source::sts::StsEndpoint;
use crate::source::uri::{AskUri, CredentialsUri};
use crate::source::{Fixed, read};
use crate::{CredentialError, Credentials, Secret, SecretBytes, Source, SourceName};

/// A profile of the vendor's command line tool: `~/.aliyun/config.json`.
///
/// The profile is the one that the program names, else the one in `ALIBABA_CLOUD_PROFILE`, else the file's
/// `current`; the file may be named by `ALIBABA_CLOUD_CONFIG_FILE`, and
/// `ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true` leaves it out. The modes `AK`, `StsToken`, `RamRoleArn`,
/// `ChainableRamRoleArn` (8 profiles deep at most), `EcsRamRole`, `RamRoleArnWithRoleName`, `OIDC`,
/// `CredentialsURI`, `External` and `CloudSSO` work as they do in the tool. Of `OAuth` the credentials in the
/// file are used until they end: to renew them would log the tool out. Only the tool logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CliProfile(pub(crate) Choice);

impl CliProfile {
    /// The current profile, in the usual file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The profile of this name, which has to be there.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.0.profile = Some(name.into());
        self
    }

    /// This file, which has to be there; a `~/` at its beginning is the home.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>) -> Self {
        self.0.file = Some(path.into());
        self
    }
}

impl From<CliProfile> for Source {
    fn from(profile: CliProfile) -> Self {
        Self::CliProfile(profile)
    }
}

#[derive(Debug)]
pub(crate) struct CliFormat;

impl Format for CliFormat {
    const SOURCE: SourceName = SourceName::CliProfile;
    const SWITCH: Option<&'static str> = Some("ALIBABA_CLOUD_CLI_PROFILE_DISABLED");
    const VARIABLES: [&'static str; 2] = ["ALIBABA_CLOUD_CONFIG_FILE", "ALIBABA_CLOUD_PROFILE"];
    const FILES: &'static [&'static str] = &["~/.aliyun/config.json"];
    /// It may be in the other file.
    const NO_FILE_FOR_NAMED: Option<&'static str> = None;

    fn source(
        bytes: &SecretBytes,
        named: &Named,
        context: &Context<'_>,
    ) -> Result<Box<dyn Procedure>, Refusal> {
        let config = json::parse(bytes.expose()).map_err(|problem| CredentialError::Malformed {
            source: SOURCE,
            problem: problem.what,
            at: problem.at,
        })?;
        let profiles = Profiles::of(&config)?;
        let name = match named {
            Named::Program(name) | Named::Environment(name) => name,
            Named::File => config.text("current").map_or("default", Secret::expose),
        };
        let Some(profile) = profiles.find(name) else {
            return Err(match named {
                Named::Environment(_) => Refusal::Absent("the profile of ALIBABA_CLOUD_PROFILE is not in it"),
                Named::File if config.text("current").is_none() => {
                    Refusal::Absent("it has no current profile")
                }
                _ => Refusal::Broken(setting("the profile", "is not in the file: name another, or add it")),
            });
        };
        let mode = profile.text("mode").map_or("AK", Secret::expose);
        let has_keys = CLI_NAMES[..3].iter().any(|name| profile.text(name).is_some());
        // As the tool leaves it before anybody has configured anything.
        if mode.eq_ignore_ascii_case("AK") && !has_keys && !matches!(named, Named::Program(_)) {
            return Err(Refusal::Absent("its profile has no AccessKey"));
        }
        Ok(profiles.procedure(profile, context.wall, 1)?)
    }
}

/// The profiles of a file, each name once.
struct Profiles<'a>(Vec<(&'a str, &'a Object)>);

impl<'a> Profiles<'a> {
    fn of(config: &'a Object) -> Result<Self, CredentialError> {
        let malformed = |problem| CredentialError::Malformed { source: SOURCE, problem, at: 0 };
        let mut profiles = Vec::new();
        for profile in config.list("profiles").unwrap_or_default() {
            let Value::Object(profile) = profile else {
                return Err(malformed("a profile that is no object"));
            };
            let name = profile.text("name").map_or("", Secret::expose);
            if profiles.iter().any(|(other, _)| *other == name) {
                return Err(malformed("a profile that occurs twice"));
            }
            // Bounds the search for names that occur twice, too.
            if profiles.len() == PROFILES_MAX {
                return Err(malformed("more than 1,024 profiles"));
            }
            profiles.push((name, profile));
        }
        Ok(Self(profiles))
    }

    fn find(&self, name: &str) -> Option<&'a Object> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, profile)| *profile)
    }

    /// What asks the source that a profile stands for, which may be the source profile of others.
    fn procedure(
        &self,
        profile: &Object,
        wall: UnixTime,
        depth: usize,
    ) -> Result<Box<dyn Procedure>, CredentialError> {
        if depth > DEPTH_MAX {
            let problem = "lead in a circle or are more than 8 deep: let the last one have an AccessKey";
            return Err(setting("the source profiles", problem));
        }
        let mode = profile.text("mode").map_or("AK", Secret::expose);
        let is = |name: &str| mode.eq_ignore_ascii_case(name);
        Ok(match () {
            () if is("AK") => Box::new(Fixed(keys(profile)?)),
            () if is("StsToken") => Box::new(Fixed(read::temporary(SOURCE, profile, NO_EXPIRATION)?)),
            () if is("RamRoleArn") => {
                let caller = Box::new(Fixed(keys(profile)?));
                Box::new(AssumeRole::new(role(profile)?, Below::Procedure(caller)))
            }
            () if is("ChainableRamRoleArn") => {
                let name = profile.text("source_profile");
                let found = name.and_then(|name| self.find(name.expose()));
                let missing = setting("source_profile", "names no profile of the file: correct it");
                let caller = self.procedure(found.ok_or(missing)?, wall, depth + 1)?;
                Box::new(AssumeRole::new(role(profile)?, Below::Procedure(caller)))
            }
            () if is("EcsRamRole") => Box::new(AskMetadata::new(ecs_role(profile))),
            () if is("RamRoleArnWithRoleName") => {
                let caller = Box::new(AskMetadata::new(ecs_role(profile)));
                Box::new(AssumeRole::new(role(profile)?, Below::Procedure(caller)))
            }
            () if is("OIDC") => Box::new(ShowToken::new(oidc_role(profile)?)),
            () if is("CredentialsURI") => {
                Box::new(AskUri::new(CredentialsUri::new(required(profile, "credentials_uri")?.clone())))
            }
            () if is("External") => {
                let command = required(profile, "process_command")?;
                Box::new(RunProcess(Process::split(command.expose())?))
            }
            () if is("CloudSSO") => Box::new(AskCloudSso::new(profile, wall)?),
            () if is("OAuth") => Box::new(Fixed(cached(profile, wall)?)),
            () => return Err(setting("the mode of the profile", refusal(mode))),
        })
    }
}

/// An AccessKey without a token: the tool may have left that of another mode in the file.
fn keys(profile: &Object) -> Result<Credentials, CredentialError> {
    let (id, secret) = (required(profile, CLI_NAMES[0])?, required(profile, CLI_NAMES[1])?);
    let names = [CLI_NAMES[0], CLI_NAMES[1], CLI_NAMES[2]];
    Credentials::named(&names, String::from(id.expose()), secret.clone(), None)
}

fn role(profile: &Object) -> Result<Arc<Role>, CredentialError> {
    let mut role = Role::new(String::from(required(profile, "ram_role_arn")?.expose()));
    set_session(&mut role.session, profile);
    role.external_id = profile.text("external_id").cloned();
    Ok(Arc::new(role))
}

fn set_session(session: &mut Session, profile: &Object) {
    // The vendor's library for Python reads the other name.
    let name = profile.text("ram_session_name").or_else(|| profile.text("role_session_name"));
    if let Some(name) = name {
        session.name = String::from(name.expose());
    }
    let secs = profile.number("expired_seconds").filter(|secs| *secs != 0);
    session.duration = secs.map(|secs| Duration::from_secs(u64::try_from(secs).unwrap_or(0)));
    session.policy = profile.text("policy").cloned();
    session.endpoint = StsEndpoint::configured(
        profile.text("sts_endpoint").map(Secret::expose),
        profile.text("sts_region").map(Secret::expose),
        profile.is_true("enable_vpc"),
    );
}

fn ecs_role(profile: &Object) -> EcsRole {
    let role = EcsRole::new();
    match profile.text("ram_role_name") {
        Some(name) => role.name(name.expose()),
        None => role,
    }
}

fn oidc_role(profile: &Object) -> Result<OidcRole, CredentialError> {
    let text = |name| required(profile, name).map(|value| String::from(value.expose()));
    let mut settings = Settings {
        session: Session::new(text("ram_role_arn")?),
        provider_arn: text("oidc_provider_arn")?,
        token_file: FilePath::new(text("oidc_token_file")?),
    };
    set_session(&mut settings.session, profile);
    Ok(OidcRole { settings: Some(settings) })
}

/// What the tool got from its login, while that lasts.
fn cached(profile: &Object, wall: UnixTime) -> Result<Credentials, CredentialError> {
    let missing = CredentialError::Missing { source: SOURCE, name: "sts_expiration" };
    let end = profile.number("sts_expiration").map(UnixTime::from_secs).ok_or(missing)?;
    if end <= wall {
        let problem = "has ended: use the tool once, which renews it, or log in with it again";
        return Err(setting("the login", problem));
    }
    Ok(read::temporary(SOURCE, profile, NO_EXPIRATION)?.with_expiration(end))
}

pub(crate) fn required<'a>(profile: &'a Object, name: &'static str) -> Result<&'a Secret, CredentialError> {
    profile.text(name).ok_or(CredentialError::Missing { source: SOURCE, name })
}

pub(crate) fn setting(name: &'static str, problem: &'static str) -> CredentialError {
    CredentialError::Setting { source: SOURCE, name, problem }
}

fn refusal(mode: &str) -> &'static str {
    match mode {
        "RsaKeyPair" => "is RsaKeyPair, which the vendor gave up: use RamRoleArn",
        "BearerToken" => "is BearerToken, which OSS does not take: use another",
        "Anonymous" => "is Anonymous: let the program use anonymous credentials",
        _ => "is none that is known: use one of those of the tool",
    }
}

const SOURCE: SourceName = SourceName::CliProfile;
const NO_EXPIRATION: [&str; 4] = [CLI_NAMES[0], CLI_NAMES[1], CLI_NAMES[2], ""];
const DEPTH_MAX: usize = 8;
const PROFILES_MAX: usize = 1_024;
