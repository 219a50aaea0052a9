//! Holds the tables against the catalogue and writes `docs/operations.md`; with `--check` it only compares.

use core::error::Error;
use std::{env, fs, process::ExitCode};

use oss_sim::catalog;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let is_check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("unknown argument {other}; only --check is known").into()),
    };
    let entries = catalog::entries()?;
    let mut problems = catalog::problems(&entries);
    let (path, page) = (catalog::page_path(), catalog::page(&entries));
    if !is_check {
        fs::write(&path, &page)?;
    } else if fs::read_to_string(&path).ok() != Some(page) {
        problems.push("docs/operations.md is stale; run cargo xtask catalog".to_owned());
    }
    for problem in &problems {
        println!("{problem}");
    }
    println!("{} operations, {} problems", entries.len(), problems.len());
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
