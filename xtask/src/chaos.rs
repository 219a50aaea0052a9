//! `cargo xtask chaos`: calls of every kind over real sockets to a peer that does wrong.

use crate::run::{Failure, Outcome, Workspace, finish};

pub(crate) fn chaos(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let program = ["run", "--quiet", "--release", "-p", "oss-sim", "--bin", "chaos", "--"];
    let mut command = workspace.cargo(&program);
    command.args(arguments);
    finish(command)?;
    Ok(Outcome::Done("no wrong byte, no late end, nothing left behind".into()))
}
