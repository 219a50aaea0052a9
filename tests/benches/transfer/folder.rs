//! Where the files are that are moved, and what is in them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::canned::FILL;

/// A folder for the files, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// In `OSS_BENCH_DIR`, else in this place.
    pub(crate) fn new(name: &str, parent: PathBuf) -> Self {
        let parent = std::env::var_os("OSS_BENCH_DIR").map_or(parent, PathBuf::from);
        let folder = parent.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Makes a file of so many bytes, whole MiB, like the object of the peer.
pub(crate) fn fill(path: &Path, bytes: u64) {
    let mut file = File::create(path).unwrap();
    let block = vec![FILL; 1 << 20];
    for _ in 0..bytes >> 20 {
        file.write_all(&block).unwrap();
    }
}
