//! Signs random requests with the signer and with the naive second one: `sign-agreement [--cases N] [--seed
//! N]`.

use std::{env, process::ExitCode};

use oss_sign::Scratch;
use oss_sim::agreement::{Odd, agree};

fn main() -> ExitCode {
    let (mut cases, mut seed) = (CASES, 1);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|text| text.parse().ok());
        match (argument.as_str(), number) {
            ("--cases", Some(number)) => cases = number,
            ("--seed", Some(number)) => seed = number,
            _ => {
                println!("usage: sign-agreement [--cases N] [--seed N]");
                return ExitCode::FAILURE;
            }
        }
    }
    let (mut odd, mut scratch) = (Odd::new(seed), Scratch::new());
    for number in 1..=cases {
        let result =
            odd.with_next(|case| agree(case, &mut scratch).map_err(|error| format!("{error}\n{case:#?}")));
        if let Err(difference) = result {
            println!("request {number} of seed {seed}: {difference}");
            return ExitCode::FAILURE;
        }
    }
    println!("sign-agreement: {cases} requests of seed {seed}, each in four forms: no difference");
    ExitCode::SUCCESS
}

/// What CI runs.
const CASES: u64 = 1_000_000;
