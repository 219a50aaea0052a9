//! What an exchange asks of its driver, and what the driver reports: two enums are the whole boundary.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use oss_crc::Crc64;
use oss_credentials::{CredentialError, Credentials, Generation, Need};
use oss_retry::{FailureKind, Outcome, Policy};
use oss_sign::UnixTime;

use crate::{Composer, Error, Payload, Reply, ReplyHead, Skew, Skews, Wait};

/// Both clocks, read at one moment by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a driver makes it at every step")]
pub struct Now {
    /// Time since any fixed point that the driver chose; it never goes back. Deadlines are on this clock.
    pub mono: Duration,
    /// The time of day as this machine has it, uncorrected; it may jump. Signatures are dated with it, after
    /// the machine has added what it knows of the service's clock.
    pub wall: UnixTime,
}

/// What the driver has to do next. Exhaustive, so that a driver is one complete `match`.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
#[expect(clippy::large_enum_variant, reason = "moved once, into the driver's match")]
pub enum Action<T> {
    /// Get credentials. Answer: [`Event::Credentials`], [`Event::NoCredentials`], or [`Event::Failed`] with
    /// `FailureKind::Timeout` at the deadline.
    Authenticate {
        /// What they must be good for; goes to [`CredentialCache::poll`](crate::CredentialCache::poll).
        need: Need,
        /// Give up at this time of the monotonic clock.
        deadline: Duration,
    },
    /// Decide whether to repeat, from the client's budget or by a rule of your own. Answer: [`Event::Retry`].
    Retry(Proposal),
    /// Send a request. Answer: [`Event::Head`] or [`Event::Failed`].
    Send(Transmit),
    /// Read more of the answer's body. Answer: [`Event::Body`], [`Event::End`] or [`Event::Failed`].
    Read {
        /// Give up at this time of the monotonic clock.
        deadline: Duration,
    },
    /// Do nothing until this time of the monotonic clock, then poll again. No answer.
    Wait {
        /// When to poll again.
        until: Duration,
    },
    /// The call is over. No answer; given once.
    Done(Result<Reply<T>, Error>),
}

/// A request to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Transmit {
    /// The request, complete: add no header except what frames the connection.
    pub request: http::Request<()>,
    /// Its body. A stream is opened at its start for each `Send`.
    pub body: Payload,
    /// The call's own end, on the monotonic clock; `None` when it has none.
    pub deadline: Option<Duration>,
    /// How long the peer may take to accept more of the body while we have some.
    pub idle: Duration,
    /// How long the peer may take to answer once the request has left.
    pub answer: Duration,
    /// The last attempt failed in a way that may be the connection's: use another one.
    pub fresh_connection: bool,
    pub(crate) wants_crc64: bool,
}

impl Transmit {
    /// The tally to keep while this request is sent; it computes a checksum when one will be compared.
    pub fn tally(&self) -> Sent {
        Sent { tallied: true, ..if self.wants_crc64 { Sent::with_crc64() } else { Sent::new() } }
    }
}

/// A question to the retry budget: may this be repeated?
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proposal {
    /// How many attempts have been made.
    pub attempt: u32,
    /// The pause that the policy proposes.
    pub delay: Duration,
    /// What it costs in tokens of [`Quota`](crate::Quota).
    pub cost: u32,
    /// What the last attempt failed with, if an answer said so.
    pub status: Option<u16>,
    /// The OSS error code, if there was one.
    pub code: Option<crate::ErrorCode>,
    /// How the transport failed, if it did.
    pub transport: Option<FailureKind>,
    /// Whether the attempts so far took effect.
    pub outcome: Outcome,
}

/// What happened. Exhaustive, as [`Action`] is.
#[expect(clippy::exhaustive_enums, reason = "the other half of the boundary")]
pub enum Event {
    /// Credentials that satisfy the need.
    Credentials(Credentials),
    /// There are none.
    NoCredentials(CredentialError),
    /// The pause to make before the next attempt; `None` forbids it.
    Retry(Option<Duration>),
    /// The head of an answer arrived.
    Head(Head),
    /// The next bytes of its body.
    Body(Bytes),
    /// The body ended in an orderly way: by its length, by its last chunk, or, if it has neither, with its
    /// connection.
    End,
    /// The transport failed.
    Failed(Failure),
}

/// Shows no body: it may hold what was signed.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(credentials) => f.debug_tuple("Credentials").field(credentials).finish(),
            Self::NoCredentials(error) => f.debug_tuple("NoCredentials").field(error).finish(),
            Self::Retry(delay) => f.debug_tuple("Retry").field(delay).finish(),
            Self::Head(head) => f.debug_tuple("Head").field(head).finish(),
            Self::Body(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::End => f.write_str("End"),
            Self::Failed(failure) => f.debug_tuple("Failed").field(failure).finish(),
        }
    }
}

/// The head of an answer, and what had left by then.
#[derive(Debug)]
#[non_exhaustive]
pub struct Head {
    /// Status and headers.
    pub reply: ReplyHead,
    /// What of the request's body had left.
    pub sent: Sent,
}

impl Head {
    /// A head as it was received.
    pub fn new(reply: ReplyHead, sent: Sent) -> Self {
        Self { reply, sent }
    }
}

/// What left of a request: the driver counts and checksums in the same pass that sends.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    started: bool,
    crc: Option<Crc64>,
    bytes: u64,
    /// Every byte of the body goes through `add`.
    tallied: bool,
}

impl Sent {
    /// Nothing left, as far as can be proved; to send something, begin with [`Transmit::tally`].
    pub fn new() -> Self {
        Self::default()
    }

    /// A tally that also computes the CRC-64 of what leaves.
    pub fn with_crc64() -> Self {
        Self { crc: Some(Crc64::new()), tallied: true, ..Self::default() }
    }

    /// A byte of the request may have left: from here on it is not proven unsent.
    pub fn start(&mut self) {
        self.started = true;
    }

    /// Bytes of the body that the transport took.
    pub fn add(&mut self, chunk: &[u8]) {
        self.started = true;
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if let Some(crc) = &mut self.crc {
            crc.update(chunk);
        }
    }

    /// Whether the tally counts the body.
    pub(crate) fn is_tallied(&self) -> bool {
        self.tallied
    }

    /// Whether a byte of the request may have left.
    pub fn started(&self) -> bool {
        self.started
    }

    /// How many bytes of the body were taken.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The CRC-64 of those bytes, when it was computed.
    pub fn crc64(&self) -> Option<u64> {
        self.crc.as_ref().map(Crc64::value)
    }
}

/// How a transport failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// What had left by then.
    pub sent: Sent,
    /// What the transport says itself.
    pub cause: Option<Arc<dyn core::error::Error + Send + Sync>>,
    /// A pooled connection turned out to be closed before it took a byte: worth one attempt on a fresh one,
    /// free.
    pub stale: bool,
    /// What it waited for when its time was over, if not for the answer.
    pub waiting: Option<Wait>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, sent: Sent) -> Self {
        Self { kind, sent, cause: None, stale: false, waiting: None }
    }

    /// The transport's own error.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// What a `FailureKind::Timeout` waited for, if not for the answer: its turn, or a connection. It tells a
    /// caller where the time of a call went.
    #[must_use]
    pub fn waiting(mut self, wait: Wait) -> Self {
        self.waiting = Some(wait);
        self
    }

    /// The connection came from the pool and was closed before a byte of this request was written.
    #[must_use]
    pub fn stale(mut self) -> Self {
        self.stale = true;
        self
    }
}

/// The options of one call, and what earlier calls of the same client learned.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// Where the random part of the delays, and the nonce of a write, come from: draw it anew for each call.
    pub seed: u64,
    /// What the clocks of services are ahead of ours.
    pub skews: Skews,
    /// The composer of an earlier call, with its signing key and its buffers.
    pub composer: Option<Box<Composer>>,
    /// Another retry policy than the service's.
    pub retry: Option<Policy>,
    /// Another limit for the whole call than the service's.
    pub operation_timeout: Option<Duration>,
    /// Another idle limit than the service's.
    pub idle_timeout: Option<Duration>,
}

impl Call {
    /// No options; delays are drawn from this seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            skews: Skews::default(),
            composer: None,
            retry: None,
            operation_timeout: None,
            idle_timeout: None,
        }
    }
}

/// What an exchange learned, for [`Shared::settle`](crate::Shared::settle).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Ledger {
    /// It succeeded at the first attempt.
    pub first_try: bool,
    /// Tokens to give back: the last retry was worth its cost.
    pub refund: u32,
    /// Credentials that the service did not accept.
    pub refused: Option<Generation>,
    /// What was learned of clocks: of two endpoints after a redirect, the latest last.
    pub skews: Vec<Skew>,
    /// The composer, for another call.
    pub composer: Option<Box<Composer>>,
}
