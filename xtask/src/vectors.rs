//! `cargo xtask vectors FILE...`: runs conformance vectors, kept as JSON lines, through the crates.

use crate::run::{Failure, Outcome, Workspace, finish};

pub(crate) fn vectors(workspace: &Workspace, files: &[String]) -> Result<Outcome, Failure> {
    if files.is_empty() {
        return Err(Failure::new("name at least one file of vectors"));
    }
    // The program runs in the root of the workspace; a relative name is meant from where the user is.
    let here = std::env::current_dir().map_err(|error| Failure(format!("no current folder: {error}")))?;
    let mut command =
        workspace.cargo(&["run", "--quiet", "--release", "-p", "oss-sim", "--bin", "vectors", "--"]);
    command.args(files.iter().map(|file| here.join(file)));
    finish(command)?;
    Ok(Outcome::Done(format!("{} file(s) read", files.len())))
}
