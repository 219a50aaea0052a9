//! `cargo xtask instructions`: what the signer does beside hashing, counted by valgrind.
//!
//! Instructions do not depend on how busy the machine is, so CI can hold them where it cannot hold times. The
//! program signs, and hashes what a signature is made of as often; the difference is the signer's own.

use crate::run::{Failure, Outcome, Workspace, finish, is_ci, output};

pub(crate) fn instructions(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    if workspace.tool("valgrind").is_none() {
        if !is_ci() || workspace.tool("apt-get").is_none() {
            return Ok(Outcome::Skipped("valgrind is missing (Debian: apt-get install valgrind)".into()));
        }
        // Without the headers of the C library, which come with a compiler, valgrind cannot start.
        if let Err(failure) = crate::apt::install(workspace, &["valgrind", "libc6-dbg"]) {
            return Ok(Outcome::Skipped(format!("valgrind could not be installed: {failure}")));
        }
    }
    finish(workspace.cargo(&["build", "--quiet", "--release", "-p", "oss-sim", "--bin", "instructions"]))?;
    let mut over = Vec::new();
    for (what, known) in KNOWN {
        let (sign, floor) = (count(workspace, what, "sign")?, count(workspace, what, "floor")?);
        let (own, most) = (sign.saturating_sub(floor) / COUNT, most(*known));
        println!("{what:<24} {own:>6} of its own  (bar: {most})  {:>6} hashing", floor / COUNT);
        if own > most {
            over.push(*what);
        }
    }
    if over.is_empty() {
        return Ok(Outcome::Done(format!("{} signatures within their bars", KNOWN.len())));
    }
    Err(Failure(format!("more instructions than {MARGIN_PERCENT} % over what is known: {}", over.join(", "))))
}

/// All instructions of a run of the program.
fn count(workspace: &Workspace, what: &str, way: &str) -> Result<u64, Failure> {
    let tool = ["--tool=callgrind", "--log-fd=1", "--callgrind-out-file=/dev/null"];
    let mut command = workspace.program("valgrind", &tool);
    command.arg(workspace.target().join("release/instructions")).args([what, way, &COUNT.to_string()]);
    let text = output(command)?;
    collected(&text).ok_or_else(|| Failure(format!("valgrind named no count:\n{text}")))
}

/// The number that callgrind ends with: `==1== Collected : 12345`.
fn collected(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

const fn most(known: u64) -> u64 {
    known + known * MARGIN_PERCENT / 100
}

/// Instructions for each signature beside hashing, as measured with the compiler that CI pins. Who makes the
/// signer do more changes a number here, and says why; who makes it do less lowers it.
const KNOWN: &[(&str, u64)] = &[
    ("put_object/headers", 3_997),
    ("put_object/query", 5_391),
    ("list_objects_v2/headers", 4_654),
    ("list_objects_v2/query", 6_256),
];
/// What another C library or another linker may add.
const MARGIN_PERCENT: u64 = 10;
/// Signatures in a run: enough that starting the program does not show.
const COUNT: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_callgrind_prints() {
        let text = "==7== Events    : Ir\n==7== Collected : 123456\n==7== \n==7== I refs: 123,456\n";
        assert_eq!(collected(text), Some(123_456));
        for none in ["", "==7== Collected : \n", "Collected 1"] {
            assert_eq!(collected(none), None, "{none}");
        }
    }

    #[test]
    fn the_bar_is_a_tenth_above_what_is_known() {
        assert_eq!(most(1_000), 1_100);
    }
}
