//! `cargo xtask deny`: duplicate versions, licences and sources, from `deny.toml`.

use crate::run::{Failure, Outcome, Workspace, finish, is_ci};

pub(crate) fn deny(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let install = is_ci() || arguments.iter().any(|argument| argument == "--install");
    let Some(tool) = workspace.tool_or_install("cargo-deny", VERSION, install)? else {
        return Ok(Outcome::Skipped(
            "cargo-deny is not installed (cargo xtask deny --install puts it under target/tools)".into(),
        ));
    };
    // Crates for the other systems of `deny.toml` are read too, so they must be there before `--offline`.
    finish(workspace.cargo(&["fetch", "--locked", "--quiet"]))?;
    // Advisories change from day to day and need a network: they are not part of a commit's verdict.
    let mut command = workspace.program(tool, &["--offline", "--locked", "--config", "deny.toml", "check"]);
    command.args(["--hide-inclusion-graph", "bans", "licenses", "sources"]);
    finish(command)?;
    Ok(Outcome::Done("bans, licences and sources are in order".into()))
}

const VERSION: &str = "0.20.2";
