//! `cargo xtask tidy`: the house rules that no other tool checks, and the crate DAG.

mod cookbook;
pub(crate) mod crates;
pub(crate) mod dag;
mod invariants;
mod readme;
mod rust;
mod source;
mod tables;
mod text;

use core::fmt;
use std::path::Path;

use self::crates::Crate;
use self::dag::{Dag, Row, tree_names};
use self::source::Source;
use crate::run::{Failure, Outcome, Workspace, output};

pub(crate) fn tidy(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    let files = files(workspace)?;
    let dag = Dag::parse(&workspace.read("ARCHITECTURE.md")?).map_err(Failure)?;
    let crates = crates::crates(&files);
    let mut findings = Vec::new();
    check_files(&files, &dag, &crates, &mut findings);
    check_crates(&files, &dag, &crates, &mut findings);
    check_dag(workspace, &dag, &crates, &mut findings)?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        return Ok(Outcome::Done(format!("{} files and {} crates are tidy", files.len(), crates.len())));
    }
    Err(Failure(format!("{} finding(s)", findings.len())))
}

/// A place in a file and what is wrong there.
#[derive(Debug)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A text file of the workspace; the path is relative and has `/`.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

fn check_files(files: &[File], dag: &Dag, crates: &[Crate], findings: &mut Vec<Finding>) {
    let xtask: Vec<&str> = crate::COMMANDS.iter().map(|command| command.name).collect();
    let pure: Vec<String> = pure_folders(dag, crates);
    for file in files {
        let (path, text) = (file.path.as_str(), file.text.as_str());
        text::machine_paths(path, text, findings);
        if path.ends_with(".md") {
            readme::commands(file, files, crates, &xtask, findings);
        }
        if !path.ends_with(".rs") {
            continue;
        }
        let source = Source::read(path, text);
        rust::sizes(path, text, &source, findings);
        rust::words(path, text, &source, findings);
        if pure.iter().any(|folder| path.starts_with(folder)) {
            rust::without_io(path, &source, findings);
        }
        if path.starts_with("crates/oss-proto/src/ops/") {
            tables::columns(path, text, findings);
        }
    }
    cookbook::cookbook(files, findings);
    invariants::invariants(files, findings);
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "SECURITY.md",
        "THREAT_MODEL.md",
    ] {
        if !files.iter().any(|file| file.path == page) {
            findings.push(Finding::new(page, 1, "is missing"));
        }
    }
}

fn pure_folders(dag: &Dag, crates: &[Crate]) -> Vec<String> {
    let is_pure = |krate: &&Crate| row(dag, krate).is_some_and(|row| row.layer.is_pure());
    crates.iter().filter(is_pure).map(|krate| format!("{}/", krate.folder)).collect()
}

fn check_crates(files: &[File], dag: &Dag, crates: &[Crate], findings: &mut Vec<Finding>) {
    crates::bans(files, findings);
    for krate in crates {
        if let Some(row) = row(dag, krate) {
            crates::roots(files, krate, row, findings);
        }
    }
}

fn check_dag(
    workspace: &Workspace,
    dag: &Dag,
    crates: &[Crate],
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let names: Vec<String> = crates.iter().map(|krate| krate.name.clone()).collect();
    let mut faults = dag.check_names(&names);
    for row in dag.rows.iter().filter(|row| names.contains(&row.name)) {
        let tree = |edges: &str, more: &[&str]| -> Result<Vec<String>, Failure> {
            let mut command = workspace.cargo(&["tree", "--prefix", "none", "--all-features"]);
            command.args(["--target", "all", "-p", &row.name, "-e", edges]).args(more);
            Ok(tree_names(&output(command)?))
        };
        let run_time = tree("normal,build", &["--depth", "1"])?;
        let with_tests = tree("normal,build,dev", &["--depth", "1"])?;
        faults.extend(dag.check_direct(row, &run_time, &with_tests));
        if row.layer.is_pure() {
            faults.extend(dag.check_all(row, &tree("normal", &[])?));
        }
    }
    findings.extend(faults.into_iter().map(|what| Finding::new("ARCHITECTURE.md", 1, what)));
    Ok(())
}

fn row<'a>(dag: &'a Dag, krate: &Crate) -> Option<&'a Row> {
    dag.rows.iter().find(|row| row.name == krate.name)
}

/// The text files of the workspace, without what is built and what is data.
fn files(workspace: &Workspace) -> Result<Vec<File>, Failure> {
    let mut files = Vec::new();
    walk(workspace.root(), "", &mut files)
        .map_err(|error| Failure(format!("cannot read the workspace: {error}")))?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && !PASSED_OVER.contains(&name.as_str()) {
            walk(root, &path, files)?;
        } else if kind.is_file() && is_text(&name) {
            let text = std::fs::read_to_string(entry.path())
                .map_err(|error| std::io::Error::other(format!("{path}: {error}")))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match extension {
        Some(extension) => matches!(extension, "rs" | "md" | "toml" | "sh" | "py"),
        None => matches!(name, "run" | "LICENSE-MIT" | "LICENSE-APACHE"),
    }
}

const PASSED_OVER: &[&str] = &[".git", ".venv", "artifacts", "corpus", "node_modules", "target", "venv"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_workspace_are_read() {
        let files = files(&Workspace::find().unwrap()).unwrap();
        let has = |path: &str| files.iter().any(|file| file.path == path);
        assert!(has("xtask/src/tidy/mod.rs") && has("Cargo.toml") && has(".ci/run"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }

    #[test]
    fn missing_pages_and_bad_files_are_found() {
        let dag = "<!-- dag -->\n| `oss-a` | leaf | no_std | nothing |\n<!-- /dag -->\
                   <!-- never --> `tokio` <!-- /never -->";
        let dag = Dag::parse(dag).unwrap();
        let krate = Crate { name: "oss-a".into(), folder: "crates/oss-a".into() };
        let text = "#[ignore]\nasync fn a() {}\n".to_owned();
        let files = [File { path: "crates/oss-a/src/lib.rs".into(), text }];
        let mut findings = Vec::new();
        check_files(&files, &dag, core::slice::from_ref(&krate), &mut findings);
        // Two in the file, seven pages and one of each invariant.
        assert_eq!(findings.len(), 2 + 7 + 11);
        check_crates(&files, &dag, &[krate], &mut findings);
        assert!(findings.iter().any(|finding| finding.to_string().contains("no_std")));
        assert!(findings.iter().any(|finding| finding.to_string().contains("does not ban")));
    }
}
