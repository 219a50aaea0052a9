//! `cargo xtask interop`: the official Python client against the emulator server.
//!
//! The script is `tests/interop/run.sh`; it gets the interpreter of a virtual environment in which the
//! client is installed as `$PYTHON`, and the folder for everything it writes as `$INTEROP_DIR`.

use std::path::Path;

use crate::run::{Failure, Outcome, Workspace, finish, on_path};

pub(crate) fn interop(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    if !workspace.root().join(SCRIPT).is_file() {
        return Ok(Outcome::Done(format!("nothing to run: there is no {SCRIPT}")));
    }
    if on_path("python3").is_none() {
        return Ok(Outcome::Skipped("python3 is missing".into()));
    }
    let folder = workspace.target().join("interop");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure(format!("cannot create {}: {error}", folder.display())))?;
    let python = folder.join("venv/bin/python");
    if !has_client(workspace, &python) {
        install(workspace, &folder, &python)?;
    }
    let mut command = workspace.program("bash", &[SCRIPT]);
    command.env("PYTHON", &python).env("INTEROP_DIR", &folder);
    finish(command)?;
    Ok(Outcome::Done(format!("{CLIENT} agrees with the emulator")))
}

fn has_client(workspace: &Workspace, python: &Path) -> bool {
    python.is_file()
        && crate::run::output(workspace.program(python, &["-m", "pip", "show", "alibabacloud-oss-v2"]))
            .is_ok_and(|text| CLIENT.ends_with(&version(&text)))
}

/// The version that `pip show` printed, with its `==`.
fn version(shown: &str) -> String {
    let line = shown.lines().find_map(|line| line.strip_prefix("Version: "));
    format!("=={}", line.unwrap_or("none").trim())
}

fn install(workspace: &Workspace, folder: &Path, python: &Path) -> Result<(), Failure> {
    let mut command = workspace.program("python3", &["-m", "venv", "--clear"]);
    command.arg(folder.join("venv"));
    finish(command)
        .map_err(|failure| Failure(format!("{failure} (Debian: apt-get install python3-venv)")))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT];
    finish(workspace.program(python, &pip))
}

const SCRIPT: &str = "tests/interop/run.sh";
const CLIENT: &str = "alibabacloud-oss-v2==1.4.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_pip_shows() {
        assert_eq!(version("Name: x\nVersion: 1.2.3\nSummary: y\n"), "==1.2.3");
        assert_eq!(version(""), "==none");
    }
}
