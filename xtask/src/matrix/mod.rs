//! `cargo xtask matrix`: every row of `docs/faults.md` with the tests that show it. Builds nothing.

mod page;
mod shown;

use alloc::collections::BTreeSet;
use std::path::Path;

use self::page::{Row, Way};
use self::shown::Shown;
use crate::run::{Failure, Outcome, Workspace};

/// Prints the rows that are named, or all of them; whatever is wrong with those is a failure.
pub(crate) fn matrix(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let mut rows = page::rows(&workspace.read(PAGE)?).map_err(|what| Failure(format!("{PAGE}: {what}")))?;
    let mut shown = Vec::new();
    for folder in FOLDERS {
        collect(workspace, folder, &mut shown)?;
    }
    shown.sort();
    if let Some(unknown) = arguments.iter().find(|id| !rows.iter().any(|row| row.is(id))) {
        return Err(Failure(format!("{PAGE} has no row {unknown}")));
    }
    let mut faults = misnamed(&rows, &shown);
    if !arguments.is_empty() {
        faults.clear();
        rows.retain(|row| arguments.iter().any(|id| row.is(id)));
    }
    faults.extend(gaps(&rows, &shown));
    for row in &rows {
        print!("{}", entry(row, &shown));
    }
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() { Ok(Outcome::Done(summary(&rows, &shown))) } else { Err(failure(faults.len())) }
}

fn failure(count: usize) -> Failure {
    Failure(format!("{count} finding(s); a test shows a row when its name begins with the row's id"))
}

/// Rows without the tests that they need.
fn gaps(rows: &[Row], shown: &[Shown]) -> Vec<String> {
    let mut faults = Vec::new();
    for row in rows.iter().filter(|row| row.is_in_scope) {
        let mut tests = shown.iter().filter(|test| test.shows(&row.id)).peekable();
        if tests.peek().is_none() {
            faults.push(format!("{}: no test: {}", row.id, row.what));
            continue;
        }
        let ways: BTreeSet<Way> = tests.flat_map(|test| test.ways.iter().copied()).collect();
        for way in row.by.difference(&ways) {
            faults.push(format!("{}: no test {}: {}", row.id, way.words(), row.what));
        }
    }
    faults
}

/// Tests that do not run, and names of no row.
fn misnamed(rows: &[Row], shown: &[Shown]) -> Vec<String> {
    let mut faults = Vec::new();
    for test in shown {
        if test.is_ignored {
            faults.push(format!("{}: {} is ignored", test.path, test.name));
        }
        for id in test.ids.iter().filter(|id| !rows.iter().any(|row| row.is(id))) {
            faults.push(format!("{}: {}: there is no row {id}", test.path, test.name));
        }
    }
    faults
}

/// A row and the tests that show it, a line each.
fn entry(row: &Row, shown: &[Shown]) -> String {
    let tests: Vec<&Shown> = shown.iter().filter(|test| test.shows(&row.id)).collect();
    let note = if row.is_in_scope { "" } else { "  (with transfers)" };
    let mut text = format!("{}  {:<3}  {}{note}\n", row.id, letters(&row.by), row.what);
    for test in tests {
        text.push_str(&format!("     {:<3}  {}  {}\n", letters(&test.ways), test.path, test.name));
    }
    text
}

fn letters(ways: &BTreeSet<Way>) -> String {
    ways.iter().map(|way| way.letter()).collect::<Vec<_>>().join(" ")
}

fn summary(rows: &[Row], shown: &[Shown]) -> String {
    let in_scope: Vec<&Row> = rows.iter().filter(|row| row.is_in_scope).collect();
    let by = |way| in_scope.iter().filter(|row| row.by.contains(&way)).count();
    let tests = shown.iter().filter(|test| rows.iter().any(|row| test.shows(&row.id))).count();
    let later = rows.iter().filter(|row| !row.is_in_scope);
    let later: Vec<&str> = later.map(|row| row.id.as_str()).collect();
    format!(
        "{} rows of {} shown, {} without sockets and {} over them, by {} tests; with transfers: {}",
        in_scope.len(),
        rows.len(),
        by(Way::Simulated),
        by(Way::Sockets),
        tests,
        if later.is_empty() { "none".to_owned() } else { later.join(" ") }
    )
}

/// The tests of every Rust file under a folder.
fn collect(workspace: &Workspace, folder: &str, shown: &mut Vec<Shown>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure(format!("cannot read {folder}: {error}"));
    for entry in std::fs::read_dir(workspace.root().join(folder)).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(unreadable)?.is_dir() {
            if !path.ends_with("/target") {
                collect(workspace, &path, shown)?;
            }
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
            shown.extend(shown::shown(&path, &workspace.read(&path)?));
        }
    }
    Ok(())
}

const PAGE: &str = "docs/faults.md";
const FOLDERS: &[&str] = &["crates", "tests"];

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "| id | fault | what must happen | by | where |\n| --- | --- | --- | --- | --- |\n\
        | F01 | no name | an error | S T | here |\n\
        | F02 | no server | an error | T | here; more with transfers |\n\
        | F03 | no file | an error | S | with transfers |\n";

    /// What is found on a page, in a file of unit tests, in one over sockets and among the scenarios.
    fn find(unit: &str, sockets: &str, scenarios: &str) -> Vec<String> {
        let rows = page::rows(ROWS).unwrap();
        let files = [
            ("crates/oss-retry/src/a.rs", unit),
            ("crates/oss-hyper/tests/a.rs", sockets),
            ("tests/src/conformance/scenarios/a.rs", scenarios),
        ];
        let shown: Vec<Shown> = files.iter().flat_map(|(path, text)| shown::shown(path, text)).collect();
        [gaps(&rows, &shown), misnamed(&rows, &shown)].concat()
    }

    const BOTH: &str = "#[tokio::test]\nasync fn f01_f02_x() {\n";

    #[test]
    fn a_row_needs_each_of_its_ways() {
        let unit = "#[test]\nfn f01_x() {\n";
        assert_eq!(find(unit, BOTH, ""), Vec::<String>::new());
        assert_eq!(find("", BOTH, ""), ["F01: no test without sockets: no name"]);
        assert_eq!(
            find("#[test]\nfn f01_f02_x() {\n", "", ""),
            ["F01: no test over sockets: no name", "F02: no test over sockets: no server"]
        );
        assert_eq!(find(unit, unit, ""), ["F02: no test: no server"]);
        // A scenario is played both ways.
        assert_eq!(find("", "", "Scenario::new(\"f01_f02_x\")"), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_does_not_run_shows_nothing_and_is_a_fault() {
        let ignored = "#[test]\n#[ignore = \"slow\"]\nfn f01_x() {\n";
        assert_eq!(
            find(ignored, BOTH, ""),
            ["F01: no test without sockets: no name", "crates/oss-retry/src/a.rs: f01_x is ignored"]
        );
        // Whatever the row: one that may wait is not to be pretended either.
        let ignored = "#[test]\n#[ignore]\nfn f03_x() {\n";
        let unit = format!("#[test]\nfn f01_x() {{\n}}\n{ignored}");
        assert_eq!(find(&unit, BOTH, ""), ["crates/oss-retry/src/a.rs: f03_x is ignored"]);
    }

    #[test]
    fn a_name_of_no_row_is_a_fault() {
        let unit = "#[test]\nfn f01_f89_x() {\n";
        assert_eq!(find(unit, BOTH, ""), ["crates/oss-retry/src/a.rs: f01_f89_x: there is no row F89"]);
        let unit = "#[test]\nfn f01_x() {\n}\n#[test]\nfn b7_x() {\n";
        assert_eq!(find(unit, BOTH, ""), ["crates/oss-retry/src/a.rs: b7_x: there is no row B7"]);
    }

    #[test]
    fn a_row_is_printed_with_its_tests() {
        let rows = page::rows(ROWS).unwrap();
        let shown = shown::shown("crates/oss-hyper/tests/a.rs", BOTH);
        let line = "     T    crates/oss-hyper/tests/a.rs  f01_f02_x\n";
        assert_eq!(entry(&rows[0], &shown), format!("F01  S T  no name\n{line}"));
        assert_eq!(entry(&rows[2], &shown), "F03  S    no file  (with transfers)\n");
        let said = "2 rows of 3 shown, 1 without sockets and 2 over them, by 1 tests; with transfers: F03";
        assert_eq!(summary(&rows, &shown), said);
    }

    #[test]
    fn the_page_has_every_row_once_and_in_order() {
        let workspace = Workspace::find().unwrap();
        let rows = page::rows(&workspace.read(PAGE).unwrap()).unwrap();
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let due = (1..=88).map(|n| format!("F{n:02}")).chain((1..=68).map(|n| format!("B{n:02}")));
        assert_eq!(ids, due.collect::<Vec<_>>().iter().map(String::as_str).collect());
        let failure = matrix(&workspace, &["F99".into()]).unwrap_err();
        assert_eq!(failure.to_string(), "docs/faults.md has no row F99");
    }
}
