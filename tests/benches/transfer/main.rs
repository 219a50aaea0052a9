//! What a transfer of 1 GiB costs beyond the same number of hyper's streams that move the same bytes and do
//! nothing else: time, processor and memory.
//!
//! `cargo bench -p oss-sim --bench transfer --features crc-fast`; without that feature `crc64fast` is the
//! checksum, as it is by default. Every turn of every way is a process of its own, and so is the
//! peer, which answers what is canned; ways take turns. A second table has the emulator as the peer, which
//! sums and keeps what it gets. Files are in `OSS_BENCH_DIR`, else where the system has temporary files: the
//! source is in the system's cache, and both ways down end with a write through to the disk.
#![allow(clippy::unwrap_used)]

extern crate alloc;

mod canned;
mod folder;
mod meter;
mod ours;
mod raw;

use core::net::SocketAddr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use oss_emulator_server::{Config, Server};

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
        ["way", name, peer, folder, bytes] => {
            let job = Job::new(peer.parse().unwrap(), Path::new(folder), bytes.parse().unwrap());
            go(name, &job);
        }
        // As criterion does: without `cargo bench`, a look at whether it works.
        _ => direct(words.contains(&"--bench")),
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

impl Job {
    fn new(peer: SocketAddr, folder: &Path, bytes: u64) -> Self {
        Self {
            peer,
            file: folder.join("source"),
            target: folder.join("target"),
            bytes,
            part_bytes: PART_BYTES,
        }
    }
}

fn direct(is_bench: bool) {
    let (bytes, turns) = if is_bench { (1 << 30, TURNS) } else { (64 << 20, 1) };
    let folder = Folder::new("oss-bench-transfer", std::env::temp_dir());
    fill(&folder.0.join("source"), bytes);
    for (name, arguments) in
        [("canned", vec!["peer".to_owned(), bytes.to_string()]), ("emulator", vec!["emulator".into()])]
    {
        let peer = Serving::start(&arguments);
        let job = Job::new(peer.address.parse().unwrap(), &folder.0, bytes);
        if name == "emulator" {
            runtime().block_on(async {
                ours::open_to_all(&job).await;
                ours::up(&job).await.unwrap();
            });
        }
        measure(name, &peer, &folder.0, bytes, turns);
    }
}

fn measure(peer_name: &str, peer: &Serving, folder: &Path, bytes: u64, turns: usize) {
    let mut best: Vec<Option<(Taken, f64)>> = vec![None; WAYS.len()];
    for _ in 0..turns {
        for (way, best) in WAYS.iter().zip(&mut best) {
            let before = cpu(&peer.child);
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["way", way, &peer.address]).arg(folder).arg(bytes.to_string());
            let now = Taken::of(command).unwrap();
            let served = cpu(&peer.child) - before;
            *best = Some(best.map_or((now, served), |(best, least)| (best.best(now), served.min(least))));
        }
    }
    let gib = bytes as f64 / f64::from(1 << 30);
    println!(
        "\n{gib} GiB, {LANES} lanes, parts of {} MiB, peer: {peer_name}, best of {turns} turns",
        PART_BYTES >> 20
    );
    println!("{:<20} {:>7} {:>9} {:>8} {:>10}", "", "MiB/s", "CPU s/GiB", "MiB peak", "peer s/GiB");
    for (way, best) in WAYS.iter().zip(&best) {
        let Some((taken, served)) = best else { continue };
        let rate = gib * 1024.0 / taken.wall;
        let (cpu, served) = (taken.cpu / gib, served / gib);
        println!("{way:<20} {rate:>7.0} {cpu:>9.3} {:>8.1} {served:>10.2}", taken.memory);
    }
    for (index, way) in WAYS.iter().enumerate() {
        let floor = index / 3 * 3;
        if let (Some((floor, _)), Some((taken, _))) = (best[floor], best[index])
            && index % 3 == 2
        {
            println!("figure: transfer {way}, time, {peer_name} = {:.3} x hyper", taken.wall / floor.wall);
            println!("figure: transfer {way}, CPU, {peer_name} = {:.3} x hyper", taken.cpu / floor.cpu);
        }
    }
}

/// Runs one way, and prints what it took.
fn go(way: &str, job: &Job) {
    let runtime = runtime();
    // What was there before is nobody's cost.
    let _gone = fs::remove_file(&job.target);
    Taken::print(|| {
        runtime.block_on(async {
            match way {
                "up, hyper" => raw::up(job, true).await,
                "up, hyper, no file" => raw::up(job, false).await,
                "up" => ours::up(job).await.unwrap(),
                "down, hyper" => raw::down(job, true).await,
                "down, hyper, no file" => raw::down(job, false).await,
                "down" => ours::down(job).await.unwrap(),
                _ => unreachable!("no way {way}"),
            }
        });
    });
}

/// What a program took of the processors so far, in seconds, to a hundredth of one.
fn cpu(program: &Child) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.id())).unwrap_or_default();
    // The fields after the program's name, which may have spaces: user time is the 14th of all.
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks = after.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    f64::from(ticks.sum::<u32>()) / 100.0
}

fn emulate() {
    runtime().block_on(async {
        let config = Config::new(REGION).with_access_key(ID, SECRET);
        let server = Server::start(config).await.unwrap();
        server.create_bucket(BUCKET);
        println!("{}", server.endpoint().trim_start_matches("http://"));
        server.wait().await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Each floor, and what is measured against it.
const WAYS: [&str; 6] =
    ["up, hyper", "up, hyper, no file", "up", "down, hyper", "down, hyper, no file", "down"];
const TURNS: usize = 7;
const BUCKET: &str = "examplebucket";
const KEY: &str = "object";
const LANES: u32 = 4;
const PART_BYTES: u64 = 8 << 20;
const REGION: &str = "cn-hangzhou";
const ID: &str = "LTAI5tExampleExampleKey1";
const SECRET: &str = "ExampleSecretExampleSecretAbcd";
