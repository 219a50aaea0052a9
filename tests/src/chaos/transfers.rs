//! The transfers: files up and down, with checkpoints and without, and streams up; begun anew where they
//! fail, and dropped half-way now and then as every call is.
//!
//! What they say is compared with what is: the bytes, what lies beside them on the disk, and which uploads
//! are open at the service.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::{fs, io};

use oss_hyper::transfer::{LeftUpload, TransferError, TransferErrorKind, UploadFate, UploadOutput};
use tokio::time::timeout;

use super::calls::{Caller, Limit, PART_BYTES};
use super::oracle::Ticket;

/// What a transfer has said of the uploads that are left.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// One may exist under any id: nobody knows, or nobody was there to be told.
    pub(super) any: bool,
    pub(super) ids: Vec<String>,
    /// The one to be gone on with.
    kept: Option<String>,
    /// How each turn ended.
    endings: Vec<String>,
    /// The object may be there although the transfer failed.
    may_be_made: bool,
    /// It is there.
    is_made: bool,
}

type Ended<T> = Result<T, TransferError>;

impl Caller {
    pub(super) async fn transfer(&mut self, limit: Limit) {
        let limit = Limit { time: limit.time.min(CALL_MAX), ..limit };
        let (id, keeps) = (self.oracle.tick(), self.chance.percent(50));
        let desk = match Desk::new(&self.folder, id, keeps && limit.kind != "upload a stream") {
            Ok(desk) => desk,
            Err(error) => return self.tally.wrong(format!("no folder for a transfer: {error}")),
        };
        let is_well = match limit.kind {
            "download a file" => self.download_file(limit, &desk).await,
            _ => self.upload(limit, &desk, id).await,
        };
        match is_well {
            // It did not end, and was dropped.
            None => {}
            Some(is_well) => {
                let untold = desk.untold(is_well);
                if !untold.is_empty() {
                    self.tally.wrong(format!("{}, well: {is_well}: {untold:?} left", limit.kind));
                }
                let _removed = fs::remove_dir_all(&desk.dir);
            }
        }
    }

    /// To a key of its own, so that what is there is what it has made.
    async fn upload(&mut self, limit: Limit, desk: &Desk, id: u64) -> Option<bool> {
        let key = format!("moved/{}/{id}", self.number);
        let len = if self.chance.percent(50) { BYTES_MAX / 2 } else { 0 };
        let ticket = self.oracle.begin(&key, Some(len + self.chance.length(BYTES_MAX / 2)));
        let (lanes, is_single) = (2 + self.chance.below(2) as u32, self.chance.percent(50));
        // Whoever drops it is not told what is left.
        self.oracle.tell(&key, Told { any: true, ..Told::default() });
        if let Err(error) = fs::write(desk.file(), &ticket.content) {
            self.tally.wrong(format!("no file for a transfer: {error}"));
        }
        let mut told = Told::default();
        for _ in 0..TURNS {
            let bucket = self.bucket(limit);
            let result = if limit.kind == "upload a stream" {
                let reader = io::Cursor::new(ticket.content.clone());
                let upload = bucket.upload_stream(&*key, reader).part_size(PART_BYTES).lanes(lanes);
                self.in_time(limit, upload.into_future()).await?
            } else {
                let upload = bucket.upload_file(&*key, desk.file()).part_size(PART_BYTES).lanes(lanes);
                let upload = if is_single { upload } else { upload.single_bytes_max(0) };
                let upload = if desk.keeps { upload.checkpoint_dir(desk.kept()) } else { upload };
                self.in_time(limit, upload.into_future()).await?
            };
            told.hear(&result);
            if result.is_ok() {
                break;
            }
        }
        Some(self.uploaded(&key, &ticket, told))
    }

    /// Notes what an upload has said in the end; gives whether it succeeded.
    fn uploaded(&self, key: &str, ticket: &Ticket, told: Told) -> bool {
        let is_well = told.is_made;
        if is_well || !told.may_be_made {
            self.oracle.decide(ticket, is_well);
        }
        self.oracle.tell(key, told);
        is_well
    }

    /// Of a key that others write to meanwhile.
    async fn download_file(&mut self, limit: Limit, desk: &Desk) -> Option<bool> {
        let (key, began) = (self.key(), self.oracle.tick());
        let lanes = 2 + self.chance.below(2) as u32;
        for _ in 0..TURNS {
            let download = self.bucket(limit).download_file(&*key, desk.file());
            let download = download.part_size(DOWNLOADED_BYTES).lanes(lanes);
            let download = if desk.keeps { download.checkpoint_dir(desk.kept()) } else { download };
            let result = self.in_time(limit, download.into_future()).await?;
            match (result, fs::read(desk.file())) {
                (Ok(_), Ok(bytes)) if self.oracle.may_be(&key, began, None, &bytes) => {
                    self.tally.read(bytes.len() as u64);
                    return Some(true);
                }
                (Ok(saved), content) => {
                    let content = content.map(|bytes| bytes.len());
                    self.tally.wrong(format!("{key}: {content:?} bytes that nobody wrote, {saved:?}"));
                    return Some(true);
                }
                (Err(error), Ok(_)) => self.tally.wrong(format!("{key}: a file, and {error}")),
                (Err(_), Err(_)) => {}
            }
        }
        Some(false)
    }

    /// Waits as long as its calls may take one after the other; `None` when it takes longer.
    async fn in_time<T>(&self, limit: Limit, transfer: impl Future<Output = Ended<T>>) -> Option<Ended<T>> {
        let time = limit.time * CALLS_MAX + OVER_MAX;
        let Ok(result) = timeout(time, transfer).await else {
            self.tally.wrong(format!("{} took more than {time:?}", limit.kind));
            return None;
        };
        self.tally.transfer(limit.kind, &result);
        // There is nothing wrong with the disk, and nobody else is at it.
        if let Err(error) = &result
            && !matches!(error.kind(), TransferErrorKind::Call(_))
        {
            self.tally.wrong(format!("{}: {error:?}", limit.kind));
        }
        Some(result)
    }
}

impl Told {
    fn hear(&mut self, result: &Ended<UploadOutput>) {
        self.endings.push(result.as_ref().err().map_or_else(|| "well".into(), |error| format!("{error:?}")));
        // What was kept is what this turn went on with, or gave up.
        self.kept = None;
        match result {
            Ok(output) => {
                self.any |= output.may_be_orphan;
                self.ids.extend(output.older.clone());
                self.is_made = true;
            }
            Err(error) => {
                let operation = error.call().map(|call| (call.operation(), call.outcome()));
                let is_made_by = |name| matches!(name, "PutObject" | "CompleteMultipartUpload");
                self.may_be_made |= operation.is_some_and(|(name, outcome)| {
                    is_made_by(name) && outcome == oss_hyper::Outcome::Unknown
                });
                if let Some(left) = error.left() {
                    self.hear_of(left);
                }
            }
        }
    }

    fn hear_of(&mut self, left: &LeftUpload) {
        self.any |= left.may_be_orphan;
        self.ids.extend(left.older.clone());
        match left.fate {
            UploadFate::Aborted => {}
            UploadFate::Kept => self.kept.clone_from(&left.upload_id),
            fate => {
                self.may_be_made |= fate == UploadFate::MayBeComplete;
                self.ids.extend(left.upload_id.clone());
            }
        }
    }

    /// Whether this one may be open.
    pub(super) fn has(&self, id: &str) -> bool {
        self.any || self.ids.iter().chain(&self.kept).any(|told| told == id)
    }
}

/// A folder of one transfer.
struct Desk {
    dir: PathBuf,
    keeps: bool,
}

impl Desk {
    fn new(folder: &Path, id: u64, keeps: bool) -> io::Result<Self> {
        let dir = folder.join(format!("{id}{}", if keeps { KEEPS } else { "" }));
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, keeps })
    }

    fn file(&self) -> PathBuf {
        self.dir.join("file")
    }

    fn kept(&self) -> PathBuf {
        self.dir.join("kept")
    }

    /// What lies there and should not after the end of a transfer.
    fn untold(&self, is_well: bool) -> Vec<String> {
        let may_be = |name: &String| {
            let is_kept = name.ends_with(".part") || name.ends_with(".checkpoint");
            name == "file" || (is_kept && self.keeps && !is_well)
        };
        let mut names = names(&self.dir);
        names.retain(|name| !may_be(name));
        names
    }
}

/// What is left of transfers and should not be, when all is over: of those that were dropped too.
pub(super) fn left_behind(folder: &Path) -> usize {
    let ends = |name: &String| [".part", ".lock", ".tmp"].iter().any(|end| name.ends_with(end));
    let folders = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let count = |path: PathBuf| {
        let keeps = path.to_string_lossy().ends_with(KEEPS);
        // What a transfer with checkpoints has of a file is there to be gone on with.
        let is_wrong = |name: &&String| ends(name) && !(keeps && name.ends_with(".part"));
        if path.is_dir() { names(&path).iter().filter(is_wrong).count() } else { 0 }
    };
    folders.map(count).sum()
}

/// The names of the files below a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(names(&path)),
            _ => found.push(entry.file_name().to_string_lossy().into_owned()),
        }
    }
    found
}

/// The kinds, and how many of a hundred calls they are.
pub(super) const KINDS: &[&str] = &["upload a file", "upload a file", "upload a stream", "download a file"];
pub(super) const PERCENT: u64 = 5;

/// The folder of one that keeps checkpoints ends so.
const KEEPS: &str = "-keeps";
/// How often one is begun anew.
const TURNS: u32 = 3;
const BYTES_MAX: u64 = 500_000;
/// The parts of what is downloaded.
const DOWNLOADED_BYTES: u64 = 50 << 10;
/// The most that a call of a transfer may take.
const CALL_MAX: Duration = Duration::from_secs(2);
/// How many calls there are one after the other: eight parts in two lanes, what begins and what ends them,
/// lists and aborts.
const CALLS_MAX: u32 = 12;
const OVER_MAX: Duration = Duration::from_secs(5);
