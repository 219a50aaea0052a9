//! Where a client's credentials come from: a source as data, with the program's own functions behind it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;

use oss_credentials::{
    CliProfile, Credentials, CredentialsUri, EcsRole, IniProfile, OidcRole, Process, RamRole, Source,
};

use crate::BoxError;

/// Where a client's credentials come from (`credentials_provider`): a [`Source`], fixed [`Credentials`], or a
/// function of the program's own.
///
/// ```
/// use oss_hyper::{Credentials, CredentialsProvider, Environment};
///
/// let from_the_environment = CredentialsProvider::from(Environment);
/// let from_a_vault = CredentialsProvider::from_fn(|| async {
///     Ok::<_, std::io::Error>(Some(Credentials::new("id", "secret").expect("a key of the vault")))
/// });
/// ```
#[derive(Clone)]
pub struct CredentialsProvider {
    pub(crate) source: Source,
    lookups: Vec<(u32, CustomLookup)>,
}

/// A function of the program's own that looks credentials up.
pub(crate) type CustomLookup = Arc<dyn Fn() -> Looking + Send + Sync>;
type Looking = Pin<Box<dyn Future<Output = Result<Option<Credentials>, BoxError>> + Send>>;

impl CredentialsProvider {
    /// Credentials that a function gives.
    ///
    /// It is asked when credentials are needed or about to end, never twice at a time, and has 60 s.
    /// `Ok(None)` means that there are none here; an error's text is shown to people, so it must hold no
    /// secret.
    #[must_use]
    pub fn from_fn<F, Fut, E>(lookup: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Credentials>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::from(Source::Custom(0)).with_lookup(0, lookup)
    }

    /// The function behind [`Source::Custom`] of this number, for a source that has several; see
    /// [`from_fn`](Self::from_fn).
    #[must_use]
    pub fn with_lookup<F, Fut, E>(mut self, number: u32, lookup: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Credentials>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let lookup: CustomLookup = Arc::new(move || {
            let looking = lookup();
            Box::pin(async move { looking.await.map_err(Into::into) })
        });
        self.lookups.push((number, lookup));
        self
    }

    /// Whether what it gives is certain to be somebody's: that of a function or a chain may be nobody's.
    pub(crate) fn is_surely_signed(&self) -> bool {
        match &self.source {
            Source::Static(credentials) => !credentials.is_anonymous(),
            Source::Custom(_) | Source::Chain(_) => false,
            _ => true,
        }
    }

    pub(crate) fn lookup(&self, number: u32) -> Option<CustomLookup> {
        let found = self.lookups.iter().rev().find(|(known, _)| *known == number);
        found.map(|(_, lookup)| Arc::clone(lookup))
    }
}

impl From<Source> for CredentialsProvider {
    fn from(source: Source) -> Self {
        Self { source, lookups: Vec::new() }
    }
}

macro_rules! from_sources {
    ($($source:ty),*) => {$(
        impl From<$source> for CredentialsProvider {
            fn from(source: $source) -> Self {
                Self::from(Source::from(source))
            }
        }
    )*};
}
from_sources!(Credentials, RamRole, OidcRole, EcsRole, CredentialsUri, Process, CliProfile, IniProfile);

impl fmt::Debug for CredentialsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialsProvider").field(&self.source).finish()
    }
}
