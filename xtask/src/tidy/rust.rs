//! Rules over the code of one Rust file: sizes, and words that must not stand there.

use super::Finding;
use super::source::{Source, body};

/// Functions and files that a reader can hold in mind, lines that fit a screen.
pub(crate) fn sizes(path: &str, text: &str, source: &Source, findings: &mut Vec<Finding>) {
    let lines = text.lines().count();
    let limit = if path.starts_with(TABLES) { TABLE_FILE_LINES_MAX } else { FILE_LINES_MAX };
    if lines > limit {
        findings.push(Finding::new(path, lines, format!("{lines} lines; a file has at most {limit}")));
    }
    for (number, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            let what = format!("{columns} columns; a line has at most {COLUMNS_MAX}");
            findings.push(Finding::new(path, number + 1, what));
        }
    }
    for at in source.words("fn") {
        let Some((name, lines)) = function(source, at) else { continue };
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{name}` has {lines} lines; a function has at most {FUNCTION_LINES_MAX}");
            findings.push(Finding::new(path, source.line(at), what));
        }
    }
}

/// Words that have no place in any file.
pub(crate) fn words(path: &str, text: &str, source: &Source, findings: &mut Vec<Finding>) {
    for (word, why) in BANNED {
        for at in source.find(word) {
            findings.push(Finding::new(path, source.line(at), format!("`{word}`: {why}")));
        }
    }
    for at in source.find(".expect(") {
        if source.is_test(at) {
            continue;
        }
        let said = text.get(at + ".expect(".len()..).and_then(literal);
        if said.is_some_and(|said| said.split_whitespace().count() < EXPECT_WORDS_MIN) {
            let what = format!("`expect` says the invariant that holds, in {EXPECT_WORDS_MIN} words or more");
            findings.push(Finding::new(path, source.line(at), what));
        }
    }
}

/// What a crate without IO cannot say: clippy does the rest, from `crates/clippy.toml`.
pub(crate) fn without_io(path: &str, source: &Source, findings: &mut Vec<Finding>) {
    for word in ["async", "await"] {
        for at in source.words(word) {
            let what = format!("`{word}` below the drivers: a machine is polled, it does not wait");
            findings.push(Finding::new(path, source.line(at), what));
        }
    }
    for at in source.find("clippy::disallowed_") {
        let what = "a ban of crates/clippy.toml is lifted; ask the driver for the effect instead";
        findings.push(Finding::new(path, source.line(at), what));
    }
}

/// The name and the lines of the function whose `fn` is at `at`; `None` for a type or one without body.
fn function(source: &Source, at: usize) -> Option<(String, usize)> {
    let code = source.code();
    let rest = code.get(at + "fn".len()..)?;
    let name: Vec<u8> = rest
        .iter()
        .copied()
        .skip_while(u8::is_ascii_whitespace)
        .take_while(|byte| *byte != b'(' && *byte != b'<' && !byte.is_ascii_whitespace())
        .collect();
    if name.is_empty() {
        return None;
    }
    let range = body(code, at)?;
    let lines = source.line(range.end - 1) - source.line(at) + 1;
    Some((String::from_utf8_lossy(&name).into_owned(), lines))
}

/// The text of the string literal that `rest` starts with.
fn literal(rest: &str) -> Option<&str> {
    let rest = rest.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(said, _)| said)
}

const TABLES: &str = "crates/oss-proto/src/ops/";
const FILE_LINES_MAX: usize = 600;
const TABLE_FILE_LINES_MAX: usize = 900;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 110;
const EXPECT_WORDS_MIN: usize = 3;
const BANNED: &[(&str, &str)] = &[
    ("#[ignore", "a test that does not run proves nothing"),
    ("todo!", "what is not there does not exist yet"),
    ("unimplemented!", "what is not there does not exist yet"),
];

#[cfg(test)]
mod tests {
    use super::*;

    type Rule = fn(&str, &str, &Source, &mut Vec<Finding>);

    fn find(rule: Rule, path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        rule(path, text, &Source::read(path, text), &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    fn long_function(lines: usize) -> String {
        format!("\nfn long(a: [u8; 3], f: fn(u8)) -> u8 {{\n{}}}\n", "    \"{\";\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_function_is_found() {
        assert_eq!(find(sizes, "a.rs", &long_function(70)), Vec::<String>::new());
        let found = find(sizes, "a.rs", &long_function(71));
        assert_eq!(found, ["a.rs:2: `long` has 71 lines; a function has at most 70"]);
        let declared = format!("trait T {{\n    fn a();\n{}}}\n", "    const A: u8 = 1;\n".repeat(80));
        assert_eq!(find(sizes, "a.rs", &declared), Vec::<String>::new());
    }

    #[test]
    fn a_long_file_is_found_and_tables_may_be_longer() {
        assert_eq!(find(sizes, "a.rs", &"\n".repeat(600)), Vec::<String>::new());
        let found = find(sizes, "a.rs", &"\n".repeat(601));
        assert_eq!(found, ["a.rs:601: 601 lines; a file has at most 600"]);
        let table = "crates/oss-proto/src/ops/object.rs";
        assert_eq!(find(sizes, table, &"\n".repeat(900)), Vec::<String>::new());
        assert_eq!(find(sizes, table, &"\n".repeat(901)).len(), 1);
    }

    #[test]
    fn a_long_line_is_found_in_columns() {
        assert_eq!(find(sizes, "a.rs", &format!("// {}", "é".repeat(107))), Vec::<String>::new());
        let found = find(sizes, "a.rs", &format!("\n// {}", "é".repeat(108)));
        assert_eq!(found, ["a.rs:2: 111 columns; a line has at most 110"]);
    }

    #[test]
    fn banned_words_are_found_in_code_only() {
        let text = "#[ignore]\nfn a() { todo!() }\nfn b() { unimplemented!(\"later\") }\n";
        assert_eq!(find(words, "a.rs", text).len(), 3);
        let text = "// #[ignore] todo!\nconst A: &str = \"unimplemented!\";\n";
        assert_eq!(find(words, "a.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_lazy_expect_is_found() {
        let text = "fn a() {\n    b().expect(\"works\");\n    c()\n        .expect(\n  \"is fine\");\n}\n";
        assert_eq!(find(words, "crates/a/src/a.rs", text).len(), 2);
        let text = "fn a() {\n    b().expect(\"HMAC takes any key\");\n    c().expect(reason);\n}\n";
        assert_eq!(find(words, "crates/a/src/a.rs", text), Vec::<String>::new());
        let text = "#[cfg(test)]\nmod tests {\n    fn a() { b().expect(\"x\"); }\n}\n";
        assert_eq!(find(words, "crates/a/src/a.rs", text), Vec::<String>::new());
    }

    #[test]
    fn io_is_found_below_the_drivers() {
        let rule: Rule = |path, _, source, findings| without_io(path, source, findings);
        let text = "#![allow(clippy::disallowed_types)]\nasync fn a() { b().await }\n// async\n";
        assert_eq!(find(rule, "crates/a/src/a.rs", text).len(), 3);
        assert_eq!(find(rule, "a.rs", "fn poll() { \"async\"; asynchronous(); }"), Vec::<String>::new());
    }
}
