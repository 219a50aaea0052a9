//! `cargo xtask sign-agreement`: the signer against the naive second one, over a million random requests.

use crate::run::{Failure, Outcome, Workspace, finish};

pub(crate) fn agreement(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let program = ["run", "--quiet", "--release", "-p", "oss-sim", "--bin", "sign-agreement", "--"];
    let mut command = workspace.cargo(&program);
    command.args(arguments);
    finish(command)?;
    Ok(Outcome::Done("both signers agree".into()))
}
