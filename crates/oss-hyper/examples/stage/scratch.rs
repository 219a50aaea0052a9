//! Files for the examples.

use std::path::PathBuf;
use std::{env, fs, process};

use super::Outcome;

/// A file that goes with the program, for its user alone.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

/// A file with this content.
pub(crate) fn scratch(name: &str, content: &str) -> Outcome<Scratch> {
    let file = Scratch(env::temp_dir().join(format!("oss-example-{}-{name}", process::id())));
    fs::write(&file.0, content)?;
    #[cfg(unix)]
    fs::set_permissions(&file.0, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}
