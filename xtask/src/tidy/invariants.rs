//! The pages of invariants and of threats: every test that they name exists, and no invariant is without one.

use super::{File, Finding};

/// Checks `docs/invariants`, `THREAT_MODEL.md` and `SECURITY.md` against the tests.
pub(crate) fn invariants(files: &[File], findings: &mut Vec<Finding>) {
    for file in files.iter().filter(|file| is_checked(&file.path)) {
        let mut tests = 0;
        for (number, line) in file.text.lines().enumerate() {
            for (path, test) in line.split('`').skip(1).step_by(2).filter_map(named) {
                tests += 1;
                let is_there = |text: &str| text.contains(&format!("fn {test}("));
                if !files.iter().any(|file| file.path == path && is_there(&file.text)) {
                    findings.push(Finding::new(
                        &file.path,
                        number + 1,
                        format!("there is no test {test} in {path}"),
                    ));
                }
            }
        }
        if tests == 0 && !file.path.ends_with("README.md") {
            findings.push(Finding::new(&file.path, 1, "names no test"));
        }
    }
    for number in 1..=INVARIANTS {
        let start = format!("{FOLDER}i{number:02}-");
        if !files.iter().any(|file| file.path.starts_with(&start)) {
            findings.push(Finding::new(&start, 1, "the page of an invariant is missing"));
        }
    }
}

fn is_checked(path: &str) -> bool {
    path.starts_with(FOLDER) || path == "THREAT_MODEL.md" || path == "SECURITY.md"
}

/// `path/to/file.rs::name_of_a_test` is a test.
fn named(quoted: &str) -> Option<(&str, &str)> {
    quoted.split_once("::").filter(|(path, _)| path.ends_with(".rs"))
}

const FOLDER: &str = "docs/invariants/";
const INVARIANTS: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    fn find(page: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let test = file("tests/tests/exchange.rs", "    fn i02_it_ends(x: u8) {}");
        let mut files = vec![test, file("docs/invariants/README.md", "eleven")];
        files.extend((2..=INVARIANTS).map(|number| {
            file(&format!("{FOLDER}i{number:02}-x.md"), "`tests/tests/exchange.rs::i02_it_ends`")
        }));
        files.push(file("docs/invariants/i01-x.md", page));
        let mut findings = Vec::new();
        invariants(&files, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tests_that_exist_pass() {
        let page = "- `tests/tests/exchange.rs::i02_it_ends`: `Fetch::open`, `fetch.rs`\n";
        assert_eq!(find(page), Vec::<String>::new());
    }

    #[test]
    fn tests_that_do_not_exist_are_found() {
        let wrong = "\n`tests/tests/exchange.rs::i02_it`";
        assert_eq!(
            find(wrong),
            ["docs/invariants/i01-x.md:2: there is no test i02_it in tests/tests/exchange.rs"]
        );
        assert_eq!(find("`other.rs::i02_it_ends`").len(), 1);
        assert_eq!(find("nothing"), ["docs/invariants/i01-x.md:1: names no test"]);
        let mut findings = Vec::new();
        invariants(&[], &mut findings);
        assert_eq!(findings.len(), INVARIANTS);
    }
}
