//! Rules over the crates as a whole: roots, lints and the reach of the bans.

use super::dag::{Layer, Row};
use super::{File, Finding};

/// A crate of the workspace: its name and its folder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) folder: String,
}

/// The crates, from the manifests among the files.
pub(crate) fn crates(files: &[File]) -> Vec<Crate> {
    let is_ours = |file: &&File| !OTHER_WORKSPACES.iter().any(|folder| file.path.starts_with(folder));
    let manifests = files.iter().filter(is_ours);
    manifests
        .filter_map(|file| {
            let folder = file.path.strip_suffix("/Cargo.toml")?;
            let (_, package) = file.text.split_once("[package]")?;
            let name = package.lines().find_map(|line| line.strip_prefix("name = "))?;
            Some(Crate { name: name.trim_matches('"').to_owned(), folder: folder.to_owned() })
        })
        .collect()
}

/// Every root forbids `unsafe` and every leaf is `no_std`, whatever its features.
pub(crate) fn roots(files: &[File], krate: &Crate, row: &Row, findings: &mut Vec<Finding>) {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let src = format!("{}/src/", krate.folder);
    let is_root = |path: &str| {
        let Some(rest) = path.strip_prefix(&src) else { return false };
        let binary = rest.strip_prefix("bin/").is_some_and(|rest| !rest.contains('/'));
        matches!(rest, "lib.rs" | "main.rs") || binary
    };
    let manifest = format!("{}/Cargo.toml", krate.folder);
    let inherits = text(&manifest).is_some_and(|text| has_line(text, &["[lints]", "workspace = true"]));
    let forbidden = text("Cargo.toml").is_some_and(|text| has_line(text, &["unsafe_code = \"forbid\""]));
    let may = krate.folder == UNSAFE_FOLDER;
    if !(inherits || may) {
        findings.push(Finding::new(&manifest, 1, "the lints of the workspace are not inherited"));
    }
    for root in files.iter().filter(|file| is_root(&file.path)) {
        let own = has_line(&root.text, &["#![forbid(unsafe_code)]"]);
        if !(own || inherits && forbidden || may) {
            findings.push(Finding::new(&root.path, 1, "the root does not forbid unsafe_code"));
        }
        if row.layer == Layer::Leaf && !has_line(&root.text, &["#![no_std]"]) {
            findings.push(Finding::new(&root.path, 1, "a leaf is #![no_std], whatever its features"));
        }
    }
    let own = format!("{}/clippy.toml", krate.folder);
    match (row.layer.is_pure(), text(&own).is_some()) {
        (true, true) => {
            findings.push(Finding::new(&own, 1, "hides the bans of crates/clippy.toml"));
        }
        (false, false) if row.layer == Layer::Edge => {
            findings.push(Finding::new(&own, 1, "is missing: a crate with IO lifts the bans"));
        }
        _ => {}
    }
}

/// The bans that keep the crates without IO pure are all there.
pub(crate) fn bans(files: &[File], findings: &mut Vec<Finding>) {
    let path = "crates/clippy.toml";
    let text = files.iter().find(|file| file.path == path).map_or("", |file| &file.text);
    for banned in BANS.iter().filter(|banned| !text.contains(&format!("path = \"{banned}\""))) {
        findings.push(Finding::new(path, 1, format!("does not ban {banned}")));
    }
}

/// Whether the lines stand in the text, one right after the other.
fn has_line(text: &str, wanted: &[&str]) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.windows(wanted.len()).any(|window| window == wanted)
}

/// The one place with `unsafe`: an allocator that counts cannot be written without. Not published.
const UNSAFE_FOLDER: &str = "tests/alloc";

/// One of each kind of effect, so that a thinned-out list is noticed.
const BANS: &[&str] = &[
    "std::collections::HashMap",
    "std::env::var",
    "std::fs::File",
    "std::fs::read",
    "std::hash::RandomState",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::process::Command",
    "std::sync::Mutex",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Packages beside the workspace, with dependencies of their own.
const OTHER_WORKSPACES: [&str; 2] = ["fuzz/", "tests/rivals/"];

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"oss-a\"\n\n[lints]\nworkspace = true\n";

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    fn row(layer: Layer) -> Row {
        Row { name: "oss-a".into(), layer, no_alloc: false, allowed: Vec::new() }
    }

    fn find(files: &[File], layer: Layer) -> Vec<String> {
        let krate = Crate { name: "oss-a".into(), folder: "crates/oss-a".into() };
        let mut findings = Vec::new();
        roots(files, &krate, &row(layer), &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn crates_are_found_by_their_manifests() {
        let files = [
            file("Cargo.toml", "[workspace]\n"),
            file("crates/oss-a/Cargo.toml", MANIFEST),
            file("fuzz/Cargo.toml", "[package]\nname = \"fuzz\"\n"),
            file("tests/rivals/Cargo.toml", "[package]\nname = \"rivals\"\n"),
        ];
        assert_eq!(crates(&files), [Crate { name: "oss-a".into(), folder: "crates/oss-a".into() }]);
    }

    #[test]
    fn a_root_that_allows_unsafe_is_found() {
        let bare = "[package]\nname = \"oss-a\"\n";
        let good = [
            file("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"),
            file("crates/oss-a/Cargo.toml", MANIFEST),
            file("crates/oss-a/src/lib.rs", "//! A.\n"),
        ];
        assert_eq!(find(&good, Layer::Core), Vec::<String>::new());
        let found = find(&good[1..], Layer::Core);
        assert_eq!(found, ["crates/oss-a/src/lib.rs:1: the root does not forbid unsafe_code"]);
        let bad = [file("crates/oss-a/Cargo.toml", bare), file("crates/oss-a/src/bin/b.rs", "fn main() {}")];
        assert_eq!(find(&bad, Layer::Core).len(), 2);
        let own = "#![forbid(unsafe_code)]\n";
        let good = [file("crates/oss-a/Cargo.toml", MANIFEST), file("crates/oss-a/src/lib.rs", own)];
        assert_eq!(find(&good, Layer::Core), Vec::<String>::new());
    }

    #[test]
    fn only_the_allocator_may_be_unsafe() {
        let files = [
            file("tests/alloc/Cargo.toml", "[package]\nname = \"oss-a\"\n"),
            file("tests/alloc/src/lib.rs", ""),
        ];
        let krate = |folder: &str| Crate { name: "oss-a".into(), folder: folder.into() };
        let mut findings = Vec::new();
        roots(&files, &krate(UNSAFE_FOLDER), &row(Layer::Tool), &mut findings);
        assert_eq!(findings.len(), 0);
        roots(&files, &krate("tests/other"), &row(Layer::Tool), &mut findings);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_leaf_with_std_is_found() {
        let with =
            |text: &str| [file("crates/oss-a/Cargo.toml", MANIFEST), file("crates/oss-a/src/lib.rs", text)];
        let good = with("#![no_std]\n#![forbid(unsafe_code)]\n");
        assert_eq!(find(&good, Layer::Leaf), Vec::<String>::new());
        let bad = with("#![cfg_attr(not(test), no_std)]\n#![forbid(unsafe_code)]\n");
        let found = find(&bad, Layer::Leaf);
        assert_eq!(found, ["crates/oss-a/src/lib.rs:1: a leaf is #![no_std], whatever its features"]);
    }

    #[test]
    fn hidden_and_missing_clippy_files_are_found() {
        let manifest = file("crates/oss-a/Cargo.toml", MANIFEST);
        let own = file("crates/oss-a/clippy.toml", "");
        assert_eq!(find(&[manifest], Layer::Edge).len(), 1);
        let manifest = file("crates/oss-a/Cargo.toml", MANIFEST);
        assert_eq!(find(&[manifest, own], Layer::Core).len(), 1);
    }

    #[test]
    fn a_thinned_out_list_of_bans_is_found() {
        let mut text: String = BANS.iter().map(|ban| format!("{{ path = \"{ban}\" }},\n")).collect();
        let find = |text: &str| {
            let mut findings = Vec::new();
            bans(&[file("crates/clippy.toml", text)], &mut findings);
            findings.len()
        };
        assert_eq!(find(&text), 0);
        text = text.replace("std::thread::sleep", "std::thread::sheep");
        assert_eq!(find(&text), 1);
        assert_eq!(find(""), BANS.len());
    }
}
