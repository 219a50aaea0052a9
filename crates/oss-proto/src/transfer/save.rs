//! A download into a file, with every step on the disk.
//!
//! ```text
//!  Lock ─▶ Read ─▶ Open ─┬────▶ Move ─▶ Measure ─▶ (Truncate) ─▶ Sync ─▶ Rename ─▶ SyncDirectory ─┐
//!                   │    │        │        │                       │        │                     │
//!                   └▶ Create     ▼        ▼                       ▼        ▼                     ▼
//!                                Keep or RemovePart ─▶ RemoveCheckpoint ◀─────────────────────────┘
//!                                   └────────────────────────┴─▶ Unlock ─▶ Finish ─▶ Over
//! ```
//!
//! Without checkpoints it begins with Create, and there is no lock and no checkpoint to remove. Every arrow
//! is an assignment in this file.

use alloc::format;
use alloc::string::{String, ToString};

use super::disk::{DiskDone, DiskWork, FileError, FileStep};
use super::error::{TransferError, TransferErrorKind, misuse};
use super::{
    Checkpoint, CheckpointError, Completion, Download, DownloadOutput, Fresh, Progress, Step, Ticket,
    Transfer, TransferOptions, Work,
};
use crate::{Error, GetObject, Service};

/// Downloads one object into a file that gets its name only when it is whole, verified and on the disk.
///
/// It is a [`Download`] that asks for the steps on the disk as well, in the one order that is safe: bytes
/// into a partial file of a random name; length, entity tag and CRC-64, each on its own; the length of the
/// file; `fsync`; rename; `fsync` of the directory. A crash between any two of them leaves the target as it
/// was, or as it is to be. The first thing that goes wrong is what is reported, once.
///
/// With checkpoints, what was downloaded is kept when it breaks off, and the next one goes on: it takes the
/// lock, reads the checkpoint, opens the partial file that it names, and asks for what it has to be read
/// again and compared ([`Work::Verify`]).
///
/// The contract is that of [`Transfer`](super::Transfer), and beside it one step on the disk at a time:
/// answer [`SaveStep::Disk`] with [`disk_done`](Self::disk_done), while the work that was handed out goes on.
#[derive(Debug)]
pub struct Save {
    get: GetObject,
    options: TransferOptions,
    /// With checkpoints: for the identity of the transfer.
    service: Option<Service>,
    keeps_partial: bool,
    seed: u64,
    creations: u32,
    download: Option<Download>,
    found: Option<Result<Checkpoint, CheckpointError>>,
    fresh: Option<Fresh>,
    part: Option<String>,
    /// The partial file is one of an earlier transfer.
    is_resumed: bool,
    is_locked: bool,
    /// A checkpoint may be on the disk.
    has_checkpoint: bool,
    written: u64,
    is_cancelled: bool,
    failure: Option<TransferErrorKind>,
    output: Option<DownloadOutput>,
    stage: Stage,
    /// The step on the disk that was handed out.
    out: Option<Out>,
}

/// What is being done on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    /// The step that the stage asked for.
    Step,
    /// A checkpoint, beside everything else.
    Checkpoint,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Lock,
    Read,
    Open(String),
    Create,
    Move,
    Keep,
    Measure,
    Truncate,
    Sync,
    Rename,
    SyncDirectory,
    RemovePart,
    RemoveCheckpoint,
    Unlock,
    Finish,
    Over,
}

/// What to do next in a [`Save`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
pub enum SaveStep {
    /// Do this, beside what is being done already; report it to [`Save::complete`].
    Run(Ticket, Work),
    /// Do this, beside what is being done already; report it to [`Save::disk_done`].
    Disk(DiskWork),
    /// Nothing, before something that was handed out is reported.
    Busy,
    /// It is over. A poll after this one is a misuse.
    Done(Result<Saved, TransferError>),
}

/// An object that is in its file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Saved {
    /// What was downloaded, and how it was verified.
    pub download: DownloadOutput,
    /// Why a checkpoint that was found was not gone on with.
    pub fresh: Option<Fresh>,
}

impl Save {
    /// A download of what this asks for. `seed` is for the name of the partial file: a new one each time,
    /// that nobody can guess.
    pub fn new(get: GetObject, options: &TransferOptions, seed: u64) -> Self {
        Self {
            get,
            options: *options,
            service: None,
            keeps_partial: true,
            seed,
            creations: 0,
            download: None,
            found: None,
            fresh: None,
            part: None,
            is_resumed: false,
            is_locked: false,
            has_checkpoint: false,
            written: 0,
            is_cancelled: false,
            failure: None,
            output: None,
            stage: Stage::Create,
            out: None,
        }
    }

    /// The same download with checkpoints: it can be gone on with when it breaks off.
    #[must_use]
    pub fn with_checkpoints(mut self, service: &Service) -> Self {
        self.service = Some(service.clone());
        self.stage = Stage::Lock;
        self
    }

    /// Whether what was downloaded is kept when the download fails or is cancelled, if it has checkpoints: it
    /// is, unless this says otherwise.
    pub fn keep_partial(&mut self, keep: bool) {
        self.keeps_partial = keep;
    }

    /// What to do next.
    pub fn poll(&mut self) -> SaveStep {
        loop {
            if self.out.is_some() && self.stage != Stage::Move {
                return SaveStep::Busy;
            }
            match &self.stage {
                Stage::Lock => return self.hand_out(DiskWork::Lock),
                Stage::Read => return self.hand_out(DiskWork::ReadCheckpoint),
                Stage::Open(name) => {
                    let name = name.clone();
                    return self.hand_out(DiskWork::OpenPart { name });
                }
                Stage::Create => {
                    let name = part_name(self.seed.wrapping_add(u64::from(self.creations)));
                    return self.hand_out(DiskWork::CreatePart { name });
                }
                Stage::Move => {
                    if let Some(step) = self.poll_download() {
                        return step;
                    }
                }
                Stage::Keep => match self.new_checkpoint() {
                    Some(text) => return self.hand_out(DiskWork::WriteCheckpoint { text }),
                    None => self.stage = Stage::Unlock,
                },
                Stage::Measure => return self.hand_out(DiskWork::Measure),
                Stage::Truncate => {
                    let len = self.bytes();
                    return self.hand_out(DiskWork::Truncate { len });
                }
                Stage::Sync => return self.hand_out(DiskWork::Sync),
                Stage::Rename => return self.hand_out(DiskWork::Rename),
                Stage::SyncDirectory => return self.hand_out(DiskWork::SyncDirectory),
                Stage::RemovePart if self.part.is_some() => return self.hand_out(DiskWork::RemovePart),
                Stage::RemovePart => self.stage = Stage::RemoveCheckpoint,
                Stage::RemoveCheckpoint if self.has_checkpoint => {
                    return self.hand_out(DiskWork::RemoveCheckpoint);
                }
                Stage::RemoveCheckpoint => self.stage = Stage::Unlock,
                Stage::Unlock if self.is_locked => return self.hand_out(DiskWork::Unlock),
                Stage::Unlock => self.stage = Stage::Finish,
                Stage::Finish => {
                    self.stage = Stage::Over;
                    return SaveStep::Done(self.result());
                }
                Stage::Over => return SaveStep::Done(Err(misuse(OPERATION, "polled again", "Over").into())),
            }
        }
    }

    /// What came of a piece of work, in any order. A second report with the same ticket changes nothing.
    pub fn complete(&mut self, ticket: Ticket, result: Result<Completion, Error>) {
        if let Some(download) = &mut self.download {
            download.complete(ticket, result);
        }
    }

    /// A piece of work was dropped before it ended, by a driver that cancels.
    pub fn abandon(&mut self, ticket: Ticket) {
        if let Some(download) = &mut self.download {
            download.abandon(ticket);
        }
    }

    /// The bytes of a piece of work could not be put where they belong, or be read there: nothing more is
    /// asked for, and this is the error, unless another one came before.
    pub fn file_failed(&mut self, ticket: Ticket, error: FileError) {
        self.fail(TransferErrorKind::File(error));
        self.abandon(ticket);
    }

    /// Ends the download: no new parts, those in flight are waited for.
    pub fn cancel(&mut self) {
        self.is_cancelled = true;
        if let Some(download) = &mut self.download {
            download.cancel();
        }
    }

    /// Reports how many bytes of a piece of work are in place so far, for [`progress`](Self::progress) alone.
    pub fn note(&mut self, ticket: Ticket, bytes: u64) {
        if let Some(download) = &mut self.download {
            download.note(ticket, bytes);
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.download.as_ref().map(Transfer::progress).unwrap_or_default()
    }

    /// What came of the step on the disk that was handed out last.
    pub fn disk_done(&mut self, result: Result<DiskDone, FileError>) {
        match self.out.take() {
            Some(Out::Step) => {}
            Some(Out::Checkpoint) => return self.checkpoint_done(result),
            None => {
                let misuse = misuse(OPERATION, "reported a step on the disk that was not asked for", "Disk");
                return self.fail(TransferErrorKind::Call(misuse));
            }
        }
        match (self.stage.clone(), result) {
            (Stage::Lock, Ok(DiskDone::Done)) => {
                self.is_locked = true;
                self.stage = Stage::Read;
            }
            (Stage::Lock, Ok(DiskDone::Taken)) => self.end(TransferErrorKind::Busy),
            (Stage::Read, result) => self.take_checkpoint(result),
            (Stage::Open(name), Ok(DiskDone::Done)) => {
                self.is_resumed = true;
                self.begin(name);
            }
            // Whatever is wrong with it: there is nothing to go on with.
            (Stage::Open(_), result) => {
                self.found = None;
                let why = result.map_or_else(|error| error.to_string(), |_| String::from("is not there"));
                self.fresh = Some(Fresh::NoPartialFile { why });
                self.stage = Stage::Create;
            }
            (Stage::Create, Ok(DiskDone::Done)) => {
                self.begin(part_name(self.seed.wrapping_add(u64::from(self.creations))));
            }
            (Stage::Create, Ok(DiskDone::Taken)) if self.creations < CREATIONS_MAX => self.creations += 1,
            (Stage::Measure, Ok(DiskDone::Length(len))) => self.measured(len),
            (Stage::Truncate, Ok(DiskDone::Done)) => self.stage = Stage::Sync,
            (Stage::Sync, Ok(DiskDone::Done)) => self.stage = Stage::Rename,
            (Stage::Rename, Ok(DiskDone::Done)) => {
                self.part = None;
                self.stage = Stage::SyncDirectory;
            }
            // The file is in place, whether its name will last or not.
            (Stage::SyncDirectory, result) => {
                if let Err(error) = result {
                    self.fail(TransferErrorKind::File(error));
                }
                self.stage = Stage::RemoveCheckpoint;
            }
            // What is left behind when it cannot be removed does no harm, and is not the cause of anything.
            (Stage::RemovePart, _) => {
                self.part = None;
                self.stage = Stage::RemoveCheckpoint;
            }
            (Stage::RemoveCheckpoint, _) => {
                self.has_checkpoint = false;
                self.stage = Stage::Unlock;
            }
            (Stage::Unlock, _) => {
                self.is_locked = false;
                self.stage = Stage::Finish;
            }
            (_, Err(error)) => self.end(TransferErrorKind::File(error)),
            (_, Ok(_)) => self.end(other_answer()),
        }
    }

    /// Where in the object the file begins: byte `n` of the object is at `n - offset` of the file.
    pub fn offset(&self) -> u64 {
        self.download.as_ref().and_then(Download::range).map_or(0, |range| range.start)
    }

    /// How many bytes the file is to have.
    fn bytes(&self) -> u64 {
        self.output.as_ref().map_or(0, |output| output.range.end.saturating_sub(output.range.start))
    }

    fn hand_out(&mut self, work: DiskWork) -> SaveStep {
        let is_checkpoint = matches!(work, DiskWork::WriteCheckpoint { .. });
        self.out = Some(if is_checkpoint { Out::Checkpoint } else { Out::Step });
        SaveStep::Disk(work)
    }

    /// The next step of the download itself, and of its checkpoints beside it.
    fn poll_download(&mut self) -> Option<SaveStep> {
        let download = self.download.as_mut()?;
        match download.poll() {
            Step::Run(ticket, work) => Some(SaveStep::Run(ticket, work)),
            Step::Busy if self.out.is_some() => Some(SaveStep::Busy),
            Step::Busy => Some(match self.new_checkpoint() {
                Some(text) => self.hand_out(DiskWork::WriteCheckpoint { text }),
                None => SaveStep::Busy,
            }),
            Step::Done(Ok(output)) if self.failure.is_none() => {
                self.output = Some(output);
                self.stage = Stage::Measure;
                None
            }
            Step::Done(Ok(_)) => {
                self.stage = self.after_failure();
                None
            }
            Step::Done(Err(error)) => {
                self.failure.get_or_insert(error.kind);
                self.stage = self.after_failure();
                None
            }
        }
    }

    /// The checkpoint as text, when there is one that is not on the disk yet.
    fn new_checkpoint(&mut self) -> Option<String> {
        self.service.as_ref()?;
        let download = self.download.as_ref()?;
        let revision = download.checkpoint_revision();
        if revision == self.written {
            return None;
        }
        self.written = revision;
        let checkpoint = download.checkpoint()?;
        self.has_checkpoint = true;
        Some(checkpoint.to_text())
    }

    fn take_checkpoint(&mut self, result: Result<DiskDone, FileError>) {
        let found = match result {
            Ok(DiskDone::Checkpoint(None)) => None,
            Ok(DiskDone::Checkpoint(Some(bytes))) => Some(Checkpoint::parse(&bytes)),
            // It will be replaced by the first one of ours.
            Ok(_) => Some(Err(CheckpointError::Version)),
            Err(error) => Some(Err(CheckpointError::File { problem: error.cause().to_string() })),
        };
        self.has_checkpoint = found.is_some();
        self.stage = match &found {
            // Its name is one of ours, in the directory of the target, or it is nothing to us.
            Some(Ok(checkpoint)) if is_part_name(checkpoint.local()) => {
                Stage::Open(checkpoint.local().into())
            }
            _ => Stage::Create,
        };
        self.found = found;
    }

    /// The partial file is there.
    fn begin(&mut self, part: String) {
        let mut download = Download::new(self.get.clone(), &self.options);
        if let Some(service) = &self.service {
            download = download.with_checkpoints(service, part.clone(), self.found.take());
        }
        if self.is_cancelled {
            download.cancel();
        }
        self.part = Some(part);
        self.download = Some(download);
        self.stage = Stage::Move;
    }

    /// Every byte is in place. A file that a longer object had before is cut; one that is shorter lost bytes.
    fn measured(&mut self, len: u64) {
        let bytes = self.bytes();
        match len.cmp(&bytes) {
            core::cmp::Ordering::Equal => self.stage = Stage::Sync,
            core::cmp::Ordering::Greater => self.stage = Stage::Truncate,
            core::cmp::Ordering::Less => {
                let problem = format!("it has {len} bytes instead of {bytes}");
                self.end(TransferErrorKind::File(FileError::new(FileStep::Measure, problem)));
            }
        }
    }

    /// A checkpoint was written, or could not be: then whoever asked for checkpoints is told, unless the
    /// download is over, so that there is nothing to go on with.
    fn checkpoint_done(&mut self, result: Result<DiskDone, FileError>) {
        match result {
            Ok(DiskDone::Done) => return,
            _ if self.output.is_some() => return,
            Ok(_) => self.fail(other_answer()),
            Err(error) => self.fail(TransferErrorKind::File(error)),
        }
        if self.stage == Stage::Keep {
            self.stage = Stage::Unlock;
        }
    }

    /// The first cause is the one that is told; a download under way ends.
    fn fail(&mut self, kind: TransferErrorKind) {
        self.failure.get_or_insert(kind);
        if let Some(download) = &mut self.download {
            download.cancel();
        }
    }

    /// Fails outside of the download.
    fn end(&mut self, kind: TransferErrorKind) {
        let is_renaming = self.stage == Stage::Rename;
        self.fail(kind);
        // The bytes are good and on the disk: only the name is missing.
        let is_kept = is_renaming && self.keeps_partial && self.has_checkpoint;
        self.stage = if is_kept { Stage::Unlock } else { Stage::RemovePart };
        if self.download.is_none() {
            // A checkpoint of an earlier transfer is not ours to remove before we have begun.
            self.stage = Stage::Unlock;
        }
    }

    /// What becomes of the partial file of a download that failed.
    fn after_failure(&self) -> Stage {
        let is_gone = matches!(&self.failure, Some(TransferErrorKind::Call(error)) if error.is_not_found());
        let is_unbegun = self.download.as_ref().is_some_and(|download| download.head().is_none());
        if self.is_resumed && is_unbegun && self.keeps_partial && !is_gone {
            // What an earlier transfer left is as good as it was.
            return Stage::Unlock;
        }
        let is_resumable = self.service.is_some()
            && self.download.as_ref().is_some_and(|download| download.checkpoint().is_some());
        if self.keeps_partial && is_resumable { Stage::Keep } else { Stage::RemovePart }
    }

    fn result(&mut self) -> Result<Saved, TransferError> {
        let fresh = self.download.as_ref().and_then(Download::fresh).cloned();
        match (self.failure.take(), self.output.take()) {
            (None, Some(download)) => Ok(Saved { download, fresh: self.fresh.take().or(fresh) }),
            (Some(kind), _) => Err(TransferError::new(kind)),
            (None, None) => Err(TransferError::from(misuse(OPERATION, "ended without a result", "Finish"))),
        }
    }
}

/// The name of a partial file. It is not to be guessed, and says where it comes from.
fn part_name(seed: u64) -> String {
    format!("{PART_BEGIN}{seed:016x}{PART_END}")
}

/// Whether it is such a name: a checkpoint that says another one names no file of ours.
fn is_part_name(name: &str) -> bool {
    let digits = name.strip_prefix(PART_BEGIN).and_then(|name| name.strip_suffix(PART_END));
    digits.is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn other_answer() -> TransferErrorKind {
    TransferErrorKind::Call(misuse(OPERATION, "gave another answer than was asked for", "Disk"))
}

const OPERATION: &str = "GetObject";
const PART_BEGIN: &str = ".oss-";
const PART_END: &str = ".part";
/// A random name of 64 bits is taken once, or somebody has filled the directory with all of them.
const CREATIONS_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b60_a_checkpoint_names_no_file_but_one_of_ours() {
        assert!(is_part_name(&part_name(0)) && is_part_name(&part_name(u64::MAX)));
        for name in [
            "",
            ".oss-.part",
            ".oss-0123456789abcde.part",
            ".oss-0123456789abcdef0.part",
            ".oss-0123456789ABCDEF.part",
            ".oss-../../../../etc.part",
            "../.oss-0123456789abcdef.part",
            ".oss-0123456789abcdef.part/",
            "/etc/passwd",
        ] {
            assert!(!is_part_name(name), "{name:?}");
        }
    }
}
