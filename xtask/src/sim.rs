//! `cargo xtask sim`: schedules of calls and faults in the simulated world, against the model of OSS or
//! against the emulator.

use crate::run::{Failure, Outcome, Workspace, finish, is_ci, output};

pub(crate) fn sim(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if arguments.is_empty() {
        return check(workspace);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    play(workspace, &arguments)?;
    Ok(Outcome::Done("no violation".into()))
}

/// A bounded number of schedules, against both peers. In CI half of them are others for each commit.
fn check(workspace: &Workspace) -> Result<Outcome, Failure> {
    play(workspace, &["--hash"])?;
    play(workspace, &["--storm"])?;
    let runs = runs(if is_ci() { from_commit(workspace) } else { 1 });
    for (peer, from, seeds) in &runs {
        println!("sim: seeds {from} to {} against the {peer} peer", from + seeds - 1);
        play(workspace, &["--peer", peer, "--from", &from.to_string(), "--seeds", &seeds.to_string()])?;
    }
    let runs = runs.iter().map(|(peer, from, seeds)| format!("{seeds} {peer} from {from}"));
    Ok(Outcome::Done(format!("{}: no violation", runs.collect::<Vec<_>>().join(", "))))
}

/// The peer, the first seed and how many of them, for each run; half of the seeds begin at `from`.
fn runs(from: u64) -> Vec<(&'static str, u64, u64)> {
    let halves = |(peer, seeds): (&'static str, u64)| match from {
        0 | 1 => vec![(peer, 1, seeds)],
        _ => vec![(peer, 1, seeds / 2), (peer, from, seeds - seeds / 2)],
    };
    SEEDS.into_iter().flat_map(halves).collect()
}

/// A seed from the commit that is checked out; 1 where there is none.
fn from_commit(workspace: &Workspace) -> u64 {
    let commit = output(workspace.program("git", &["rev-parse", "HEAD"]));
    commit.ok().and_then(|commit| seed_of(&commit)).unwrap_or(1)
}

fn seed_of(commit: &str) -> Option<u64> {
    u64::from_str_radix(commit.get(..8)?, 16).ok()
}

fn play(workspace: &Workspace, arguments: &[&str]) -> Result<(), Failure> {
    let program = ["run", "--quiet", "--profile", "checked", "-p", "oss-sim", "--bin", "sim", "--"];
    let mut command = workspace.cargo(&program);
    command.args(arguments);
    finish(command)
}

/// What CI runs: about 20 seconds of each.
const SEEDS: [(&str, u64); 2] = [("scripted", 2_000_000), ("emulated", 200_000)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_seeds_are_those_of_the_commit() {
        assert_eq!(seed_of("3e4cc5e0aa\n"), Some(0x3e4c_c5e0));
        assert_eq!((seed_of("fatal: not a repository"), seed_of("")), (None, None));
        assert_eq!(runs(1), [("scripted", 1, 2_000_000), ("emulated", 1, 200_000)]);
        assert_eq!(
            runs(77),
            [
                ("scripted", 1, 1_000_000),
                ("scripted", 77, 1_000_000),
                ("emulated", 1, 100_000),
                ("emulated", 77, 100_000),
            ]
        );
    }
}
