//! The copy of the workspace in which bugs are planted.

use alloc::collections::{BTreeMap, BTreeSet};

use std::path::{Path, PathBuf};

use crate::run::{Failure, Workspace, output};

use super::book::Edit;

/// A copy of all that belongs to the workspace, below its target folder. What does not change keeps its time,
/// so that builds in it stay incremental.
pub(super) struct Tree<'w> {
    workspace: &'w Workspace,
    root: PathBuf,
    /// The files that are not as they should be.
    planted: BTreeSet<String>,
}

impl<'w> Tree<'w> {
    /// Brings the copy up to date.
    pub(super) fn new(workspace: &'w Workspace) -> Result<Self, Failure> {
        let root = workspace.target().join("sabotage/tree");
        let listed = ["ls-files", "--cached", "--others", "--exclude-standard"];
        let listed = output(workspace.program("git", &listed))?;
        let files: BTreeSet<&str> = listed.lines().collect();
        for file in &files {
            let Ok(content) = std::fs::read(workspace.root().join(file)) else { continue };
            write(&root.join(file), &content)?;
        }
        // What a run left behind, or what is gone from the workspace: a test more would still be a test.
        for stale in stale(&root, &files)? {
            std::fs::remove_file(&stale)
                .map_err(|error| Failure(format!("cannot remove {}: {error}", stale.display())))?;
        }
        Ok(Self { workspace, root, planted: BTreeSet::new() })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the copy differ from the workspace by these replacements and no others.
    pub(super) fn plant(&mut self, edits: &[&Edit]) -> Result<(), Failure> {
        let patched = patched(self.workspace, edits)?;
        for file in core::mem::take(&mut self.planted) {
            if !patched.contains_key(&file) {
                write(&self.root.join(&file), self.workspace.read(&file)?.as_bytes())?;
            }
        }
        for (file, text) in patched {
            write(&self.root.join(&file), text.as_bytes())?;
            self.planted.insert(file);
        }
        Ok(())
    }
}

/// The files of the workspace that these replacements change, as they make them; each applies exactly once.
pub(super) fn patched(workspace: &Workspace, edits: &[&Edit]) -> Result<BTreeMap<String, String>, Failure> {
    let mut files = BTreeMap::new();
    for Edit { file, old, new } in edits {
        let text = match files.remove(file) {
            Some(text) => text,
            None => workspace.read(file)?,
        };
        let first = old.lines().next().unwrap_or_default().trim();
        match text.matches(old.as_str()).count() {
            1 if old == new => return Err(Failure(format!("{file}: nothing is changed at `{first}`"))),
            1 => files.insert(file.clone(), text.replacen(old.as_str(), new, 1)),
            times => return Err(Failure(format!("{file}: found {times} times: `{first}`"))),
        };
    }
    Ok(files)
}

/// Writes a file unless it says this already.
fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if std::fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, content))
        .map_err(|error| Failure(format!("cannot write {}: {error}", path.display())))
}

/// The files below the root that are not listed.
fn stale(root: &Path, listed: &BTreeSet<&str>) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| Failure(format!("cannot list {}: {error}", folder.display())))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            match path.is_dir() {
                true => folders.push(path),
                false if !listed.contains(name.as_str()) && name != "Cargo.lock" => found.push(path),
                false => {}
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(old: &str, new: &str) -> Edit {
        Edit { file: "xtask/Cargo.toml".into(), old: old.into(), new: new.into() }
    }

    #[test]
    fn a_replacement_applies_exactly_once() {
        let workspace = Workspace::find().unwrap();
        let name = edit("name = \"xtask\"", "name = \"other\"");
        let back = edit("name = \"other\"", "name = \"third\"");
        let files = patched(&workspace, &[&name, &back]).unwrap();
        assert!(files["xtask/Cargo.toml"].contains("name = \"third\""));
        for (wrong, why) in [
            (edit("workspace = true", ""), "found"),
            (edit("no such text", ""), "found 0 times"),
            (edit("publish = false", "publish = false"), "nothing is changed"),
        ] {
            let error = patched(&workspace, &[&wrong]).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
