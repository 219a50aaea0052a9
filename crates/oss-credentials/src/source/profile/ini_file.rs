//! The credentials file of the vendor's SDKs.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use crate::ini::{Ini, Section};
use crate::search::{Below, Context, Procedure};
use crate::source::Fixed;
use crate::source::ecs::{AskMetadata, EcsRole};
use crate::source::home::FilePath;
use crate::source::oidc::{OidcRole, Settings, ShowToken};
use crate::source::profile::{Choice, Format, Named, Refusal};
use crate::source::ram_role::{AssumeRole, Role, Session};
use crate::source::sts::StsEndpoint;
use crate::{CredentialError, Credentials, Secret, SecretBytes, Source, SourceName};

/// A section of the credentials file of the vendor's SDKs: `~/.alibabacloud/credentials`, or
/// `credentials.ini` there.
///
/// The section is the one that the program names, else the one in `ALIBABA_CLOUD_PROFILE`, else `default`;
/// the file may be named by `ALIBABA_CLOUD_CREDENTIALS_FILE`. A section with `enable = false` is passed over.
/// The types `access_key`, `sts`, `ram_role_arn`, `ecs_ram_role` and `oidc_role_arn` work as they do in the
/// SDKs; `rsa_key_pair` and `bearer` are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IniProfile(pub(crate) Choice);

impl IniProfile {
    /// The section `default`, in the usual file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The section of this name, which has to be there.
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

impl From<IniProfile> for Source {
    fn from(profile: IniProfile) -> Self {
        Self::IniProfile(profile)
    }
}

#[derive(Debug)]
pub(crate) struct IniFormat;

impl Format for IniFormat {
    const SOURCE: SourceName = SourceName::IniProfile;
    const SWITCH: Option<&'static str> = None;
    const VARIABLES: [&'static str; 2] = ["ALIBABA_CLOUD_CREDENTIALS_FILE", "ALIBABA_CLOUD_PROFILE"];
    const FILES: &'static [&'static str] =
        &["~/.alibabacloud/credentials", "~/.alibabacloud/credentials.ini"];
    /// To go on would be to sign with another identity than the one that was named.
    const NO_FILE_FOR_NAMED: Option<&'static str> =
        Some("names a profile that is in no file: correct it, or add the profile");

    fn source(bytes: &SecretBytes, named: &Named, _: &Context<'_>) -> Result<Box<dyn Procedure>, Refusal> {
        let ini = Ini::parse(bytes.expose()).map_err(|problem| CredentialError::Malformed {
            source: SOURCE,
            problem: problem.what,
            at: problem.at,
        })?;
        let name = match named {
            Named::Program(name) | Named::Environment(name) => name,
            Named::File => "default",
        };
        let section = match (ini.section(name), named) {
            (Some(section), _) => section,
            (None, Named::File) => return Err(Refusal::Absent("it has no section `default`")),
            (None, _) => {
                let problem = "is no section of the file: name another, or add it";
                return Err(Refusal::Broken(setting("the profile", problem)));
            }
        };
        if section.value("enable").is_some_and(|value| value.expose().eq_ignore_ascii_case("false")) {
            return Err(Refusal::Absent("its section says enable = false"));
        }
        Ok(procedure(section)?)
    }
}

fn procedure(section: &Section) -> Result<Box<dyn Procedure>, CredentialError> {
    Ok(match required(section, "type")?.expose() {
        "access_key" => Box::new(Fixed(keys(section)?)),
        "sts" => Box::new(Fixed(keys(section)?.with_token(required(section, "security_token")?.clone())?)),
        "ecs_ram_role" => Box::new(AskMetadata::new(match section.value("role_name") {
            Some(name) => EcsRole::new().name(name.expose()),
            None => EcsRole::new(),
        })),
        "ram_role_arn" => {
            let mut role = Role::new(text(section, "role_arn")?);
            set_session(&mut role.session, section)?;
            let caller = Box::new(Fixed(keys(section)?));
            Box::new(AssumeRole::new(Arc::new(role), Below::Procedure(caller)))
        }
        "oidc_role_arn" => {
            let mut settings = Settings {
                session: Session::new(text(section, "role_arn")?),
                provider_arn: text(section, "oidc_provider_arn")?,
                token_file: FilePath::new(text(section, "oidc_token_file_path")?),
            };
            set_session(&mut settings.session, section)?;
            Box::new(ShowToken::new(OidcRole { settings: Some(settings) }))
        }
        "rsa_key_pair" => {
            return Err(setting("the type", "is rsa_key_pair, which the vendor gave up: use ram_role_arn"));
        }
        "bearer" => return Err(setting("the type", "is bearer, which OSS does not take: use another")),
        _ => return Err(setting("the type", "is none that is known: use one of those of the SDKs")),
    })
}

fn keys(section: &Section) -> Result<Credentials, CredentialError> {
    let (id, secret) = ("access_key_id", "access_key_secret");
    Credentials::named(
        &[id, secret, "security_token"],
        text(section, id)?,
        required(section, secret)?.clone(),
        None,
    )
}

fn set_session(session: &mut Session, section: &Section) -> Result<(), CredentialError> {
    if let Some(name) = section.value("role_session_name") {
        session.name = String::from(name.expose());
    }
    if let Some(secs) = section.value("role_session_expiration") {
        let problem = "is no number of seconds: write 3600, or leave it out";
        let secs = secs.expose().parse().map_err(|_| setting("role_session_expiration", problem))?;
        session.duration = Some(Duration::from_secs(secs));
    }
    session.policy = section.value("policy").cloned();
    let region = section.value("sts_region").or_else(|| section.value("region_id"));
    session.endpoint = StsEndpoint::configured(
        section.value("sts_endpoint").map(Secret::expose),
        region.map(Secret::expose),
        section.value("enable_vpc").is_some_and(|value| value.expose().eq_ignore_ascii_case("true")),
    );
    Ok(())
}

fn required<'a>(section: &'a Section, name: &'static str) -> Result<&'a Secret, CredentialError> {
    section.value(name).ok_or(CredentialError::Missing { source: SOURCE, name })
}

fn text(section: &Section, name: &'static str) -> Result<String, CredentialError> {
    required(section, name).map(|value| String::from(value.expose()))
}

fn setting(name: &'static str, problem: &'static str) -> CredentialError {
    CredentialError::Setting { source: SOURCE, name, problem }
}

const SOURCE: SourceName = SourceName::IniProfile;
