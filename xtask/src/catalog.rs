//! `cargo xtask catalog`: the tables against the vendor's API, and the page that says what is here.

use crate::run::{Failure, Outcome, Workspace, finish};

/// Writes the page; with `--check` only compares.
pub(crate) fn catalog(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let mut command = workspace.cargo(&["run", "--quiet", "-p", "oss-sim", "--bin", "catalog", "--"]);
    command.args(arguments);
    finish(command)?;
    Ok(Outcome::Done("the tables and docs/operations.md agree with the catalogue".into()))
}

/// The step of CI.
pub(crate) fn check(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    catalog(workspace, &["--check".to_owned()])
}
