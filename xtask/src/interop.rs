//! `cargo xtask interop`: the official clients beside ours, against the emulator server.
//!
//! The script is `tests/interop/run.sh`; it installs the clients it needs under the folder that it gets as
//! `$INTEROP_DIR`, prints a line for each call and fails on any difference.

use crate::run::{Failure, Outcome, Workspace, finish, on_path};

pub(crate) fn interop(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    if on_path("python3").is_none() {
        return Ok(Outcome::Skipped("python3 is missing".into()));
    }
    let folder = workspace.target().join("interop");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure(format!("cannot create {}: {error}", folder.display())))?;
    let mut command = workspace.program("bash", &[SCRIPT]);
    command.env("INTEROP_DIR", &folder);
    finish(command)?;
    Ok(Outcome::Done("the official clients and ours agree".into()))
}

const SCRIPT: &str = "tests/interop/run.sh";
