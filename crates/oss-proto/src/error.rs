//! What a call ends with when it does not succeed: what happened, whose fault it is, and whether it took
//! effect.

mod line;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use oss_credentials::CredentialError;
use oss_retry::{FailureKind, Outcome};

use crate::exchange::journal::Attempt;
use crate::exchange::redirect::Unfollowed;
use crate::{InvalidRequest, ReadError, ServiceError};

/// Why a call failed, with the evidence: every attempt, and whether the request took effect.
///
/// One pointer wide. Ask its predicates first; [`kind`](Self::kind) has the details.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    host: String,
    outcome: Outcome,
    attempts: Arc<[Attempt]>,
    unrepeated: Option<Unrepeated>,
    may_have_orphan: bool,
    is_read: bool,
    explanation: Option<Box<str>>,
}

/// What went wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// OSS said no.
    Service(ServiceError),
    /// The call's own time was over.
    Deadline(DeadlinePassed),
    /// The wire failed.
    Transport(TransportError),
    /// The bytes that arrived are not the bytes that were sent.
    Corrupt(CorruptBody),
    /// The object was replaced or deleted while it was read, so the rest of it is not to be had.
    ObjectChanged(ObjectChanged),
    /// OSS said something it never says.
    Reply(ReadError),
    /// There are no credentials to sign with.
    Credentials(CredentialError),
    /// OSS named another place for the bucket; it is not followed.
    Moved(Relocation),
    /// The object is stored, but the callback to the application failed: do not upload it again.
    StoredButCallbackFailed(ServiceError),
    /// The request cannot be expressed; nothing was sent.
    Invalid(InvalidRequest),
    /// The driver broke the contract "one action, one answer".
    Misuse(Misuse),
}

/// Why a call was not repeated although its failure may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unrepeated {
    /// Its body can be read once, and was begun.
    BodySpent,
    /// The bucket keeps versions, and another arrival would make one more
    /// ([`Settings::buckets_versioned`](crate::Settings::buckets_versioned)).
    MakesVersions,
}

/// A call ran out of its own time ([`Timeouts::operation`](crate::Timeouts)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadlinePassed {
    /// What it was waiting for.
    pub wait: Wait,
    /// How long the call had taken.
    pub after: Duration,
}

/// What a call was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// Credentials.
    Credentials,
    /// Its turn, while other calls held every connection.
    Turn,
    /// A new connection: the resolver, the peer, a proxy, TLS.
    Connect,
    /// The pause before the next attempt.
    Backoff,
    /// The answer of OSS, or room to send more.
    Answer,
    /// More of the answer's body.
    Body,
}

/// The wire failed: in the transport's few words, and in its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportError {
    /// The kind of failure.
    pub kind: FailureKind,
    /// What the transport says itself. `Display` of the whole error says it too.
    pub cause: Option<Arc<dyn core::error::Error + Send + Sync>>,
}

impl TransportError {
    /// A failure that a driver found outside of an exchange, in its own words.
    pub fn new(kind: FailureKind, cause: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self { kind, cause: Some(Arc::from(cause.into())) }
    }
}

/// A body whose bytes are not those that were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorruptBody {
    /// The CRC-64 differs.
    Crc64 {
        /// What we computed over the bytes on our side.
        ours: u64,
        /// What OSS stated.
        theirs: u64,
    },
    /// The length differs.
    Length {
        /// How many bytes were due.
        expected: u64,
        /// How many there were.
        actual: u64,
    },
    /// The answer holds another range of the object than was asked for.
    Range {
        /// What was asked for.
        asked: String,
        /// What came.
        got: String,
    },
}

/// An object that is no longer the one whose reading began.
///
/// What was delivered is a beginning of the object as it was, and of no use without the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectChanged {
    /// How many bytes were delivered before.
    pub delivered: u64,
    /// What became of it.
    pub change: Change,
}

/// What became of an object while it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It was replaced by another of the same name (412, 416).
    Replaced,
    /// It was deleted (404).
    Deleted,
    /// An answer that should be about it is about something else.
    Differs {
        /// What differs: `entity tag`, `version`, `size`, `length`, `CRC-64`.
        what: &'static str,
        /// What it was when the reading began.
        was: String,
        /// What the later answer says.
        now: String,
    },
}

/// Where OSS says that the bucket is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relocation {
    /// The status of the answer.
    pub status: u16,
    /// The `location` header or the `Endpoint` element, as it came, made printable; empty when there was
    /// none.
    pub location: String,
    /// Why it was not followed.
    pub unfollowed: Unfollowed,
}

/// How a driver broke "one action, one answer".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misuse {
    /// What it did.
    pub what: &'static str,
    /// The state in which it did so.
    pub state: &'static str,
}

impl ObjectChanged {
    /// This change, after so many bytes.
    pub fn new(delivered: u64, change: Change) -> Self {
        Self { delivered, change }
    }
}

impl Error {
    /// An error that a driver found outside of an exchange; an exchange makes its own.
    pub fn new(kind: ErrorKind, operation: &'static str, outcome: Outcome) -> Self {
        let (host, attempts) = (String::new(), Arc::default());
        Self(Box::new(Inner {
            kind,
            operation,
            host,
            outcome,
            attempts,
            unrepeated: None,
            may_have_orphan: false,
            is_read: false,
            explanation: None,
        }))
    }

    pub(crate) fn with_host(mut self, host: String) -> Self {
        self.0.host = host;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Arc<[Attempt]>) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// The same evidence for what it means.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same evidence, in a read of several requests that are to be about one object: what was replaced
    /// (412, 416) or deleted (404) since the first of them is an object that changed, after so many bytes.
    #[must_use]
    pub fn of_changed_object(self, delivered: u64) -> Self {
        let change = match self.status() {
            Some(404) => Change::Deleted,
            Some(412 | 416) => Change::Replaced,
            _ => return self,
        };
        self.with_kind(ErrorKind::ObjectChanged(ObjectChanged::new(delivered, change)))
    }

    /// Why OSS did not take the signature.
    pub(crate) fn with_explanation(mut self, explanation: Option<String>) -> Self {
        self.0.explanation = explanation.map(String::into_boxed_str);
        self
    }

    /// The operation only reads: whether it took effect is no question.
    pub(crate) fn of_a_read(mut self) -> Self {
        self.0.is_read = true;
        self
    }

    pub(crate) fn with_unrepeated(mut self, why: Option<Unrepeated>) -> Self {
        self.0.unrepeated = why;
        self
    }

    pub(crate) fn with_orphan(mut self) -> Self {
        self.0.may_have_orphan = true;
        self
    }

    /// What went wrong, in detail.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The operation that failed: `PutObject`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether the request took effect.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether the call was not repeated only because its body can be read once.
    pub fn is_body_spent(&self) -> bool {
        self.0.unrepeated == Some(Unrepeated::BodySpent)
    }

    /// Why the call was not repeated although its failure may pass, when that is for the caller to change.
    pub fn unrepeated(&self) -> Option<Unrepeated> {
        self.0.unrepeated
    }

    /// Whether the call may have begun a multipart upload whose id nobody knows. It costs storage until it is
    /// given up: see [`left_behind`](crate::ListMultipartUploadsOutput::left_behind).
    pub fn may_have_orphan(&self) -> bool {
        self.0.may_have_orphan
    }

    /// Every attempt that was made, oldest first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// The request id of the last answer, for a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.0.attempts.iter().rev().find_map(|attempt| attempt.request_id.as_deref())
    }

    /// Why OSS did not take the signature, in one sentence with the usual cause: what differs between the
    /// text that it signed and ours, a clock that is off, the wrong region.
    ///
    /// `Display` ends with it. It holds no secret.
    pub fn explanation(&self) -> Option<&str> {
        self.0.explanation.as_deref()
    }

    /// What OSS said, when it said no.
    pub fn service(&self) -> Option<&ServiceError> {
        match &self.0.kind {
            ErrorKind::Service(error) | ErrorKind::StoredButCallbackFailed(error) => Some(error),
            _ => None,
        }
    }

    /// The HTTP status of the answer, when OSS said no.
    pub fn status(&self) -> Option<u16> {
        self.service().map(|error| error.status)
    }

    /// The OSS error code: `NoSuchKey`.
    pub fn code(&self) -> Option<&str> {
        self.service().map(|error| error.code.as_str())
    }

    /// There is no such bucket, key, upload or version (404).
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// A condition of the request is not met (412), or the object exists and must not be overwritten (409).
    pub fn is_precondition_failed(&self) -> bool {
        self.status() == Some(412) || self.code() == Some("FileAlreadyExists")
    }

    /// The object has not changed since the version that the request named (304).
    pub fn is_not_modified(&self) -> bool {
        self.status() == Some(304)
    }

    /// The object was replaced or deleted while it was read: read it again from its start.
    pub fn is_object_changed(&self) -> bool {
        matches!(self.0.kind, ErrorKind::ObjectChanged(_))
    }

    /// The identity is unknown or has no right to this (401, 403).
    pub fn is_access_denied(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        use oss_retry::{Failure, classify};
        let failure = match &self.0.kind {
            ErrorKind::Service(error) => Failure::Service { status: error.status, code: error.code.as_str() },
            ErrorKind::Transport(error) => Failure::Transport(error.kind),
            ErrorKind::Corrupt(CorruptBody::Range { .. }) => return false,
            ErrorKind::Corrupt(_) => Failure::Corrupt,
            ErrorKind::Deadline(_) => return true,
            ErrorKind::ObjectChanged(changed) => return changed.change != Change::Deleted,
            _ => return false,
        };
        classify(failure).is_retryable()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("operation", &self.0.operation)
            .field("host", &self.0.host)
            .field("kind", &self.0.kind)
            .field("outcome", &self.0.outcome)
            .field("attempts", &self.0.attempts)
            .field("explanation", &self.0.explanation)
            .finish()
    }
}

/// `Display` has the causes in it, so there is no source; programs find the transport's own error in
/// [`TransportError::cause`].
impl core::error::Error for Error {}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        let operation = error.operation();
        Self::new(ErrorKind::Invalid(error), operation, Outcome::NotSent)
    }
}
