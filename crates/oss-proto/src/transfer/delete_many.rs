//! Deletions of any number of objects, a thousand in a request.
//!
//! ```text
//!  Going ─▶ Over
//! ```
//!
//! Every arrow is an assignment in this file, and nowhere else.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use oss_retry::{Backoff, Failure, Policy, Verdict, classify};

use super::error::misuse;
use super::flight::{Flight, Landing};
use super::{
    Came, Completion, Progress, Step, Ticket, Transfer, TransferError, TransferErrorKind, TransferOptions,
    Work,
};
use crate::{
    Delete, DeleteMultipleObjects, DeleteMultipleObjectsOutput, DeletedObject, Deletion, Error,
    FailedDeletion, ObjectIdentifier, Outcome, Proposal,
};

/// Deletes any number of objects, up to 1,000 in a request, several requests at a time.
///
/// The [`DeleteMultipleObjects`] says what to delete, however many that is, and how. Of a request that OSS
/// answers, only the objects whose own failure may pass are sent again, three times at most in all, and
/// [`repeat`](Self::repeat) tells the driver, which makes a pause before. When a request fails as a whole, no
/// others follow: the result is its error, and [`fates`](Self::fates) says of each object what is known.
///
/// Progress counts objects as parts.
pub struct DeleteMany {
    delete: DeleteMultipleObjects,
    objects: Vec<ObjectIdentifier>,
    fates: Vec<Fate>,
    /// What is to be sent: places in `objects`, and how often they were sent.
    batches: VecDeque<Batch>,
    /// From here on nothing was sent.
    next: usize,
    flight: Flight<Batch>,
    failure: Option<TransferErrorKind>,
    is_over: bool,
}

struct Batch {
    places: Vec<usize>,
    delete: Delete,
    sent: u32,
    /// Why it is sent again.
    code: Option<String>,
}

/// Objects that are sent again, because OSS has said of each that it is not deleted for the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeat {
    /// How often they were sent before.
    pub sent: u32,
    /// The code of one of them: that of too many requests, if there is one.
    pub code: String,
}

impl Repeat {
    /// The question whether they may be sent again, and after which pause; `None` when the policy allows no
    /// attempt more. Ask the retry budget as after a call that failed
    /// ([`Shared::decide`](crate::Shared::decide)).
    ///
    /// The pause is drawn from `seed`; of too many requests it is the longer one.
    pub fn proposal(&self, policy: &Policy, seed: u64) -> Option<Proposal> {
        let mut backoff = Backoff::new(policy, seed);
        let (delay, cost) = match verdict(&self.code) {
            _ if self.sent >= policy.attempts() => return None,
            Verdict::Throttle { cost } => (backoff.next_throttled(self.sent), cost),
            Verdict::Retry { cost } => (backoff.next(self.sent), cost),
            _ => return None,
        };
        let code = Some(self.code.clone().into());
        let (status, transport, outcome) = (Some(200), None, Outcome::Rejected);
        Some(Proposal { attempt: self.sent, delay, cost, status, code, transport, outcome })
    }
}

/// What became of one object that was to be deleted.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Fate {
    /// It was not asked for, because a request before failed, or could not be sent, or the transfer was
    /// cancelled.
    #[default]
    NotTried,
    /// It is deleted, or was not there; what OSS says of it, unless it was asked to say nothing.
    Deleted(Option<DeletedObject>),
    /// It is not deleted.
    Failed(FailedDeletion),
    /// OSS does not name it, and should. It may be there; a retention policy keeps objects so.
    Untold,
    /// The request that named it failed, and nobody knows whether OSS has seen it.
    Unknown,
    /// OSS refused the request that named it as a whole: nothing of it was deleted.
    Refused,
}

impl Fate {
    /// Whether the object is gone.
    pub fn is_deleted(&self) -> bool {
        matches!(self, Self::Deleted(_))
    }
}

impl DeleteMany {
    /// The most objects in a request: 1,000.
    pub const BATCH_MAX: usize = 1000;
    /// The most bytes of names in a request, as XML: OSS takes bodies of 2 MB.
    pub const BATCH_BYTES_MAX: usize = 1_900_000;

    /// Deletions that have not begun; of the options only `lanes` matter.
    pub fn new(mut delete: DeleteMultipleObjects, options: &TransferOptions) -> Self {
        let objects = core::mem::take(&mut delete.delete.objects);
        let mut flight = Flight::new(options.lanes);
        flight.set_total(None, Some(objects.len() as u64));
        Self {
            delete,
            fates: alloc::vec![Fate::NotTried; objects.len()],
            objects,
            batches: VecDeque::new(),
            next: 0,
            flight,
            failure: options.check().err().map(TransferErrorKind::Plan),
            is_over: false,
        }
    }

    /// What became of each object, in the order in which they were given.
    pub fn fates(&self) -> impl Iterator<Item = (&ObjectIdentifier, &Fate)> {
        self.objects.iter().zip(&self.fates)
    }

    /// Why the work of this ticket is sent again; `None` for what was never sent, and for what is done.
    ///
    /// Ask before doing it, and make the pause that [`Repeat::proposal`] proposes, or
    /// [`leave`](Self::leave) it: a service that has no time gets none by being asked again at once.
    pub fn repeat(&self, ticket: Ticket) -> Option<Repeat> {
        let batch = self.flight.job(ticket)?;
        Some(Repeat { sent: batch.sent.saturating_sub(1), code: batch.code.clone()? })
    }

    /// The work of this ticket was not done and will not be: its objects stay failed, with their codes.
    ///
    /// Only for what is sent again ([`repeat`](Self::repeat)); of no effect otherwise.
    pub fn leave(&mut self, ticket: Ticket) {
        if self.repeat(ticket).is_some()
            && let Landing::Of(batch) = self.flight.land(ticket)
        {
            self.flight.count(0, batch.places.len() as u64);
        }
    }

    /// The next objects that were not sent yet.
    fn cut(&mut self) -> Option<Batch> {
        let (mut bytes, mut end) = (0_usize, self.next);
        while let Some(object) = self.objects.get(end).filter(|_| end - self.next < Self::BATCH_MAX) {
            bytes = bytes.saturating_add(size_of(object));
            if bytes > Self::BATCH_BYTES_MAX && end > self.next {
                break;
            }
            end += 1;
        }
        let places: Vec<usize> = (self.next..end).collect();
        self.next = end;
        self.batch(places, 0, None)
    }

    fn batch(&self, places: Vec<usize>, sent: u32, code: Option<String>) -> Option<Batch> {
        let objects = places.iter().filter_map(|place| self.objects.get(*place).cloned());
        let delete = Delete { quiet: self.delete.delete.quiet, objects: objects.collect() };
        (!places.is_empty()).then_some(Batch { places, delete, sent, code })
    }

    /// What an answer says of each of its objects.
    fn answered(&mut self, batch: &Batch, answer: &DeleteMultipleObjectsOutput) {
        let (mut again, mut code) = (Vec::new(), None);
        for (place, (_, deletion)) in batch.places.iter().zip(batch.delete.outcomes(answer)) {
            let fate = match deletion {
                Deletion::Deleted(object) => Fate::Deleted(Some(object.clone())),
                Deletion::Quietly => Fate::Deleted(None),
                Deletion::Failed(failed) => {
                    if failed.is_transient() && batch.sent < SENT_MAX {
                        again.push(*place);
                        code = graver(code, failed.code.as_deref());
                    }
                    Fate::Failed(failed.clone())
                }
                Deletion::Untold => Fate::Untold,
            };
            if let Some(known) = self.fates.get_mut(*place) {
                *known = fate;
            }
        }
        let settled = batch.places.len().saturating_sub(again.len());
        self.flight.count(0, settled as u64);
        let code = code.map(String::from);
        self.batches.extend(self.batch(again, batch.sent, code));
    }

    fn fail(&mut self, kind: TransferErrorKind) {
        self.failure.get_or_insert(kind);
        self.batches.clear();
    }

    fn lose(&mut self, batch: &Batch, outcome: Outcome) {
        let fate = match outcome {
            Outcome::NotSent => Fate::NotTried,
            Outcome::Rejected => Fate::Refused,
            _ => Fate::Unknown,
        };
        for place in &batch.places {
            // What failed once before is known to be there, unless this request has deleted it.
            if let Some(known) = self.fates.get_mut(*place)
                && (*known == Fate::NotTried || fate == Fate::Unknown)
            {
                known.clone_from(&fate);
            }
        }
    }

    fn misuse(&mut self, what: &'static str) {
        let state = if self.is_over { "Over" } else { "Going" };
        self.fail(TransferErrorKind::Call(misuse("DeleteMultipleObjects", what, state)));
    }
}

impl Transfer for DeleteMany {
    /// How many objects are deleted; [`fates`](DeleteMany::fates) has the others.
    type Output = usize;

    fn poll(&mut self) -> Step<usize> {
        if self.is_over {
            self.misuse("polled again");
        } else if self.failure.is_none() && self.flight.has_room() {
            let batch = self.batches.pop_front().or_else(|| self.cut());
            if let Some(mut batch) = batch {
                batch.sent += 1;
                let mut delete = self.delete.clone();
                delete.delete = batch.delete.clone();
                return Step::Run(self.flight.start(batch, 0), Work::Delete(delete));
            }
        }
        if !self.flight.is_empty() {
            return Step::Busy;
        }
        self.is_over = true;
        Step::Done(match self.failure.take() {
            Some(kind) => Err(TransferError::new(kind)),
            None => Ok(self.fates.iter().filter(|fate| fate.is_deleted()).count()),
        })
    }

    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        let batch = match self.flight.land(ticket) {
            Landing::Of(batch) => batch,
            Landing::Again => return,
            Landing::Unknown => return self.misuse("completed work that was never handed out"),
        };
        match result.map(|completion| completion.0) {
            Ok(Came::Deleted(answer)) => self.answered(&batch, &answer),
            Ok(_) => self.misuse("completed work with the answer of another"),
            Err(error) => {
                self.lose(&batch, error.outcome());
                self.fail(TransferErrorKind::Call(error));
            }
        }
    }

    fn abandon(&mut self, ticket: Ticket) {
        if let Landing::Of(batch) = self.flight.land(ticket) {
            self.lose(&batch, Outcome::Unknown);
            self.cancel();
        }
    }

    fn cancel(&mut self) {
        if !self.is_over {
            self.fail(TransferErrorKind::Cancelled);
        }
    }

    fn note(&mut self, ticket: Ticket, bytes: u64) {
        self.flight.note(ticket, bytes);
    }

    fn progress(&self) -> Progress {
        self.flight.progress()
    }
}

impl core::fmt::Debug for DeleteMany {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DeleteMany({} of {})", self.next, self.objects.len())
    }
}

/// The code that asks for the longer pause.
fn graver<'a>(one: Option<&'a str>, other: Option<&'a str>) -> Option<&'a str> {
    let is_throttle = |code: &&str| matches!(verdict(code), Verdict::Throttle { .. });
    one.filter(is_throttle).or_else(|| other.filter(is_throttle)).or(one).or(other)
}

/// An error under 200 has no status to speak of: the code alone decides.
fn verdict(code: &str) -> Verdict {
    classify(Failure::Service { status: 200, code })
}

/// How long the object is in the document, at most.
fn size_of(object: &ObjectIdentifier) -> usize {
    let text = |text: &str| {
        let escaped = text.bytes().filter(|byte| b"&<>\"'\r\n\t".contains(byte)).count();
        text.len().saturating_add(escaped.saturating_mul(ESCAPE_BYTES))
    };
    let version = object.version_id.as_deref().map_or(0, text);
    text(&object.key).saturating_add(version).saturating_add(TAGS_BYTES)
}

/// How often one object is sent, at most.
const SENT_MAX: u32 = 3;
/// What the longest escape of one byte adds: `&quot;`.
const ESCAPE_BYTES: usize = 5;
/// The tags around one object.
const TAGS_BYTES: usize = "<Object><Key></Key><VersionId></VersionId></Object>".len();
