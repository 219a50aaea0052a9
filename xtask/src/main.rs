//! The automation of the workspace: `cargo xtask <command>`.
//!
//! `cargo xtask ci` is the whole of CI, in order, on a laptop. Needs only a Rust toolchain;
//! a step whose outside tool is missing says so by name.

extern crate alloc;

mod agreement;
mod apt;
mod bench;
mod big;
mod cargo;
mod catalog;
mod chaos;
mod ci;
mod deny;
mod examples;
mod fuzz;
mod hostile;
mod instructions;
mod interop;
mod matrix;
mod no_std;
mod rivals;
mod run;
mod sabotage;
mod sim;
mod tidy;
mod vectors;
mod wasm;

use std::process::ExitCode;

use run::{Outcome, Step, Workspace};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        print!("{}", help());
        return ExitCode::FAILURE;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("xtask: no such command: {name}\n\n{}", help());
        return ExitCode::FAILURE;
    };
    let rest: Vec<String> = arguments.collect();
    match Workspace::find().and_then(|workspace| (command.run)(&workspace, &rest)) {
        Ok(Outcome::Done(note)) => {
            eprintln!("xtask {name}: {note}");
            ExitCode::SUCCESS
        }
        Ok(Outcome::Skipped(why)) => {
            eprintln!("xtask {name}: skipped: {why}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("xtask {name}: failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// One `cargo xtask` command.
struct Command {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: Step,
}

fn help() -> String {
    let mut text = String::from("cargo xtask <command>\n\n");
    for command in COMMANDS {
        let left = format!("{} {}", command.name, command.usage);
        text.push_str(&format!("  {left:<52} {}\n", command.about));
    }
    text
}

const COMMANDS: &[Command] = &[
    Command { name: "ci", usage: "[--skip STEP]...", about: "every check, in order", run: ci::ci },
    Command { name: "fmt", usage: "[--fix]", about: "rustfmt", run: cargo::fmt },
    Command { name: "clippy", usage: "", about: "clippy, warnings are errors", run: cargo::clippy },
    Command { name: "test", usage: "[ARGS]...", about: "every test", run: cargo::test },
    Command { name: "crc", usage: "", about: "the checksum by crc-fast and by table", run: cargo::crc },
    Command { name: "doc", usage: "", about: "rustdoc, warnings are errors", run: cargo::doc },
    Command { name: "tidy", usage: "", about: "the house rules and the crate DAG", run: tidy::tidy },
    Command {
        name: "matrix",
        usage: "[ROW]...",
        about: "the faults of docs/faults.md and the tests that show them",
        run: matrix::matrix,
    },
    Command { name: "no-std", usage: "", about: "the leaves without std", run: no_std::no_std },
    Command { name: "wasm", usage: "", about: "the crates without IO for wasm32", run: wasm::wasm },
    Command {
        name: "deny",
        usage: "[--install]",
        about: "bans, licences and sources of dependencies",
        run: deny::deny,
    },
    Command {
        name: "fuzz",
        usage: "[--check | --seconds N --ledger] [TARGET]...",
        about: "the fuzz targets",
        run: fuzz::fuzz,
    },
    Command { name: "hostile", usage: "", about: "what hostile answers cost", run: hostile::hostile },
    Command {
        name: "catalog",
        usage: "[--check]",
        about: "the tables against the vendor's API",
        run: catalog::catalog,
    },
    Command {
        name: "vectors",
        usage: "FILE...",
        about: "conformance vectors, as JSON lines",
        run: vectors::vectors,
    },
    Command {
        name: "sign-agreement",
        usage: "[--cases N] [--seed N]",
        about: "the signer against a naive second one",
        run: agreement::agreement,
    },
    Command {
        name: "sim",
        usage: "[--seeds N] [--from S] [--peer P]",
        about: "random calls and faults, without IO",
        run: sim::sim,
    },
    Command {
        name: "big",
        usage: "[--mib N] [--lanes N] [--rss-mib N]",
        about: "a large file up and down, and the memory it takes",
        run: big::big,
    },
    Command {
        name: "bench",
        usage: "[BENCH]...",
        about: "every benchmark, and one table of ratios",
        run: bench::bench,
    },
    Command {
        name: "rivals",
        usage: "[--small]",
        about: "transfers side by side with other clients",
        run: rivals::rivals,
    },
    Command {
        name: "instructions",
        usage: "",
        about: "what signing does beside hashing, counted",
        run: instructions::instructions,
    },
    Command {
        name: "examples",
        usage: "[NAME]...",
        about: "every example, against the emulator",
        run: examples::examples,
    },
    Command {
        name: "interop",
        usage: "",
        about: "the official Python client against the emulator",
        run: interop::interop,
    },
    Command {
        name: "chaos",
        usage: "[--seconds N] [--seed N]",
        about: "every kind of call against faults on real sockets",
        run: chaos::chaos,
    },
    Command {
        name: "sabotage",
        usage: "[--check | NAME...]",
        about: "planted bugs, each caught by its test",
        run: sabotage::sabotage,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command() {
        let text = help();
        for command in COMMANDS {
            assert!(text.contains(command.name), "{}", command.name);
            assert!(text.contains(command.about), "{}", command.name);
        }
    }

    #[test]
    fn every_step_of_ci_is_a_command() {
        for (name, _) in ci::STEPS {
            assert!(COMMANDS.iter().any(|command| command.name == *name), "{name}");
        }
    }
}
