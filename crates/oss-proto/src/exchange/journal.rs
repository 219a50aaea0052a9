//! The evidence of a call: what each attempt met.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// One attempt: what was answered, and how long it took.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The HTTP status; `None` when no answer arrived.
    pub status: Option<u16>,
    /// The request id of the answer.
    pub request_id: Option<String>,
    /// Why it failed, in a word: an OSS code or a transport failure; `None` when it succeeded.
    pub failure: Option<Cow<'static, str>>,
    /// From the start of the attempt to its judgement.
    pub elapsed: Duration,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("no answer")?,
        }
        if let Some(failure) = &self.failure {
            write!(f, " {failure}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        write!(f, " after {:?}", self.elapsed)
    }
}
