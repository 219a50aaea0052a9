//! The partial file of a download, and the steps on the disk around it.

use alloc::sync::Arc;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use oss_proto::transfer::{DiskDone, DiskWork, FileError, FileStep};
use tokio::task::spawn_blocking;

use super::disk::{self, Lock, Placed};
use super::job::OnDisk;
use super::shelf::{Shelf, named, unlock};

/// A file that is being written. It is removed when it is dropped without having been kept.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) placed: Placed,
    pub(super) path: PathBuf,
    /// Held as long as anybody may write: also by who was told to stop.
    _lock: Option<Arc<Lock>>,
}

/// Where a download goes, and how far its file is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) target: PathBuf,
    shelf: Option<Shelf>,
    lock: Option<Arc<Lock>>,
    part: Option<Arc<Part>>,
    /// Removes the partial file when the download is dropped; absent once a checkpoint names it.
    rest: Option<Rest>,
    pending: Option<Arc<Mutex<Outcome>>>,
}

/// What a step brought along.
#[derive(Debug, Default)]
struct Outcome {
    lock: Option<Arc<Lock>>,
    part: Option<Arc<Part>>,
    rest: Option<Rest>,
}

/// Removes a file when it is dropped.
#[derive(Debug)]
struct Rest(Option<PathBuf>);

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // It may be gone already, and nobody is there to be told.
            let _removed = std::fs::remove_file(path);
        }
    }
}

impl Place {
    /// # Errors
    /// When the path names no file.
    pub(super) fn new(target: &Path, shelf: Option<Shelf>) -> io::Result<Self> {
        // The program may go to another directory while it downloads.
        let target = std::path::absolute(target)?;
        if target.file_name().is_none() || target.parent().is_none() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
        }
        Ok(Self { target, shelf, lock: None, part: None, rest: None, pending: None })
    }

    /// The partial file, once there is one.
    pub(super) fn part(&self) -> Option<Arc<Part>> {
        self.part.clone()
    }

    /// Begins a step; [`done`](Self::done) takes over what it brings.
    pub(super) fn begin(&mut self, work: DiskWork) -> OnDisk {
        let outcome = Arc::new(Mutex::new(Outcome::default()));
        self.pending = Some(Arc::clone(&outcome));
        let step = work.step();
        let doing: Box<dyn FnOnce() -> Result<DiskDone, FileError> + Send> = match work {
            DiskWork::Lock => self.take_lock(outcome),
            DiskWork::Unlock => self.unlock(),
            DiskWork::ReadCheckpoint => self.on_shelf(|shelf| Ok(DiskDone::Checkpoint(shelf.read()?))),
            DiskWork::WriteCheckpoint { text } => self.write_checkpoint(text, outcome),
            DiskWork::RemoveCheckpoint => self.on_shelf(|shelf| shelf.remove().map(|()| DiskDone::Done)),
            DiskWork::OpenPart { name } => self.open(&name, outcome),
            DiskWork::CreatePart { name } => self.create(&name, outcome),
            DiskWork::Measure => {
                self.on_part(step, |part| Ok(DiskDone::Length(part.placed.file().metadata()?.len())))
            }
            DiskWork::Truncate { len } => {
                self.on_part(step, move |part| part.placed.file().set_len(len).map(|()| DiskDone::Done))
            }
            DiskWork::Sync => {
                self.on_part(step, |part| part.placed.file().sync_all().map(|()| DiskDone::Done))
            }
            DiskWork::Rename => self.rename(step),
            DiskWork::SyncDirectory => {
                let target = self.target.clone();
                Box::new(move || {
                    let synced = disk::sync_directory(&target).map(|()| DiskDone::Done);
                    synced.map_err(|error| named(step, &target, &error))
                })
            }
            DiskWork::RemovePart => {
                let rest = self.rest.take();
                self.on_part(step, move |part| {
                    drop(rest);
                    disk::remove(&part.path).map(|()| DiskDone::Done)
                })
            }
        };
        Box::pin(async move {
            let done = spawn_blocking(doing).await;
            done.unwrap_or_else(|ended| Err(FileError::new(step, io::Error::other(ended))))
        })
    }

    /// Takes over what a step brought.
    pub(super) fn done(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let outcome = core::mem::take(&mut *pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.lock = outcome.lock.or_else(|| self.lock.take());
        self.part = outcome.part.or_else(|| self.part.take());
        self.rest = outcome.rest.or_else(|| self.rest.take());
    }

    fn take_lock(&self, outcome: Arc<Mutex<Outcome>>) -> Doing {
        self.on_shelf(move |shelf| {
            let Some(lock) = shelf.lock()? else { return Ok(DiskDone::Taken) };
            outcome.lock().unwrap_or_else(PoisonError::into_inner).lock = Some(lock);
            Ok(DiskDone::Done)
        })
    }

    /// From the first one on, the partial file is to be found again: it stays as long as there is one.
    fn write_checkpoint(&mut self, text: String, outcome: Arc<Mutex<Outcome>>) -> Doing {
        let (mut rest, path) = (self.rest.take(), self.part.as_ref().map(|part| part.path.clone()));
        self.on_shelf(move |shelf| {
            let written = shelf.write(&text);
            if written.is_err() && matches!(shelf.read(), Ok(None)) {
                rest.get_or_insert(Rest(path));
            }
            match &mut rest {
                Some(rest) if written.is_ok() => rest.0 = None,
                _ => outcome.lock().unwrap_or_else(PoisonError::into_inner).rest = rest,
            }
            written.map(|()| DiskDone::Done)
        })
    }

    fn unlock(&mut self) -> Doing {
        let (lock, part) = (self.lock.take(), self.part.take());
        Box::new(move || {
            drop(part);
            if let Some(lock) = lock {
                unlock(lock);
            }
            Ok(DiskDone::Done)
        })
    }

    fn open(&self, name: &str, outcome: Arc<Mutex<Outcome>>) -> Doing {
        let (path, lock) = (self.target.with_file_name(name), self.lock.clone());
        Box::new(move || match disk::open(&path) {
            Ok(file) => {
                let part = Part { placed: Placed::new(file), path, _lock: lock };
                outcome.lock().unwrap_or_else(PoisonError::into_inner).part = Some(Arc::new(part));
                Ok(DiskDone::Done)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DiskDone::Missing),
            Err(error) => Err(named(FileStep::Open, &path, &error)),
        })
    }

    fn create(&self, name: &str, outcome: Arc<Mutex<Outcome>>) -> Doing {
        let (path, lock, target) = (self.target.with_file_name(name), self.lock.clone(), self.target.clone());
        Box::new(move || {
            check_target(&target).map_err(|error| named(FileStep::Open, &target, &error))?;
            match disk::create(&path) {
                Ok(file) => {
                    let rest = Some(Rest(Some(path.clone())));
                    let part = Some(Arc::new(Part { placed: Placed::new(file), path, _lock: lock }));
                    // If nobody takes this over, because the download was dropped, `rest` removes the file.
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    (outcome.part, outcome.rest) = (part, rest);
                    Ok(DiskDone::Done)
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(DiskDone::Taken),
                Err(error) => Err(named(FileStep::Open, &target, &error)),
            }
        })
    }

    fn rename(&mut self, step: FileStep) -> Doing {
        let (target, mut rest) = (self.target.clone(), self.rest.take());
        self.on_part(step, move |part| {
            check_target(&target)?;
            if !disk::is_there(part.placed.file(), &part.path)? {
                return Err(io::Error::other("another file has taken the place of the partial file"));
            }
            std::fs::rename(&part.path, &target)?;
            // The name is nobody's from now on.
            if let Some(rest) = &mut rest {
                rest.0 = None;
            }
            Ok(DiskDone::Done)
        })
    }

    /// Under the lock until it is done, also when nobody waits for it any more.
    fn on_shelf(&self, doing: impl FnOnce(&Shelf) -> Result<DiskDone, FileError> + Send + 'static) -> Doing {
        let (shelf, lock) = (self.shelf.clone(), self.lock.clone());
        Box::new(move || {
            let done = shelf.map_or(Ok(DiskDone::Done), |shelf| doing(&shelf));
            drop(lock);
            done
        })
    }

    fn on_part(
        &self,
        step: FileStep,
        doing: impl FnOnce(&Part) -> io::Result<DiskDone> + Send + 'static,
    ) -> Doing {
        let (part, target) = (self.part.clone(), self.target.clone());
        Box::new(move || {
            let Some(part) = part else { return Ok(DiskDone::Missing) };
            doing(&part).map_err(|error| named(step, &target, &error))
        })
    }
}

/// What takes the name of a pipe or a device takes it away from everybody else.
fn check_target(target: &Path) -> io::Result<()> {
    let Ok(found) = std::fs::metadata(target) else { return Ok(()) };
    if found.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "the path names a directory; add a name"));
    }
    if !found.is_file() {
        let problem = "is not a regular file; read an object into a pipe or a device with `get`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    Ok(())
}

type Doing = Box<dyn FnOnce() -> Result<DiskDone, FileError> + Send>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Service};
    use oss_proto::IntoField as _;

    #[tokio::test]
    async fn b62_a_step_on_the_shelf_keeps_the_lock_when_nobody_waits_for_it_any_more() {
        let dir = std::env::temp_dir().join(format!("oss-hyper-place-{}", std::process::id()));
        let service = Service::new(Endpoint::parse("http://127.0.0.1").unwrap());
        let shelf = Shelf::new(&dir, "download", &service, &"key".into_field(), &dir.join("file")).unwrap();
        let mut place = Place::new(&dir.join("file"), Some(shelf.clone())).unwrap();
        assert_eq!(place.begin(DiskWork::Lock).await.unwrap(), DiskDone::Done);
        place.done();
        let writing = place.begin(DiskWork::WriteCheckpoint { text: "text".into() });
        drop(place);
        assert!(shelf.lock().unwrap().is_none(), "another one could begin");
        writing.await.unwrap();
        assert_eq!(shelf.read().unwrap().unwrap(), b"text");
        assert!(shelf.lock().unwrap().is_some());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
