//! What tests of files and transfers share: a directory of their own, and when to break off.

use std::fs;
use std::path::{Path, PathBuf};

use oss_emulator_server::Server;
use oss_hyper::transfer::TransferProgress;
use oss_hyper::{Bucket, ListMultipartUploads};

use super::{bucket_of, emulator, service};

/// The emulator, its bucket, and a directory.
pub(crate) async fn world(name: &str) -> (Server, Bucket, Directory) {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    (server, bucket, Directory::new(name))
}

/// A directory of a test's own, removed at its end.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("oss-hyper-{name}-{}", std::process::id()));
        // What a killed run of the same number left.
        let _gone = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        parts_in(&self.0)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// The partial files there.
pub(crate) fn parts_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|it| it == "part")).collect()
}

/// How many uploads in parts are open.
pub(crate) async fn uploads(bucket: &Bucket) -> usize {
    bucket.send(ListMultipartUploads::here()).await.unwrap().output.uploads.len()
}

/// Acts once, as soon as so many bytes have moved.
pub(crate) fn after(
    bytes: u64,
    act: impl FnOnce() + Send + 'static,
) -> impl FnMut(TransferProgress) + Send + 'static {
    let mut act = Some(act);
    move |at| {
        if at.bytes >= bytes
            && let Some(act) = act.take()
        {
            act();
        }
    }
}
