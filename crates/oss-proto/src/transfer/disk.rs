//! What a transfer asks of the disk, and how that fails.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// One step on the disk. A driver does it whole, and reports it, before it asks for the next one.
///
/// The partial file is in the directory of the target, under the name that the step gives. What is to last is
/// never written in place: a checkpoint goes to a file of its own first, is written through (`fsync`), and
/// then takes the name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
pub enum DiskWork {
    /// Take the lock that goes with the checkpoint: [`DiskDone::Done`], or [`DiskDone::Taken`] when somebody
    /// else has it. It is given back when its holder dies.
    Lock,
    /// Read the checkpoint: [`DiskDone::Checkpoint`]. At most
    /// [`BYTES_MAX`](super::Checkpoint::BYTES_MAX) and one more byte, never through a link.
    ReadCheckpoint,
    /// Open a partial file that is there, to read and to write; never through a link. It is
    /// [`DiskDone::Missing`] when there is none.
    OpenPart {
        /// Its name, without a directory.
        name: String,
    },
    /// Make a new partial file that only its owner may read (0600); never one that exists, which is
    /// [`DiskDone::Taken`].
    CreatePart {
        /// Its name, without a directory.
        name: String,
    },
    /// Put this text in the place of the checkpoint: a new file, `fsync`, rename, `fsync` of the directory.
    WriteCheckpoint {
        /// The text.
        text: String,
    },
    /// Tell how long the partial file is: [`DiskDone::Length`].
    Measure,
    /// Cut the partial file to this length; it is longer.
    Truncate {
        /// How many bytes it is to have.
        len: u64,
    },
    /// Write every byte of the partial file through to the disk (`fsync`).
    Sync,
    /// Give the partial file the name of the target, in the place of what has it.
    Rename,
    /// Make the new name last: `fsync` of the directory.
    SyncDirectory,
    /// Remove the partial file.
    RemovePart,
    /// Remove the checkpoint, if there is one.
    RemoveCheckpoint,
    /// Give back the lock.
    Unlock,
}

/// What came of a step on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskDone {
    /// It is done.
    Done,
    /// Somebody else has the lock, or the name.
    Taken,
    /// There is no such file.
    Missing,
    /// The file has so many bytes.
    Length(u64),
    /// What the checkpoint's file holds; `None` when there is none.
    Checkpoint(Option<alloc::vec::Vec<u8>>),
}

/// A file on this side could not be used: what was done with it, and what the system said.
#[derive(Clone, Debug)]
pub struct FileError {
    step: FileStep,
    cause: Arc<dyn core::error::Error + Send + Sync>,
}

/// What was done with a file that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileStep {
    /// The lock beside the checkpoint.
    Lock,
    /// Reading the checkpoint, or writing it.
    Checkpoint,
    /// Making or opening the file.
    Open,
    /// Reading from it.
    Read,
    /// Writing to it.
    Write,
    /// Measuring or cutting it.
    Measure,
    /// Writing it through to the disk.
    Sync,
    /// Giving it its name.
    Rename,
    /// Writing the directory through to the disk: the file is in place, but may lose its name in a crash.
    SyncDirectory,
    /// Removing it.
    Remove,
}

impl FileError {
    /// This step failed, for this reason.
    pub fn new(step: FileStep, cause: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self { step, cause: Arc::from(cause.into()) }
    }

    /// What was being done.
    pub fn step(&self) -> FileStep {
        self.step
    }

    /// What the system said; a `std::io::Error` from the drivers of this project.
    pub fn cause(&self) -> &(dyn core::error::Error + Send + Sync + 'static) {
        &*self.cause
    }
}

impl DiskWork {
    /// What fails when it fails.
    pub fn step(&self) -> FileStep {
        match self {
            Self::Lock | Self::Unlock => FileStep::Lock,
            Self::ReadCheckpoint | Self::WriteCheckpoint { .. } | Self::RemoveCheckpoint => {
                FileStep::Checkpoint
            }
            Self::OpenPart { .. } | Self::CreatePart { .. } => FileStep::Open,
            Self::Measure | Self::Truncate { .. } => FileStep::Measure,
            Self::Sync => FileStep::Sync,
            Self::Rename => FileStep::Rename,
            Self::SyncDirectory => FileStep::SyncDirectory,
            Self::RemovePart => FileStep::Remove,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.step {
            FileStep::Lock => "the lock cannot be taken",
            FileStep::Checkpoint => "the checkpoint cannot be kept",
            FileStep::Open => "the file cannot be opened",
            FileStep::Read => "the file cannot be read",
            FileStep::Write => "the file cannot be written",
            FileStep::Measure => "the file does not have the length it must have",
            FileStep::Sync => "the file cannot be written through to the disk",
            FileStep::Rename => "the file cannot get its name",
            FileStep::SyncDirectory => "the file is in place, but may lose its name in a crash",
            FileStep::Remove => "the file cannot be removed",
        };
        write!(f, "{what}: {}", self.cause)
    }
}

/// `Display` has the cause in it, so there is no source.
impl core::error::Error for FileError {}
