//! `cargo xtask wasm`: the crates without IO, built for `wasm32-unknown-unknown`.
//!
//! The standard library for that target is built from Debian's source package with Debian's compiler, since
//! a plain toolchain has neither.

use std::process::Command;

use crate::apt;
use crate::run::{Failure, Outcome, Workspace, finish, is_ci, on_path, output};
use crate::tidy::dag::Dag;

pub(crate) fn wasm(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let wanted = workspace.read("Cargo.toml")?;
    let wanted = wanted.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let wanted = wanted.and_then(version).ok_or_else(|| Failure::new("Cargo.toml names no rust-version"))?;
    if let Some(why) = unready(workspace, wanted) {
        if !is_ci() || on_path("apt-get").is_none() {
            return Ok(Outcome::Skipped(why));
        }
        if let Err(failure) = apt::install(workspace, PACKAGES) {
            return Ok(Outcome::Skipped(format!("{why}; {failure}")));
        }
        if let Some(why) = unready(workspace, wanted) {
            return Ok(Outcome::Skipped(why));
        }
    }
    let dag = Dag::parse(&workspace.read("ARCHITECTURE.md")?).map_err(Failure)?;
    let pure = dag.rows.iter().filter(|row| row.layer.is_pure());
    let names: Vec<&str> = pure.map(|row| row.name.as_str()).collect();
    finish(build(workspace, &names))?;
    Ok(Outcome::Done(format!("{} crates built by {}", names.len(), compiler(workspace)?.trim())))
}

/// What keeps the packages from building this workspace, if anything.
fn unready(workspace: &Workspace, wanted: (u32, u32)) -> Option<String> {
    let is_there = |package: &&str| {
        let query = workspace.program("dpkg-query", &["-W", "-f", "${db:Status-Status}", package]);
        output(query).is_ok_and(|status| status == "installed")
    };
    let missing: Vec<&str> = PACKAGES.iter().copied().filter(|package| !is_there(package)).collect();
    if !missing.is_empty() {
        return Some(format!("{} are missing ({HINT})", missing.join(", ")));
    }
    let found = compiler(workspace).unwrap_or_default();
    if version(&found).is_some_and(|found| found >= wanted) {
        return None;
    }
    let (major, minor) = wanted;
    Some(format!("rustc-web is {}, but {major}.{minor} is wanted ({HINT})", found.trim()))
}

/// The first `1.88` of a text, as numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|character: char| character.is_ascii_digit())?;
    let mut numbers = text.get(start..)?.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn compiler(workspace: &Workspace) -> Result<String, Failure> {
    output(packaged(workspace, "rustc", &["--version"]))
}

fn build(workspace: &Workspace, crates: &[&str]) -> Command {
    let mut command = packaged(workspace, "cargo", &["build", "--locked", "--lib", "--quiet"]);
    command.args(["-Zbuild-std=core,alloc,std,panic_abort", "--target", "wasm32-unknown-unknown"]);
    command.arg("--target-dir").arg(workspace.target().join("wasm"));
    for name in crates {
        command.args(["-p", name]);
    }
    command
}

/// A program of the packages, without what another toolchain left in the environment.
fn packaged(workspace: &Workspace, program: &str, arguments: &[&str]) -> Command {
    let mut command = workspace.program(format!("{FOLDER}/{program}"), arguments);
    for name in FOREIGN {
        command.env_remove(name);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    // The standard library is built with what is not stable, and so is the option that builds it.
    command.env("PATH", format!("{FOLDER}:{path}")).env("RUSTC_BOOTSTRAP", "1");
    command
}

const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld"];
const HINT: &str = "Debian: apt-get update, then apt-get install rustc-web cargo-web rust-web-src lld";

/// Where the packages put their programs; a toolchain of rustup comes earlier on the search path.
const FOLDER: &str = "/usr/bin";

/// What a `cargo` above us, or a person, says to the toolchain above us.
const FOREIGN: &[&str] = &[
    "CARGO",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_prints_them() {
        assert_eq!(
            version("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"),
            Some((1, 96))
        );
        assert_eq!(version("\"1.88\""), Some((1, 88)));
        for none in ["", "rustc", "1", "1."] {
            assert_eq!(version(none), None, "{none}");
        }
    }

    #[test]
    fn the_build_names_every_crate_and_puts_the_packages_first() {
        let workspace = Workspace::find().unwrap();
        let command = build(&workspace, &["oss-one", "oss-two"]);
        let arguments: Vec<String> =
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        assert!(arguments.ends_with(&["-p", "oss-one", "-p", "oss-two"].map(str::to_owned)));
        let path = command.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap();
        assert!(path.to_string_lossy().starts_with(FOLDER));
        assert!(command.get_envs().any(|set| set == ("RUSTC_WRAPPER".as_ref(), None)));
    }
}
