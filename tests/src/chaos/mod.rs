//! Chaos: real sockets, a peer that does wrong at three of ten requests, many calls of every kind at a time,
//! and at the end an account of what must be none: wrong bytes, calls that overran, and leaks.
//!
//! A run on real sockets is not repeatable to the event; the seed repeats which faults and which calls there
//! are.

mod calls;
mod chance;
mod faults;
mod oracle;
mod tally;
mod transfers;

use alloc::sync::Arc;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use oss_hyper::oss_proto::{Credentials, Endpoint, Region, Service};
use oss_hyper::{Client, Overrides, Policy, Retryer, Transport};
use tokio::runtime::{Builder, Runtime};

use self::calls::Caller;
use self::chance::Chance;
use self::faults::Faults;
use self::oracle::Oracle;
pub use self::tally::Report;
use self::tally::{Census, Tally};
use crate::peer::{BUCKET, Peer, REGION, credentials};
use crate::tcp::{TcpPeer, system_time};

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where the faults and the calls are drawn from.
    pub seed: u64,
    /// How long calls are begun.
    pub seconds: u64,
    /// How many calls there are at a time.
    pub callers: u64,
    /// How many requests of a hundred are answered wrongly.
    pub faults_percent: u64,
}

impl Default for Options {
    /// A minute, as CI runs it.
    fn default() -> Self {
        Self { seed: 1, seconds: 60, callers: 48, faults_percent: 30 }
    }
}

/// Runs it, and says what came of it.
///
/// # Errors
/// When there is no port to listen on, no runtime or no folder for files.
pub fn run(options: Options) -> io::Result<Report> {
    let folder = Folder::create(options.seed)?;
    let runtime = runtime()?;
    // Before anything that could be left behind.
    let before = Census::take();
    let tally = Arc::new(Tally::default());
    let oracle = Arc::new(Oracle::default());
    let faults = Faults::new(options.seed, options.faults_percent, Arc::clone(&tally));
    let peer = Peer::new([], false, system_time());
    let mut server = TcpPeer::start(peer)?.with_patience(PATIENCE).drawing(faults.deeds());
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let transport = Transport::builder().connect_timeout(CONNECT).max_connections(CONNECTIONS).build();
    let transport = transport.map_err(io::Error::other)?;
    let clients = clients(&server.endpoint(), &transport)?;
    runtime.block_on(async {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..options.callers {
            let client = clients[number as usize % clients.len()].clone();
            let bucket = client.bucket(BUCKET).expect("the bucket's name is a constant");
            let (oracle, tally) = (Arc::clone(&oracle), Arc::clone(&tally));
            let chance = Chance::new(options.seed ^ (number + 1) << 32);
            let caller = Caller { bucket, oracle, tally, chance, folder: folder.0.clone(), number };
            callers.spawn(caller.call_until(until));
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap_or_else(|error| tally.wrong(format!("a caller panicked: {error}")));
        }
    });
    drop(clients);
    let in_use = format!("{transport:?}");
    drop(transport);
    // Whatever is still on its way has arrived, or never will.
    let tasks = quiet(&runtime, &server);
    oracle.settle_with(&server.peer(), &tally);
    let requests = server.peer().seen() as u64;
    server.refuse();
    drop(server);
    let after = Census::take_when(|census| census.is_back_to(&before));
    let files = folder.count()?;
    drop(runtime);
    Ok(tally.report(options, requests, tally::Left { before, after, tasks, files, pool: in_use }))
}

fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    // Threads for files end soon after they are needed, so that those that stay can be told.
    builder.worker_threads(2).enable_all().thread_keep_alive(Duration::from_millis(50)).build()
}

/// Clients over the same connections: with the shared budget, and with a rule that always repeats.
fn clients(endpoint: &str, transport: &Transport) -> io::Result<[Client; 2]> {
    let region = Region::parse(REGION).expect("the region is a constant");
    let service = Service::new(Endpoint::parse(endpoint).map_err(io::Error::other)?).with_region(region);
    let policy = Policy::new().with_base_delay(Duration::from_millis(2)).with_max_attempts(4);
    let service = service.with_retry(policy.with_max_backoff(Duration::from_millis(50)));
    let service = service.with(|settings| settings.timeouts.idle = IDLE);
    let client = || -> Client {
        let credentials: Credentials = credentials();
        Client::new(service.clone(), credentials).with_transport(transport.clone())
    };
    let always = Retryer::from_fn(4, |proposal| Some(proposal.delay));
    Ok([client(), client().with(&Overrides::new().retryer(always))])
}

/// Waits until no task is left and no request is on its way, and says how many tasks there are then.
fn quiet(runtime: &Runtime, server: &TcpPeer) -> usize {
    let began = Instant::now();
    loop {
        let tasks = runtime.metrics().num_alive_tasks();
        let is_quiet = tasks == 0 && !server.peer().is_reading();
        if is_quiet || began.elapsed() > QUIET_MAX {
            return tasks;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A folder for downloads, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn create(seed: u64) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("oss-chaos-{}-{seed}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// How many files have no name yet. A download that is dropped at its very end may still get its name.
    fn count(&self) -> io::Result<usize> {
        let names = std::fs::read_dir(&self.0)?.filter_map(|entry| Some(entry.ok()?.file_name()));
        let nameless = names.filter(|name| name.to_string_lossy().ends_with(".part")).count();
        Ok(nameless + transfers::left_behind(&self.0))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

const IDLE: Duration = Duration::from_millis(400);
const CONNECT: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 32;
/// How long the peer stands still at most: longer than any call waits.
const PATIENCE: Duration = Duration::from_secs(5);
const QUIET_MAX: Duration = Duration::from_secs(15);
