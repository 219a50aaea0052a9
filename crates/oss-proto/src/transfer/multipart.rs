//! One object, in one request or in parts: what uploads and copies have in common.
//!
//! ```text
//!            ┌▶ Listing ─▶ Verifying ─┐
//!  Start ────┼▶ Beginning ────────────┴▶ Moving ─▶ Finishing ─▶ Over
//!            └▶ Whole ──────────────────────┼──────────┼─────────▲
//!                                           ▼          ▼         │
//!                                           Draining ⇄ Aborting ─┘
//!  Listing ─▶ Looking ─▶ Comparing ─▶ Over
//!     └──────────┴───────────┴──────▶ Start
//! ```
//!
//! Every arrow is an assignment in this file, and nowhere else.

mod asked;
mod new;
mod parts;
mod seen;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

pub(super) use self::parts::{Made, Offers};
use self::parts::{Part, Parts, listed};
use self::seen::Seen;
use super::checkpoint::Identity;
use super::error::{LeftUpload, TransferError, TransferErrorKind, UploadFate, once};
use super::flight::{Flight, Landing, Ticket};
use super::recipe::Recipe;
use super::{Came, Checkpoint, Completion, Fresh, Plan, PlanError, Step, Work};
use crate::{
    CompleteMultipartUploadOutput, CorruptBody, ETag, Error, ErrorKind, HeadObjectOutput, ListParts,
    ListPartsOutput, Misuse, Outcome, Paged as _, ReadError,
};

/// The machine under [`Upload`](super::Upload) and [`ServerCopy`](super::ServerCopy).
pub(super) struct Multipart {
    recipe: Recipe,
    keep_parts: bool,
    flight: Flight<Job>,
    stage: Stage,
    cut: Cut,
    upload_id: Option<String>,
    parts: Parts,
    /// What OSS lists of an earlier transfer, to be verified.
    listed: BTreeMap<u32, Part>,
    /// Of an earlier transfer that is not gone on with: to be given up.
    stale: Option<String>,
    /// The same one, when it could not be.
    older: Option<String>,
    /// The first thing that went wrong.
    failure: Option<TransferErrorKind>,
    fate: UploadFate,
    may_be_orphan: bool,
    /// Parts that nobody waits for any more may still arrive, and are not freed by an abort before that.
    may_arrive: bool,
    /// CRC-64 that the object must have, when it is known beforehand.
    pub(super) expected: Option<u64>,
    /// There is no such upload any more.
    is_gone: bool,
    /// OSS does not take the parts that it listed: nobody is to go on with them.
    is_spent: bool,
    /// The upload may have become the object.
    may_be_made: bool,
    fresh: Option<Fresh>,
    revision: u64,
}

/// How the object is cut.
pub(super) enum Cut {
    Known(Plan),
    /// The driver cuts, part by part.
    Offered(Offers),
}

enum Stage {
    /// In one request, or in parts.
    Start(bool),
    Whole,
    /// The next page, and how many were asked for.
    Listing(Option<ListParts>, u32),
    Verifying,
    /// The upload is gone; whether it has become the object.
    Looking,
    Comparing(Box<Seen>),
    Beginning,
    /// The number of the next part.
    Moving(u32),
    Finishing,
    Draining,
    Aborting,
    Over(Option<Box<Result<Made, TransferError>>>),
}

enum Job {
    /// The upload of an earlier transfer.
    GiveUp(String),
    Whole(u64),
    List(ListParts),
    Verify(u32, Part),
    Look,
    /// So many bytes of the source.
    Compare(u64),
    Begin,
    Part(u32, u64),
    Finish,
    Abort,
}

impl Multipart {
    pub(super) fn keep_parts(&mut self, keep: bool) {
        self.keep_parts = keep;
    }

    /// Start → Listing, when this is a checkpoint of the same upload; else why it is not.
    pub(super) fn go_on(&mut self, found: &Checkpoint, call: &Identity, size: u64) -> Option<Fresh> {
        let differs = |what, was: &dyn ToString, now: &dyn ToString| Fresh::Differs {
            what,
            was: was.to_string(),
            now: now.to_string(),
        };
        let is_single = matches!(self.stage, Stage::Start(true));
        let difference = found.difference(call).or_else(|| {
            let is_other = (found.size != size).then(|| differs("size", &found.size, &size));
            is_other.or_else(|| is_single.then(|| differs("way", &"in parts", &"in one request")))
        });
        let upload_id = found.upload_id.clone();
        match (&difference, &self.stage) {
            (None, Stage::Start(_)) => {
                if let Some(id) = &upload_id {
                    self.stage = Stage::Listing(Some(self.recipe.list(id)), 0);
                    self.upload_id = upload_id;
                }
            }
            // Its id belongs to an object that the call names too: it is ours to give up.
            (Some(_), Stage::Start(_)) if found.is_same_object(call) => self.stale = upload_id,
            _ => {}
        }
        difference
    }

    pub(super) fn offer(&mut self, len: u64) -> Result<(), Misuse> {
        let (state, is_wanted) = (self.stage_name(), self.wants_part());
        match &mut self.cut {
            Cut::Offered(offers) if is_wanted && len <= offers.part_size => {
                offers.offer(len);
                if let Some((bytes, parts)) = offers.total() {
                    self.flight.set_total(Some(bytes), Some(parts.max(1)));
                }
                Ok(())
            }
            Cut::Offered(_) if is_wanted => Err(Misuse { what: "offered a part that is too long", state }),
            _ => Err(Misuse { what: "offered a part that is not wanted", state }),
        }
    }

    pub(super) fn poll(&mut self) -> Step<Made> {
        if let Stage::Over(result) = &mut self.stage {
            return Step::Done(once(result, self.recipe.operation(false)));
        }
        if !self.flight.has_room() {
            return Step::Busy;
        }
        if let Some(id) = self.stale.take() {
            let abort = self.recipe.abort(&id);
            return self.run(Job::GiveUp(id), Work::Abort(abort), 0);
        }
        if matches!(self.stage, Stage::Start(_)) && !self.flight.is_empty() {
            // What is given up is gone before anything begins: at the end nobody would wait for it.
            return Step::Busy;
        }
        match &mut self.stage {
            Stage::Start(is_single) => {
                let is_single = *is_single;
                self.begin(is_single)
            }
            Stage::Listing(next, pages) => match next.take() {
                Some(list) => {
                    *pages = pages.saturating_add(1);
                    self.run(Job::List(list.clone()), Work::ListParts(list), 0)
                }
                None => Step::Busy,
            },
            Stage::Verifying => self.verify(),
            Stage::Looking | Stage::Comparing(_) if !self.flight.is_empty() => Step::Busy,
            Stage::Looking => self.run(Job::Look, Work::Head(self.recipe.look()), 0),
            Stage::Comparing(_) => self.compare(),
            Stage::Moving(next) => {
                let next = *next;
                self.send_part(next)
            }
            Stage::Draining if self.flight.is_empty() => self.drained(),
            _ => Step::Busy,
        }
    }

    /// Start → Whole or Beginning.
    fn begin(&mut self, is_single: bool) -> Step<Made> {
        let whole = match &mut self.cut {
            Cut::Known(plan) => is_single.then(|| plan.len()),
            Cut::Offered(offers) if offers.is_ended => Some(offers.waiting.take().unwrap_or(0)),
            Cut::Offered(Offers { waiting: None, .. }) => return Step::Busy,
            Cut::Offered(_) => None,
        };
        if let Some(len) = whole {
            self.stage = Stage::Whole;
            return self.run(Job::Whole(len), self.recipe.whole(len), len);
        }
        self.stage = Stage::Beginning;
        self.run(Job::Begin, Work::Begin(self.recipe.begin.clone()), 0)
    }

    /// Verifying → Moving, once everything that OSS lists was looked at.
    fn verify(&mut self) -> Step<Made> {
        let range = self.listed.first_key_value().and_then(|(number, _)| self.plan()?.part(*number));
        match (self.listed.pop_first(), range) {
            (Some((number, part)), Some(range)) => {
                self.run(Job::Verify(number, part), Work::Verify(range), 0)
            }
            (None, _) if self.flight.is_empty() => {
                self.stage = Stage::Moving(1);
                self.poll()
            }
            _ => Step::Busy,
        }
    }

    /// The next part; Moving → Finishing when there is none.
    fn send_part(&mut self, next: u32) -> Step<Made> {
        let coming = match &mut self.cut {
            Cut::Known(plan) => self.parts.missing(next, *plan),
            Cut::Offered(offers) => offers.take().map(|range| (next, range)),
        };
        let is_whole = matches!(&self.cut, Cut::Known(_) | Cut::Offered(Offers { is_ended: true, .. }));
        let (Some((number, range)), Some(id)) = (coming, &self.upload_id) else {
            if !is_whole || !self.flight.is_empty() {
                return Step::Busy;
            }
            if let (Some(ours), Some(theirs)) = (self.parts.crc64(), self.expected)
                && ours != theirs
            {
                // Not what is to be copied, and no object yet: the parts are given up.
                let kind = ErrorKind::Corrupt(CorruptBody::Crc64 { ours, theirs });
                self.fail(Error::new(kind, self.recipe.operation(false), Outcome::NotSent));
                return self.poll();
            }
            self.stage = Stage::Finishing;
            let list = self.parts.completed();
            let id = self.upload_id.as_deref().unwrap_or_default();
            let mut finish = self.recipe.finish(id, list);
            (finish.size, finish.crc64) = (Some(self.parts.made().bytes), self.due());
            return self.run(Job::Finish, Work::Finish(finish), 0);
        };
        if number > Plan::PARTS_MAX {
            let (part_size, least) = (self.part_size(), self.part_size().saturating_add(1));
            self.fail(PlanError::TooManyParts { len: range.end, part_size, least });
            return self.poll();
        }
        let len = range.end.saturating_sub(range.start);
        let work = self.recipe.part(id, number, range);
        self.stage = Stage::Moving(number.saturating_add(1));
        self.run(Job::Part(number, len), work, len)
    }

    /// Draining → Aborting or Over. Parts that may still arrive take a second abort: OSS says of
    /// `AbortMultipartUpload` that those under way are not deleted, and that it is to be called again.
    fn drained(&mut self) -> Step<Made> {
        let is_kept = self.keep_parts && !self.is_spent;
        let id = self.upload_id.as_deref().filter(|_| !self.is_gone && !is_kept);
        if let Some(id) = id {
            let abort = self.recipe.abort(id);
            self.stage = Stage::Aborting;
            return self.run(Job::Abort, Work::Abort(abort), 0);
        }
        self.fate = UploadFate::Kept;
        self.end();
        self.poll()
    }

    fn run(&mut self, job: Job, work: Work, bytes: u64) -> Step<Made> {
        Step::Run(self.flight.start(job, bytes), work)
    }

    pub(super) fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        let job = match self.flight.land(ticket) {
            Landing::Of(job) => job,
            Landing::Again => return,
            Landing::Unknown => return self.misuse("completed work that was never handed out"),
        };
        if matches!(self.stage, Stage::Over(_)) {
            // The contract was broken: nothing that is still under way makes that good.
            return;
        }
        match (job, result.map(|completion| completion.0)) {
            (Job::GiveUp(_), Ok(Came::Aborted)) => {}
            (Job::GiveUp(_), Err(error)) if error.code() == Some(NO_UPLOAD) => {}
            // It keeps nobody from his upload, and he is told at the end.
            (Job::GiveUp(id), Err(_)) => self.older = Some(id),
            (Job::Whole(len), Ok(came)) => self.made_whole(len, came),
            (Job::List(list), Ok(Came::Parts(page))) => self.list(&list, page),
            (Job::List(_), Err(error)) if error.code() == Some(NO_UPLOAD) => self.vanished(),
            (Job::Look, Ok(Came::Head(head))) => self.looked(Some(&head)),
            // There is nothing, or nothing that may be seen: then a conflict is told at the end.
            (Job::Look, Err(error)) if matches!(error.status(), Some(403 | 404)) => self.looked(None),
            (Job::Compare(len), Ok(Came::Verified(crc64))) => self.compared(len, crc64),
            (Job::Verify(number, part), Ok(Came::Verified(crc64))) => {
                if crc64.is_some() && crc64 == part.crc64 {
                    self.flight.keep(part.len, 1);
                    self.parts.insert(number, part);
                }
            }
            (Job::Begin, Ok(Came::Begun(begun, may_be_orphan))) => {
                self.may_be_orphan |= may_be_orphan;
                self.begun(begun.upload_id);
            }
            (Job::Begin, Err(error)) => {
                self.may_be_orphan |= error.outcome() == Outcome::Unknown;
                self.fail(error);
            }
            (Job::Part(number, len), Ok(Came::Part(part))) => self.keep(number, len, part.etag, part.crc64),
            (Job::Part(number, len), Ok(Came::PartCopied(part))) => {
                self.keep(number, len, part.etag, part.crc64);
            }
            (Job::Finish, Ok(Came::Finished(output))) => self.finished(output),
            (Job::Finish, Err(error)) => self.unfinished(error),
            (Job::Abort, Ok(Came::Aborted)) if core::mem::take(&mut self.may_arrive) => {
                // What was arriving by then was not freed; a second one frees it.
                self.stage = Stage::Draining;
            }
            (Job::Abort, Ok(Came::Aborted)) => self.aborted(UploadFate::Aborted),
            (Job::Abort, Err(error)) if error.code() == Some(NO_UPLOAD) => {
                self.aborted(UploadFate::Aborted);
            }
            (Job::Abort, Err(_)) => self.aborted(UploadFate::MayRemain),
            (job @ (Job::Part(..) | Job::Whole(_)), Err(error)) => {
                if error.outcome() == Outcome::Unknown {
                    self.lose(&job);
                }
                let error = self.recipe.reason(error, self.flight.progress().bytes);
                self.fail(error);
            }
            (_, Err(error)) => self.fail(error),
            (_, Ok(_)) => self.misuse("completed work with the answer of another"),
        }
    }

    /// Whole → Over.
    fn made_whole(&mut self, len: u64, came: Came) {
        let (etag, crc64, version_id, callback) = match came {
            Came::Put(put) => (put.etag, put.crc64, put.version_id, put.callback),
            Came::Copied(copy) => (copy.etag, copy.crc64, copy.version_id, bytes::Bytes::new()),
            _ => return self.misuse("completed work with the answer of another"),
        };
        self.flight.count(len, 1);
        self.made(Made { etag, version_id, callback, bytes: len, ..Made::default() }, crc64, true);
    }

    /// Listing → Verifying, after the last page.
    fn list(&mut self, list: &ListParts, mut page: ListPartsOutput) {
        let (Some(plan), Stage::Listing(_, pages)) = (self.plan(), &self.stage) else { return };
        self.listed.extend(listed(&mut page, plan));
        // A list that does not move on, or goes on for ever, is taken as far as it came: the rest is sent.
        self.stage = match list.next(&page) {
            Ok(Some(next)) if *pages < PAGES_MAX => Stage::Listing(Some(next), *pages),
            _ => Stage::Verifying,
        };
    }

    /// Listing → Looking or Start. Who must not overwrite would take an earlier success of his own for a
    /// conflict, after all parts were sent again.
    fn vanished(&mut self) {
        let is_on = matches!(self.stage, Stage::Listing(..));
        match self.recipe.forbids_overwrite() {
            true => {
                self.may_be_made = true;
                self.stage = if is_on { Stage::Looking } else { Stage::Draining };
            }
            false => self.restart(),
        }
    }

    /// Looking → Comparing, when the object may be that of the upload; else Start.
    fn looked(&mut self, head: Option<&HeadObjectOutput>) {
        let (Some(plan), Stage::Looking) = (self.plan(), &self.stage) else { return };
        match head.and_then(|head| Seen::of(head, plan)) {
            Some(seen) => self.stage = Stage::Comparing(Box::new(seen)),
            None => self.restart(),
        }
    }

    /// Comparing → Over, when all of the source was read and is what the object has; else Start.
    fn compare(&mut self) -> Step<Made> {
        let (Some(plan), Stage::Comparing(seen)) = (self.plan(), &self.stage) else { return Step::Busy };
        if let Some(range) = plan.part(seen.next) {
            let len = range.end.saturating_sub(range.start);
            return self.run(Job::Compare(len), Work::Verify(range), 0);
        }
        if seen.is_same() {
            let made = seen.made.clone();
            self.expected = made.crc64;
            self.flight.keep(made.bytes, u64::from(made.parts));
            let theirs = made.crc64;
            self.made(made, theirs, false);
        } else {
            self.restart();
        }
        self.poll()
    }

    /// So many bytes of the source were read, or cannot be: then the object is not told by them, → Start.
    fn compared(&mut self, len: u64, crc64: Option<u64>) {
        let Stage::Comparing(seen) = &mut self.stage else { return };
        match crc64 {
            Some(crc64) => seen.take(len, crc64),
            None => self.restart(),
        }
    }

    /// → Start: there is nothing to go on with.
    fn restart(&mut self) {
        self.fresh = Some(Fresh::UploadGone);
        self.upload_id = None;
        self.may_be_made = false;
        self.listed.clear();
        if matches!(self.stage, Stage::Listing(..) | Stage::Looking | Stage::Comparing(_)) {
            self.stage = Stage::Start(false);
        }
    }

    /// Beginning → Moving.
    fn begun(&mut self, upload_id: String) {
        if upload_id.is_empty() {
            self.may_be_orphan = true;
            return self.fail(self.recipe.unread("InitiateMultipartUpload", ReadError::missing("UploadId")));
        }
        self.upload_id = Some(upload_id);
        self.revision = self.revision.saturating_add(1);
        if matches!(self.stage, Stage::Beginning) {
            self.stage = Stage::Moving(1);
        }
    }

    /// The answer that acknowledged the part is the one whose entity tag counts.
    fn keep(&mut self, number: u32, len: u64, etag: Option<ETag>, crc64: Option<u64>) {
        let Some(etag) = etag else {
            return self.fail(self.recipe.unread("UploadPart", ReadError::missing("etag")));
        };
        self.parts.insert(number, Part { etag, crc64, len });
        self.flight.count(len, 1);
    }

    /// Finishing → Over, with an object whose CRC-64 is that of its parts and the expected one, as far as
    /// they are known.
    fn finished(&mut self, output: CompleteMultipartUploadOutput) {
        let callback = if self.recipe.has_callback() { output.body } else { bytes::Bytes::new() };
        let (etag, version_id) = (output.etag, output.version_id);
        let made = Made { etag, version_id, callback, ..self.parts.made() };
        match (self.parts.crc64(), output.crc64) {
            (Some(ours), Some(theirs)) if ours != theirs => self.corrupt(ours, theirs, false),
            _ => self.made(made, output.crc64, false),
        }
    }

    /// Finishing → Draining. The call has looked at the object already, if an answer was lost.
    fn unfinished(&mut self, error: Error) {
        let is_damaged = matches!(error.kind(), ErrorKind::Corrupt(CorruptBody::Crc64 { .. }));
        // A damaged object is one, and the upload is spent.
        self.is_gone |= is_damaged;
        self.is_spent |= error.code() == Some(BAD_PART);
        self.may_be_made |= !is_damaged && error.outcome() == Outcome::Unknown;
        self.fail(error);
    }

    /// CRC-64 that the object must have, when anybody knows.
    fn due(&self) -> Option<u64> {
        self.expected.or_else(|| self.parts.crc64())
    }

    /// → Over, with an object of which OSS states this CRC-64.
    fn made(&mut self, made: Made, theirs: Option<u64>, is_whole: bool) {
        let due = if is_whole { self.expected.or(theirs) } else { self.due() };
        match (due, theirs) {
            (Some(ours), Some(theirs)) if ours != theirs => self.corrupt(ours, theirs, is_whole),
            _ => {
                let is_checked = due.is_some() && theirs.is_some();
                let (may_be_orphan, older) = (self.may_be_orphan, self.older.take());
                let made = Made { crc64: theirs.or(due), is_checked, may_be_orphan, older, ..made };
                self.is_gone = true;
                self.revision = self.revision.saturating_add(1);
                self.stage = Stage::Over(Some(Box::new(Ok(made))));
            }
        }
    }

    /// The object was made, and is not what it should be.
    fn corrupt(&mut self, ours: u64, theirs: u64, is_whole: bool) {
        let kind = ErrorKind::Corrupt(CorruptBody::Crc64 { ours, theirs });
        self.is_gone = true;
        self.may_be_made = false;
        self.fail(Error::new(kind, self.recipe.operation(is_whole), Outcome::Unknown));
    }

    /// Aborting → Over.
    fn aborted(&mut self, fate: UploadFate) {
        self.fate = fate;
        self.end();
    }

    /// → Over, with the first thing that went wrong.
    fn end(&mut self) {
        let kind = self.failure.take().unwrap_or(TransferErrorKind::Cancelled);
        self.revision = self.revision.saturating_add(1);
        let fate = if self.may_be_made { UploadFate::MayBeComplete } else { self.fate };
        let is_left = self.may_be_made || !self.is_gone;
        let upload_id = self.upload_id.clone().filter(|_| is_left);
        // One that was still to be given up was not.
        let older = self.older.take().or_else(|| self.stale.take());
        // An orphan of its beginning is left also when the upload itself is gone.
        let is_told = upload_id.is_some() || self.may_be_orphan;
        let left = (is_told || older.is_some()).then(|| {
            let (parts, may_be_orphan) = (self.parts.completed(), self.may_be_orphan);
            Box::new(LeftUpload { upload_id, parts, fate, may_be_orphan, older })
        });
        self.stage = Stage::Over(Some(Box::new(Err(TransferError { kind, left }))));
    }

    /// → Draining. What went wrong first is what is told.
    pub(super) fn fail(&mut self, error: impl Into<TransferError>) {
        let kind = error.into().kind;
        let is_gone = matches!(&kind, TransferErrorKind::Call(error) if error.code() == Some(NO_UPLOAD));
        self.is_gone |= is_gone;
        self.failure.get_or_insert(kind);
        if !matches!(self.stage, Stage::Over(_) | Stage::Aborting) {
            self.stage = Stage::Draining;
        }
    }

    /// → Over at once: such a driver brings nothing else to an end.
    fn misuse(&mut self, what: &'static str) {
        if !matches!(self.stage, Stage::Over(_)) {
            let error = self.recipe.misuse(what, self.stage_name());
            self.failure = Some(TransferErrorKind::Call(error));
            self.end();
        }
    }

    pub(super) fn cancel(&mut self) {
        if !matches!(self.stage, Stage::Over(_)) {
            self.fail(TransferError::new(TransferErrorKind::Cancelled));
        }
    }

    pub(super) fn abandon(&mut self, ticket: Ticket) {
        let Landing::Of(job) = self.flight.land(ticket) else { return };
        match &job {
            Job::GiveUp(id) => self.older = Some(id.clone()),
            Job::Begin => self.may_be_orphan = true,
            Job::Finish => self.may_be_made = true,
            Job::Abort => return self.aborted(UploadFate::MayRemain),
            _ => {}
        }
        self.cancel();
        self.lose(&job);
    }

    /// Nobody knows whether this took effect, or will.
    fn lose(&mut self, job: &Job) {
        match *job {
            Job::Part(..) => self.may_arrive = true,
            Job::Whole(bytes) if matches!(self.failure, Some(TransferErrorKind::Cancelled)) => {
                self.failure = Some(TransferErrorKind::CancelledWrite { bytes });
            }
            _ => {}
        }
    }

    pub(super) fn note(&mut self, ticket: Ticket, bytes: u64) {
        self.flight.note(ticket, bytes);
    }
}

const NO_UPLOAD: &str = "NoSuchUpload";
const BAD_PART: &str = "InvalidPart";
/// Pages of parts; 10,000 parts are 10 of them.
const PAGES_MAX: u32 = 100;
