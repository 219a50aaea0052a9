//! Signs random requests with the signer and with the naive second one: `sign-agreement [--cases N] [--seed
//! N]`.

use std::{env, process::ExitCode, thread};

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
    // Lanes, and not as many as there are cores: the same requests everywhere.
    let lanes = seed..seed.saturating_add(LANES);
    let differences: Vec<String> = thread::scope(|scope| {
        let run = |seed| scope.spawn(move || lane(cases.div_ceil(LANES), seed));
        let threads: Vec<_> = lanes.clone().map(run).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("a lane does not panic").err()).collect()
    });
    if !differences.is_empty() {
        println!("{}", differences.join("\n"));
        return ExitCode::FAILURE;
    }
    println!("sign-agreement: {cases} requests of the seeds {lanes:?}, each in four forms: no difference");
    ExitCode::SUCCESS
}

/// So many requests of a seed; the first that the signers differ in is the error.
fn lane(cases: u64, seed: u64) -> Result<(), String> {
    let (mut odd, mut scratch) = (Odd::new(seed), Scratch::new());
    for number in 1..=cases {
        odd.with_next(|case| agree(case, &mut scratch).map_err(|error| format!("{error}\n{case:#?}")))
            .map_err(|difference| format!("request {number} of seed {seed}: {difference}"))?;
    }
    Ok(())
}

/// What CI runs.
const CASES: u64 = 1_000_000;
/// Seeds, each with its share of the requests and a thread of its own.
const LANES: u64 = 8;
