//! What every command shares: where the workspace is, how a program is run, what came of it.

use core::fmt;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command of xtask: the workspace and the arguments after its name.
pub(crate) type Step = fn(&Workspace, &[String]) -> Result<Outcome, Failure>;

/// How a command ended when nothing is wrong.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It did its work; the text says what.
    Done(String),
    /// It could not: the text names what is missing.
    Skipped(String),
}

/// Why a command failed, in words for a person.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of the workspace and the way programs are run in it.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self, Failure> {
        // Asked at run time: with a shared target folder, another checkout may have built this program.
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let here = Path::new(&here);
        let root = here.parent().ok_or_else(|| Failure::new("xtask has no parent folder"))?;
        Ok(Self { root: root.to_path_buf() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for everything that is built: `target`, or `CARGO_TARGET_DIR`.
    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.root.join("target"),
        }
    }

    /// The text of a file of the workspace; the failure names it.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String, Failure> {
        let path = path.as_ref();
        std::fs::read_to_string(self.root.join(path))
            .map_err(|error| Failure(format!("cannot read {}: {error}", path.display())))
    }

    /// A `cargo` of the toolchain that runs us, in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.program(cargo, arguments)
    }

    pub(crate) fn program(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        // Set for us by `cargo run`; a build below that saw them would differ from a plain one.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            command.env_remove(name);
        }
        command
    }

    /// An outside tool: `target/tools/bin`, then the search path.
    pub(crate) fn tool(&self, name: &str) -> Option<PathBuf> {
        let ours = self.target().join("tools/bin").join(name);
        if ours.is_file() {
            return Some(ours);
        }
        on_path(name)
    }

    /// A tool from crates.io, installed under `target/tools` when that is wanted.
    ///
    /// Pinned, so that a new release of a tool cannot turn a green commit red.
    pub(crate) fn tool_or_install(
        &self,
        name: &str,
        version: &str,
        install: bool,
    ) -> Result<Option<PathBuf>, Failure> {
        if let Some(found) = self.tool(name) {
            return Ok(Some(found));
        }
        if !install {
            return Ok(None);
        }
        let root = self.target().join("tools");
        let build = root.join("build");
        let mut command = self.cargo(&["install", name, "--version", version, "--locked", "--quiet"]);
        command.arg("--root").arg(&root).arg("--target-dir").arg(&build);
        finish(command)?;
        // Only the program is kept: a cache of CI should stay small.
        let _ = std::fs::remove_dir_all(&build);
        Ok(self.tool(name))
    }
}

/// Runs a program to its end; anything but success is a failure that shows the command.
pub(crate) fn finish(mut command: Command) -> Result<(), Failure> {
    let shown = show(&command);
    let status = command.status().map_err(|error| Failure(format!("cannot start `{shown}`: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure(format!("`{shown}`: {status}"))) }
}

/// Runs a program and returns what it printed.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    let shown = show(&command);
    let output = command.output().map_err(|error| Failure(format!("cannot start `{shown}`: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure(format!("`{shown}`: {}\n{}", output.status, said.trim_end())))
}

/// Whether this is a CI run: `CI` is set to something other than `false` or `0`.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// The first program of that name on the search path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_shown() {
        let workspace = Workspace::find().unwrap();
        let failure = finish(workspace.cargo(&["no-such-subcommand", "--x"])).unwrap_err();
        assert!(failure.to_string().contains("no-such-subcommand --x"), "{failure}");
        let failure = output(workspace.cargo(&["no-such-subcommand"])).unwrap_err();
        assert!(failure.to_string().contains("no such command"), "{failure}");
    }

    #[test]
    fn a_missing_program_and_file_are_named() {
        let workspace = Workspace::find().unwrap();
        let failure = finish(workspace.program("no-such-program-here", &[])).unwrap_err();
        assert!(failure.to_string().starts_with("cannot start `no-such-program-here`"), "{failure}");
        let failure = workspace.read("no/such/file").unwrap_err();
        assert!(failure.to_string().starts_with("cannot read no/such/file"), "{failure}");
        assert_eq!(workspace.tool_or_install("no-such-program-here", "1.0.0", false), Ok(None));
    }
}
