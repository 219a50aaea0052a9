//! The cookbook and what it points at: every example is in it, and what it names exists.

use super::{File, Finding};

/// Checks `docs/cookbook.md` against the examples and the tests of `oss-hyper`.
pub(crate) fn cookbook(files: &[File], findings: &mut Vec<Finding>) {
    let examples: Vec<&str> = files.iter().filter_map(|file| example(&file.path)).collect();
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        if !examples.is_empty() {
            findings.push(Finding::new(PAGE, 1, "is missing"));
        }
        return;
    };
    let mut named = Vec::new();
    for (number, line) in page.text.lines().enumerate() {
        let mut find = |what: String| findings.push(Finding::new(PAGE, number + 1, what));
        for name in between(line, "(../crates/oss-hyper/examples/", ".rs)") {
            if !examples.contains(&name) {
                find(format!("there is no example {name}"));
            }
            named.push(name);
        }
        for (file, test) in line.split('`').skip(1).step_by(2).filter_map(test) {
            let path = format!("crates/oss-hyper/tests/{file}.rs");
            let is_there = |text: &str| text.contains(&format!("fn {test}("));
            if !files.iter().any(|file| file.path == path && is_there(&file.text)) {
                find(format!("there is no test {test} in {path}"));
            }
        }
    }
    for example in examples.iter().filter(|example| !named.contains(example)) {
        findings.push(Finding::new(PAGE, 1, format!("does not name the example {example}")));
    }
}

/// The name of an example by its path.
fn example(path: &str) -> Option<&str> {
    let name = path.strip_prefix("crates/oss-hyper/examples/")?.strip_suffix(".rs")?;
    (!name.contains('/')).then_some(name)
}

/// `file::name_of_a_test`, in small letters, is a test.
fn test(quoted: &str) -> Option<(&str, &str)> {
    let (file, test) = quoted.split_once("::")?;
    let is_name = |text: &str| {
        text.contains('_') && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let is_file = file.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_file && is_name(test)).then_some((file, test))
}

/// What stands between an opening and the closing after it, each time.
fn between<'a>(line: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    line.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0)).collect()
}

const PAGE: &str = "docs/cookbook.md";

#[cfg(test)]
mod tests {
    use super::*;

    fn find(page: Option<&str>) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let mut files = vec![
            file("crates/oss-hyper/examples/retry_none.rs", ""),
            file("crates/oss-hyper/examples/stage/mod.rs", ""),
            file("crates/oss-hyper/tests/config.rs", "fn the_defaults_are_those() {}"),
        ];
        files.extend(page.map(|text| file(PAGE, text)));
        let mut findings = Vec::new();
        cookbook(&files, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_that_names_all_that_exists_passes() {
        let text = "[none](../crates/oss-hyper/examples/retry_none.rs), `config::the_defaults_are_those`, \
                    `Policy::none`, `oss_hyper::Config`\n";
        assert_eq!(find(Some(text)), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_on_either_side_is_found() {
        assert_eq!(find(None), ["docs/cookbook.md:1: is missing"]);
        assert_eq!(find(Some("")), ["docs/cookbook.md:1: does not name the example retry_none"]);
        let all = "[a](../crates/oss-hyper/examples/retry_none.rs)";
        let text = format!("{all}\n[b](../crates/oss-hyper/examples/retry_all.rs)");
        assert_eq!(find(Some(&text)), ["docs/cookbook.md:2: there is no example retry_all"]);
        let text = format!("{all} `config::not_there`");
        assert_eq!(
            find(Some(&text)),
            ["docs/cookbook.md:1: there is no test not_there in crates/oss-hyper/tests/config.rs"]
        );
    }
}
