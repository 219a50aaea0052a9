//! A planted bug is built, and its test is run.

use core::time::Duration;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Instant;

use crate::run::{Failure, Workspace};

use super::book::{Book, Target, Test, Variant};
use super::tree::Tree;

/// Where bugs are planted and tests run.
pub(super) struct Bench<'w> {
    workspace: &'w Workspace,
    book: &'w Book,
    tree: Tree<'w>,
    /// What is built, and what a test printed.
    folder: PathBuf,
}

/// What a test had to say about a planted bug.
#[derive(Debug)]
pub(super) enum Found {
    /// It failed, by an assertion of its own.
    Caught { secs: f64, why: String },
    /// It is green: the bug would have gone unseen.
    Missed { secs: f64 },
    /// It failed and said something else than it should.
    Otherwise(String),
    /// It does not compile, is not there, ran for too long or took the process with it: that says nothing.
    Void(String),
}

impl<'w> Bench<'w> {
    pub(super) fn new(workspace: &'w Workspace, book: &'w Book) -> Result<Self, Failure> {
        let folder = workspace.target().join("sabotage");
        Ok(Self { workspace, book, tree: Tree::new(workspace)?, folder })
    }

    /// Runs the tests with these layers off and no bug planted, and says which are not green, and why: what
    /// is red anyway proves nothing.
    pub(super) fn controls<'t>(
        &mut self,
        off: &[String],
        tests: impl Iterator<Item = &'t Test>,
    ) -> Result<Vec<(&'t Test, String)>, Failure> {
        self.tree.plant(&self.book.layers_off(off)?)?;
        let (mut seen, mut red): (Vec<&Test>, Vec<(&Test, String)>) = (Vec::new(), Vec::new());
        for test in tests {
            if seen.contains(&test) {
                continue;
            }
            seen.push(test);
            match self.build(&test.target).and_then(|program| self.run(&program, test)) {
                Ok(Found::Missed { .. }) => {}
                Ok(Found::Caught { why, .. } | Found::Otherwise(why) | Found::Void(why))
                | Err(Failure(why)) => {
                    red.push((test, format!("not green without the bug: {why}")));
                }
            }
        }
        Ok(red)
    }

    /// Plants the bug and runs its test.
    pub(super) fn plant(&mut self, variant: &Variant) -> Result<Found, Failure> {
        self.tree.plant(&self.book.edits(variant, true)?)?;
        let found = match self.build(&variant.test.target) {
            Ok(program) => self.run(&program, &variant.test)?,
            Err(Failure(error)) => Found::Void(error),
        };
        Ok(match (found, &variant.says) {
            (Found::Caught { why, .. }, Some(says)) if !self.printed()?.contains(says.as_str()) => {
                Found::Otherwise(why)
            }
            (found, _) => found,
        })
    }

    /// Leaves the copy without a bug.
    pub(super) fn tidy_up(&mut self) -> Result<(), Failure> {
        self.tree.plant(&[])
    }

    /// The program with the tests of a target.
    fn build(&self, target: &Target) -> Result<PathBuf, Failure> {
        let mut command = self.workspace.cargo(&["test", "--no-run", "-p", &target.package]);
        match target.file.as_str() {
            "lib" => command.arg("--lib"),
            file => command.args(["--test", file]),
        };
        command.current_dir(self.tree.root());
        command.env("CARGO_TARGET_DIR", self.folder.join("build"));
        // Half of the time to build, and nobody looks at them here.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0");
        let built = command.output().map_err(|error| Failure(format!("cannot start cargo: {error}")))?;
        let said = String::from_utf8_lossy(&built.stderr);
        if !built.status.success() {
            let error = said.lines().find(|line| line.starts_with("error")).unwrap_or("no reason given");
            return Err(Failure(format!("does not compile: {error}")));
        }
        let line = said.lines().rfind(|line| line.trim_start().starts_with("Executable "));
        let path = line.and_then(|line| line.rsplit_once('(')?.1.strip_suffix(')'));
        let path = path.ok_or_else(|| Failure::new("cargo did not say what it built"))?;
        Ok(self.tree.root().join(path))
    }

    /// Runs one test, for as long as it may take.
    fn run(&self, program: &Path, test: &Test) -> Result<Found, Failure> {
        let trouble = |error| Failure(format!("cannot run {test}: {error}"));
        let out = File::create(self.folder.join(PRINTED)).map_err(trouble)?;
        let mut command = Command::new(program);
        command.args(["--exact", &test.name]).current_dir(self.tree.root().join(test.target.folder()));
        command.stdout(out.try_clone().map_err(trouble)?).stderr(out);
        let began = Instant::now();
        let mut child = command.spawn().map_err(trouble)?;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(trouble)? {
                break status;
            }
            if began.elapsed() > TIME_MAX {
                let _gone = child.kill();
                let _reaped = child.wait();
                return Ok(Found::Void(format!("was not done in {} s", TIME_MAX.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Ok(judge(status, &self.printed()?, &test.name, began.elapsed().as_secs_f64()))
    }

    fn printed(&self) -> Result<String, Failure> {
        let printed = std::fs::read(self.folder.join(PRINTED));
        let printed =
            printed.map_err(|error| Failure(format!("cannot read what a test printed: {error}")))?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }
}

fn judge(status: ExitStatus, printed: &str, name: &str, secs: f64) -> Found {
    if !printed.contains("\nrunning 1 test\n") {
        return Found::Void(format!("there is no test {name}"));
    }
    if status.success() {
        return Found::Missed { secs };
    }
    if !printed.contains(&format!("test {name} ... FAILED")) {
        return Found::Void(format!("the whole process ended with {status}"));
    }
    let mut told = printed.lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    let why = told.find(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
    Found::Caught { secs, why: why.trim().chars().take(WHY_CHARS_MAX).collect() }
}

impl Found {
    /// A row of the table.
    pub(super) fn line(&self, variant: &Variant) -> String {
        let off = if variant.off.is_empty() { "-".to_owned() } else { variant.off.join(" ") };
        let (secs, verdict) = match self {
            Self::Caught { secs, why } => (*secs, format!("caught: {why}")),
            Self::Missed { secs } => (*secs, "MISSED".to_owned()),
            Self::Otherwise(why) => (0.0, format!("MISSED: it failed for something else: {why}")),
            Self::Void(why) => (0.0, format!("NOT RUN: {why}")),
        };
        let test = format!("{}::{}", variant.test.target.file, variant.test.name);
        format!("{:<36} {off:<22} {secs:>5.1} s  {test}\n    {verdict}", variant.name)
    }
}

pub(super) const HEADING: &str = "planted bug                          switched off           test";
const PRINTED: &str = "printed.txt";
const TIME_MAX: Duration = Duration::from_secs(60);
const WHY_CHARS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const RED: &str = "\nrunning 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n\n\
                       thread 'a' panicked at a.rs:1:1:\nassertion failed: x\n";

    #[cfg(unix)]
    #[test]
    fn only_the_assertion_of_the_named_test_counts() {
        use std::os::unix::process::ExitStatusExt as _;
        let told =
            |code: i32, printed: &str| format!("{:?}", judge(ExitStatus::from_raw(code), printed, "a", 1.0));
        let failed = 101 << 8;
        assert!(told(failed, RED).contains("Caught { secs: 1.0, why: \"assertion failed: x\" }"));
        assert!(told(0, "\nrunning 1 test\ntest a ... ok\n").contains("Missed"));
        assert!(told(0, "\nrunning 0 tests\n").contains("there is no test a"));
        assert!(told(6, "\nrunning 1 test\n").contains("the whole process ended with signal: 6"));
    }
}
