//! `cargo xtask fuzz`: the fuzz targets, found by looking into `fuzz/fuzz_targets`.

mod ledger;

use std::path::Path;
use std::sync::Mutex;

use self::ledger::Run;
use crate::run::{Failure, Outcome, Workspace, finish, is_ci};

pub(crate) fn fuzz(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if arguments.iter().any(|argument| argument == "--check") {
        return check(workspace);
    }
    let wish = Wish::parse(arguments)?;
    let all = targets(workspace)?;
    if let Some(unknown) = wish.targets.iter().find(|name| !all.contains(name)) {
        return Err(Failure(format!("no fuzz target {unknown}; there are {}", all.join(", "))));
    }
    let chosen = if wish.targets.is_empty() { &all } else { &wish.targets };
    let tool = match tool(workspace, wish.install)? {
        Ok(tool) => tool,
        Err(missing) => return Ok(Outcome::Skipped(missing)),
    };
    let commit = wish.ledger.then(|| ledger::commit(workspace)).transpose()?;
    let mut build = workspace.program(&tool, &["build", "--target-dir"]);
    build.arg(workspace.target().join("fuzz"));
    // One target is built alone, several at once.
    build.args(chosen.first().filter(|_| chosen.len() == 1));
    // The sanitizer is the only thing that needs a nightly compiler; the stable one has it behind this.
    build.env("RUSTC_BOOTSTRAP", "1");
    finish(build)?;
    let runs = run_all(workspace, chosen, wish.seconds)?;
    if let Some(commit) = commit {
        ledger::append(workspace, &runs, &commit)?;
    }
    let found: Vec<&str> = runs.iter().filter(|run| run.is_finding).map(|run| run.target.as_str()).collect();
    if !found.is_empty() {
        return Err(Failure(format!("findings of {}: the input is in fuzz/artifacts", found.join(", "))));
    }
    let execs: u64 = runs.iter().map(|run| run.execs).sum();
    let (count, seconds) = (runs.len(), wish.seconds);
    Ok(Outcome::Done(format!("{count} target(s), {seconds} s each, {execs} runs, no finding")))
}

/// The step of CI: every target compiles, and runs for a while where the tool can be had.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    check(workspace)?;
    fuzz(workspace, arguments)
}

/// Compiles every target without libFuzzer: a target that nobody builds rots.
fn check(workspace: &Workspace) -> Result<Outcome, Failure> {
    let count = targets(workspace)?.len();
    let mut command = workspace.cargo(&["check", "--quiet", "--bins", "--no-default-features"]);
    command.args(["--manifest-path", "fuzz/Cargo.toml", "--target-dir"]);
    command.arg(workspace.target().join("fuzz-check"));
    finish(command)?;
    Ok(Outcome::Done(format!("{count} targets compile")))
}

/// `cargo-fuzz`, or what is missing.
fn tool(workspace: &Workspace, install: bool) -> Result<Result<std::path::PathBuf, String>, Failure> {
    if !["c++", "clang++", "g++"].iter().any(|compiler| workspace.tool(compiler).is_some()) {
        return Ok(Err("libFuzzer needs a C++ compiler (Debian: apt-get install g++)".into()));
    }
    match workspace.tool_or_install("cargo-fuzz", VERSION, install || is_ci()) {
        Ok(Some(tool)) => Ok(Ok(tool)),
        Ok(None) => Ok(Err(
            "cargo-fuzz is not installed (cargo xtask fuzz --install puts it under target/tools)".into(),
        )),
        // A machine without a network is no fault of the commit.
        Err(failure) if is_ci() && !install => Ok(Err(format!("cargo-fuzz cannot be had: {failure}"))),
        Err(failure) => Err(failure),
    }
}

/// Runs the targets, as many at a time as there are lanes.
fn run_all(workspace: &Workspace, targets: &[String], seconds: u32) -> Result<Vec<Run>, Failure> {
    let (waiting, done) = (Mutex::new(targets.iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok().and_then(|mut targets| targets.next());
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let run = run(workspace, target, seconds);
                    if let Ok(mut done) = done.lock() {
                        done.push(run);
                    }
                }
            });
        }
    });
    let done = done.into_inner().map_err(|_| Failure::new("a fuzz target could not be waited for"))?;
    let mut runs = done.into_iter().collect::<Result<Vec<Run>, Failure>>()?;
    runs.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(runs)
}

fn run(workspace: &Workspace, target: &str, seconds: u32) -> Result<Run, Failure> {
    // What is found goes to a folder of its own: the committed corpus grows only by hand.
    let found = workspace.target().join("fuzz-corpus").join(target);
    let artifacts = workspace.root().join("fuzz/artifacts").join(target);
    for folder in [&found, &artifacts] {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure(format!("cannot create {}: {error}", folder.display())))?;
    }
    let program = program(workspace, target)?;
    let mut command =
        workspace.program(&program, &["-rss_limit_mb=512", "-timeout=1", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    let dictionary = workspace.root().join("fuzz/dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(&found).arg(workspace.root().join("fuzz/corpus").join(target));
    let output =
        command.output().map_err(|error| Failure(format!("cannot start the target {target}: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let is_finding = !output.status.success() && !is_the_machines(workspace, &program, &said);
    if is_finding {
        let lines: Vec<&str> = said.lines().collect();
        println!("{}", lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n"));
    }
    let run = Run::read(target, &said, is_finding);
    println!("{run}");
    Ok(run)
}

/// Whether a run ended only because the machine was busy: an input that took a second then, and takes none
/// now.
fn is_the_machines(workspace: &Workspace, program: &Path, said: &str) -> bool {
    let written =
        said.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
    let Some(path) = written.filter(|path| path.contains("/timeout-")) else { return false };
    let mut again = workspace.program(program, &["-timeout=1", path]);
    let is_fast = again.output().is_ok_and(|output| output.status.success());
    if is_fast {
        let _ = std::fs::remove_file(path);
    }
    is_fast
}

/// What `cargo fuzz build` made; its folder is named after the machine it is for.
fn program(workspace: &Workspace, target: &str) -> Result<std::path::PathBuf, Failure> {
    let folder = workspace.target().join("fuzz");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| Failure(format!("cannot read {}: {error}", folder.display())))?;
    let programs = entries.filter_map(|entry| Some(entry.ok()?.path().join("release").join(target)));
    let mut programs = programs.filter(|program: &std::path::PathBuf| Path::is_file(program));
    programs.next().ok_or_else(|| Failure(format!("{} has no program {target}", folder.display())))
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
    ledger: bool,
    targets: Vec<String>,
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut wish = Self { seconds: SECONDS, install: false, ledger: false, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--install" => wish.install = true,
                "--ledger" => wish.ledger = true,
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
/// CI has two cores, and a target keeps one busy.
const LANES: usize = 2;
const LINES_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_command_line_is_read() {
        let wish = Wish::parse(&strings(&["--seconds", "5", "endpoint", "--install"])).unwrap();
        let endpoint = strings(&["endpoint"]);
        assert_eq!(wish, Wish { seconds: 5, install: true, ledger: false, targets: endpoint });
        assert!(Wish::parse(&strings(&["--ledger"])).unwrap().ledger);
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
