//! Appends one after the other, to one object.
//!
//! ```text
//!  Start ─▶ Looking ─▶ Ready ⇄ Appending
//!    └────────────────▶  └──────▶ Over
//! ```
//!
//! Every arrow is an assignment in this file, and nowhere else.

use alloc::boxed::Box;
use alloc::format;

use super::error::{misuse, once};
use super::flight::{Flight, Landing};
use super::{Came, Completion, Progress, Step, Ticket, Transfer, TransferError, TransferErrorKind, Work};
use crate::{
    AppendObject, AppendObjectOutput, CorruptBody, Error, ErrorKind, HeadObject, HeadObjectOutput,
    InvalidRequest, InvalidValue, Misuse, ObjectType, Outcome, Payload,
};

/// Appends to one object, piece by piece: each begins where the one before it ended.
///
/// The [`AppendObject`] says what the object is to be when the first piece begins it. Position and CRC-64 are
/// carried along, so that every answer's CRC-64, which is that of the whole object, is compared with ours. A
/// piece whose answer was lost is looked up by its call ([`Exchange`](crate::Exchange)). When somebody else
/// appends meanwhile, or the object is replaced, the result is [`TransferErrorKind::Conflict`].
///
/// One piece moves at a time, and one more may wait: whenever [`wants_part`](Self::wants_part), get the next
/// one ready and tell its length with [`offer`](Self::offer); [`end`](Self::end) when there are no more.
pub struct Append {
    append: AppendObject,
    flight: Flight<Job>,
    stage: Stage,
    position: u64,
    /// The position is that of the object, and not the one that the request happens to have.
    is_placed: bool,
    crc64: Option<u64>,
    waiting: Option<u64>,
    is_ended: bool,
    appends: u64,
    failure: Option<TransferErrorKind>,
}

enum Job {
    Look,
    /// So many bytes.
    Piece(u64),
}

enum Stage {
    Start,
    Looking,
    Ready,
    Over(Option<Box<Result<AppendOutput, TransferError>>>),
}

/// Where an object ends after appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppendOutput {
    /// Its length: the position of the next append.
    pub position: u64,
    /// CRC-64 of the whole object, when it is known: the `initial_crc64` of the next append.
    pub crc64: Option<u64>,
    /// How many appends were made.
    pub appends: u64,
}

impl Append {
    /// Appends at the position, and with the `initial_crc64`, that `append` names; at 0 it begins the object.
    pub fn new(append: AppendObject) -> Self {
        let crc64 = if append.position == 0 { Some(0) } else { append.initial_crc64 };
        Self {
            position: append.position,
            crc64,
            flight: Flight::new(1),
            stage: Stage::Ready,
            is_placed: true,
            waiting: None,
            is_ended: false,
            appends: 0,
            failure: None,
            append,
        }
    }

    /// Appends at the end of the object, which a `HeadObject` tells, or begins it.
    pub fn at_end(append: AppendObject) -> Self {
        Self { stage: Stage::Start, is_placed: false, ..Self::new(append) }
    }

    /// Where the next piece begins; `None` before the end of the object was looked up, and when that failed.
    pub fn position(&self) -> Option<u64> {
        self.is_placed.then_some(self.position)
    }

    /// Whether the next piece may be offered.
    pub fn wants_part(&self) -> bool {
        self.waiting.is_none() && !self.is_ended && self.failure.is_none() && !self.is_over()
    }

    /// The next piece is ready, with so many bytes; an object that is made of appends has up to 5 GiB.
    ///
    /// # Errors
    /// When no piece is wanted, or it is empty: nothing changes.
    pub fn offer(&mut self, len: u64) -> Result<(), Misuse> {
        let state = self.stage_name();
        if !self.wants_part() {
            return Err(Misuse { what: "offered a piece that is not wanted", state });
        }
        if len == 0 {
            return Err(Misuse { what: "offered an empty piece", state });
        }
        self.waiting = Some(len);
        Ok(())
    }

    /// There are no more pieces.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// What the object is: an end to append to, or nothing that can grow.
    fn open(&mut self, head: &HeadObjectOutput) {
        if let Some(kind) = head.object_type.as_ref().filter(|kind| **kind != ObjectType::Appendable) {
            let problem =
                format!("is an object of the type {kind}, which cannot grow; append to another key");
            let error = InvalidRequest::new("AppendObject", "key", InvalidValue::new(problem));
            return self.fail(Error::from(error));
        }
        let Some(position) = head.next_append_position.or(head.content_length) else {
            let error = crate::ReadError::missing("x-oss-next-append-position");
            return self.fail(Error::new(ErrorKind::Reply(error), "HeadObject", Outcome::NotSent));
        };
        self.place(position, if position == 0 { Some(0) } else { head.crc64 });
    }

    /// Looking → Ready.
    fn place(&mut self, position: u64, crc64: Option<u64>) {
        (self.position, self.crc64, self.is_placed) = (position, crc64, true);
        if matches!(self.stage, Stage::Looking) {
            self.stage = Stage::Ready;
        }
    }

    /// The piece that waits.
    fn piece(&mut self, len: u64) -> Step<AppendOutput> {
        let range = self.position..self.position.saturating_add(len);
        let mut append = self.append.clone();
        append.body = Payload::Empty;
        append.position = self.position;
        append.initial_crc64 = self.crc64;
        if self.position > 0 {
            // Only the append that begins an object takes them.
            (append.acl, append.storage_class, append.metadata, append.tagging) = (None, None, None, None);
        }
        if self.appends > 0 {
            // What exists by now is what we began.
            append.forbid_overwrite = None;
        }
        Step::Run(self.flight.start(Job::Piece(len), len), Work::Append(range, append))
    }

    fn appended(&mut self, len: u64, output: &AppendObjectOutput) {
        let expected = self.position.saturating_add(len);
        let actual = output.next_append_position.unwrap_or(expected);
        if actual != expected {
            let kind = ErrorKind::Corrupt(CorruptBody::Length { expected, actual });
            return self.fail(Error::new(kind, "AppendObject", Outcome::Unknown));
        }
        self.position = expected;
        self.crc64 = output.crc64;
        self.appends = self.appends.saturating_add(1);
        self.flight.count(len, 1);
    }

    /// A piece failed: nothing follows it.
    fn refused(&mut self, error: Error) {
        if error.code() == Some("PositionNotEqualToLength") {
            let error = Box::new(error);
            return self
                .fail(TransferError::new(TransferErrorKind::Conflict { position: self.position, error }));
        }
        self.fail(error);
    }

    /// Nobody knows whether a piece is there: one that was cancelled says so.
    fn lose(&mut self, bytes: u64) {
        if matches!(self.failure, Some(TransferErrorKind::Cancelled)) {
            self.failure = Some(TransferErrorKind::CancelledAppend { position: self.position, bytes });
        }
    }

    /// → Over, once nothing is under way.
    fn fail(&mut self, error: impl Into<TransferError>) {
        self.failure.get_or_insert_with(|| error.into().kind);
        self.settle();
    }

    fn settle(&mut self) {
        if self.flight.is_empty() && !self.is_over() {
            if let Some(kind) = self.failure.take() {
                self.stage = Stage::Over(Some(Box::new(Err(TransferError::new(kind)))));
            } else if self.is_ended && self.waiting.is_none() && matches!(self.stage, Stage::Ready) {
                let Self { position, crc64, appends, .. } = *self;
                self.stage = Stage::Over(Some(Box::new(Ok(AppendOutput { position, crc64, appends }))));
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    fn misuse(&mut self, what: &'static str) {
        if !self.is_over() {
            let error = misuse("AppendObject", what, self.stage_name());
            self.stage = Stage::Over(Some(Box::new(Err(error.into()))));
        }
    }

    fn stage_name(&self) -> &'static str {
        match self.stage {
            Stage::Start => "Start",
            Stage::Looking => "Looking",
            Stage::Ready if self.flight.is_empty() => "Ready",
            Stage::Ready => "Appending",
            Stage::Over(_) => "Over",
        }
    }
}

impl Transfer for Append {
    type Output = AppendOutput;

    fn poll(&mut self) -> Step<AppendOutput> {
        self.settle();
        match &mut self.stage {
            Stage::Over(result) => Step::Done(once(result, "AppendObject")),
            _ if !self.flight.has_room() => Step::Busy,
            Stage::Start => {
                let mut head = HeadObject::new(self.append.bucket.clone(), self.append.key.clone());
                head.request_payer.clone_from(&self.append.request_payer);
                self.stage = Stage::Looking;
                Step::Run(self.flight.start(Job::Look, 0), Work::Head(head))
            }
            Stage::Ready => match self.waiting.take() {
                Some(len) => self.piece(len),
                None => Step::Busy,
            },
            Stage::Looking => Step::Busy,
        }
    }

    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        let job = match self.flight.land(ticket) {
            Landing::Of(job) => job,
            Landing::Again => return,
            Landing::Unknown => return self.misuse("completed work that was never handed out"),
        };
        match (job, result.map(|completion| completion.0)) {
            (Job::Look, Ok(Came::Head(head))) => self.open(&head),
            // There is no object: the first piece begins it.
            (Job::Look, Err(error)) if error.is_not_found() && error.code() != Some("NoSuchBucket") => {
                self.place(0, Some(0));
            }
            (Job::Piece(len), Ok(Came::Appended(output))) => self.appended(len, &output),
            (Job::Piece(bytes), Err(error)) if error.outcome() == Outcome::Unknown => {
                self.lose(bytes);
                self.refused(error);
            }
            (_, Err(error)) => self.refused(error),
            (_, Ok(_)) => self.misuse("completed work with the answer of another"),
        }
    }

    fn abandon(&mut self, ticket: Ticket) {
        match self.flight.land(ticket) {
            Landing::Of(Job::Piece(bytes)) => {
                self.failure.get_or_insert(TransferErrorKind::Cancelled);
                self.lose(bytes);
                self.settle();
            }
            Landing::Of(Job::Look) => self.cancel(),
            _ => {}
        }
    }

    fn cancel(&mut self) {
        self.fail(TransferError::new(TransferErrorKind::Cancelled));
    }

    fn note(&mut self, ticket: Ticket, bytes: u64) {
        self.flight.note(ticket, bytes);
    }

    fn progress(&self) -> Progress {
        self.flight.progress()
    }
}

impl core::fmt::Debug for Append {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Append({} at {})", self.stage_name(), self.position)
    }
}
