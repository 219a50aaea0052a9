//! Calls over real sockets to a peer that does wrong: `chaos [--seconds N] [--seed N] [--callers N]`.

use std::{env, process::ExitCode};

use oss_sim::chaos::{Options, run};

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|text| text.parse().ok());
        match (argument.as_str(), number) {
            ("--seconds", Some(number)) => options.seconds = number,
            ("--seed", Some(number)) => options.seed = number,
            ("--callers", Some(number)) => options.callers = number,
            ("--faults", Some(number)) => options.faults_percent = number,
            _ => {
                println!("usage: chaos [--seconds N] [--seed N] [--callers N] [--faults PERCENT]");
                return ExitCode::FAILURE;
            }
        }
    }
    match run(options) {
        Ok(report) => {
            print!("{report}");
            if report.violations().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}
