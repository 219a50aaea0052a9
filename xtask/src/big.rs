//! `cargo xtask big`: a large sparse file up and down, and how much memory the client takes for it.

use crate::run::{Failure, Outcome, Workspace, finish};

pub(crate) fn big(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let program = ["run", "--quiet", "--release", "-p", "oss-sim", "--bin", "big", "--"];
    let mut command = workspace.cargo(&program);
    // Not where the system keeps temporary files: that may be memory.
    command.arg("--dir").arg(workspace.root().join("target").join("big"));
    command.args(arguments);
    finish(command)?;
    Ok(Outcome::Done("came down as it went up, within its memory".into()))
}
