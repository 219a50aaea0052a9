//! The commands that a page tells its reader to type exist.

use super::crates::Crate;
use super::{File, Finding};

/// Checks every `cargo …` command of a page: xtask commands, packages, examples and binaries.
pub(crate) fn commands(
    page: &File,
    files: &[File],
    crates: &[Crate],
    xtask: &[&str],
    findings: &mut Vec<Finding>,
) {
    for (number, line) in page.text.lines().enumerate() {
        for command in cargo_commands(line) {
            for what in faults(&command, files, crates, xtask) {
                findings.push(Finding::new(&page.path, number + 1, what));
            }
        }
    }
}

/// The `cargo …` commands of a line: the whole line, or what stands in backticks.
fn cargo_commands(line: &str) -> Vec<Vec<&str>> {
    let whole = line.trim().trim_start_matches("$ ");
    let quoted = line.split('`').skip(1).step_by(2);
    core::iter::once(whole)
        .chain(quoted)
        .filter_map(|text| {
            let words: Vec<&str> = text.split_whitespace().take_while(|word| *word != "#").collect();
            let start = words.iter().position(|word| !word.contains('='))?;
            let words = words.get(start..)?;
            (words.first() == Some(&"cargo")).then(|| words.to_vec())
        })
        .collect()
}

fn faults(command: &[&str], files: &[File], crates: &[Crate], xtask: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    if let ["cargo", "xtask", name, ..] = command
        && !xtask.contains(name)
    {
        faults.push(format!("no such command: cargo xtask {name}"));
    }
    let Some((flags, values)) = command.split_first().map(|(_, rest)| (rest, rest.get(1..))) else {
        return faults;
    };
    let is_crate = |name: &str| crates.iter().any(|krate| krate.name == name);
    let is_file = |end: &str| files.iter().any(|file| file.path.ends_with(end));
    let is_example =
        |name: &str| is_file(&format!("examples/{name}.rs")) || is_file(&format!("examples/{name}/main.rs"));
    for (flag, value) in flags.iter().zip(values.unwrap_or_default()) {
        let (noun, known) = match *flag {
            "-p" | "--package" => ("package", is_crate(value)),
            "--example" => ("example", is_example(value)),
            "--bin" => ("binary", is_file(&format!("src/bin/{value}.rs")) || has_binary(files, value)),
            "--" => break,
            _ => continue,
        };
        if !known {
            faults.push(format!("there is no {noun} {value}"));
        }
    }
    faults
}

fn has_binary(files: &[File], name: &str) -> bool {
    let manifests = files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    let line = format!("name = \"{name}\"");
    manifests.into_iter().any(|file| file.text.lines().any(|text| text.trim() == line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let files = [
            file("crates/oss-a/examples/quickstart.rs", ""),
            file("crates/oss-a/src/bin/tool.rs", ""),
            file("crates/oss-a/Cargo.toml", "[[bin]]\nname = \"server\"\n"),
        ];
        let crates = [Crate { name: "oss-a".into(), folder: "crates/oss-a".into() }];
        let mut findings = Vec::new();
        commands(&file("README.md", text), &files, &crates, &["ci"], &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commands_that_exist_pass() {
        let text = "```sh\ncargo run --release --example quickstart\n$ cargo test --workspace\n\
                    CI=1 cargo xtask ci   # all of it\ncargo run -p oss-a --bin server -- --bin x\n\
                    cargo run --bin tool\n```\nSee `cargo xtask ci`; cargo xtask nothing is prose.\n";
        assert_eq!(find(text), Vec::<String>::new());
    }

    #[test]
    fn commands_that_do_not_exist_are_found() {
        assert_eq!(find("\ncargo xtask cy\n"), ["README.md:2: no such command: cargo xtask cy"]);
        assert_eq!(find("Try `cargo xtask cy`.").len(), 1);
        assert_eq!(find("cargo run --example slow"), ["README.md:1: there is no example slow"]);
        assert_eq!(find("cargo test -p oss-b"), ["README.md:1: there is no package oss-b"]);
        assert_eq!(find("X=1 cargo run -q --bin nope"), ["README.md:1: there is no binary nope"]);
    }
}
