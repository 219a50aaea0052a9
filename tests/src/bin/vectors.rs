//! Runs vector files: those named on the command line, or those of this package.

use core::error::Error;
use std::{env, path::PathBuf, process::ExitCode};

use oss_sim::vectors::{self, Tally};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        files = vectors::own_files()?;
    }
    let mut tally = Tally::default();
    for file in files {
        let text = vectors::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        tally.merge(vectors::run(&text));
    }
    println!("{tally}");
    Ok(if tally.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
