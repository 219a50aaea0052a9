//! Paths that begin at the home of the user.

use alloc::string::String;
use alloc::vec;

use crate::{CredentialError, Lookup, Secret, SourceName};

/// A path as it was configured, and later with its `~` resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilePath {
    pub(crate) path: String,
}

impl FilePath {
    pub(crate) fn new(path: String) -> Self {
        Self { path }
    }

    pub(crate) fn is_in_home(&self) -> bool {
        self.path.starts_with("~/") || self.path.starts_with("~\\")
    }

    /// Asks where the home is.
    pub(crate) fn homes() -> Lookup {
        Lookup::Env(vec![HOMES[0], HOMES[1]])
    }

    /// Puts the home in place of `~`.
    pub(crate) fn resolve(
        &mut self,
        source: SourceName,
        homes: [Option<Secret>; 2],
    ) -> Result<(), CredentialError> {
        let home = homes.into_iter().flatten().next().ok_or(CredentialError::Setting {
            source,
            name: "the file",
            problem: "is below ~, and neither HOME nor USERPROFILE is set: set one, or write the whole path",
        })?;
        let rest = String::from(self.path.trim_start_matches('~'));
        self.path.clear();
        self.path.push_str(home.expose().trim_end_matches(['/', '\\']));
        self.path.push_str(&rest);
        Ok(())
    }
}

pub(crate) const HOMES: [&str; 2] = ["HOME", "USERPROFILE"];
