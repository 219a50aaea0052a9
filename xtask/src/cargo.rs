//! The commands that are one call of cargo each.

use crate::run::{Failure, Outcome, Workspace, finish};

pub(crate) fn fmt(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let fix = arguments.iter().any(|argument| argument == "--fix");
    let mode: &[&str] = if fix { &["fmt", "--all"] } else { &["fmt", "--all", "--check"] };
    finish(workspace.cargo(mode))?;
    Ok(Outcome::Done("formatted".into()))
}

pub(crate) fn clippy(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    finish(workspace.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Outcome::Done("no warnings".into()))
}

pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let mut command = workspace.cargo(&["test", "--workspace"]);
    command.args(arguments);
    finish(command)?;
    Ok(Outcome::Done("passed".into()))
}

/// The tests of the checksum in its other two ways, `crc-fast` and the table; and that the simulated world
/// does the same with `crc-fast`.
pub(crate) fn crc(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let features: [&[&str]; 2] = [&["--features", "crc-fast"], &["--no-default-features"]];
    for features in features {
        let mut command = workspace.cargo(&["test", "--quiet", "-p", "oss-crc"]);
        command.args(features);
        finish(command)?;
    }
    let test = "i01_i02_i03_i04_i06_i07_i08_i10_i11_hold_in_every_schedule";
    let arguments = ["test", "--quiet", "-p", "oss-sim", "--features", "crc-fast", "--test", "sim", test];
    finish(workspace.cargo(&arguments))?;
    Ok(Outcome::Done(
        "crc-fast and the table agree with the known answers, and every trace is the same".into(),
    ))
}

pub(crate) fn doc(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let flags = "-D warnings";
    // Libraries only: the page of the binary `oss-emulator` would overwrite the library's.
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps", "--all-features", "--lib"]);
    command.args(["--quiet", "--exclude", "xtask"]).env("RUSTDOCFLAGS", flags);
    finish(command)?;
    Ok(Outcome::Done("no warnings".into()))
}
