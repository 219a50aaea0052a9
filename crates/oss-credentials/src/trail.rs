//! What a lookup tried, for people.

use alloc::vec::Vec;
use core::fmt;

use crate::{CredentialError, SourceName};

/// What the latest lookup tried, in order, and why each source was passed over.
///
/// `Display` writes one line for each step; neither it nor `Debug` shows a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    steps: Vec<TrailStep>,
}

impl Trail {
    /// Returns the steps in the order in which they ended: what a role is based on comes before the role.
    pub fn steps(&self) -> &[TrailStep] {
        &self.steps
    }

    pub(crate) fn push(&mut self, source: SourceName, outcome: Outcome) {
        self.steps.push(TrailStep { source, outcome });
    }

    pub(crate) fn warn(&mut self, source: SourceName, what: &'static str) {
        self.push(source, Outcome::Warning(what));
    }

    /// The error of a lookup that passed all sources over.
    pub(crate) fn not_found(&self) -> CredentialError {
        let absent = |step: &&TrailStep| matches!(step.outcome, Outcome::Absent(_));
        CredentialError::NotFound {
            tried: self.steps.iter().filter(absent).map(|step| step.source).collect(),
        }
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return f.write_str("no source was asked yet\n");
        }
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// One source of a lookup, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrailStep {
    /// The source.
    pub source: SourceName,
    /// How it went.
    pub outcome: Outcome,
}

impl fmt::Display for TrailStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        match &self.outcome {
            Outcome::Gave => write!(f, "{source}: gave credentials"),
            Outcome::Absent("") => write!(f, "{source}: passed over"),
            Outcome::Absent(why) => write!(f, "{source}: passed over, {why}"),
            Outcome::Broken(error) => write!(f, "{source}: stopped here, {error}"),
            Outcome::Warning(what) => write!(f, "{source}: warning, {what}"),
        }
    }
}

/// How it went with one source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It gave credentials.
    Gave,
    /// It is not there, for this reason; a chain goes on to its next source.
    Absent(&'static str),
    /// It is there and broken: the lookup ends here.
    Broken(CredentialError),
    /// It works, and something about it should be changed.
    Warning(&'static str),
}
