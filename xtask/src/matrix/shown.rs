//! Which tests of a file show which rows: by their names.

use alloc::collections::BTreeSet;

use super::page::Way;

/// A test or a scenario whose name begins with ids of rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shown {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) ids: Vec<String>,
    pub(crate) ways: BTreeSet<Way>,
    pub(crate) is_ignored: bool,
}

impl Shown {
    /// Whether it shows this row, and runs.
    pub(crate) fn shows(&self, id: &str) -> bool {
        !self.is_ignored && self.ids.iter().any(|own| own == id)
    }
}

/// The tests and the scenarios of a file; a function without `#[test]` is none, whatever its name.
pub(crate) fn shown(path: &str, text: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut is_test = false;
    let mut is_ignored = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            is_ignored |= attribute_ignores(line);
        } else if let Some(name) = function(line) {
            if is_test {
                found.extend(named(path, name, ways(path), is_ignored));
            }
            (is_test, is_ignored) = (false, false);
        }
        if path.starts_with(SCENARIOS) {
            // A scenario is played in the simulated world and over sockets.
            let both = BTreeSet::from([Way::Simulated, Way::Sockets]);
            let names = line.split('"').skip(1).step_by(2).filter(|text| !text.contains(char::is_whitespace));
            found.extend(names.filter_map(|name| named(path, name, both.clone(), false)));
        }
    }
    found
}

fn attribute_ignores(line: &str) -> bool {
    let inner = line.trim_start_matches("#[");
    inner.starts_with("ignore") || (inner.starts_with("cfg_attr") && inner.contains(", ignore"))
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
}

fn named(path: &str, name: &str, ways: BTreeSet<Way>, is_ignored: bool) -> Option<Shown> {
    let ids: Vec<String> = name.split('_').map_while(id).flatten().collect();
    let (path, name) = (path.to_owned(), name.to_owned());
    (!ids.is_empty()).then_some(Shown { path, name, ids, ways, is_ignored })
}

/// `Some` as long as the words of a name are ids; of those only faults and inputs are rows of the page.
fn id(word: &str) -> Option<Option<String>> {
    let letter = word.chars().next()?;
    let digits = word.get(1..)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match letter {
        'f' | 'b' => Some(Some(word.to_ascii_uppercase())),
        'i' | 'r' | 'g' => Some(None),
        _ => None,
    }
}

/// How the tests of a file reach their peer.
fn ways(path: &str) -> BTreeSet<Way> {
    let is_socket = SOCKETS.iter().any(|prefix| path.starts_with(prefix));
    BTreeSet::from([if is_socket { Way::Sockets } else { Way::Simulated }])
}

const SCENARIOS: &str = "tests/src/conformance/scenarios/";
/// Whose tests have a real connection under them.
const SOCKETS: &[&str] = &[
    "crates/oss-hyper/tests/",
    "crates/oss-emulator-server/tests/",
    "tests/tests/blocking_credentials.rs",
    "tests/tests/hyper",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<(String, String)> {
        let shown = shown(path, text).into_iter();
        let ways = |test: &Shown| test.ways.iter().map(|way| way.letter()).collect::<String>();
        shown.map(|test| (format!("{} {}", test.ids.join(" "), ways(&test)), test.name)).collect()
    }

    fn one(path: &str, text: &str) -> String {
        let names = names(path, text);
        assert!(names.len() <= 1, "{names:?}");
        names.into_iter().next().map(|(found, _)| found).unwrap_or_default()
    }

    #[test]
    fn tests_of_every_kind_are_found() {
        let place = "crates/oss-proto/src/a.rs";
        assert_eq!(one(place, "    #[test]\n    fn f01_x() {\n"), "F01 S");
        assert_eq!(one(place, "#[tokio::test(start_paused = true)]\nasync fn b02_x() {\n"), "B02 S");
        assert_eq!(one(place, "#[cfg(feature = \"x\")]\n#[test]\n/// Why.\nfn b02_x() {\n"), "B02 S");
        // As in `proptest!`.
        assert_eq!(one(place, "#[test]\nfn f36_i01_f37_r13_x(\n  seed in any::<u64>(),\n) {\n"), "F36 F37 S");
        assert_eq!(one(place, "fn f01_x() {\n"), "");
        assert_eq!(one(place, "#[test]\nfn x() {\n}\nfn f01_helper() {\n"), "");
        assert_eq!(one(place, "#[test]\nfn not_of_f01_x() {\n"), "");
        assert_eq!(one(place, "#[test]\nfn bytes_x() {\n"), "");
        assert_eq!(one(place, "#[test]\nfn i01_x() {\n"), "");
        assert_eq!(one(place, "Scenario::new(\"f01_x\")"), "");
    }

    #[test]
    fn the_place_says_how() {
        let text = "#[test]\nfn f01_x() {\n";
        assert_eq!(one("crates/oss-hyper/tests/a.rs", text), "F01 T");
        assert_eq!(one("crates/oss-hyper/src/a.rs", text), "F01 S");
        assert_eq!(one("crates/oss-emulator-server/tests/a.rs", text), "F01 T");
        assert_eq!(one("crates/oss-emulator/tests/a.rs", text), "F01 S");
        assert_eq!(one("tests/tests/blocking_credentials.rs", text), "F01 T");
        let scenario = "    read(\"f36_f37_x\", \"etag\").deeds([cut])\n    Scenario::new(\"x\")\n";
        assert_eq!(one("tests/src/conformance/scenarios/a.rs", scenario), "F36 F37 ST");
    }

    #[test]
    fn a_test_that_is_ignored_is_told() {
        let ignored = |text: &str| shown("crates/a/src/a.rs", text).iter().any(|test| test.is_ignored);
        assert!(ignored("#[test]\n#[ignore]\nfn f01_x() {\n"));
        assert!(ignored("#[ignore = \"slow\"]\n#[test]\nfn f01_x() {\n"));
        assert!(ignored("#[test]\n#[cfg_attr(windows, ignore)]\nfn f01_x() {\n"));
        assert!(!ignored("#[test]\n#[expect(x, reason = \"ignore\")]\nfn f01_x() {\n"));
        assert!(!ignored("#[test]\n#[ignore]\nfn x() {\n}\n#[test]\nfn f01_x() {\n"));
    }
}
