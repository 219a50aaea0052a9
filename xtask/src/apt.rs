//! Debian's packages, for the steps that need what cargo cannot install.

use crate::run::{Failure, Workspace, finish};

/// Installs the packages; only CI does so unasked.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Result<(), Failure> {
    finish(workspace.program("apt-get", &["update", "-qq"]))?;
    let mut command = workspace.program("apt-get", &["install", "-qq", "-y", "--no-install-recommends"]);
    command.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    finish(command)
}
