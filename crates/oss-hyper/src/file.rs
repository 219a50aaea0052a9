//! Files to objects and back; a file appears under its name only whole and verified.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hyper::body::Body as HttpBody;
use oss_proto::{
    Checked, Error, ErrorKind, FailureKind, IntoField, ObjectKey, Outcome, PutObjectOutput, Reply,
    TransportError, Verified,
};
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::task::spawn_blocking;

use crate::clock::seed;
use crate::{Body, BoxError, Bucket, Object};

impl Bucket {
    /// Uploads a file, which is opened anew for each attempt. Its `Content-Type` goes by the key's extension.
    ///
    /// # Errors
    /// As [`Client::send_from`](crate::Client::send_from), and when there is no such file; one that changes
    /// its length meanwhile fails the call, and OSS keeps nothing of it.
    pub async fn put_from_file(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        path: impl Into<PathBuf>,
    ) -> Result<Reply<PutObjectOutput>, Error> {
        let path = path.into();
        let body = Body::file(&path).await.map_err(|error| {
            let transport = TransportError::new(FailureKind::BodySource, named(&path, &error));
            Error::new(ErrorKind::Transport(transport), "PutObject", Outcome::NotSent)
        })?;
        self.put(key, body).await
    }

    /// Downloads an object to a file: as [`Object::to_file`], with the whole object.
    ///
    /// # Errors
    /// As [`Client::open`](crate::Client::open) and [`Object::to_file`].
    pub async fn get_to_file(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        path: impl Into<PathBuf>,
    ) -> Result<Reply<Verified>, Error> {
        let path = path.into();
        self.get(key).await?.to_file(path).await
    }
}

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
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes) but for the limit, and with `FailureKind::BodySink` when the file cannot be
    /// written. A read that breaks off is not taken up again.
    pub async fn to_file(mut self, path: impl Into<PathBuf>) -> Result<Reply<Verified>, Error> {
        let path = path.into();
        let not_kept = |object: &Self, error: io::Error| {
            let transport = TransportError::new(FailureKind::BodySink, named(&path, &error));
            object.error(ErrorKind::Transport(transport))
        };
        let mut file = NewFile::create(path.clone()).await.map_err(|error| not_kept(&self, error))?;
        while let Some(chunk) = self.chunk().await? {
            file.buffer.write_all(&chunk).await.map_err(|error| not_kept(&self, error))?;
        }
        let verified = self.whole()?;
        file.keep().await.map_err(|error| not_kept(&self, error))?;
        Ok(self.reply().clone().map(|_| verified))
    }
}

/// A file that is being written, under a name of its own.
struct NewFile {
    buffer: BufWriter<tokio::fs::File>,
    place: Place,
}

/// Where a file is, and where it is to be. Dropping it removes the file.
struct Place {
    temporary: PathBuf,
    target: PathBuf,
    is_kept: bool,
}

impl NewFile {
    async fn create(target: PathBuf) -> io::Result<Self> {
        // The file and who removes it come from the task together: if nobody waits for them, it is removed.
        let (file, place) = blocking(move || Place::create(&target)).await?;
        let file = tokio::fs::File::from_std(file);
        Ok(Self { buffer: BufWriter::with_capacity(BUFFER_BYTES, file), place })
    }

    async fn keep(mut self) -> io::Result<()> {
        self.buffer.flush().await?;
        let file = self.buffer.into_inner().into_std().await;
        let place = self.place;
        blocking(move || place.keep(&file)).await
    }
}

impl Place {
    fn create(target: &Path) -> io::Result<(File, Self)> {
        // The program may go to another directory while it downloads.
        let target = std::path::absolute(target)?;
        let (Some(directory), Some(_)) = (target.parent(), target.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
        };
        if target.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "the path names a directory; add a name",
            ));
        }
        let mut options = OpenOptions::new();
        // Never one that exists, nor through a link that somebody put there.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut tries = 0;
        loop {
            let temporary = directory.join(format!(".oss-{:016x}.part", seed()));
            tries += 1;
            match options.open(&temporary) {
                Ok(file) => return Ok((file, Self { temporary, target, is_kept: false })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name, once every byte of it is on the disk.
    fn keep(mut self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        std::fs::rename(&self.temporary, &self.target)?;
        self.is_kept = true;
        sync_directory(&self.target)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_kept {
            // It may be gone already, and nobody is there to be told.
            let _removed = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Makes a name last: on Unix it is the directory's content.
#[cfg(unix)]
fn sync_directory(target: &Path) -> io::Result<()> {
    let Some(directory) = target.parent() else { return Ok(()) };
    let Err(error) = File::open(directory).and_then(|directory| directory.sync_all()) else { return Ok(()) };
    match error.kind() {
        // Not every file system can, and one may write to a directory without being let to read it.
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied => Ok(()),
        kind => {
            let problem = format!("the file is in place, but may lose its name in a crash: {error}");
            Err(io::Error::new(kind, problem))
        }
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|ended| Err(io::Error::other(ended)))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// How much is written at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// A random name of 64 bits is taken once, or somebody has filled the directory with all of them.
const TRIES_MAX: u32 = 3;
