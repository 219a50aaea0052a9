//! `fuzz/LEDGER.md`: what was run for how long, and what came of it.

use core::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::run::{Failure, Workspace, output};

/// One run of one target.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) target: String,
    pub(crate) execs: u64,
    pub(crate) is_finding: bool,
    seconds: u64,
    coverage: u64,
}

impl Run {
    /// Reads what libFuzzer says at the end.
    pub(crate) fn read(target: &str, said: &str, is_finding: bool) -> Self {
        let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        let last = |mark: &str| said.lines().rev().find_map(|line| number(line.split_once(mark)?.1));
        // "Done 177709 runs in 301 second(s)"
        let seconds = said.lines().rev().find_map(|line| number(line.split_once(" runs in ")?.1));
        Self {
            target: target.to_owned(),
            execs: last("stat::number_of_executed_units:").unwrap_or(0),
            is_finding,
            seconds: seconds.unwrap_or(0),
            coverage: last(" cov: ").unwrap_or(0),
        }
    }

    fn line(&self, date: &str, commit: &str) -> String {
        let Self { target, execs, seconds, coverage, .. } = self;
        let findings = if self.is_finding { "one" } else { "none" };
        format!("| {date} | {commit} | {target} | {execs} | {seconds} | {coverage} | {findings} |\n")
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, execs, seconds, coverage, .. } = self;
        write!(f, "{target:<18} {execs:>10} runs in {seconds:>4} s, coverage {coverage:>5}")?;
        f.write_str(if self.is_finding { ", A FINDING" } else { "" })
    }
}

/// What is about to be built: by the end of a long run it may be something else.
pub(crate) fn commit(workspace: &Workspace) -> Result<String, Failure> {
    output(workspace.program("git", &["rev-parse", "--short=9", "HEAD"]))
}

/// Adds a line for each run.
pub(crate) fn append(workspace: &Workspace, runs: &[Run], commit: &str) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = date(now.as_secs() / 86_400);
    let mut page = workspace.read(PAGE)?;
    runs.iter().for_each(|run| page.push_str(&run.line(&date, commit.trim())));
    std::fs::write(workspace.root().join(PAGE), page)
        .map_err(|error| Failure(format!("cannot write {PAGE}: {error}")))
}

/// The date so many days after 1 January 1970.
fn date(days: u64) -> String {
    // Counted from 1 March of the year 0, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year)
}

const PAGE: &str = "fuzz/LEDGER.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_from_what_libfuzzer_says() {
        let said = "INFO: Seed: 1\n#2\tINITED cov: 9 ft: 9\n#177\tDONE   cov: 4034 ft: 14606 corp: 5/1Kb\n\
                    Done 177 runs in 301 second(s)\nstat::number_of_executed_units: 177\n";
        let run = Run::read("fetch", said, false);
        assert_eq!((run.execs, run.seconds, run.coverage), (177, 301, 4034));
        assert_eq!(run.line("2026-01-02", "abc"), "| 2026-01-02 | abc | fetch | 177 | 301 | 4034 | none |\n");
        let none = Run::read("fetch", "==1== ERROR: libFuzzer: deadly signal\n", true);
        assert_eq!((none.execs, none.seconds, none.coverage), (0, 0, 0));
        assert!(none.to_string().ends_with("A FINDING"));
    }

    #[test]
    fn a_date_is_that_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_593, "2026-05-20"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), text);
        }
    }
}
