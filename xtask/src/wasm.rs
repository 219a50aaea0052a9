//! `cargo xtask wasm`: the crates without IO, built for `wasm32-unknown-unknown`.
//!
//! The standard library for that target is built from Debian's source package with Debian's compiler, since
//! a plain toolchain has neither. That compiler is older than the one this workspace asks for: what it has,
//! but does not yet call stable, is switched on package by package.

use std::process::Command;

use crate::run::{Failure, Outcome, Workspace, finish, is_ci, output};
use crate::tidy::dag::{Dag, Row};

pub(crate) fn wasm(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let missing = missing(workspace);
    if !missing.is_empty() {
        if !is_ci() || crate::run::on_path("apt-get").is_none() {
            return Ok(Outcome::Skipped(format!("{} are missing (apt-get install)", missing.join(", "))));
        }
        install(workspace, &missing)?;
    }
    let dag = Dag::parse(&workspace.read("ARCHITECTURE.md")?).map_err(Failure)?;
    let pure: Vec<&Row> = dag.rows.iter().filter(|row| row.layer.is_pure()).collect();
    finish(build(workspace, &pure)).map_err(|failure| {
        Failure(format!("{failure}; a feature that is to be enabled goes into FEATURES of xtask/src/wasm.rs"))
    })?;
    let version = output(plain(workspace, &format!("{FOLDER}/rustc"), &["--version"]))?;
    Ok(Outcome::Done(format!("{} crates built by {}", pure.len(), version.trim())))
}

/// The packages that are not installed.
fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let is_there = |package: &str| {
        let query = workspace.program("dpkg-query", &["-W", "-f", "${db:Status-Status}", package]);
        output(query).is_ok_and(|status| status == "installed")
    };
    PACKAGES.iter().copied().filter(|package| !is_there(package)).collect()
}

fn install(workspace: &Workspace, packages: &[&str]) -> Result<(), Failure> {
    finish(workspace.program("apt-get", &["update", "-qq"]))?;
    let mut command = workspace.program("apt-get", &["install", "-qq", "-y", "--no-install-recommends"]);
    command.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    finish(command)
}

fn build(workspace: &Workspace, crates: &[&Row]) -> Command {
    let mut command = plain(
        workspace,
        &format!("{FOLDER}/cargo"),
        &["build", "--locked", "--lib", "--quiet", "--ignore-rust-version"],
    );
    command.args(["-Zbuild-std=core,alloc,std,panic_abort", "--target", "wasm32-unknown-unknown"]);
    command.arg("-Zprofile-rustflags").args(features(crates));
    command.arg("--target-dir").arg(workspace.target().join("wasm"));
    for row in crates {
        command.args(["-p", &row.name]);
    }
    command
}

/// A program of the packages, without what another toolchain left in the environment.
fn plain(workspace: &Workspace, program: &str, arguments: &[&str]) -> Command {
    let mut command = workspace.program(program, arguments);
    for name in FOREIGN {
        command.env_remove(name);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{FOLDER}:{path}")).env("RUSTC_BOOTSTRAP", "1");
    command
}

/// The options that switch features on, for our crates and those they are built on.
fn features(crates: &[&Row]) -> Vec<String> {
    let ours = crates.iter().flat_map(|row| {
        let name = row.name.as_str();
        // A feature of alloc is unknown to a crate that does not link it.
        let alloc = (!row.no_alloc).then_some((name, OURS_ALLOC));
        [Some((name, OURS)), alloc].into_iter().flatten()
    });
    let mut options = Vec::new();
    let mut flags: Vec<(&str, Vec<String>)> = Vec::new();
    for (package, features) in ours.chain(FEATURES.iter().copied()) {
        let flag = format!("\"-Zcrate-attr=feature({features})\"");
        match flags.iter_mut().find(|(name, _)| *name == package) {
            Some((_, flags)) => flags.push(flag),
            None => flags.push((package, vec![flag])),
        }
    }
    for (package, flags) in flags {
        options.push("--config".to_owned());
        options.push(format!("profile.dev.package.{package}.rustflags=[{}]", flags.join(",")));
    }
    options
}

const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld"];

/// Where the packages put their programs; a toolchain of rustup comes earlier on the search path.
const FOLDER: &str = "/usr/bin";

/// What a `cargo` above us, or a person, says to the toolchain above us.
const FOREIGN: &[&str] = &[
    "CARGO",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// What our crates use of Rust 1.86 to 1.88.
const OURS: &str = "let_chains,unsigned_is_multiple_of,slice_as_chunks,integer_sign_cast";
const OURS_ALLOC: &str = "string_extend_from_within";

/// What other packages use of Rust 1.86 to 1.88.
const FEATURES: &[(&str, &str)] = &[
    ("ctutils", "const_black_box,integer_sign_cast"),
    ("quick-xml", "const_str_split_at"),
    ("sha2", "slice_as_chunks"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::dag::Layer;

    #[test]
    fn each_package_gets_its_features_once() {
        let row = |name: &str, no_alloc| Row {
            name: name.into(),
            layer: Layer::Leaf,
            no_alloc,
            allowed: Vec::new(),
        };
        let options = features(&[&row("oss-one", true), &row("oss-two", false)]);
        assert_eq!(options.len(), 2 * (2 + FEATURES.len()));
        assert!(options[1].starts_with("profile.dev.package.oss-one.rustflags=[\"-Zcrate-attr=feature(let"));
        assert!(!options[1].contains(OURS_ALLOC) && options[3].contains(OURS_ALLOC));
    }

    #[test]
    fn the_build_names_every_crate_and_no_other_toolchain() {
        let workspace = Workspace::find().unwrap();
        let row = Row { name: "oss-one".into(), layer: Layer::Leaf, no_alloc: true, allowed: Vec::new() };
        let command = build(&workspace, &[&row]);
        let arguments: Vec<String> =
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        assert!(arguments.ends_with(&["-p".to_owned(), "oss-one".to_owned()]));
        let path = command.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap();
        assert!(path.to_string_lossy().starts_with(FOLDER));
    }
}
