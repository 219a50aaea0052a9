//! One call: credentials, signature, request, answer, and again if that is right.
//!
//! ```text
//!  Start ──▶ Authenticating ──▶ Ready ──▶ Sending ──▶ Collecting ──▶ Finished
//!    ▲                                       │            │             ▲
//!    │◀── new credentials, corrected clock, ─┴──── judge ─┴─────────────┤
//!    │    fresh connection, redirect (each once)     │                  │
//!    └────────────── Backoff ◀── Asking ◀────────────┴── final ─────────┘
//! ```
//!
//! Every arrow is an assignment in `machine.rs`, and for a look at what a write did in `aside.rs`; nowhere
//! else. One more leads back: `Finished` at the
//! head of a streamed answer is judged again when `Fetch` finds that the body broke.

pub(crate) mod action;
mod aside;
mod echo;
mod facts;
pub(crate) mod journal;
mod machine;
pub(crate) mod redirect;
mod resolve;
pub(crate) mod verdict;

use core::fmt;
use core::marker::PhantomData;

use oss_retry::Outcome;

use self::action::{Action, Call, Event, Ledger, Now};
use self::machine::Machine;
use crate::{Draft, Error, ErrorKind, InvalidRequest, Operation, Reply, Service};

/// One call of an operation, from its value to its answer, without IO.
///
/// **The contract, "one action, one answer":** [`poll`](Self::poll); do the one thing that the [`Action`]
/// says; report the one [`Event`] that came of it to [`handle`](Self::handle); poll again. `Wait` and `Done`
/// take no answer. A driver that breaks the contract gets [`ErrorKind::Misuse`] as the outcome: no panic, no
/// undefined state. An exchange may be dropped at any point; what then became of the request is unknown.
///
/// An operation with a streamed answer ends at its head here; [`Fetch`](crate::Fetch) goes on and checks its
/// body.
///
/// Number of requests: at most the policy's attempts, and one more each for renewed credentials, for a
/// corrected clock, for a pooled connection that was found closed, and for a redirect that is followed; the
/// other host has a clock of its own, which is corrected once too.
///
/// A conditional write of which nobody knows whether it took effect is looked up: a `HeadObject` (for a
/// symbolic link a `GetSymlink`), four at most, in place of the repetition that the policy and the budget
/// allow, and for a copy one more of its source each. `PutObject`, `CopyObject` and `PutSymlink` that
/// forbid to overwrite, and `AppendObject`, can be told so. The object is ours, and the call a success with
/// what the look says, when its length, its CRC-64 (of a copy: those of the source) and its user metadata
/// are, and it is not older than the call; else the write is made again, and its own condition tells a
/// conflict. Two writers of the same bytes at the same time are told apart by their metadata alone: a lock
/// names its owner in its content or there, and [`Settings::write_nonce`](crate::Settings::write_nonce)
/// adds what no other call has. What cannot be told, or not be looked at (403), stays unknown, and the
/// write is not repeated; so does a stream of unknown length without such a number, since what left of it
/// may be its beginning only.
///
/// `CompleteMultipartUpload` is asked for again at once, since a second arrival finds the upload gone. Only
/// then, or when no attempt is left, is the object looked at: the call is a success when the caller said its
/// length and its CRC-64 and these, and the number of parts in its entity tag, are right, and the object is
/// not older than the call unless the upload is gone. Else its outcome stays unknown.
///
/// ```
/// use core::time::Duration;
/// use bytes::Bytes;
/// use oss_proto::{Action, Call, Credentials, Endpoint, Event, Exchange, GetBucketInfo, Head, Now, Region,
/// ReplyHead,
///                 Sent, Service, UnixTime};
///
/// let region = Region::parse("cn-hangzhou")?;
/// let service = Service::new(Endpoint::public(&region)).with_region(region);
/// let now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
///
/// let mut call = Exchange::new(&GetBucketInfo::new("examplebucket"), &service, Call::seeded(7));
/// let mut body = Some(Bytes::from("<BucketInfo><Bucket><Name>examplebucket</Name></Bucket></BucketInfo>"));
/// let reply = loop {
///     let event = match call.poll(now) {
///         Action::Authenticate { .. } => Event::Credentials(Credentials::new("my-key-id", "my-secret")?),
///         Action::Send(transmit) => {
///             assert_eq!(transmit.request.uri().query(), Some("bucketInfo"));
///             Event::Head(Head::new(ReplyHead::new(200, Default::default()), Sent::new()))
///         }
///         Action::Read { .. } => body.take().map_or(Event::End, Event::Body),
///         Action::Retry(proposal) => Event::Retry(Some(proposal.delay)),
///         Action::Wait { .. } => unreachable!("nothing failed"),
///         Action::Done(reply) => break reply?,
///     };
///     call.handle(event, now);
/// };
/// assert_eq!(reply.output.bucket.name.as_deref(), Some("examplebucket"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Exchange<O: Operation> {
    machine: Machine,
    operation: PhantomData<fn() -> O>,
}

impl<O: Operation> Exchange<O> {
    /// A call that has not begun. The operation is read here and not needed any more.
    pub fn new(operation: &O, service: &Service, call: Call) -> Self {
        Self::of(operation.draft(), service, call)
    }

    /// A call of a draft that was edited: an extra header, a parameter that the operation does not model.
    pub fn with_draft(draft: Draft, service: &Service, call: Call) -> Self {
        Self::of(Ok(draft), service, call)
    }

    pub(crate) fn of(draft: Result<Draft, InvalidRequest>, service: &Service, call: Call) -> Self {
        Self { machine: Machine::new(draft, service, call), operation: PhantomData }
    }

    /// What to do next.
    pub fn poll(&mut self, now: Now) -> Action<O::Output> {
        match self.machine.poll(now) {
            Action::Authenticate { need, deadline } => Action::Authenticate { need, deadline },
            Action::Retry(proposal) => Action::Retry(proposal),
            Action::Send(transmit) => Action::Send(transmit),
            Action::Read { deadline } => Action::Read { deadline },
            Action::Wait { until } => Action::Wait { until },
            Action::Done(Err(error)) => Action::Done(Err(error)),
            Action::Done(Ok(reply)) => Action::Done(self.read(reply)),
        }
    }

    /// What came of it.
    pub fn handle(&mut self, event: Event, now: Now) {
        self.machine.handle(event, now);
    }

    /// After `Done`: what was learned, once, for [`Shared::settle`](crate::Shared::settle).
    pub fn ledger(&mut self) -> Ledger {
        self.machine.ledger()
    }

    fn read(&self, reply: Reply<bytes::Bytes>) -> Result<Reply<O::Output>, Error> {
        match O::read(&reply.head, &reply.output) {
            Ok(output) => Ok(reply.map(|_| output)),
            // The service said yes, but not to what: nobody knows what it did.
            Err(error) => Err(self.machine.error(ErrorKind::Reply(error), Outcome::Unknown)),
        }
    }

    /// After the head of a streamed answer: its body broke, and the call goes on with the edited draft, or
    /// ends with this failure.
    pub(crate) fn resume(
        &mut self,
        kind: ErrorKind,
        head: &crate::ReplyHead,
        has_progressed: bool,
        now: Now,
        edit: impl FnOnce(&mut Draft),
    ) {
        self.machine.resume(kind, head, has_progressed, now, edit);
    }

    /// The same call's error, for what is found out after the exchange ended.
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        self.machine.error(kind, Outcome::Unknown)
    }
}

impl<O: Operation> fmt::Debug for Exchange<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({} {})", self.machine.operation(), self.machine.state_name())
    }
}
