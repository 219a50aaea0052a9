//! A download of one object, or of a range of it, in parts.
//!
//! ```text
//!  Start ─▶ Heading ─▶ Verifying ─▶ Moving ─▶ Over
//!              │           │          │        ▲
//!              └───────────┴──────────┴▶ Draining
//! ```
//!
//! Every arrow is an assignment in this file, and nowhere else.

mod object;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use core::ops::Range;

use self::object::{Checkpoints, Object, Pin};
use super::checkpoint::{Identity, Kind};
use super::error::{misuse, once};
use super::flight::{Flight, Landing};
use super::{
    Came, Checkpoint, CheckpointError, Completion, Fresh, Plan, Progress, Received, Step, Ticket, Transfer,
    TransferError, TransferErrorKind, TransferOptions, Work,
};
use crate::{
    ByteRange, Change, CorruptBody, Error, ErrorKind, GetObject, HeadObject, HeadObjectOutput, Integrity,
    InvalidRequest, InvalidValue, ObjectChanged, Outcome, ReadError, Service, Text as _,
};

/// Downloads one object, or a range of it, in parts, several at a time.
///
/// The [`GetObject`] says what to read: key, range, version, conditions. A `HeadObject` comes first and says
/// what the object is: its size, its entity tag, its CRC-64. Every part is then asked for with `if-match`, so
/// that all come from that one object. A part whose body broke after some bytes is gone on with at the next
/// byte, eight times at most, beside what its call did itself.
///
/// Success means: every byte of the range is where it belongs; each part's answer was about the object that
/// the head was about; and for a whole object the parts' CRC-64, combined in order, is the one that OSS
/// states. Each of the three is checked whatever the others say. An object that is replaced or deleted
/// meanwhile is [`ErrorKind::ObjectChanged`]. What arrived before `Done` says so is not the object: keep it
/// apart.
///
/// Without a strong entity tag nothing tells parts of two objects apart, so the whole is one part, pinned by
/// its version when it has one. Without either, a body that broke is not gone on with.
///
/// On this side the range begins at [`range`](Self::range)'s start: a driver puts byte `n` of the object at
/// `n - range.start` of its file.
pub struct Download {
    get: GetObject,
    options: TransferOptions,
    flight: Flight<Job>,
    stage: Stage,
    object: Option<Object>,
    /// What is there: the CRC-64 of each part, when the driver tells it.
    parts: BTreeMap<u32, Option<u64>>,
    /// Beginnings of parts whose body broke.
    begun: BTreeMap<u32, Beginning>,
    again: VecDeque<u32>,
    /// What an earlier transfer says it had, to be verified.
    claimed: BTreeMap<u32, u64>,
    failure: Option<TransferErrorKind>,
    /// What is there is of no use to another transfer: it is done, or spoilt.
    is_final: bool,
    checkpoints: Option<Checkpoints>,
    revision: u64,
}

#[derive(Clone, Copy, Default)]
struct Beginning {
    bytes: u64,
    crc64: Option<u64>,
    rests: u32,
}

enum Job {
    Head,
    Verify(u32, u64),
    Get(u32),
}

enum Stage {
    Start,
    Heading,
    Verifying,
    /// The number of the next part.
    Moving(u32),
    Draining,
    Over(Option<Box<Result<DownloadOutput, TransferError>>>),
}

/// An object, or a range of one, that was downloaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadOutput {
    /// What the object is.
    pub head: HeadObjectOutput,
    /// Which bytes of it were read.
    pub range: Range<u64>,
    /// CRC-64 of those bytes, when the driver told that of every part.
    pub crc64: Option<u64>,
    /// How they were checked as a whole.
    pub integrity: Integrity,
}

impl DownloadOutput {
    /// How many bytes were read: those of the range, or of the whole object.
    pub fn bytes(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl Download {
    /// A download that has not begun. One that cannot be asked for gives the error at the first poll: bodies
    /// that OSS makes on demand (`process`, another `accept_encoding` than `identity`) have no parts.
    pub fn new(get: GetObject, options: &TransferOptions) -> Self {
        let mut download = Self {
            get,
            options: *options,
            flight: Flight::new(options.lanes),
            stage: Stage::Start,
            object: None,
            parts: BTreeMap::new(),
            begun: BTreeMap::new(),
            again: VecDeque::new(),
            claimed: BTreeMap::new(),
            failure: None,
            is_final: false,
            checkpoints: None,
            revision: 0,
        };
        if let Err(error) = download.check() {
            download.stage = Stage::Over(Some(Box::new(Err(error))));
        }
        download
    }

    /// The same download with checkpoints: it can be gone on with when it breaks off, and goes on from the
    /// one that was found, when that is about this very download of this very object.
    ///
    /// `local` names the partial file, in any form; it is compared, and never used. What the checkpoint says
    /// was there counts where [`Work::Verify`] shows that the file has it.
    #[must_use]
    pub fn with_checkpoints(
        mut self,
        service: &Service,
        local: impl Into<String>,
        found: Option<Result<Checkpoint, CheckpointError>>,
    ) -> Self {
        let call = Identity::new(Kind::Download, service, &self.get.bucket, &self.get.key, local.into());
        let Some(mut call) = call else { return self };
        call.version_id.clone_from(&self.get.version_id);
        call.range = self.get.range.and_then(|range| Some(range.text().ok()?.into_owned()));
        let (found, fresh) = match found {
            None => (None, None),
            Some(Ok(found)) => (Some(found), None),
            Some(Err(error)) => (None, Some(Fresh::Unreadable(error))),
        };
        self.checkpoints = Some(Checkpoints { call, found, fresh });
        self
    }

    /// Why the checkpoint that was found is not gone on with, when it is not; known once the head is.
    pub fn fresh(&self) -> Option<&Fresh> {
        self.checkpoints.as_ref()?.fresh.as_ref()
    }

    /// What the object is, once its head has come.
    pub fn head(&self) -> Option<&HeadObjectOutput> {
        self.object.as_ref().map(|object| &object.head)
    }

    /// Which bytes of the object are read, once its head has come.
    pub fn range(&self) -> Option<Range<u64>> {
        self.object.as_ref().map(|object| object.range.clone())
    }

    /// The parts, once the head has come; they count from the start of the range.
    pub fn plan(&self) -> Option<Plan> {
        self.object.as_ref().map(|object| object.plan)
    }

    fn check(&self) -> Result<(), TransferError> {
        self.options.check()?;
        let refused = |field, problem| {
            Err(Error::from(InvalidRequest::new("GetObject", field, InvalidValue::new(problem))).into())
        };
        if self.get.process.is_some() {
            return refused("process", "makes a body that has no parts; read it with `GetObject` alone");
        }
        if self.get.accept_encoding.as_deref().is_some_and(|encoding| encoding != "identity") {
            return refused("accept_encoding", "an encoded body has no parts; leave it out");
        }
        Ok(())
    }

    /// Heading → Verifying.
    fn open(&mut self, head: HeadObjectOutput) -> Result<(), Error> {
        let unread = |error| Error::new(ErrorKind::Reply(error), "HeadObject", Outcome::Rejected);
        let size = head.content_length.ok_or_else(|| unread(ReadError::missing("content-length")))?;
        let range = match self.get.range {
            None => 0..size,
            Some(range) => range.select(size).ok_or_else(|| {
                let problem =
                    format!("holds none of the {size} bytes of the object; ask for some that it has");
                Error::from(InvalidRequest::new("GetObject", "range", InvalidValue::new(problem)))
            })?,
        };
        let pin = match (&head.etag, &head.version_id) {
            (Some(etag), _) if etag.is_strong() => Pin::ETag(etag.clone()),
            (_, Some(version)) if version != "null" => Pin::Version(version.clone()),
            _ => Pin::Nothing,
        };
        let len = range.end.saturating_sub(range.start);
        let part_size = match pin {
            Pin::ETag(_) => self.options.part_size,
            _ => Some(len),
        };
        let plan = Plan::of_download(len, part_size);
        self.flight.set_total(Some(len), Some(u64::from(plan.parts())));
        let object = Object { head, size, range, plan, pin };
        if let Some(checkpoints) = &mut self.checkpoints {
            self.claimed = checkpoints.compare(&object);
        }
        self.object = Some(object);
        self.revision = self.revision.saturating_add(1);
        self.stage = Stage::Verifying;
        Ok(())
    }

    /// Verifying → Moving, once everything that was claimed was looked at.
    fn verify(&mut self) -> Step<DownloadOutput> {
        if let Some((number, crc64)) = self.claimed.pop_first()
            && let Some(range) = self.place(number)
        {
            return Step::Run(self.flight.start(Job::Verify(number, crc64), 0), Work::Verify(range));
        }
        if !self.flight.is_empty() {
            return Step::Busy;
        }
        self.stage = Stage::Moving(1);
        self.poll()
    }

    /// The next part, or what is missing of one; Moving → Over when all are there.
    fn ask(&mut self, next: u32) -> Step<DownloadOutput> {
        let parts = self.object.as_ref().map_or(0, |object| object.plan.parts());
        let number = self.again.pop_front().or_else(|| {
            let missing = (next..=parts).find(|number| !self.parts.contains_key(number));
            self.stage = Stage::Moving(missing.map_or(next, |number| number.saturating_add(1)));
            missing
        });
        let Some((number, range)) = number.and_then(|number| Some((number, self.place(number)?))) else {
            if !self.flight.is_empty() {
                return Step::Busy;
            }
            self.finish();
            return self.poll();
        };
        let begun = self.begun.get(&number).map_or(0, |begun| begun.bytes);
        let range = range.start.saturating_add(begun)..range.end;
        let get = self.get_of(&range);
        let len = range.end.saturating_sub(range.start);
        Step::Run(self.flight.start(Job::Get(number), len), Work::Get(range, get))
    }

    /// Asks for these bytes of the object, and for no other object's.
    fn get_of(&self, range: &Range<u64>) -> GetObject {
        let mut get = self.get.clone();
        get.range = Some(ByteRange::new(range.clone()));
        // What was demanded of the object was met by its head.
        (get.if_none_match, get.if_modified_since, get.if_unmodified_since) = (None, None, None);
        match self.object.as_ref().map(|object| &object.pin) {
            Some(Pin::ETag(etag)) => get.if_match = Some(etag.clone()),
            Some(Pin::Version(version)) => {
                get.if_match = None;
                get.version_id = Some(version.clone());
            }
            _ => {}
        }
        get
    }

    /// Where the part lies in the object.
    fn place(&self, number: u32) -> Option<Range<u64>> {
        let object = self.object.as_ref()?;
        let part = object.plan.part(number)?;
        let start = object.range.start;
        Some(start.saturating_add(part.start)..start.saturating_add(part.end))
    }

    /// What came of a part.
    fn receive(&mut self, number: u32, mut received: Received) {
        let (Some(object), Some(place)) = (&self.object, self.place(number)) else { return };
        if let Some(change) = object.difference(&received) {
            return self.changed(change, received.error);
        }
        // The rest may be asked for where it cannot be that of another object.
        let is_pinned = !matches!(object.pin, Pin::Nothing);
        let begun = self.begun.get(&number).copied().unwrap_or_default();
        let due = place.end.saturating_sub(place.start).saturating_sub(begun.bytes);
        let is_over = received.bytes > due || (received.bytes < due && received.error.is_none());
        if is_over {
            let length = CorruptBody::Length { expected: due, actual: received.bytes };
            self.is_final = true;
            return self.fail(Error::new(ErrorKind::Corrupt(length), "GetObject", Outcome::Rejected));
        }
        let crc64 = match (begun.crc64, received.crc64) {
            (Some(first), Some(second)) => Some(oss_crc::combine(first, second, received.bytes)),
            (None, crc64) if begun.bytes == 0 => crc64,
            _ => None,
        };
        match received.error.take() {
            None => {
                self.begun.remove(&number);
                self.parts.insert(number, crc64);
                self.flight.count(received.bytes, 1);
                self.revision = self.revision.saturating_add(1);
            }
            Some(error) if received.bytes == 0 || received.bytes == due => self.refused(error),
            Some(error) if !is_pinned || !error.is_retryable() || begun.rests >= RESTS_MAX => {
                self.refused(error);
            }
            Some(_) => {
                self.flight.count(received.bytes, 0);
                let bytes = begun.bytes.saturating_add(received.bytes);
                let rests = begun.rests.saturating_add(1);
                self.begun.insert(number, Beginning { bytes, crc64, rests });
                self.again.push_back(number);
            }
        }
    }

    /// What the refusal of a part says about the object.
    fn refused(&mut self, error: Error) {
        match error.status() {
            _ if self.object.is_none() => self.fail(error),
            Some(404) => self.changed(Change::Deleted, Some(error)),
            Some(412 | 416) => self.changed(Change::Replaced, Some(error)),
            _ => {
                self.is_final |= error.is_object_changed();
                self.fail(error);
            }
        }
    }

    fn changed(&mut self, change: Change, error: Option<Error>) {
        self.is_final = true;
        let kind =
            ErrorKind::ObjectChanged(ObjectChanged { delivered: self.flight.progress().bytes, change });
        let error = error.unwrap_or_else(|| Error::new(kind.clone(), "GetObject", Outcome::Rejected));
        self.fail(error.with_kind(kind));
    }

    /// Moving → Over: length and checksum are two checks, each made whatever the other says.
    fn finish(&mut self) {
        let Some(object) = &self.object else { return };
        let mut crc = Some(0);
        let mut actual = 0_u64;
        for (number, part) in &self.parts {
            let part_len = object.plan.part(*number).map_or(0, |range| range.end.saturating_sub(range.start));
            crc = crc.zip(*part).map(|(crc, part)| oss_crc::combine(crc, part, part_len));
            actual = actual.saturating_add(part_len);
        }
        let expected = object.plan.len();
        let theirs = object.head.crc64.filter(|_| object.is_checked());
        let wrong = match (crc, theirs) {
            _ if actual != expected => Some(CorruptBody::Length { expected, actual }),
            (Some(ours), Some(theirs)) if ours != theirs => Some(CorruptBody::Crc64 { ours, theirs }),
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.is_final = true;
            return self.fail(Error::new(ErrorKind::Corrupt(wrong), "GetObject", Outcome::Rejected));
        }
        let integrity = match (crc, theirs) {
            (Some(ours), Some(_)) => Integrity::Crc64(ours),
            _ => Integrity::Length,
        };
        let (head, range) = (object.head.clone(), object.range.clone());
        self.revision = self.revision.saturating_add(1);
        self.is_final = true;
        let output = DownloadOutput { head, range, crc64: crc, integrity };
        self.stage = Stage::Over(Some(Box::new(Ok(output))));
    }

    /// → Draining. What went wrong first is what is told.
    fn fail(&mut self, error: impl Into<TransferError>) {
        self.failure.get_or_insert_with(|| error.into().kind);
        self.revision = self.revision.saturating_add(1);
        if !matches!(self.stage, Stage::Over(_)) {
            self.stage = Stage::Draining;
        }
    }

    /// → Over at once: such a driver brings nothing else to an end.
    fn misuse(&mut self, what: &'static str) {
        let error = misuse("GetObject", what, self.stage_name());
        if !matches!(self.stage, Stage::Over(_)) {
            self.is_final = true;
            self.stage = Stage::Over(Some(Box::new(Err(error.into()))));
        }
    }

    fn stage_name(&self) -> &'static str {
        match self.stage {
            Stage::Start => "Start",
            Stage::Heading => "Heading",
            Stage::Verifying => "Verifying",
            Stage::Moving(_) => "Moving",
            Stage::Draining => "Draining",
            Stage::Over(_) => "Over",
        }
    }
}

impl Transfer for Download {
    type Output = DownloadOutput;

    fn poll(&mut self) -> Step<DownloadOutput> {
        match &mut self.stage {
            Stage::Over(result) => Step::Done(once(result, "GetObject")),
            _ if !self.flight.has_room() => Step::Busy,
            Stage::Start => {
                let mut head = HeadObject::new(self.get.bucket.clone(), self.get.key.clone());
                head.if_match.clone_from(&self.get.if_match);
                head.if_none_match.clone_from(&self.get.if_none_match);
                head.if_modified_since = self.get.if_modified_since;
                head.if_unmodified_since = self.get.if_unmodified_since;
                head.version_id.clone_from(&self.get.version_id);
                head.request_payer.clone_from(&self.get.request_payer);
                self.stage = Stage::Heading;
                Step::Run(self.flight.start(Job::Head, 0), Work::Head(head))
            }
            Stage::Verifying => self.verify(),
            Stage::Moving(next) => {
                let next = *next;
                self.ask(next)
            }
            Stage::Draining if self.flight.is_empty() => {
                let kind = self.failure.take().unwrap_or(TransferErrorKind::Cancelled);
                self.stage = Stage::Over(None);
                Step::Done(Err(TransferError::new(kind)))
            }
            Stage::Heading | Stage::Draining => Step::Busy,
        }
    }

    fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        let job = match self.flight.land(ticket) {
            Landing::Of(job) => job,
            Landing::Again => return,
            Landing::Unknown => return self.misuse("completed work that was never handed out"),
        };
        match (job, result.map(|completion| completion.0)) {
            (Job::Head, Ok(Came::Head(head))) if matches!(self.stage, Stage::Heading) => {
                if let Err(error) = self.open(*head) {
                    self.fail(error);
                }
            }
            (Job::Head, Ok(Came::Head(_))) => {}
            (Job::Verify(number, claimed), Ok(Came::Verified(crc64))) => {
                if crc64 == Some(claimed)
                    && let Some(place) = self.place(number)
                {
                    self.flight.keep(place.end.saturating_sub(place.start), 1);
                    self.parts.insert(number, crc64);
                    self.revision = self.revision.saturating_add(1);
                }
            }
            (Job::Get(number), Ok(Came::Received(received))) => self.receive(number, received),
            (_, Err(error)) => self.refused(error),
            (_, Ok(_)) => self.misuse("completed work with the answer of another"),
        }
    }

    fn abandon(&mut self, ticket: Ticket) {
        if let Landing::Of(_) = self.flight.land(ticket) {
            self.cancel();
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

    /// The parts that are there whole, as long as they are of use: what nothing would tell to be right at the
    /// end, as a range, is never gone on with.
    fn checkpoint(&self) -> Option<Checkpoint> {
        let (object, checkpoints) = (self.object.as_ref()?, self.checkpoints.as_ref()?);
        if self.is_final || !object.is_checked() || !matches!(object.pin, Pin::ETag(_)) {
            return None;
        }
        let mut call = checkpoints.call.clone();
        call.part_size = object.plan.part_size();
        let parts = self.parts.iter().filter_map(|(number, crc64)| Some((*number, (*crc64)?)));
        // What was claimed and not yet looked at is as good a hint as it was.
        let claimed = self.claimed.iter().map(|(number, crc64)| (*number, *crc64));
        Some(Checkpoint {
            call,
            size: object.size,
            etag: object.head.etag.as_ref().map(ToString::to_string),
            crc64: object.head.crc64,
            upload_id: None,
            parts: claimed.chain(parts).collect(),
        })
    }

    fn checkpoint_revision(&self) -> u64 {
        self.revision
    }
}

impl core::fmt::Debug for Download {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Download({})", self.stage_name())
    }
}

/// How often one part is gone on with, at most, beside what its calls do themselves.
const RESTS_MAX: u32 = 8;
