//! `cargo xtask sim`: schedules of calls and faults in the simulated world, against the model of OSS or
//! against the emulator.

use crate::run::{Failure, Outcome, Workspace, finish};

pub(crate) fn sim(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if arguments.is_empty() {
        return check(workspace);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    play(workspace, &arguments)?;
    Ok(Outcome::Done("no violation".into()))
}

/// A bounded number of schedules, against both peers.
fn check(workspace: &Workspace) -> Result<Outcome, Failure> {
    play(workspace, &["--hash"])?;
    play(workspace, &["--storm"])?;
    for (peer, seeds) in SEEDS {
        play(workspace, &["--peer", peer, "--seeds", seeds])?;
    }
    let seeds = SEEDS.map(|(peer, seeds)| format!("{seeds} {peer}")).join(", ");
    Ok(Outcome::Done(format!("{seeds}: no violation")))
}

fn play(workspace: &Workspace, arguments: &[&str]) -> Result<(), Failure> {
    let program = ["run", "--quiet", "--profile", "checked", "-p", "oss-sim", "--bin", "sim", "--"];
    let mut command = workspace.cargo(&program);
    command.args(arguments);
    finish(command)
}

/// What CI runs: about 20 seconds of each.
const SEEDS: [(&str, &str); 2] = [("scripted", "2000000"), ("emulated", "200000")];
