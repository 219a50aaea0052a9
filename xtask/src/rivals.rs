//! `cargo xtask rivals`: transfers side by side with other clients, and what each makes of damaged bytes.
//!
//! The program is `tests/rivals/`, a workspace of its own, so that what the others depend on reaches no crate
//! of ours. No step of CI: it takes minutes to build, and its numbers decide nothing.

use std::path::PathBuf;

use crate::run::{Failure, Outcome, Workspace, finish, on_path};

pub(crate) fn rivals(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let mut command = workspace.cargo(&["run", "--quiet", "--release", "--manifest-path", MANIFEST]);
    command.arg("--target-dir").arg(workspace.target().join("rivals"));
    command.arg("--").args(arguments);
    match python(workspace) {
        Ok(python) => {
            command.env("PYTHON", python);
        }
        // Its rows then say that it was not run.
        Err(failure) => println!("no Python SDK: {failure}"),
    }
    finish(command)?;
    Ok(Outcome::Done("compared".into()))
}

/// An interpreter with the official SDK: the one of `cargo xtask interop`, made when it is not there.
fn python(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let python3 = on_path("python3").ok_or_else(|| Failure::new("python3 is missing"))?;
    let folder = workspace.target().join("interop/venv");
    let python = folder.join("bin/python");
    if !python.is_file() {
        let mut command = workspace.program(python3, &["-m", "venv"]);
        command.arg(&folder);
        finish(command)?;
    }
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", PACKAGES];
    finish(workspace.program(&python, &install))?;
    Ok(python)
}

const MANIFEST: &str = "tests/rivals/Cargo.toml";
const PACKAGES: &str = "tests/interop/requirements.txt";
