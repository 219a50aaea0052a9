//! `cargo xtask fuzz`: the fuzz targets, found by looking into `fuzz/fuzz_targets`.

use std::path::Path;

use crate::run::{Failure, Outcome, Workspace, finish, is_ci};

pub(crate) fn fuzz(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if arguments.iter().any(|argument| argument == "--check") {
        return check(workspace, &[]);
    }
    let wish = Wish::parse(arguments)?;
    let all = targets(workspace)?;
    if let Some(unknown) = wish.targets.iter().find(|name| !all.contains(name)) {
        return Err(Failure(format!("no fuzz target {unknown}; there are {}", all.join(", "))));
    }
    let chosen = if wish.targets.is_empty() { &all } else { &wish.targets };
    let install = wish.install || is_ci();
    let Some(tool) = workspace.tool_or_install("cargo-fuzz", VERSION, install)? else {
        return Ok(Outcome::Skipped(
            "cargo-fuzz is not installed (cargo xtask fuzz --install puts it under target/tools)".into(),
        ));
    };
    for target in chosen {
        println!("-- {target}: {} s", wish.seconds);
        run(workspace, &tool, target, wish.seconds)?;
    }
    Ok(Outcome::Done(format!("{} target(s), {} s each, no finding", chosen.len(), wish.seconds)))
}

/// Compiles every target without libFuzzer: a target that nobody builds rots.
pub(crate) fn check(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let count = targets(workspace)?.len();
    let mut command = workspace.cargo(&["check", "--quiet", "--bins", "--no-default-features"]);
    command.args(["--manifest-path", "fuzz/Cargo.toml", "--target-dir"]);
    command.arg(workspace.target().join("fuzz-check"));
    finish(command)?;
    Ok(Outcome::Done(format!("{count} targets compile")))
}

fn run(workspace: &Workspace, tool: &Path, target: &str, seconds: u32) -> Result<(), Failure> {
    // What is found goes to a folder of its own: the committed corpus grows only by hand.
    let found = workspace.target().join("fuzz-corpus").join(target);
    std::fs::create_dir_all(&found)
        .map_err(|error| Failure(format!("cannot create {}: {error}", found.display())))?;
    let mut command = workspace.program(tool, &["run", "--target-dir"]);
    command.arg(workspace.target().join("fuzz")).arg(target).arg(&found);
    command.arg(workspace.root().join("fuzz/corpus").join(target));
    command.args(["--", "-rss_limit_mb=512", "-timeout=1", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    // The sanitizer is the only thing that needs a nightly compiler; the stable one has it behind this.
    command.env("RUSTC_BOOTSTRAP", "1");
    finish(command)
}

/// The names of the targets, sorted.
fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let folder = workspace.root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| Failure(format!("cannot read fuzz/fuzz_targets: {error}")))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(Failure::new("fuzz/fuzz_targets is empty"));
    }
    Ok(names)
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Wish {
    seconds: u32,
    install: bool,
    targets: Vec<String>,
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut wish = Self { seconds: SECONDS, install: false, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--install" => wish.install = true,
                "--seconds" => {
                    let number = arguments.next().and_then(|text| text.parse().ok());
                    wish.seconds = number.ok_or_else(|| Failure::new("--seconds needs a whole number"))?;
                }
                flag if flag.starts_with('-') => {
                    return Err(Failure(format!("unknown argument {flag}")));
                }
                name => wish.targets.push(name.to_owned()),
            }
        }
        Ok(wish)
    }
}

const VERSION: &str = "0.13.2";
const SECONDS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_command_line_is_read() {
        let wish = Wish::parse(&strings(&["--seconds", "5", "endpoint", "--install"])).unwrap();
        assert_eq!(wish, Wish { seconds: 5, install: true, targets: strings(&["endpoint"]) });
        for bad in [&["--seconds"][..], &["--seconds", "x"], &["--wat"]] {
            assert!(Wish::parse(&strings(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_targets_are_found() {
        let names = targets(&Workspace::find().unwrap()).unwrap();
        assert!(names.iter().any(|name| name == "http_date"), "{names:?}");
        assert!(names.is_sorted());
    }
}
