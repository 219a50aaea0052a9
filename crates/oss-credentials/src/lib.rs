//! Credentials for Alibaba Cloud as a machine that asks questions and never fetches anything itself.
//!
//! A [`Source`] says where credentials come from; a [`CredentialCache`] keeps them fresh for any number of
//! callers. The cache reads no environment, no file and no clock: [`poll`](CredentialCache::poll) hands out a
//! question, whoever drives the cache finds the answer, and both clocks are arguments. So the same machine
//! serves an async runtime, a thread and a test. Driven by hand, once, from the environment:
//!
//! ```
//! use core::time::Duration;
//! use oss_credentials::{Answer, CredentialCache, Lookup, Need, Secret, Source, Step};
//! use oss_sign::UnixTime;
//!
//! # fn variable(name: &str) -> Option<String> { (name != "OSS_SESSION_TOKEN").then(|| name.to_lowercase()) }
//! // In a program: `std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())`.
//! let mut cache = CredentialCache::new(Source::Environment, 7);
//! let (mono, wall) = (Duration::ZERO, UnixTime::from_secs(1_700_000_000));
//! let need = Need::until(wall.saturating_add(60));
//! let credentials = loop {
//!     match cache.poll(need, mono, wall) {
//!         Step::Ready(credentials) => break credentials,
//!         Step::Ask(ticket, Lookup::Env(names)) => {
//!             let values = names.into_iter().map(|name| variable(name).map(Secret::from));
//!             cache.answer(ticket, Answer::Env(values.collect()), mono, wall);
//!         }
//!         Step::Ask(ticket, _) => cache.answer(ticket, Answer::Unavailable, mono, wall),
//!         Step::Wait { .. } => unreachable!("nobody else asks here"),
//!         Step::Failed(error) => panic!("{error}"),
//!     }
//! };
//! assert_eq!(credentials.access_key_id(), Some("oss_access_key_id"));
//! ```
//!
//! Temporary credentials are renewed ahead of their end, by one lookup however many callers there are. A
//! lookup that fails leaves the credentials in place for as long as they are valid. Secrets are shown by
//! nothing and wiped when dropped.
//!
//! | credentials are | source |
//! | --- | --- |
//! | known, or nobody's | [`Source::Static`], from [`Credentials`] |
//! | in `OSS_*` or `ALIBABA_CLOUD_*` variables | [`Source::Environment`], [`Source::AlibabaEnvironment`] |
//! | those of a RAM role that one of these assumes | [`RamRole`], [`Source::EnvironmentRole`] |
//! | those of a RAM role for a token, as in ACK with RRSA | [`OidcRole`] |
//! | those of the role of an ECS instance | [`EcsRole`] |
//! | told by a server beside the program, or by another program | [`CredentialsUri`], [`Process`] |
//! | in the files of the vendor's tools | [`CliProfile`], [`IniProfile`] |
//! | somewhere else | [`Source::Custom`] |
//! | in the first of these that is there | [`Source::Chain`], [`Source::default_chain`] |
//!
//! What a source finds broken is an error that names it; [`explain`](CredentialCache::explain) tells what was
//! tried before.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cache;
mod chance;
mod credentials;
mod error;
mod ini;
mod json;
mod lookup;
mod search;
mod secret;
mod source;
mod trail;

pub use cache::{CredentialCache, Need, Step, Ticket};
pub use credentials::{Credentials, Generation};
pub use error::CredentialError;
pub use lookup::{Answer, CommandAnswer, CommandLookup, FileAnswer, FileLookup};
pub use lookup::{HttpAnswer, HttpLookup, Lookup};
pub use secret::{Secret, SecretBytes};
pub use source::ecs::EcsRole;
pub use source::oidc::OidcRole;
pub use source::process::Process;
pub use source::profile::cli::CliProfile;
pub use source::profile::ini_file::IniProfile;
pub use source::ram_role::RamRole;
pub use source::sts::{StsEndpoint, StsSignature};
pub use source::uri::CredentialsUri;
pub use source::{Source, SourceName};
pub use trail::{Outcome, Trail, TrailStep};
