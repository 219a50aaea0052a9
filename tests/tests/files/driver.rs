//! A driver of one download over a simulated disk and a simulated network.

use oss_crc::checksum;
use oss_proto::transfer::{
    Completion, DiskDone, DiskWork, FileError, FileStep, Received, Save, SaveStep, Saved, Ticket,
    TransferError, TransferOptions, Work,
};
use oss_proto::{
    Action, Call, Credentials, Endpoint, Error, ErrorKind, Event, Exchange, FailureKind, GetObject, Head,
    Now, Operation, Outcome, Region, Reply, ReplyHead, Sent, Service, TransportError, UnixTime,
};
use oss_sim::sim_fs::{Fault, Handle, SimFs};

pub(crate) const TARGET: &str = "target";
pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const OLD: &[u8] = b"the old file";

/// One object, as OSS has it.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: &'static str,
    pub(crate) has_crc: bool,
}

impl Object {
    pub(crate) fn new(len: usize) -> Self {
        let bytes = (0..len).map(|at| (at * 7 + at / 251 + 1) as u8).collect();
        Self { bytes, etag: "\"one\"", has_crc: true }
    }

    pub(crate) fn other(len: usize) -> Self {
        let bytes = (0..len).map(|at| (at * 13 + 5) as u8).collect();
        Self { bytes, etag: "\"two\"", has_crc: true }
    }

    pub(crate) fn head(&self) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        headers.insert("etag", self.etag.parse().unwrap());
        headers.insert("content-length", self.bytes.len().into());
        if self.has_crc {
            headers.insert("x-oss-hash-crc64ecma", checksum(&self.bytes).into());
        }
        headers
    }
}

pub(crate) fn service() -> Service {
    let endpoint = Endpoint::parse("https://oss-cn-hangzhou.aliyuncs.com").unwrap();
    let service = Service::new(endpoint).with_region(Region::parse("cn-hangzhou").unwrap());
    service.with_bucket("examplebucket".parse().unwrap()).with(|settings| settings.retry.max_attempts = 1)
}

/// One call with this answer.
pub(crate) fn call<O: Operation>(
    operation: &O,
    status: u16,
    headers: http::HeaderMap,
    body: &str,
) -> Result<Reply<O::Output>, Error> {
    let mut exchange = Exchange::<O>::new(operation, &service(), Call::seeded(1));
    let now = Now { mono: core::time::Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut left = Some(bytes::Bytes::from(body.to_owned()));
    loop {
        let event = match exchange.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("id", "secret").unwrap()),
            Action::Retry(_) => Event::Retry(None),
            Action::Send(_) => Event::Head(Head::new(ReplyHead::new(status, headers.clone()), Sent::new())),
            Action::Read { .. } => match left.take().filter(|body| !body.is_empty()) {
                Some(body) => Event::Body(body),
                None => Event::End,
            },
            Action::Wait { .. } => continue,
            Action::Done(result) => return result,
        };
        exchange.handle(event, now);
    }
}

fn reset() -> Error {
    let kind = ErrorKind::Transport(TransportError::new(FailureKind::Reset, "the connection is gone"));
    Error::new(kind, "GetObject", Outcome::Unknown)
}

/// How a download is made in this world.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) part_size: u64,
    pub(crate) lanes: u32,
    pub(crate) chunk: usize,
    pub(crate) has_checkpoint: bool,
    /// One in so many answers breaks off.
    pub(crate) breaks: u64,
    pub(crate) seed: u64,
}

impl Manner {
    pub(crate) fn new(part_size: u64, lanes: u32, chunk: usize) -> Self {
        Self { part_size, lanes, chunk, has_checkpoint: true, breaks: 0, seed: 7 }
    }
}

pub(crate) enum End {
    Done(Box<Result<Saved, TransferError>>),
    Crash,
}

impl End {
    pub(crate) fn done(self) -> Result<Saved, TransferError> {
        match self {
            Self::Done(result) => *result,
            Self::Crash => panic!("the power went"),
        }
    }
}

/// A driver: one download over one disk and one network.
pub(crate) struct Driver<'a> {
    pub(crate) save: Save,
    fs: &'a mut SimFs,
    object: Object,
    /// From the so-many-th answer on, OSS has this one.
    pub(crate) then: Option<(u32, Object)>,
    answers: u32,
    pub(crate) manner: Manner,
    pub(crate) chance: u64,
    part: Option<(String, Handle)>,
    pub(crate) flying: Vec<Flying>,
    pub(crate) disk: Option<DiskWork>,
    /// It is cancelled once so many parts are there.
    pub(crate) cancel_at: Option<u64>,
    failed: Option<FileStep>,
    /// Once everything is written, somebody cuts the partial file to so many bytes.
    pub(crate) cut_to: Option<usize>,
}

pub(crate) struct Flying {
    pub(crate) ticket: Ticket,
    pub(crate) work: Work,
    pub(crate) done: usize,
    pub(crate) ends_at: Option<usize>,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(fs: &'a mut SimFs, object: &Object, manner: Manner) -> Self {
        let options = TransferOptions::new().part_size(manner.part_size).lanes(manner.lanes);
        let mut save = Save::new(GetObject::to("key"), &options, manner.seed);
        if manner.has_checkpoint {
            save = save.with_checkpoints(&service());
        }
        Self {
            save,
            fs,
            object: object.clone(),
            then: None,
            answers: 0,
            manner,
            chance: manner.seed,
            part: None,
            flying: Vec::new(),
            disk: None,
            cancel_at: None,
            failed: None,
            cut_to: None,
        }
    }

    pub(crate) fn run(self) -> End {
        self.run_noting().0
    }

    /// The same, with the step on the disk that failed.
    pub(crate) fn run_noting(mut self) -> (End, Option<FileStep>) {
        loop {
            if self.cancel_at.is_some_and(|parts| self.save.progress().parts >= parts) {
                self.cancel_at = None;
                self.save.cancel();
                for flying in core::mem::take(&mut self.flying) {
                    self.save.abandon(flying.ticket);
                }
            }
            match self.save.poll() {
                SaveStep::Run(ticket, work) => {
                    let ends_at = self.break_at(&work);
                    self.flying.push(Flying { ticket, work, done: 0, ends_at });
                }
                SaveStep::Disk(work) => {
                    assert!(self.disk.is_none(), "one step on the disk at a time");
                    self.disk = Some(work);
                }
                SaveStep::Busy => {
                    if let Err(Fault::Crash) = self.advance() {
                        return (End::Crash, self.failed);
                    }
                }
                SaveStep::Done(result) => {
                    assert!(self.flying.is_empty() && self.disk.is_none());
                    return (End::Done(Box::new(result)), self.failed);
                }
            }
        }
    }

    fn break_at(&mut self, work: &Work) -> Option<usize> {
        let Work::Get(range, _) = work else { return None };
        let len = usize::try_from(range.end - range.start).unwrap();
        let breaks = self.manner.breaks > 0 && self.chance().is_multiple_of(self.manner.breaks);
        breaks.then(|| usize::try_from(self.chance()).unwrap_or(0) % (len + 1))
    }

    /// Lets one of the things under way go on by a step.
    pub(crate) fn advance(&mut self) -> Result<(), Fault> {
        let choices = self.flying.len() + usize::from(self.disk.is_some());
        assert!(choices > 0, "nothing is under way, and nothing comes next: {:?}", self.save);
        let at = usize::try_from(self.chance() % choices as u64).unwrap();
        if at == self.flying.len() {
            let work = self.disk.take().unwrap();
            let step = work.step();
            let done = self.on_disk(&work);
            if let Err(Fault::Crash) = done {
                return Err(Fault::Crash);
            }
            if done.is_err() {
                self.failed = Some(step);
            }
            self.save.disk_done(done.map_err(|fault| FileError::new(step, format!("{fault:?}"))));
            return Ok(());
        }
        let mut flying = self.flying.swap_remove(at);
        match flying.work.clone() {
            Work::Head(head) => {
                let reply = call(&head, 200, self.now().head(), "").unwrap();
                self.save.complete(flying.ticket, Ok(Completion::from(reply)));
            }
            Work::Verify(range) => {
                let (from, len) = (range.start as usize, (range.end - range.start) as usize);
                let handle = self.part.as_ref().unwrap().1;
                let completion = match self.fs.read_at(handle, from, len) {
                    Err(Fault::Crash) => return Err(Fault::Crash),
                    Ok(bytes) if bytes.len() == len => Completion::verified(checksum(&bytes)),
                    _ => Completion::unreadable(),
                };
                self.save.complete(flying.ticket, Ok(completion));
            }
            Work::Get(range, get) => {
                if flying.done == 0 && self.is_refused(flying.ticket, &get) {
                    return Ok(());
                }
                let from = range.start as usize + flying.done;
                let end = flying.ends_at.map_or(range.end as usize, |at| range.start as usize + at);
                let upto = (from + self.manner.chunk).min(end);
                if from < upto {
                    let bytes = self.now().bytes[from..upto].to_vec();
                    match self.fs.write_at(self.part.as_ref().unwrap().1, from, &bytes) {
                        Ok(()) => flying.done += bytes.len(),
                        Err(Fault::Crash) => return Err(Fault::Crash),
                        Err(fault) => {
                            let error = FileError::new(FileStep::Write, format!("{fault:?}"));
                            self.save.file_failed(flying.ticket, error);
                            return Ok(());
                        }
                    }
                }
                if upto < end {
                    self.flying.push(flying);
                    return Ok(());
                }
                self.received(&flying, range.start as usize, end);
            }
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    /// The object as OSS has it by now.
    fn now(&self) -> &Object {
        match &self.then {
            Some((from, other)) if self.answers > *from => other,
            _ => &self.object,
        }
    }

    /// The condition of a request is judged when the request comes.
    fn is_refused(&mut self, ticket: Ticket, get: &GetObject) -> bool {
        self.answers += 1;
        let asked = get.if_match.as_ref().unwrap().as_str().to_owned();
        if asked == self.now().etag {
            return false;
        }
        let body = "<Error><Code>PreconditionFailed</Code></Error>";
        let error = call(&oss_proto::HeadObject::to("key"), 412, http::HeaderMap::new(), body).unwrap_err();
        self.save.complete(ticket, Err(error));
        true
    }

    fn received(&mut self, flying: &Flying, start: usize, end: usize) {
        let object = self.now();
        let mut headers = object.head();
        let total = object.bytes.len();
        headers.insert(
            "content-range",
            format!("bytes {start}-{}/{total}", end.max(start + 1) - 1).parse().unwrap(),
        );
        headers.insert("content-length", (end - start).into());
        let output = GetObject::read(&ReplyHead::new(206, headers), &bytes::Bytes::new()).unwrap();
        let crc = checksum(&object.bytes[start..end]);
        let received = Received::new(&output, (end - start) as u64, Some(crc));
        let received = if flying.ends_at.is_some() { received.broken(reset()) } else { received };
        self.save.complete(flying.ticket, Ok(received.into()));
    }

    fn on_disk(&mut self, work: &DiskWork) -> Result<DiskDone, Fault> {
        let fs = &mut *self.fs;
        let part = |part: &Option<(String, Handle)>| part.clone().unwrap();
        match work {
            DiskWork::Lock => match fs.lock(CHECKPOINT) {
                Err(Fault::Taken) => return Ok(DiskDone::Taken),
                done => done?,
            },
            DiskWork::ReadCheckpoint => {
                let bytes = match fs.open(CHECKPOINT) {
                    Err(Fault::Missing) => None,
                    file => Some(fs.read_at(file?, 0, 5 << 20)?),
                };
                return Ok(DiskDone::Checkpoint(bytes));
            }
            DiskWork::OpenPart { name } => match fs.open(name) {
                Err(Fault::Missing) => return Ok(DiskDone::Missing),
                file => self.part = Some((name.clone(), file?)),
            },
            DiskWork::CreatePart { name } => match fs.create(name) {
                Err(Fault::Taken) => return Ok(DiskDone::Taken),
                file => self.part = Some((name.clone(), file?)),
            },
            DiskWork::WriteCheckpoint { text } => {
                let temporary = format!("{CHECKPOINT}-{}", fs.steps());
                let file = fs.create(&temporary)?;
                fs.write_at(file, 0, text.as_bytes())?;
                fs.sync(file)?;
                fs.rename(&temporary, CHECKPOINT)?;
                fs.sync_directory()?;
            }
            DiskWork::Measure => {
                let (name, file) = part(&self.part);
                if let Some(len) = self.cut_to.take() {
                    fs.damage(&name, |content| content.truncate(len));
                }
                return fs.len(file).map(DiskDone::Length);
            }
            DiskWork::Truncate { len } => fs.truncate(part(&self.part).1, *len as usize)?,
            DiskWork::Sync => fs.sync(part(&self.part).1)?,
            DiskWork::Rename => fs.rename(&part(&self.part).0, TARGET)?,
            DiskWork::SyncDirectory => fs.sync_directory()?,
            DiskWork::RemovePart => fs.remove(&part(&self.part).0)?,
            DiskWork::RemoveCheckpoint => fs.remove(CHECKPOINT)?,
            DiskWork::Unlock => fs.unlock(CHECKPOINT)?,
        }
        Ok(DiskDone::Done)
    }

    /// SplitMix64.
    fn chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 7
    }
}
