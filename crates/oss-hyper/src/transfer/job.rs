//! What runs in the lanes: calls, and what they came to.

use alloc::sync::Arc;
use core::pin::Pin;
use core::sync::atomic::AtomicU64;

use oss_proto::transfer::{
    Completion, DiskDone, DiskWork, FileError, Progress, Step, Ticket, Transfer, TransferError, Work,
};
use oss_proto::{Error, Reply};

use super::cancel::How;
use crate::Client;

/// How many bytes of a piece of work have passed.
pub(super) type Passed = Arc<AtomicU64>;
/// Work under way, in a task of its own.
pub(super) type Lane = Pin<Box<dyn Future<Output = Landing> + Send>>;
/// A step on the disk under way.
pub(super) type OnDisk = Pin<Box<dyn Future<Output = Result<DiskDone, FileError>> + Send>>;

/// What came of a piece of work.
pub(super) struct Landing {
    pub(super) result: Result<Completion, LaneError>,
    /// How many attempts failed and were made again.
    pub(super) retries: u64,
}

pub(super) enum LaneError {
    Call(Error),
    File(FileError),
}

/// What to do next.
#[allow(clippy::large_enum_variant, reason = "moved once, into the loop")]
pub(super) enum Next<T> {
    Run(Ticket, Work),
    Disk(DiskWork),
    Busy,
    Done(Result<T, TransferError>),
}

impl<T> From<Step<T>> for Next<T> {
    fn from(step: Step<T>) -> Self {
        match step {
            Step::Run(ticket, work) => Self::Run(ticket, work),
            Step::Busy => Self::Busy,
            Step::Done(result) => Self::Done(result),
        }
    }
}

/// A transfer with what its work needs: the machine decides, this does.
pub(super) trait Job: Send {
    type Output: Send;

    fn poll(&mut self) -> Next<Self::Output>;
    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>);
    fn abandon(&mut self, ticket: Ticket);
    fn cancel(&mut self, how: How);
    fn note(&mut self, ticket: Ticket, bytes: u64);
    fn progress(&self) -> Progress;

    /// The work itself.
    fn lane(&mut self, work: Work, passed: Passed) -> Lane;

    /// A file on this side failed under this piece of work.
    fn file_failed(&mut self, ticket: Ticket, _error: FileError) {
        self.abandon(ticket);
    }

    /// A step on the disk.
    fn on_disk(&mut self, _work: DiskWork) -> OnDisk {
        Box::pin(core::future::ready(Ok(DiskDone::Done)))
    }

    fn disk_done(&mut self, _result: Result<DiskDone, FileError>) {}

    /// What there is to do between two steps: a checkpoint to write.
    fn between(&mut self) -> impl Future<Output = ()> + Send {
        core::future::ready(())
    }

    /// Whether the next part is wanted from the source.
    fn wants_part(&self) -> bool {
        false
    }

    /// The next part of the source is ready, when this ends; it may be dropped and asked for again.
    fn get_part_ready(&mut self) -> impl Future<Output = ()> + Send {
        core::future::pending()
    }

    /// It is ready.
    fn offer_part(&mut self) {}
}

/// The parts of [`Job`] that a machine does itself.
macro_rules! by_machine {
    ($machine:ident) => {
        fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
            self.$machine.complete(ticket, result);
        }

        fn abandon(&mut self, ticket: Ticket) {
            self.$machine.abandon(ticket);
        }

        fn note(&mut self, ticket: Ticket, bytes: u64) {
            self.$machine.note(ticket, bytes);
        }

        fn progress(&self) -> Progress {
            self.$machine.progress()
        }
    };
}
pub(super) use by_machine;

/// What an answer means to the transfer.
pub(super) fn landed<T>(result: Result<Reply<T>, Error>) -> Landing
where
    Completion: From<Reply<T>>,
{
    match result {
        Ok(reply) => {
            let retries = retries(reply.attempts.len());
            Landing { result: Ok(Completion::from(reply)), retries }
        }
        Err(error) => failed(error),
    }
}

pub(super) fn failed(error: Error) -> Landing {
    let retries = retries(error.attempts().len());
    Landing { result: Err(LaneError::Call(error)), retries }
}

pub(super) fn retries(attempts: usize) -> u64 {
    (attempts as u64).saturating_sub(1)
}

/// The work that is a call and nothing else; `None` is work with bytes, and the beginning of an upload.
pub(super) fn call(client: &Client, work: Work) -> Option<Lane> {
    macro_rules! sent {
        ($operation:expr) => {{
            let (client, operation) = (client.clone(), $operation);
            Some(Box::pin(async move { landed(client.send(operation).await) }))
        }};
    }
    match work {
        Work::PartCopy(copy) => sent!(copy),
        Work::ListParts(list) => sent!(list),
        Work::Finish(finish) => sent!(finish),
        Work::Abort(abort) => sent!(abort),
        Work::Head(head) => sent!(head),
        Work::Tags(tags) => sent!(tags),
        Work::Copy(copy) => sent!(copy),
        Work::Delete(delete) => sent!(delete),
        Work::Begin(_)
        | Work::Put(..)
        | Work::Part(..)
        | Work::Get(..)
        | Work::Verify(_)
        | Work::Append(..) => None,
    }
}

/// Whether the work may be dropped in the middle: what it leaves is known, and of no harm.
pub(super) fn may_be_dropped(work: &Work) -> bool {
    matches!(
        work,
        Work::Put(..)
            | Work::Part(..)
            | Work::PartCopy(_)
            | Work::Get(..)
            | Work::Verify(_)
            | Work::ListParts(_)
            | Work::Head(_)
    )
}

/// A machine as [`Transfer`] for a job that has no more than calls.
pub(super) fn next<M: Transfer>(machine: &mut M) -> Next<M::Output> {
    machine.poll().into()
}
