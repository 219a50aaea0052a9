//! Where the checkpoint of one transfer is kept.

use alloc::sync::Arc;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};

use oss_proto::transfer::{Checkpoint, FileError, FileStep};
use oss_proto::{BucketName, Checked, Crc64, ObjectKey, Service};

use super::disk::{self, Lock};

/// The checkpoint of one transfer and its lock, by their names in a directory.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    dir: PathBuf,
    name: String,
}

impl Shelf {
    /// The place for this transfer between an object and a file. The name is a digest; who it belongs to is
    /// in the checkpoint itself, and compared.
    pub(super) fn new(
        dir: &Path,
        kind: &str,
        service: &Service,
        key: &Checked<ObjectKey>,
        file: &Path,
    ) -> io::Result<Self> {
        let bucket = service.bucket.as_ref().map_or("", BucketName::as_str);
        let key = key.name().ok().flatten().map_or("", ObjectKey::as_str);
        let file = std::path::absolute(file)?;
        let whose = [kind, &service.endpoint.to_string(), bucket, key].join("\n");
        let mut digest = Crc64::new();
        digest.update(whose.as_bytes());
        digest.update(b"\n");
        digest.update(file.as_os_str().as_encoded_bytes());
        Ok(Self { dir: std::path::absolute(dir)?, name: format!("oss-{:016x}", digest.value()) })
    }

    fn path(&self, end: &str) -> PathBuf {
        self.dir.join(format!("{}.{end}", self.name))
    }

    /// `None` when somebody else has it.
    pub(super) fn lock(&self) -> Result<Option<Arc<Lock>>, FileError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let locked = builder.create(&self.dir).and_then(|()| Lock::take(self.path("lock")));
        let locked = locked.map_err(|error| named(FileStep::Lock, &self.path("lock"), &error))?;
        Ok(locked.map(Arc::new))
    }

    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, FileError> {
        let path = self.path("checkpoint");
        disk::read(&path, Checkpoint::BYTES_MAX).map_err(|error| named(FileStep::Checkpoint, &path, &error))
    }

    pub(super) fn write(&self, text: &str) -> Result<(), FileError> {
        let path = self.path("checkpoint");
        disk::replace(&path, text.as_bytes()).map_err(|error| named(FileStep::Checkpoint, &path, &error))
    }

    pub(super) fn remove(&self) -> Result<(), FileError> {
        let path = self.path("checkpoint");
        disk::remove(&path).map_err(|error| named(FileStep::Checkpoint, &path, &error))
    }
}

/// Gives a lock back once nobody writes under it any more: who was told to stop may be in the middle of a
/// write.
pub(super) fn unlock(lock: Arc<Lock>) {
    for _ in 0..STRAGGLE_TRIES {
        if Arc::strong_count(&lock) == 1 {
            break;
        }
        std::thread::sleep(STRAGGLE_PAUSE);
    }
}

/// The error with the file that it is about.
pub(super) fn named(step: FileStep, path: &Path, error: &io::Error) -> FileError {
    FileError::new(step, io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// In all 10 s, the longest that one write should take; the lock is held on by the write itself.
const STRAGGLE_TRIES: u32 = 10_000;
const STRAGGLE_PAUSE: Duration = Duration::from_millis(1);
