//! A large sparse file up and down, and how much memory that takes:
//! `big [--mib N] [--lanes N] [--rss-mib N] [--dir DIR]`. The server is a process of its own (`big --serve`).

use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, thread};

use oss_emulator_server::{Config, Server};
use oss_hyper::{Client, Credentials, Endpoint, Integrity, Region, Service};

fn main() -> ExitCode {
    let result = match Options::read(env::args().skip(1)) {
        Some(options) if options.serves => serve(),
        Some(options) => run(&options),
        None => Err("usage: big [--mib N] [--lanes N] [--rss-mib N] [--dir DIR]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("big: {error}");
            ExitCode::FAILURE
        }
    }
}

type Problem = Box<dyn core::error::Error>;

struct Options {
    mib: u64,
    lanes: u32,
    /// The most memory that the client may take; 0 is any.
    rss_mib: u64,
    dir: PathBuf,
    serves: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let dir = env::temp_dir().join(format!("oss-big-{}", std::process::id()));
        let mut options = Self { mib: 256, lanes: 4, rss_mib: 64, dir, serves: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--serve" => options.serves = true,
                "--mib" => options.mib = arguments.next()?.parse().ok()?,
                "--lanes" => options.lanes = arguments.next()?.parse().ok()?,
                "--rss-mib" => options.rss_mib = arguments.next()?.parse().ok()?,
                "--dir" => options.dir = arguments.next()?.into(),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// The server: says where it is, and stays until its input ends.
fn serve() -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let server = Server::start(Config::new(REGION).with_access_key("id", "secret")).await?;
        server.create_bucket(BUCKET);
        println!("{}", server.endpoint());
        io::stdout().flush()?;
        tokio::task::spawn_blocking(|| io::stdin().read(&mut [0]).map(drop)).await??;
        Ok(())
    })
}

fn run(options: &Options) -> Result<(), Problem> {
    fs::create_dir_all(&options.dir)?;
    let (server, endpoint) = start()?;
    let result = move_it(options, &endpoint);
    let _gone = fs::remove_dir_all(&options.dir);
    stop(server);
    let (up, down) = result?;
    let peak_kib = peak_kib().unwrap_or(0);
    let mib_per_sec = |time: Duration| (u128::from(options.mib) * 1000) / time.as_millis().max(1);
    println!(
        "big: {} MiB, {} lanes: up {:.1} s ({} MiB/s), down {:.1} s ({} MiB/s), peak of memory {} KiB",
        options.mib,
        options.lanes,
        up.as_secs_f64(),
        mib_per_sec(up),
        down.as_secs_f64(),
        mib_per_sec(down),
        peak_kib
    );
    if options.rss_mib > 0 && peak_kib > options.rss_mib * 1024 {
        return Err(format!("{peak_kib} KiB are more than {} MiB", options.rss_mib).into());
    }
    Ok(())
}

/// Up and down, and what came down is what went up.
fn move_it(options: &Options, endpoint: &str) -> Result<(Duration, Duration), Problem> {
    let (source, target) = (options.dir.join("source"), options.dir.join("target"));
    let len = options.mib << 20;
    File::create(&source)?.set_len(len)?;
    let service = Service::new(Endpoint::parse(endpoint)?).with_region(Region::parse(REGION)?);
    let bucket = Client::new(service, Credentials::new("id", "secret")?).bucket(BUCKET)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let began = Instant::now();
        let up = bucket.upload_file("big", &source).lanes(options.lanes).await?;
        let up_time = began.elapsed();
        let began = Instant::now();
        let down = bucket.download_file("big", &target).lanes(options.lanes).await?;
        let down_time = began.elapsed();
        if !matches!(down.download.integrity, Integrity::Crc64(crc) if Some(crc) == up.crc64) {
            return Err(format!("the checksums differ: {up:?}, {down:?}").into());
        }
        if fs::metadata(&target)?.len() != len {
            return Err("the lengths differ".into());
        }
        Ok((up_time, down_time))
    })
}

fn start() -> Result<(Child, String), Problem> {
    let mut server = Command::new(env::current_exe()?)
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut endpoint = String::new();
    let said = server.stdout.take().ok_or("the server has an output")?;
    BufReader::new(said).read_line(&mut endpoint)?;
    Ok((server, endpoint.trim().to_owned()))
}

fn stop(mut server: Child) {
    // Its input ends.
    drop(server.stdin.take());
    for _ in 0..100 {
        if matches!(server.try_wait(), Ok(Some(_))) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _gone = server.kill();
}

/// The most memory that this process ever had (`VmHWM`), in KiB.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

const REGION: &str = "cn-hangzhou";
const BUCKET: &str = "examplebucket";
