//! Transfers by `oss-hyper` side by side with other clients, in one run and against one emulator server: what
//! each takes, and which of them tell damaged bytes for a success.
//!
//! `cargo xtask rivals`. Each turn is a process of its own, and so is the server. `$PYTHON` is an interpreter
//! with the packages of `tests/interop/requirements.txt`; without it the table says so. `--small` moves 64
//! MiB once, to see that all of it works.
#![allow(clippy::unwrap_used)]

extern crate alloc;

#[path = "../../benches/transfer/canned.rs"]
mod canned;
#[path = "../../benches/transfer/folder.rs"]
mod folder;
#[path = "../../benches/transfer/meter.rs"]
mod meter;
mod others;
#[path = "../../benches/transfer/ours.rs"]
mod ours;
#[path = "../../benches/transfer/raw.rs"]
mod raw;
mod wrong;

use core::net::SocketAddr;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use oss_emulator_server::{Config, Server};
pub(crate) use oss_sim::peer::{BUCKET, REGION, SECRET};

use folder::{Folder, fill};
use meter::{Serving, Taken};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["peer", bytes] => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            println!("{}", listener.local_addr().unwrap());
            canned::serve(&listener, bytes.parse().unwrap()).unwrap();
        }
        ["emulator"] => emulate(),
        ["way", who, way, peer, file, part_bytes] => {
            let (peer, file) = (peer.parse().unwrap(), PathBuf::from(file));
            let bytes = fs::metadata(&file).map_or(0, |metadata| metadata.len());
            let (target, part_bytes) = (file.clone(), part_bytes.parse().unwrap());
            let job = Job { peer, target, file, bytes, part_bytes };
            go(who, way, job);
        }
        _ => {
            let memory = PathBuf::from("/dev/shm");
            let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
            let folder = Folder::new("oss-rivals", parent);
            compare(&folder.0, words.contains(&"--small"));
            println!();
            wrong::compare(&folder.0);
        }
    }
}

/// What is moved, from where to where.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    peer: SocketAddr,
    file: PathBuf,
    target: PathBuf,
    bytes: u64,
    part_bytes: u64,
}

/// Who moves bytes, and by which release.
pub(crate) const WHO: [(&str, &str); 5] = [
    ("oss-hyper", "this commit"),
    ("hyper alone", "hyper"),
    ("opendal", "opendal"),
    ("object_store", "object_store"),
    ("Python SDK", "alibabacloud-oss-v2"),
];

fn compare(folder: &Path, is_small: bool) {
    let (bytes, turns) = if is_small { (64 << 20, 1) } else { (1 << 30, TURNS) };
    let (source, target) = (folder.join("source"), folder.join("target"));
    fill(&source, bytes);
    let server = Serving::start(&["emulator"]);
    let peer = server.address.parse().unwrap();
    let job = Job { peer, file: source.clone(), target: target.clone(), bytes, part_bytes: PART_BYTES };
    runtime().block_on(ours::open_to_all(&job));
    let mut best: Vec<[Result<Taken, String>; 2]> = Vec::new();
    for turn in 0..turns {
        for (index, (who, _)) in WHO.iter().enumerate() {
            let way = |way, file: &Path| Taken::of(command(who, way, &server.address, file, PART_BYTES)?);
            // Of the floor's parts no object is made: it reads the one before.
            let now = [way("up", &source), {
                let _gone = fs::remove_file(&target);
                File::create(&target).unwrap().set_len(bytes).unwrap();
                way("down", &target)
            }];
            if now[1].is_ok() {
                assert_eq!(fs::metadata(&target).unwrap().len(), bytes, "{who}");
            }
            if turn == 0 {
                best.push(now);
                continue;
            }
            for (best, now) in best[index].iter_mut().zip(now) {
                *best = match (core::mem::replace(best, Err(String::new())), now) {
                    (Ok(best), Ok(now)) => Ok(best.best(now)),
                    (Err(error), _) | (_, Err(error)) => Err(error),
                };
            }
        }
    }
    show(&best, bytes, turns);
}

fn show(best: &[[Result<Taken, String>; 2]], bytes: u64, turns: usize) {
    let gib = bytes as f64 / f64::from(1 << 30);
    println!(
        "{gib} GiB up and down, {LANES} lanes, parts of {} MiB, emulator server; best of {turns} turns\n",
        PART_BYTES >> 20
    );
    println!("| who | up MiB/s | CPU s/GiB | peak MiB | down MiB/s | CPU s/GiB | peak MiB |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for ((who, package), ways) in WHO.iter().zip(best) {
        let mut line = format!("| {who} {}", version(package));
        for way in ways {
            line.push_str(&match way {
                Ok(taken) => {
                    let rate = gib * 1024.0 / taken.wall;
                    format!(" | {rate:.0} | {:.2} | {:.0}", taken.cpu / gib, taken.memory)
                }
                Err(_) => " | no | no | no".to_owned(),
            });
        }
        println!("{line} |");
    }
    for ((who, _), ways) in WHO.iter().zip(best) {
        for (taken, way) in ways.iter().zip(["up", "down"]) {
            let Err(error) = taken else { continue };
            let last = error.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            println!("{who}, {way}: {}", last.trim().chars().take(300).collect::<String>());
        }
    }
}

/// A transfer by one of them, in a process of its own.
pub(crate) fn command(
    who: &str,
    way: &str,
    peer: &str,
    file: &Path,
    part_bytes: u64,
) -> Result<Command, String> {
    let part_bytes = part_bytes.to_string();
    if who != "Python SDK" {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["way", who, way, peer]).arg(file).arg(part_bytes);
        return Ok(command);
    }
    let python = std::env::var_os("PYTHON").ok_or("without $PYTHON it was not run")?;
    let mut command = Command::new(python);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/rival.py");
    command.args([script, way, &format!("http://{peer}")]).arg(file).args([&part_bytes, ID, SECRET]);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Runs one way, and prints what it took.
fn go(who: &str, way: &str, job: Job) {
    // Whose builds of reqwest leave the choice to us.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    opendal_http_transport_reqwest::install_default();
    let runtime = runtime();
    Taken::print(|| {
        let result = runtime.block_on(async {
            match (who, way) {
                ("oss-hyper", "up") => ours::up(&job).await.map_err(|error| error.to_string()),
                ("oss-hyper", _) => ours::down(&job).await.map_err(|error| error.to_string()),
                ("hyper alone", "up") => {
                    raw::up(&job, true).await;
                    Ok(())
                }
                ("hyper alone", _) => {
                    raw::down(&job, true).await;
                    Ok(())
                }
                ("opendal", "up") => others::opendal_up(&job).await.map_err(|error| error.to_string()),
                ("opendal", _) => others::opendal_down(&job).await.map_err(|error| error.to_string()),
                ("object_store", "up") => others::store_up(&job).await.map_err(|error| error.to_string()),
                (_, _) => others::store_down(&job).await.map_err(|error| error.to_string()),
            }
        });
        if let Err(error) = result {
            eprintln!("{error}");
            std::process::exit(1);
        }
    });
}

/// The release of a package: of the lock file, or of the list of the Python packages.
pub(crate) fn version(package: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let listed = include_str!("../../interop/requirements.txt");
    let locked = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
    let locked = locked.and_then(|(_, after)| Some(after.split_once('"')?.0));
    let pinned = listed.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
    locked.or(pinned).unwrap_or(package).to_owned()
}

fn emulate() {
    runtime().block_on(async {
        let server = Server::start(Config::new(REGION).with_access_key(ID, SECRET)).await.unwrap();
        server.create_bucket(BUCKET);
        println!("{}", server.endpoint().trim_start_matches("http://"));
        server.wait().await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

const TURNS: usize = 3;
pub(crate) const LANES: u32 = 4;
const PART_BYTES: u64 = 8 << 20;
pub(crate) const ID: &str = "AKID";
pub(crate) const KEY: &str = "object";
