//! Files to objects and back, in one request each.

use std::io;
use std::path::{Path, PathBuf};

use oss_proto::{
    Checked, Error, ErrorKind, FailureKind, IntoField, ObjectKey, Outcome, PutObjectOutput, Reply,
    TransportError, Verified,
};

use crate::{Body, Bucket};

impl Bucket {
    /// Uploads a file in one request, which is opened anew for each attempt. Its `Content-Type` goes by the
    /// key's extension. [`upload_file`](Self::upload_file) sends large ones in parts, several at a time.
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

    /// Downloads an object to a file in one request: as [`Object::to_file`](crate::Object::to_file), with the
    /// whole object. [`download_file`](Self::download_file) reads large ones in parts, several at a time, and
    /// can go on where an earlier one broke off.
    ///
    /// # Errors
    /// As [`Client::open`](crate::Client::open) and [`Object::to_file`](crate::Object::to_file).
    pub async fn get_to_file(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        path: impl Into<PathBuf>,
    ) -> Result<Reply<Verified>, Error> {
        let path = path.into();
        self.get(key).await?.to_file(path).await
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
