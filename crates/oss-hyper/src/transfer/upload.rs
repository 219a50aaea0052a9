//! Uploads: of a file, and of a stream whose length only its end tells.

use alloc::sync::Arc;
use core::fmt;
use std::io;
use std::path::PathBuf;

use oss_proto::transfer::{
    Checkpoint, Completion, FileError, FileStep, Plan, Progress, Ticket, Transfer, TransferError,
    TransferErrorKind, Upload, UploadOutput, Work,
};
use oss_proto::{Checked, Error, IntoField, ObjectKey, Payload, PutObject};
use tokio::io::AsyncRead;
use tokio::task::spawn_blocking;

use super::blocks::{SourceFile, body};
use super::cancel::How;
use super::disk::Lock;
use super::engine;
use super::give_up::GiveUp;
use super::job::{self, Job, Landing, Lane, Next, Passed, by_machine, landed};
use super::pace::Pace;
use super::parts::{Buffers, Source};
use super::progress::Watch;
use super::settings::{Settings, awaited, checkpoint_setter, setters};
use super::shelf::{Shelf, named, unlock};
use super::stream::run_stream;
use crate::{Bucket, Client};

impl Bucket {
    /// Uploads a file: in one request when it is small, else in parts, several at a time.
    ///
    /// Its `Content-Type` goes by the key's extension. Every byte is checked by CRC-64, part by part and as a
    /// whole. A file that changes meanwhile is
    /// [`TransferErrorKind::SourceChanged`]. It is read by blocks of 256 KiB, a few for each part that moves.
    ///
    /// ```no_run
    /// # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), oss_hyper::transfer::TransferError> {
    /// let output = bucket.upload_file("backup.tar", "backup.tar").lanes(8).await?;
    /// println!("{:?} in {} parts", output.etag, output.parts);
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload_file(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        path: impl Into<PathBuf>,
    ) -> UploadFile {
        let put = PutObject::to(key, Payload::Empty);
        UploadFile { settings: Settings::new(self), put, path: path.into() }
    }

    /// Uploads what a reader gives until it ends: in one request when it is less than a part, else in parts.
    ///
    /// Memory: as many parts as there are lanes, and one more that is being filled. OSS takes 10,000 parts,
    /// so with parts of 6 MiB it ends with an error beyond 58.6 GiB: choose a larger
    /// [`part_size`](UploadStream::part_size) for more.
    pub fn upload_stream(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        reader: impl AsyncRead + Send + Unpin + 'static,
    ) -> UploadStream {
        let put = PutObject::to(key, Payload::Empty);
        UploadStream { settings: Settings::new(self), put, reader: Box::new(reader) }
    }
}

/// An upload of a file, which begins when it is awaited: see [`Bucket::upload_file`].
#[must_use = "it begins when it is awaited"]
#[derive(Debug)]
pub struct UploadFile {
    settings: Settings,
    put: PutObject,
    path: PathBuf,
}

/// An upload of a stream, which begins when it is awaited: see [`Bucket::upload_stream`].
#[must_use = "it begins when it is awaited"]
pub struct UploadStream {
    settings: Settings,
    put: PutObject,
    reader: Box<dyn AsyncRead + Send + Unpin>,
}

setters!(UploadFile);
checkpoint_setter!(UploadFile);
awaited!(UploadFile => UploadOutput);
setters!(UploadStream);
awaited!(UploadStream => UploadOutput);

/// What an upload says about its object.
macro_rules! upload_setters {
    ($type:ident) => {
        impl $type {
            /// What the object is to be: `|put| put.acl(ObjectAcl::Private).metadata(…)`. Its body is ours.
            pub fn request(mut self, change: impl FnOnce(PutObject) -> PutObject) -> Self {
                self.put = change(self.put);
                self
            }

            /// Refuses to replace an existing object: `is_precondition_failed()` then. A lost answer to our
            /// own success is told apart from that. In a versioned bucket it has no effect, by the rules of
            /// OSS.
            pub fn forbid_overwrite(mut self, forbid: bool) -> Self {
                self.put.forbid_overwrite = Some(forbid);
                self
            }

            /// Whether the parts at OSS stay when the upload fails: they do with checkpoints, else they are
            /// given up.
            pub fn keep_parts(mut self, keep: bool) -> Self {
                self.settings.options.keep_parts = keep;
                self
            }
        }
    };
}
upload_setters!(UploadFile);
upload_setters!(UploadStream);
pub(super) use upload_setters;

impl UploadFile {
    /// Up to how many bytes go in one request: less than a part when it is not said, at most 5 GiB.
    pub fn single_bytes_max(mut self, bytes: u64) -> Self {
        self.settings.options.single_bytes_max = Some(bytes);
        self
    }

    async fn run(self) -> Result<UploadOutput, TransferError> {
        let Self { settings, put, path } = self;
        let source = blocking(FileStep::Open, move || {
            SourceFile::open(path.clone()).map_err(|error| named(FileStep::Open, &path, &error))
        });
        let source = Arc::new(source.await?);
        let client = settings.bucket.client().clone();
        let mut upload = Upload::new(put.clone(), source.len, &settings.options);
        let mut shelved = None;
        if let Some(dir) = settings.checkpoint_dir {
            let service = client.service().clone();
            let path = source.path.clone();
            let opened = blocking(FileStep::Checkpoint, move || {
                let shelf = Shelf::new(&dir, "upload", &service, &put.key, &path);
                let shelf = shelf.map_err(|error| named(FileStep::Checkpoint, &dir, &error))?;
                Shelved::open(shelf)
            });
            let Some((taken, found)) = opened.await? else {
                return Err(TransferError::because(TransferErrorKind::Busy));
            };
            let found = found.map(|bytes| Checkpoint::parse(&bytes));
            upload = upload.with_checkpoints(client.service(), source.identity(), found);
            shelved = Some(taken);
        }
        let pace = Pace::new(settings.bytes_per_sec);
        let drop_guard = GiveUp::new(&client, shelved.is_some() || settings.options.keep_parts);
        let mut job = FileJob { client, upload, source: Arc::clone(&source), pace, shelved, drop_guard };
        let watch = Watch::new(settings.watcher);
        let result = engine::run(&mut job, settings.cancel, watch).await;
        job.drop_guard.disarm();
        let result = job.put_away(result).await.map(|output| compared(&job.client, output));
        // What the file did is the cause of what the call says.
        result.map_err(|error| match source.fault() {
            Some(fault) if !error.is_cancelled() => error.with_kind(fault),
            _ => error,
        })
    }
}

impl UploadStream {
    async fn run(self) -> Result<UploadOutput, TransferError> {
        let Self { settings, put, reader } = self;
        let part_size = settings.options.part_size.unwrap_or(Plan::PART_BYTES);
        let upload = Upload::of_unknown_length(put, &settings.options);
        run_stream(settings, upload, Source::reader(reader), Buffers::new(part_size)).await
    }
}

/// Without the check of each call, what OSS says of the parts and of the whole are both its own word.
pub(super) fn compared(client: &Client, mut output: UploadOutput) -> UploadOutput {
    output.is_checked &= client.service().checks_upload_crc64;
    output
}

struct FileJob {
    client: Client,
    upload: Upload,
    source: Arc<SourceFile>,
    pace: Pace,
    shelved: Option<Shelved>,
    drop_guard: GiveUp,
}

impl FileJob {
    /// The checkpoint as it is to be found by the next one; then the lock.
    async fn put_away(
        &mut self,
        result: Result<UploadOutput, TransferError>,
    ) -> Result<UploadOutput, TransferError> {
        let Some(shelved) = self.shelved.take() else { return result };
        let checkpoint = self.upload.checkpoint().map(|checkpoint| checkpoint.to_text());
        let closed = blocking(FileStep::Checkpoint, move || shelved.close(checkpoint)).await;
        match (result, closed) {
            // The object is there; a checkpoint too many does no harm.
            (Ok(output), _) => Ok(output),
            (Err(error), _) => Err(error),
        }
    }
}

impl Job for FileJob {
    type Output = UploadOutput;
    by_machine!(upload);

    fn poll(&mut self) -> Next<UploadOutput> {
        job::next(&mut self.upload)
    }

    fn cancel(&mut self, how: How) {
        self.upload.keep_parts(how == How::Keep);
        self.upload.cancel();
    }

    async fn between(&mut self) {
        let revision = self.upload.checkpoint_revision();
        let Some(shelved) = self.shelved.as_mut().filter(|shelved| shelved.written != revision) else {
            return;
        };
        shelved.written = revision;
        let Some(text) = self.upload.checkpoint().map(|checkpoint| checkpoint.to_text()) else { return };
        let written = blocking(FileStep::Checkpoint, shelved.writing(text)).await;
        if let Err(error) = written {
            // Whoever asked for checkpoints is told that there are none, before an hour is lost without.
            self.upload.fail(error.kind().clone());
        }
    }

    fn lane(&mut self, work: Work, passed: Passed) -> Lane {
        let (client, source, pace) = (self.client.clone(), Arc::clone(&self.source), self.pace.clone());
        match work {
            Work::Begin(begin) => self.drop_guard.begin(begin),
            Work::Put(range, put) => {
                let body = body(&source, range, &passed, &pace);
                Box::pin(async move { landed(client.send_from(put, body).await) })
            }
            Work::Part(range, part) => {
                let body = body(&source, range, &passed, &pace);
                Box::pin(async move { landed(client.send_from(part, body).await) })
            }
            Work::Verify(range) => Box::pin(async move {
                let crc = spawn_blocking(move || source.checksum(range)).await.unwrap_or_default();
                let completion = crc.map_or_else(Completion::unreadable, Completion::verified);
                Landing { result: Ok(completion), retries: 0 }
            }),
            work => {
                job::call(&client, work).expect("an upload asks for parts, for verification and for calls")
            }
        }
    }
}

/// What lay where the checkpoint goes.
type Found = Option<Vec<u8>>;

/// The checkpoint of this upload while it is ours.
struct Shelved {
    shelf: Shelf,
    lock: Arc<Lock>,
    written: u64,
}

impl Shelved {
    /// `None` when somebody else has it.
    fn open(shelf: Shelf) -> Result<Option<(Self, Found)>, FileError> {
        let Some(lock) = shelf.lock()? else { return Ok(None) };
        // What cannot be read is no checkpoint: the first one of ours takes its place.
        let found = shelf.read().unwrap_or_else(|_unreadable| Some(Vec::new()));
        Ok(Some((Self { shelf, lock, written: 0 }, found)))
    }

    /// Writes the checkpoint under the lock, also when nobody waits for it any more: the next upload would
    /// find it in the place of its own.
    fn writing(&self, text: String) -> impl FnOnce() -> Result<(), FileError> + Send + 'static {
        let (shelf, lock) = (self.shelf.clone(), Arc::clone(&self.lock));
        move || {
            let written = shelf.write(&text);
            drop(lock);
            written
        }
    }

    fn close(self, checkpoint: Option<String>) -> Result<(), FileError> {
        let closed = match checkpoint {
            Some(text) => self.shelf.write(&text),
            None => self.shelf.remove(),
        };
        unlock(self.lock);
        closed
    }
}

/// Does something that waits for the disk, where that holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    step: FileStep,
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, TransferError> {
    let done = spawn_blocking(work).await;
    let done = done.unwrap_or_else(|ended| Err(FileError::new(step, io::Error::other(ended))));
    done.map_err(|error| TransferError::because(TransferErrorKind::File(error)))
}

impl fmt::Debug for UploadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadStream")
            .field("settings", &self.settings)
            .field("put", &self.put)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Service};

    #[test]
    fn b62_a_checkpoint_is_written_under_the_lock_when_nobody_waits_for_it_any_more() {
        let dir = std::env::temp_dir().join(format!("oss-hyper-shelved-{}", std::process::id()));
        let service = Service::new(Endpoint::parse("http://127.0.0.1").unwrap());
        let key = "key".into_field();
        let shelf = Shelf::new(&dir, "upload", &service, &key, &dir.join("file")).unwrap();
        let (shelved, _) = Shelved::open(shelf.clone()).unwrap().unwrap();
        let writing = shelved.writing("text".into());
        drop(shelved);
        assert!(shelf.lock().unwrap().is_none(), "another one could begin");
        writing().unwrap();
        assert_eq!(shelf.read().unwrap().unwrap(), b"text");
        assert!(shelf.lock().unwrap().is_some());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
