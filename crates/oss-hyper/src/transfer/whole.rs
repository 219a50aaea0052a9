//! One object that is being read, into a file that takes its name once it is whole.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hyper::body::Body as HttpBody;
use oss_proto::transfer::{DiskDone, DiskWork, FileError, FileStep};
use oss_proto::{Error, ErrorKind, FailureKind, Reply, TransportError, Verified};

use super::job::Passed;
use super::part::Place;
use super::shelf::named;
use super::sink::Sink;
use crate::clock::seed;
use crate::{BoxError, Object};

impl<B> Object<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Reads the content into a file that replaces one that is there, its owner's alone (0600) on Unix.
    ///
    /// The bytes go to a new file of a random name in the same directory. Once all are there, verified and
    /// written through to the disk, it gets the name asked for. Until then a file of that name is left as it
    /// is, and when the read fails or its future is dropped, the new file is removed.
    /// [`download_file`](crate::Bucket::download_file) does the same in parts, several at a time, and can be
    /// gone on with.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes) but for the limit, and with `FailureKind::BodySink` when the file cannot be
    /// written. A read that breaks off is not taken up again.
    pub async fn to_file(mut self, path: impl Into<PathBuf>) -> Result<Reply<Verified>, Error> {
        let path = path.into();
        let mut place = Place::new(&path, None).map_err(|error| not_opened(&self, &path, &error))?;
        match self.fill(&mut place).await {
            Ok(verified) => Ok(self.reply().clone().map(|_| verified)),
            Err(Fault::Call(error)) => Err(error),
            Err(Fault::File(error)) => Err(not_kept(&self, &error)),
        }
    }

    async fn fill(&mut self, place: &mut Place) -> Result<Verified, Fault> {
        for _ in 0..TRIES_MAX {
            let name = format!(".oss-{:016x}.part", seed());
            if step(place, DiskWork::CreatePart { name }).await? == DiskDone::Done {
                break;
            }
        }
        let taken = || FileError::new(FileStep::Open, "every name for it is taken");
        let part = place.part().ok_or_else(taken)?;
        let mut sink = Sink::new(part, 0, Passed::default(), None);
        let failed = |error: &io::Error| {
            FileError::new(FileStep::Write, io::Error::new(error.kind(), error.to_string()))
        };
        while let Some(chunk) = self.chunk().await? {
            sink.take(chunk).await.map_err(|error| failed(&error))?;
        }
        sink.flush().await.map_err(|error| failed(&error))?;
        drop(sink);
        let verified = self.whole()?;
        let length = step(place, DiskWork::Measure).await?;
        if length != DiskDone::Length(verified.bytes) {
            let problem = format!("{length:?} instead of {} bytes", verified.bytes);
            return Err(FileError::new(FileStep::Measure, problem).into());
        }
        step(place, DiskWork::Sync).await?;
        step(place, DiskWork::Rename).await?;
        step(place, DiskWork::SyncDirectory).await?;
        Ok(verified)
    }
}

enum Fault {
    Call(Error),
    File(FileError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

async fn step(place: &mut Place, work: DiskWork) -> Result<DiskDone, FileError> {
    let done = place.begin(work).await;
    place.done();
    done
}

fn not_opened<B>(object: &Object<B>, path: &Path, error: &io::Error) -> Error {
    not_kept(object, &named(FileStep::Open, path, error))
}

fn not_kept<B>(object: &Object<B>, error: &FileError) -> Error {
    let kind = error.cause().downcast_ref::<io::Error>().map_or(io::ErrorKind::Other, io::Error::kind);
    let cause = io::Error::new(kind, error.cause().to_string());
    object.error(ErrorKind::Transport(TransportError::new(FailureKind::BodySink, cause)))
}

/// A random name of 64 bits is taken once, or somebody has filled the directory with all of them.
const TRIES_MAX: u32 = 3;
