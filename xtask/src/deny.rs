//! `cargo xtask deny`: duplicate versions, licences and sources, from `deny.toml`.

use crate::run::{Failure, Outcome, Workspace, finish, is_ci};

pub(crate) fn deny(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let install = is_ci() || arguments.iter().any(|argument| argument == "--install");
    let tool = match workspace.tool_or_install("cargo-deny", VERSION, install) {
        Ok(Some(tool)) => tool,
        Ok(None) => {
            let how = "cargo-deny is not installed (cargo xtask deny --install puts it under target/tools)";
            return Ok(Outcome::Skipped(how.into()));
        }
        Err(failure) => {
            return Ok(Outcome::Skipped(format!("cargo-deny could not be installed: {failure}")));
        }
    };
    // Crates for the other systems of `deny.toml` are read too, so they must be there before `--offline`.
    if let Err(failure) = finish(workspace.cargo(&["fetch", "--locked", "--quiet"])) {
        return Ok(Outcome::Skipped(format!("the crates of other systems are out of reach: {failure}")));
    }
    // Advisories change from day to day and need a network: they are not part of a commit's verdict.
    let mut command = workspace.program(tool, &["--offline", "--locked", "--config", "deny.toml", "check"]);
    command.args(["--hide-inclusion-graph", "bans", "licenses", "sources"]);
    finish(command)?;
    Ok(Outcome::Done("bans, licences and sources are in order".into()))
}

const VERSION: &str = "0.20.2";
