//! `cargo xtask hostile`: what answers that are made to hurt cost, as a table.

use crate::run::{Failure, Outcome, Workspace, finish};

/// Fails beyond 30 ns a byte, 3 x the length of the answer and 1 MiB of heap, or 64 KiB of stack.
pub(crate) fn hostile(workspace: &Workspace, _: &[String]) -> Result<Outcome, Failure> {
    finish(workspace.cargo(&["run", "--quiet", "--release", "-p", "oss-alloc", "--example", "hostile"]))?;
    Ok(Outcome::Done("every answer within 30 ns a byte, 3 x its length and 1 MiB, 64 KiB of stack".into()))
}
