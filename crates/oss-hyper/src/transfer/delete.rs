//! Deletions of any number of objects.

use core::fmt;
use core::pin::Pin;
use core::time::Duration;

use oss_proto::transfer::{
    Completion, DeleteMany, Fate, Progress, Repeat, Ticket, Transfer, TransferError, TransferOptions, Work,
};
use oss_proto::{
    Delete, DeleteMultipleObjects, Error, ErrorKind, Event, FailureKind, ObjectIdentifier, Outcome,
    TransportError,
};
use tokio::time::timeout;

use super::cancel::{Cancel, How};
use super::engine;
use super::job::{self, Job, Lane, Next, Passed, failed};
use super::progress::Watch;
use crate::clock::seed;
use crate::{Bucket, Client};

impl Bucket {
    /// Deletes any number of objects, 1,000 in a request, three requests at a time.
    ///
    /// Of a request that OSS answers, only the objects whose own failure may pass are sent again: as often as
    /// the client's retry policy and budget allow, with its pauses, three times at most in all. `Ok` means
    /// that OSS has answered for every object, not that every one is gone: [`Deletions::left`] gives those
    /// that are not. A request that fails as a whole ends it, and the error says of each object what is
    /// known.
    ///
    /// ```no_run
    /// # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), oss_hyper::transfer::DeletionsError> {
    /// let deletions = bucket.delete_many(["a.txt", "b.txt"]).await?;
    /// for (object, fate) in deletions.left() {
    ///     println!("{}: {fate:?}", object.key);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_many<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) -> DeleteKeys {
        let delete = DeleteMultipleObjects::here(Delete::from_iter(keys));
        DeleteKeys { bucket: self.clone(), delete, options: TransferOptions::new(), cancel: None }
    }
}

/// Deletions, which begin when they are awaited: see [`Bucket::delete_many`].
///
/// Dropping their future leaves what was asked for as it comes out.
#[must_use = "it begins when it is awaited"]
#[derive(Debug)]
pub struct DeleteKeys {
    bucket: Bucket,
    delete: DeleteMultipleObjects,
    options: TransferOptions,
    cancel: Option<Cancel>,
}

/// What became of each object, in the order in which they were given.
#[derive(Clone, Debug, Default)]
#[must_use = "an object may be left"]
pub struct Deletions(Vec<(ObjectIdentifier, Fate)>);

/// A request failed as a whole, or the deletions were cancelled: why, and what became of each object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeletionsError {
    /// Why.
    pub error: TransferError,
    /// What is known of each object.
    pub deletions: Deletions,
}

impl DeleteKeys {
    /// What is deleted, and how: versions by `Delete::new`, no answer for each object by `quiet`.
    pub fn request(mut self, change: impl FnOnce(DeleteMultipleObjects) -> DeleteMultipleObjects) -> Self {
        self.delete = change(self.delete);
        self
    }

    /// How many requests are under way at a time: 3.
    #[doc(alias = "parallel", alias = "concurrency")]
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.options.lanes = lanes;
        self
    }

    /// Ends when this is told so: what is under way is waited for, and nothing more is asked for.
    pub fn cancel_with(mut self, cancel: &Cancel) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }

    async fn run(self) -> Result<Deletions, DeletionsError> {
        let client = self.bucket.client().clone();
        let many = DeleteMany::new(self.delete, &self.options);
        let mut job = DeleteJob { client, many, pause: None, over: Cancel::new() };
        let result = engine::run(&mut job, self.cancel, Watch::new(None)).await;
        let fates = job.many.fates().map(|(object, fate)| (object.clone(), fate.clone()));
        let deletions = Deletions(fates.collect());
        match result {
            Ok(_) => Ok(deletions),
            Err(error) => Err(DeletionsError { error, deletions }),
        }
    }
}

impl IntoFuture for DeleteKeys {
    type Output = Result<Deletions, DeletionsError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Deletions {
    /// Each object, and what became of it.
    pub fn fates(&self) -> &[(ObjectIdentifier, Fate)] {
        &self.0
    }

    /// Those that are not deleted, or of which nobody knows it.
    pub fn left(&self) -> impl Iterator<Item = &(ObjectIdentifier, Fate)> {
        self.0.iter().filter(|(_, fate)| !fate.is_deleted())
    }

    /// How many are deleted.
    pub fn deleted(&self) -> usize {
        self.0.iter().filter(|(_, fate)| fate.is_deleted()).count()
    }
}

impl From<DeletionsError> for TransferError {
    fn from(error: DeletionsError) -> Self {
        error.error
    }
}

/// One line: why, and how many are deleted.
impl fmt::Display for DeletionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (deleted, all) = (self.deletions.deleted(), self.deletions.0.len());
        write!(f, "{}; {deleted} of {all} objects are known to be deleted", self.error)
    }
}

/// `Display` has the cause in it, so there is no source.
impl core::error::Error for DeletionsError {}

struct DeleteJob {
    client: Client,
    many: DeleteMany,
    /// Before the next piece of work.
    pause: Option<Duration>,
    /// Nothing is sent any more after a pause.
    over: Cancel,
}

impl DeleteJob {
    /// The pause before objects are sent again; `None` when they are not to be.
    fn pause(&self, repeat: &Repeat) -> Option<Duration> {
        let proposal = repeat.proposal(&self.client.service().retry, seed())?;
        match self.client.account().retry(&proposal) {
            Event::Retry(pause) => pause,
            _ => None,
        }
    }
}

impl Job for DeleteJob {
    type Output = usize;

    fn poll(&mut self) -> Next<usize> {
        loop {
            let next = job::next(&mut self.many);
            if let Next::Run(ticket, _) = &next
                && let Some(repeat) = self.many.repeat(*ticket)
            {
                self.pause = self.pause(&repeat);
                if self.pause.is_none() {
                    self.many.leave(*ticket);
                    continue;
                }
            }
            return next;
        }
    }

    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        let has_failed = result.is_err();
        self.many.complete(ticket, result);
        if has_failed {
            self.over.abort();
        }
    }

    fn abandon(&mut self, ticket: Ticket) {
        self.many.abandon(ticket);
    }

    fn cancel(&mut self, _how: How) {
        self.many.cancel();
        self.over.abort();
    }

    fn note(&mut self, ticket: Ticket, bytes: u64) {
        self.many.note(ticket, bytes);
    }

    fn progress(&self) -> Progress {
        self.many.progress()
    }

    fn lane(&mut self, work: Work, _passed: Passed) -> Lane {
        let call = job::call(&self.client, work).expect("deletions ask for calls alone");
        let Some(pause) = self.pause.take() else { return call };
        let over = self.over.clone();
        Box::pin(async move {
            match timeout(pause, over.wanted()).await {
                Err(_elapsed) => call.await,
                // Why is told already.
                Ok(_) => {
                    let kind = TransportError::new(FailureKind::Canceled, "cancelled in a pause");
                    let kind = ErrorKind::Transport(kind);
                    failed(Error::new(kind, "DeleteMultipleObjects", Outcome::NotSent))
                }
            }
        })
    }
}
