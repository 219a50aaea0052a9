//! Downloads into files that get their names only when they are whole.

use std::path::{Path, PathBuf};

use oss_proto::transfer::{
    Completion, DiskDone, DiskWork, FileError, FileStep, Progress, Save, SaveStep, Saved, Ticket,
    TransferError, TransferErrorKind, Work,
};
use oss_proto::{ByteRange, Checked, Error, GetObject, IntoField, ObjectKey};
use tokio::task::spawn_blocking;

use super::blocks::checksum;
use super::cancel::How;
use super::engine;
use super::job::{self, Job, Landing, Lane, Next, OnDisk, Passed, by_machine};
use super::pace::Pace;
use super::part::Place;
use super::progress::Watch;
use super::settings::{Settings, awaited, checkpoint_setter, setters};
use super::shelf::{Shelf, named};
use super::sink::receive;
use crate::clock::seed;
use crate::{Bucket, Client};

impl Bucket {
    /// Downloads an object into a file: in parts, several at a time, all of the one object that the first
    /// answer named.
    ///
    /// The bytes go to a new file of a random name beside the target, its owner's alone (0600) on Unix. Once
    /// all are there, and length, entity tag and CRC-64 are right, it is written through to the disk and
    /// takes the target's name: of a symbolic link that has it, the link is replaced, and not the file
    /// that it leads to. Whatever happens before that, the target stays as it was; the new file is
    /// removed, or kept with a checkpoint to be gone on with. Do not make a path out of a key yourself: see
    /// [`join_inside`](crate::transfer::join_inside).
    ///
    /// ```no_run
    /// # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), oss_hyper::transfer::TransferError> {
    /// let saved = bucket.download_file("backup.tar", "backup.tar").checkpoint_dir("checkpoints").await?;
    /// println!("{} bytes", saved.download.bytes());
    /// # Ok(())
    /// # }
    /// ```
    pub fn download_file(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        path: impl Into<PathBuf>,
    ) -> DownloadFile {
        DownloadFile { settings: Settings::new(self), get: GetObject::to(key), path: path.into() }
    }
}

/// A download into a file, which begins when it is awaited: see [`Bucket::download_file`].
#[must_use = "it begins when it is awaited"]
#[derive(Debug)]
pub struct DownloadFile {
    settings: Settings,
    get: GetObject,
    path: PathBuf,
}

setters!(DownloadFile);
checkpoint_setter!(DownloadFile);
awaited!(DownloadFile => Saved);

impl DownloadFile {
    /// What is read: `|get| get.version_id(…).if_match(…)`.
    pub fn request(mut self, change: impl FnOnce(GetObject) -> GetObject) -> Self {
        self.get = change(self.get);
        self
    }

    /// A range of the object alone; the file has those bytes and no others. OSS gives no CRC-64 of a range,
    /// so it is checked by its length, and what an earlier transfer had of it is not gone on with.
    pub fn range(mut self, range: impl IntoField<ByteRange>) -> Self {
        self.get.range = Some(range.into_field());
        self
    }

    async fn run(self) -> Result<Saved, TransferError> {
        let Self { settings, get, path } = self;
        let client = settings.bucket.client().clone();
        let mut save = Save::new(get.clone(), &settings.options, seed());
        let service = client.service().clone();
        let open = |error| file_error(FileStep::Open, &path, &error);
        let shelf = match &settings.checkpoint_dir {
            Some(dir) => Some(Shelf::new(dir, "download", &service, &get.key, &path).map_err(open)?),
            None => None,
        };
        if shelf.is_some() {
            save = save.with_checkpoints(&service);
        }
        let place = Place::new(&path, shelf).map_err(open)?;
        let mut job = FileJob { client, save, place, pace: Pace::new(settings.bytes_per_sec) };
        engine::run(&mut job, settings.cancel, Watch::new(settings.watcher)).await
    }
}

fn file_error(step: FileStep, path: &Path, error: &std::io::Error) -> TransferError {
    TransferError::because(TransferErrorKind::File(named(step, path, error)))
}

struct FileJob {
    client: Client,
    save: Save,
    place: Place,
    pace: Pace,
}

impl Job for FileJob {
    type Output = Saved;
    by_machine!(save);

    fn poll(&mut self) -> Next<Saved> {
        match self.save.poll() {
            SaveStep::Run(ticket, work) => Next::Run(ticket, work),
            SaveStep::Disk(work) => Next::Disk(work),
            SaveStep::Busy => Next::Busy,
            SaveStep::Done(result) => Next::Done(result),
        }
    }

    fn cancel(&mut self, how: How) {
        self.save.keep_partial(how == How::Keep);
        self.save.cancel();
    }

    fn file_failed(&mut self, ticket: Ticket, error: FileError) {
        self.save.file_failed(ticket, error);
    }

    fn on_disk(&mut self, work: DiskWork) -> OnDisk {
        self.place.begin(work)
    }

    fn disk_done(&mut self, result: Result<DiskDone, FileError>) {
        self.place.done();
        self.save.disk_done(result);
    }

    fn lane(&mut self, work: Work, passed: Passed) -> Lane {
        let part = self.place.part();
        match (work, part) {
            (Work::Get(range, get), Some(part)) => {
                let (client, pace, offset) = (self.client.clone(), self.pace.clone(), self.save.offset());
                Box::pin(receive(client, (range, get), (part, offset), passed, pace))
            }
            (Work::Verify(range), Some(part)) => {
                let offset = self.save.offset();
                let range = range.start.saturating_sub(offset)..range.end.saturating_sub(offset);
                Box::pin(async move {
                    let crc = spawn_blocking(move || checksum(&part.placed, range)).await.unwrap_or_default();
                    let completion = crc.map_or_else(Completion::unreadable, Completion::verified);
                    Landing { result: Ok(completion), retries: 0 }
                })
            }
            (work, _) => {
                job::call(&self.client, work).expect("a download asks for bytes only once it has a file")
            }
        }
    }
}
