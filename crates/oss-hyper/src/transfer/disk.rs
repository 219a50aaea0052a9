//! What a transfer does on the disk, one step a function: never through a link, never over what is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::clock::seed;

/// A file with reads and writes at any place, from any thread.
#[derive(Debug)]
pub(crate) struct Placed {
    file: File,
    /// Where there are no positioned reads and writes, one at a time seeks.
    #[cfg(not(unix))]
    turn: std::sync::Mutex<()>,
}

impl Placed {
    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            #[cfg(not(unix))]
            turn: std::sync::Mutex::new(()),
        }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    #[cfg(unix)]
    pub(crate) fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, at)
    }

    /// Reads as much as there is, up to the whole buffer.
    #[cfg(unix)]
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, at.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(len) => done += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Reads what is in memory already, without waiting for any disk; nothing where that cannot be asked for.
    ///
    /// Linux has it for most file systems (`RWF_NOWAIT` of `preadv2`), ext4, XFS and Btrfs among them; tmpfs
    /// has not.
    pub(crate) fn read_now(&self, buffer: &mut [u8], at: u64) -> usize {
        #[cfg(target_os = "linux")]
        {
            use rustix::io::{ReadWriteFlags, preadv2};
            let mut buffers = [io::IoSliceMut::new(buffer)];
            // What is wrong with the file is found by the read that may wait.
            preadv2(&self.file, &mut buffers, at, ReadWriteFlags::NOWAIT).unwrap_or(0)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (buffer, at);
            0
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        use std::io::Seek as _;
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut file = &self.file;
        file.seek(io::SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    #[cfg(not(unix))]
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        use std::io::Seek as _;
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut file = &self.file;
        file.seek(io::SeekFrom::Start(at))?;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(len) => done += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// Makes a file that nobody had, its owner's alone (0600) on Unix; through no link.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a file of ours that is there: a regular one, under this name alone, that nobody else owns or may
/// write.
///
/// What is something else is not ours, and an error; a link is not followed and a pipe not waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    not_following(&mut options);
    let file = options.open(path)?;
    check_ours(&file)?;
    check_owner(&file, path)?;
    Ok(file)
}

/// Reads a small file of ours; `None` when there is none.
pub(crate) fn read(path: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    // One byte more than it may have, so that whoever reads it sees that it is too long.
    file.take((bytes_max as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Puts a small file in the place of one that may be there: all of it, or it stays as it is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    let temporary = directory.join(format!(".oss-{:016x}.tmp", seed()));
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        // It may not be there, and the first cause is the one to tell.
        let _removed = fs::remove_file(&temporary);
    }
    written?;
    sync_directory(path)
}

/// Removes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the name of a file last: on Unix it is the directory's content.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Not every file system can, and one may write to a directory without being let to read it.
        Err(error) if !is_incapable(error.kind()) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_incapable(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

#[cfg(not(unix))]
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Held by one process at a time; whoever dies gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes it; `None` when somebody else has it.
    pub(crate) fn take(path: PathBuf) -> io::Result<Option<Self>> {
        for _ in 0..TRIES_MAX {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            not_following(&mut options);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&path)?;
            check_ours(&file)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Ok(None),
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
            // Its last holder may have removed the file between our opening and our locking: then it is
            // nobody's.
            if is_there(&file, &path)? {
                return Ok(Some(Self { file, path }));
            }
        }
        Ok(None)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is held, so that nobody's else is removed. On other systems it stays: it is empty.
        #[cfg(unix)]
        let _removed = fs::remove_file(&self.path);
        let _unlocked = self.file.unlock();
    }
}

/// Whether this file, and no other, has this name.
#[cfg(unix)]
pub(crate) fn is_there(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
pub(crate) fn is_there(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

fn not_following(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
    }
    #[cfg(not(unix))]
    let _ = options;
}

fn check_ours(file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    let problem = if metadata.is_file() { whose(&metadata) } else { Some("is not a regular file") };
    problem.map_or(Ok(()), |problem| Err(io::Error::new(io::ErrorKind::InvalidData, problem)))
}

#[cfg(unix)]
fn whose(metadata: &fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.mode() & 0o022 != 0 {
        return Some("may be written by others");
    }
    // None at all is one that was removed since it was opened.
    (metadata.nlink() > 1).then_some("has another name")
}

/// Whoever owns a file may write to it, whatever its mode is. Who we are is what a new file beside it says.
#[cfg(unix)]
fn check_owner(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let beside = path.with_file_name(format!(".oss-{:016x}.tmp", seed()));
    let ours = create(&beside)?.metadata();
    fs::remove_file(&beside)?;
    if ours?.uid() == file.metadata()?.uid() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "belongs to another user"))
}

#[cfg(not(unix))]
fn check_owner(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn whose(_: &fs::Metadata) -> Option<&'static str> {
    None
}

/// How often a lock may vanish before our eyes.
const TRIES_MAX: u32 = 16;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("oss-hyper-disk-{name}-{}", std::process::id()));
        let _gone = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn b61_what_is_not_ours_is_not_opened() {
        let dir = directory("ours");
        let (file, other) = (dir.join("file"), dir.join("other"));
        drop(create(&file).unwrap());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(open(&file).is_ok());
        assert_eq!(create(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        symlink(&file, &other).unwrap();
        assert!(open(&other).is_err(), "a link is not followed");
        assert!(create(&other).is_err(), "nor written through");
        assert!(Lock::take(other.clone()).is_err());
        assert!(open(&dir).is_err(), "a directory");
        fs::remove_file(&other).unwrap();
        fs::hard_link(&file, &other).unwrap();
        assert_eq!(open(&file).unwrap_err().to_string(), "has another name");
        fs::remove_file(&other).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(open(&file).unwrap_err().to_string(), "may be written by others");
        let pipe = dir.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(open(&pipe).unwrap_err().to_string(), "is not a regular file");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_small_file_is_replaced_whole_and_read_up_to_its_limit() {
        let dir = directory("replace");
        let path = dir.join("checkpoint");
        assert_eq!(read(&path, 10).unwrap(), None);
        for text in ["first", "second, and longer"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(read(&path, 100).unwrap().unwrap(), text.as_bytes());
        }
        assert_eq!(read(&path, 10).unwrap().unwrap().len(), 11, "enough to see that it is too long");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        assert!(replace(&dir.join("none/checkpoint"), b"x").is_err());
        remove(&path).unwrap();
        remove(&path).unwrap();
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn b62_a_lock_is_held_by_one_and_leaves_nothing() {
        let dir = directory("lock");
        let path = dir.join("lock");
        let held = Lock::take(path.clone()).unwrap().unwrap();
        assert!(Lock::take(path.clone()).unwrap().is_none());
        drop(held);
        assert!(!path.exists());
        let again = Lock::take(path.clone()).unwrap().unwrap();
        assert!(path.exists());
        drop(again);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn b62_of_many_that_come_and_go_one_at_a_time_has_the_lock() {
        use core::sync::atomic::{AtomicU32, Ordering};
        let dir = directory("race");
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        // However often it is taken by another: chance decides that, not the lock.
                        let tries = core::iter::repeat_with(|| Lock::take(dir.join("lock")).unwrap());
                        let lock = tries.flatten().next().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        let is_found = is_there(&lock.file, &lock.path).unwrap();
                        assert!(is_found, "the next one would find another file");
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_is_written_at_a_place_is_read_there() {
        let dir = directory("placed");
        let file = Placed::new(create(&dir.join("file")).unwrap());
        file.write_at(b"world", 6).unwrap();
        file.write_at(b"hello", 0).unwrap();
        let mut buffer = [b'-'; 20];
        assert_eq!(file.read_at(&mut buffer, 0).unwrap(), 11);
        assert_eq!(&buffer[..11], b"hello\0world");
        assert_eq!(file.read_at(&mut buffer, 11).unwrap(), 0);
        // All or some of it, or nothing where the file system cannot say what it has in memory.
        let mut buffer = [b'-'; 20];
        let read = file.read_now(&mut buffer, 6);
        assert!(read <= 5, "no more than there is");
        assert_eq!(&buffer[..read], &b"world"[..read]);
        assert_eq!(file.file().metadata().unwrap().len(), 11);
        fs::remove_dir_all(&dir).unwrap();
    }
}
