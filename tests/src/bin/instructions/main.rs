//! Signs one request many times, or only hashes what its signature is made of: `instructions WHAT WAY COUNT`.
//!
//! `cargo xtask instructions` counts the instructions of both ways. They prepare the same, so the difference
//! is what the signer does beside hashing, `COUNT` times.

#[path = "../../../../crates/oss-sign/benches/requests/floor.rs"]
mod floor;
#[path = "../../../../crates/oss-sign/benches/requests/mod.rs"]
mod requests;

use core::hint::black_box;
use std::{env, process::ExitCode};

use oss_sign::{Scratch, SigningKey};

use floor::Floor;
use requests::{KEY, SCOPE, SIGNATURES};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [what, way, count] = &arguments[..] else { return usage() };
    let Some((_, request, sign)) = SIGNATURES.iter().find(|(name, ..)| name == what) else { return usage() };
    let Ok(count) = count.parse() else { return usage() };
    let (signing, mut scratch) = (SigningKey::derive(&KEY, &SCOPE), Scratch::new());
    let floor = Floor::of(&sign(request, &signing, &mut scratch));
    match way.as_str() {
        "floor" => (0..count).for_each(|_: u32| floor.hash()),
        "sign" => (0..count).for_each(|_: u32| {
            black_box(sign(black_box(request), &signing, &mut scratch));
        }),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let names: Vec<&str> = SIGNATURES.iter().map(|(name, ..)| *name).collect();
    println!("usage: instructions {} sign|floor COUNT", names.join("|"));
    ExitCode::FAILURE
}
