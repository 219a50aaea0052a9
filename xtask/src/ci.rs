//! `cargo xtask ci`: every check, in order, with the minutes each took.

use core::time::Duration;
use std::time::Instant;

use crate::run::{Failure, Outcome, Step, Workspace, output};
use crate::{
    agreement, big, cargo, catalog, chaos, deny, examples, fuzz, hostile, instructions, interop, matrix,
    no_std, sabotage, sim, tidy, wasm,
};

/// The steps of CI, in order: what a person mistypes first comes first.
pub(crate) const STEPS: &[(&str, Step)] = &[
    ("fmt", cargo::fmt),
    ("tidy", tidy::tidy),
    ("matrix", matrix::matrix),
    ("sabotage", sabotage::check),
    ("clippy", cargo::clippy),
    ("test", cargo::test),
    ("sim", sim::sim),
    ("crc", cargo::crc),
    ("examples", examples::examples),
    ("doc", cargo::doc),
    ("no-std", no_std::no_std),
    ("wasm", wasm::wasm),
    ("catalog", catalog::check),
    ("fuzz", fuzz::step),
    ("hostile", hostile::hostile),
    ("sign-agreement", agreement::agreement),
    ("instructions", instructions::instructions),
    ("chaos", chaos::chaos),
    ("big", big::big),
    ("deny", deny::deny),
    ("interop", interop::interop),
];

pub(crate) fn ci(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let skipped = skips(arguments)?;
    let mut missing = Vec::new();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        if skipped.contains(name) {
            lines.push(line(name, Duration::ZERO, "skipped: done by the caller (--skip)"));
            continue;
        }
        println!("\n== {name}");
        let start = Instant::now();
        let result = step(workspace, &[]);
        if matches!(result, Ok(Outcome::Skipped(_))) {
            missing.push(*name);
        }
        let (good, word) = judge(result);
        let line = line(name, start.elapsed(), &word);
        println!("{line}");
        println!("{}", free_disk(workspace));
        lines.push(line);
        if !good {
            failed.push(*name);
        }
    }
    println!("\n== ci\n{}", lines.join("\n"));
    if failed.is_empty() {
        let done = STEPS.len() - skipped.len() - missing.len();
        let missing = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
        return Ok(Outcome::Done(format!("{done} steps; skipped for want of something: {missing}")));
    }
    Err(Failure(failed.join(", ")))
}

/// What is left of the disk: a full one fails a step in the words of whatever was writing.
fn free_disk(workspace: &Workspace) -> String {
    let free = output(workspace.program("df", &["-Pk", "."]));
    let kib = free.ok().and_then(|text| text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok());
    kib.map_or_else(|| "free disk: not known".into(), |kib| format!("free disk: {} GiB", kib >> 20))
}

fn skips(arguments: &[String]) -> Result<Vec<&'static str>, Failure> {
    let mut skips = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument != "--skip" {
            return Err(Failure(format!("unknown argument {argument}; only --skip STEP is known")));
        }
        let name = arguments.next().ok_or_else(|| Failure::new("--skip needs the name of a step"))?;
        let Some((name, _)) = STEPS.iter().find(|(step, _)| step == name) else {
            let known: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
            return Err(Failure(format!("no step {name}; the steps are {}", known.join(", "))));
        };
        skips.push(*name);
    }
    Ok(skips)
}

/// Whether a step counts as good, and its words. What cannot be had on a machine is named and not held
/// against the commit.
fn judge(result: Result<Outcome, Failure>) -> (bool, String) {
    match result {
        Ok(Outcome::Done(note)) => (true, note),
        Ok(Outcome::Skipped(why)) => (true, format!("skipped: {why}")),
        Err(failure) => (false, format!("FAILED: {failure}")),
    }
}

fn line(name: &str, took: Duration, word: &str) -> String {
    format!("{name:<14} {:>5.1} min  {word}", took.as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn skips_are_names_of_steps() {
        assert_eq!(skips(&strings(&["--skip", "test", "--skip", "deny"])), Ok(vec!["test", "deny"]));
        assert_eq!(skips(&[]), Ok(vec![]));
        for bad in [&["--skip"][..], &["--skip", "nothing"], &["test"]] {
            assert!(skips(&strings(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_skip_is_named_and_no_failure() {
        let skipped = Ok(Outcome::Skipped("x is missing".into()));
        assert_eq!(judge(skipped), (true, "skipped: x is missing".into()));
        assert!(judge(Ok(Outcome::Done("fine".into()))).0);
        assert!(!judge(Err(Failure::new("bad"))).0);
    }

    #[test]
    fn a_line_has_name_minutes_and_words() {
        assert_eq!(line("tidy", Duration::from_secs(90), "fine"), "tidy             1.5 min  fine");
    }
}
