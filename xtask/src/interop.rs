//! `cargo xtask interop`: the official clients beside ours, against the emulator server.
//!
//! The script is `tests/interop/run.sh`; it installs the clients it needs under the folder that it gets as
//! `$INTEROP_DIR`, prints a line for each call and fails on any difference.

use crate::run::{Failure, Outcome, Workspace, on_path};

pub(crate) fn interop(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    if on_path("python3").is_none() {
        return Ok(Outcome::Skipped("python3 is missing".into()));
    }
    let folder = workspace.target().join("interop");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure(format!("cannot create {}: {error}", folder.display())))?;
    let mut command = workspace.program("bash", &[SCRIPT]);
    command.env("INTEROP_DIR", &folder);
    let status = command.status().map_err(|error| Failure(format!("cannot start {SCRIPT}: {error}")))?;
    match status.code() {
        Some(0) => Ok(Outcome::Done("the official clients and ours agree".into())),
        Some(SKIPPED) => Ok(Outcome::Skipped("the official clients could not be installed".into())),
        _ => Err(Failure(format!("{SCRIPT}: {status}"))),
    }
}

const SCRIPT: &str = "tests/interop/run.sh";
/// What the script ends with when it could not do its work (as automake has it).
const SKIPPED: i32 = 77;
