//! Where credentials come from, as data.

pub(crate) mod ecs;
pub(crate) mod environment;
pub(crate) mod home;
pub(crate) mod oidc;
pub(crate) mod process;
pub(crate) mod profile;
pub(crate) mod ram_role;
pub(crate) mod read;
pub(crate) mod sts;
pub(crate) mod uri;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::search::{Context, Input, Procedure, Turn};
use crate::{Answer, CredentialError, Credentials, Lookup};
use ecs::{AskMetadata, EcsRole};
use environment::{ReadEnvironment, Variables};
use oidc::{OidcRole, ShowToken};
use process::{Process, RunProcess};
use profile::ReadProfile;
use profile::cli::{CliFormat, CliProfile};
use profile::ini_file::{IniFormat, IniProfile};
use ram_role::RamRole;
use uri::{AskUri, CredentialsUri};

/// Where credentials come from, as plain data: a source holds no connection and reads nothing itself.
///
/// ```
/// use oss_credentials::{Credentials, EcsRole, Source};
///
/// let fixed = Source::from(Credentials::new("an-id", "a-secret")?);
/// let first_found = Source::Chain(vec![Source::Environment, EcsRole::new().into()]);
/// let assumed = Source::ram_role("acs:ram::123456789012:role/reader").assumed_by(first_found);
/// # Ok::<(), oss_credentials::CredentialError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// These credentials, which may be those of nobody.
    Static(Credentials),
    /// The variables `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, for temporary credentials,
    /// `OSS_SESSION_TOKEN`.
    ///
    /// They are read at each lookup. An empty variable counts as not set. With none of them set the source is
    /// absent; with only some of them it is broken.
    Environment,
    /// The variables `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and
    /// `ALIBABA_CLOUD_SECURITY_TOKEN`, read as those of [`Environment`](Self::Environment).
    AlibabaEnvironment,
    /// The role in `OSS_STS_ROLE_ARN`, assumed with the AccessKey in `OSS_ACCESS_KEY_ID` and
    /// `OSS_ACCESS_KEY_SECRET`; the session's name may be in `OSS_ROLE_SESSION_NAME`.
    ///
    /// Absent when the variable of the role is not set, broken when only that is.
    EnvironmentRole,
    /// A RAM role that another identity assumes.
    RamRole(Box<RamRole>),
    /// A RAM role for whoever shows a token of an identity provider, as with RRSA in ACK.
    Oidc(OidcRole),
    /// The RAM role of the ECS instance that the program runs on.
    EcsRole(EcsRole),
    /// A small server beside the program.
    Uri(CredentialsUri),
    /// Another program, which prints them.
    Process(Process),
    /// A profile of the vendor's command line tool, `~/.aliyun/config.json`.
    CliProfile(CliProfile),
    /// A section of the credentials file of the vendor's SDKs, `~/.alibabacloud/credentials`.
    IniProfile(IniProfile),
    /// The program's own source: the driver knows what the number means.
    Custom(u32),
    /// The first of these sources that is not absent; one that is present but broken stops the search.
    ///
    /// A source that gave credentials is the only one asked afterwards, so that a program does not change its
    /// identity on the way; [`invalidate`](crate::CredentialCache::invalidate) starts again from the first.
    Chain(Vec<Self>),
}

impl Source {
    /// The role of this ARN, `acs:ram::<account>:role/<name>`; say by whom it is assumed with
    /// [`RamRole::assumed_by`].
    pub fn ram_role(arn: impl Into<String>) -> RamRole {
        RamRole::new(arn)
    }

    /// The first of these that is there:
    ///
    /// 1. [`Environment`](Self::Environment), 2. [`AlibabaEnvironment`](Self::AlibabaEnvironment),
    /// 3. [`OidcRole::by_environment`], 4. [`CliProfile`], 5. [`IniProfile`], 6. [`EcsRole`],
    /// 7. [`CredentialsUri::by_environment`].
    ///
    /// That is the order of the vendor's libraries, after the variables of OSS itself. A profile that
    /// `ALIBABA_CLOUD_PROFILE` names must be in one of the two files.
    ///
    /// `ALIBABA_CLOUD_ECS_METADATA` names the role of the ECS instance, and
    /// `ALIBABA_CLOUD_ECS_METADATA_DISABLED=true` leaves it out. It is passed over where no metadata service
    /// can be reached, which takes 3 s at most.
    pub fn default_chain() -> Self {
        Self::Chain(Vec::from([
            Self::Environment,
            Self::AlibabaEnvironment,
            Self::Oidc(OidcRole::by_environment()),
            Self::CliProfile(CliProfile::new()),
            Self::IniProfile(IniProfile::new()),
            Self::EcsRole(EcsRole::by_environment()),
            Self::Uri(CredentialsUri::by_environment()),
        ]))
    }

    /// What asks this source; chains and roles are taken apart before.
    pub(crate) fn procedure(&self) -> Box<dyn Procedure> {
        match self {
            Self::Static(credentials) => Box::new(Fixed(credentials.clone())),
            Self::Environment => Box::new(ReadEnvironment(Variables::Oss)),
            Self::AlibabaEnvironment => Box::new(ReadEnvironment(Variables::AlibabaCloud)),
            Self::EnvironmentRole => Box::new(ReadEnvironment(Variables::Role)),
            Self::Oidc(role) => Box::new(ShowToken::new(role.clone())),
            Self::EcsRole(role) => Box::new(AskMetadata::new(role.clone())),
            Self::Uri(uri) => Box::new(AskUri::new(uri.clone())),
            Self::Process(process) => Box::new(RunProcess(process.clone())),
            Self::CliProfile(profile) => Box::new(ReadProfile::<CliFormat>::new(profile.0.clone())),
            Self::IniProfile(profile) => Box::new(ReadProfile::<IniFormat>::new(profile.0.clone())),
            Self::Custom(number) => Box::new(AskCustom(*number)),
            Self::RamRole(_) | Self::Chain(_) => Box::new(Fixed(Credentials::anonymous())),
        }
    }
}

impl From<Credentials> for Source {
    fn from(credentials: Credentials) -> Self {
        Self::Static(credentials)
    }
}

/// The name of a source, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceName {
    /// [`Source::Static`].
    Static,
    /// [`Source::Environment`].
    Environment,
    /// [`Source::AlibabaEnvironment`].
    AlibabaEnvironment,
    /// [`Source::EnvironmentRole`].
    EnvironmentRole,
    /// [`Source::RamRole`].
    RamRole,
    /// [`Source::Oidc`].
    Oidc,
    /// [`Source::EcsRole`].
    EcsRole,
    /// [`Source::Uri`].
    Uri,
    /// [`Source::Process`].
    Process,
    /// [`Source::CliProfile`].
    CliProfile,
    /// [`Source::IniProfile`].
    IniProfile,
    /// CloudSSO, by a profile of the vendor's command line tool.
    CloudSso,
    /// [`Source::Custom`] with its number.
    Custom(u32),
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "fixed credentials",
            Self::Environment => "the environment (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET)",
            Self::AlibabaEnvironment => {
                "the environment (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET)"
            }
            Self::EnvironmentRole => "the role in the environment (OSS_STS_ROLE_ARN)",
            Self::RamRole => "the RAM role",
            Self::Oidc => "the RAM role for a token (OIDC)",
            Self::EcsRole => "the RAM role of the ECS instance",
            Self::Uri => "the credentials URI",
            Self::Process => "the program that prints credentials",
            Self::CliProfile => "the profile of the command line tool (~/.aliyun/config.json)",
            Self::IniProfile => "the credentials file (~/.alibabacloud/credentials)",
            Self::CloudSso => "CloudSSO",
            Self::Custom(number) => return write!(f, "custom source {number}"),
        })
    }
}

/// Credentials that need not be asked for.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) Credentials);

impl Procedure for Fixed {
    fn name(&self) -> SourceName {
        SourceName::Static
    }

    fn step(&mut self, _: Input, _: &mut Context<'_>) -> Turn {
        Turn::found(self.0.clone())
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        Lookup::Env(Vec::new())
    }
}

/// A source of the program's own.
#[derive(Debug)]
struct AskCustom(u32);

impl Procedure for AskCustom {
    fn name(&self) -> SourceName {
        SourceName::Custom(self.0)
    }

    fn step(&mut self, input: Input, _: &mut Context<'_>) -> Turn {
        match input {
            Input::Begin => Turn::Ask,
            Input::Answer(Answer::Custom(credentials)) => Turn::found(credentials),
            Input::Answer(other) => read::no_answer(self.name(), other),
            Input::Found(_) | Input::Absent => {
                Turn::Broken(CredentialError::Mismatch { source: self.name() })
            }
        }
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        Lookup::Custom(self.0)
    }
}
