//! What a cache asks, and what a driver may answer.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Credentials, Secret};

/// A question that a credential source asks of its surroundings.
///
/// More kinds will come; a driver answers one that it does not know with [`Answer::Unavailable`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// What are the values of these environment variables? Answer: [`Answer::Env`], in the same order.
    Env(Vec<&'static str>),
    /// What does the program's own source of this number say? Answer: [`Answer::Custom`].
    Custom(u32),
}

/// The answer to a [`Lookup`].
///
/// [`Absent`](Self::Absent) lets a chain go on to its next source. [`Failed`](Self::Failed) and
/// [`Unavailable`](Self::Unavailable) stop it: a source that is present but broken must not make a program
/// sign with another identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// One value for each variable that was asked for; `None` or empty when it is not set.
    ///
    /// A value that is no text should be handed in as lossy text, which is then refused with the variable's
    /// name.
    Env(Vec<Option<Secret>>),
    /// What the program's own source gave.
    Custom(Credentials),
    /// The source is not there on this machine.
    Absent,
    /// The source is there and failed; people read this text, so it must hold no secret.
    Failed(String),
    /// The driver cannot ask this question, or its own time limit for the answer has passed.
    Unavailable,
}
