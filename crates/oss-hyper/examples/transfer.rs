//! Large objects to be seen: `cargo run --release --example transfer -- up|down|copy …`.
//!
//! ```text
//! transfer up FILE KEY          a file to an object
//! transfer down KEY FILE        an object to a file
//! transfer copy KEY KEY         an object to another key of the bucket
//! transfer demo [MIB]           all of it: up, broken off, gone on with, down, compared
//! ```
//!
//! With `--lanes N`, `--part-size MIB` and, up and down, `--rate MIB` (a second). There Ctrl-C keeps what was
//! done in `.oss-checkpoints`, and the same command goes on from there; a copy, which OSS makes in seconds,
//! is given up.
//!
//! With `OSS_REGION`, `OSS_BUCKET`, `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET` set it is your bucket.
//! Otherwise an emulator in this process is the OSS; it forgets everything at the end, so that only `demo` is
//! of use, which is also what happens without arguments.

#[path = "transfer/bar.rs"]
mod bar;

use core::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use oss_emulator_server::{Config, Server};
use oss_hyper::transfer::{Cancel, TransferError};
use oss_hyper::{Bucket, Client, CopySource, Credentials, Endpoint, Environment, Region, Service};

use bar::Bar;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("transfer: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("transfer: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    words: Vec<String>,
    lanes: u32,
    part_size: Option<u64>,
    rate: u64,
}

impl Arguments {
    fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut read = Self { words: Vec::new(), lanes: 4, part_size: None, rate: 0 };
        while let Some(word) = arguments.next() {
            let mut number = || -> Outcome<u64> {
                let number = arguments.next().ok_or_else(|| format!("{word} needs a number"))?;
                Ok(number.parse().map_err(|_| format!("{number} is no number"))?)
            };
            match word.as_str() {
                "--lanes" => read.lanes = u32::try_from(number()?)?,
                "--part-size" => read.part_size = Some(number()? << 20),
                "--rate" => read.rate = number()? << 20,
                _ => read.words.push(word),
            }
        }
        Ok(read)
    }
}

async fn run(arguments: Arguments) -> Outcome {
    let (bucket, server) = connect().await?;
    let words: Vec<&str> = arguments.words.iter().map(String::as_str).collect();
    let transfer = Transfer { bucket, arguments: &arguments, checkpoints: PathBuf::from(CHECKPOINTS) };
    match words[..] {
        ["up", file, key] => transfer.up(Path::new(file), key, on_ctrl_c()).await?,
        ["down", key, file] => transfer.down(key, Path::new(file), on_ctrl_c()).await?,
        ["copy", from, to] => transfer.copy(from, to, on_ctrl_c()).await?,
        [] | ["demo"] => demo(transfer, DEMO_MIB).await?,
        ["demo", mib] => demo(transfer, mib.parse()?).await?,
        _ => return Err(USAGE.into()),
    }
    if let Some(server) = server {
        server.shutdown().await;
    }
    Ok(())
}

async fn connect() -> Outcome<(Bucket, Option<Server>)> {
    if let (Ok(region), Ok(name)) = (env::var("OSS_REGION"), env::var("OSS_BUCKET")) {
        return Ok((Bucket::connect(region, name, Environment)?, None));
    }
    let server = Server::start(Config::new("cn-hangzhou").with_access_key("id", "secret")).await?;
    server.create_bucket("examplebucket");
    let service =
        Service::new(Endpoint::parse(&server.endpoint())?).with_region(Region::parse("cn-hangzhou")?);
    let client = Client::new(service, Credentials::new("id", "secret")?);
    Ok((client.bucket("examplebucket")?, Some(server)))
}

/// Ends transfers when the person asks for it, and keeps what they did.
fn on_ctrl_c() -> Cancel {
    let cancel = Cancel::new();
    let asked = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.keep();
        }
    });
    cancel
}

struct Transfer<'a> {
    bucket: Bucket,
    arguments: &'a Arguments,
    checkpoints: PathBuf,
}

impl Transfer<'_> {
    async fn up(&self, file: &Path, key: &str, cancel: Cancel) -> Outcome {
        let bar = Bar::new(&format!("up {key}"));
        let mut upload = self.bucket.upload_file(key, file).checkpoint_dir(&self.checkpoints);
        upload = upload.lanes(self.arguments.lanes).bytes_per_sec(self.arguments.rate);
        if let Some(part_size) = self.arguments.part_size {
            upload = upload.part_size(part_size);
        }
        let up = bar.close(upload.cancel_with(&cancel).on_progress(bar.watcher()).await)?;
        println!("{key}: {} bytes in {} parts, CRC-64 {}", up.bytes, up.parts, shown(up.crc64));
        Ok(())
    }

    async fn down(&self, key: &str, file: &Path, cancel: Cancel) -> Outcome {
        let bar = Bar::new(&format!("down {key}"));
        let mut download = self.bucket.download_file(key, file).checkpoint_dir(&self.checkpoints);
        download = download.lanes(self.arguments.lanes).bytes_per_sec(self.arguments.rate);
        if let Some(part_size) = self.arguments.part_size {
            download = download.part_size(part_size);
        }
        let saved = bar.close(download.cancel_with(&cancel).on_progress(bar.watcher()).await)?;
        if let Some(fresh) = &saved.fresh {
            println!("{fresh}");
        }
        let (bytes, crc64) = (saved.download.range.end, shown(saved.download.crc64));
        println!("{}: {bytes} bytes, CRC-64 {crc64}", file.display());
        Ok(())
    }

    async fn copy(&self, from: &str, to: &str, cancel: Cancel) -> Outcome {
        let bar = Bar::new(&format!("copy {to}"));
        let source = CopySource::new(self.bucket.name(), from);
        let mut copy = self.bucket.copy_object(source, to).lanes(self.arguments.lanes);
        if let Some(part_size) = self.arguments.part_size {
            copy = copy.part_size(part_size).single_bytes_max(part_size);
        }
        let copied = bar.close(copy.cancel_with(&cancel).on_progress(bar.watcher()).await)?;
        println!("{to}: {} bytes in {} parts, CRC-64 {}", copied.bytes, copied.parts, shown(copied.crc64));
        Ok(())
    }
}

/// Up, broken off half-way and gone on with; a copy; down, broken off and gone on with; and compared.
async fn demo(transfer: Transfer<'_>, mib: u64) -> Outcome {
    let began = Instant::now();
    let dir = env::temp_dir().join(format!("oss-transfer-{}", std::process::id()));
    let checkpoints = dir.join("checkpoints");
    fs::create_dir_all(&dir)?;
    let (source, target) = (dir.join("source"), dir.join("target"));
    fs::write(&source, noise(usize::try_from(mib << 20)?))?;
    let arguments = Arguments { words: Vec::new(), part_size: Some(1 << 20), ..*transfer.arguments };
    let transfer = Transfer { checkpoints, arguments: &arguments, ..transfer };
    let result = async {
        let half = Cancel::new();
        broken_off(transfer.up_until(&source, "demo", mib << 19, &half).await)?;
        transfer.up(&source, "demo", on_ctrl_c()).await?;
        transfer.copy("demo", "demo-copy", on_ctrl_c()).await?;
        let half = Cancel::new();
        broken_off(transfer.down_until("demo-copy", &target, mib << 19, &half).await)?;
        transfer.down("demo-copy", &target, on_ctrl_c()).await?;
        if fs::read(&source)? != fs::read(&target)? {
            return Err("what came down is not what went up".into());
        }
        transfer.bucket.delete("demo").await?;
        transfer.bucket.delete("demo-copy").await?;
        Ok::<_, Box<dyn Error>>(())
    }
    .await;
    fs::remove_dir_all(&dir)?;
    result?;
    println!("what came down is what went up, in {:.2} s", began.elapsed().as_secs_f64());
    Ok(())
}

impl Transfer<'_> {
    async fn up_until(
        &self,
        file: &Path,
        key: &str,
        bytes: u64,
        cancel: &Cancel,
    ) -> Result<(), TransferError> {
        let bar = Bar::new("up, broken off");
        let upload = self.bucket.upload_file(key, file).checkpoint_dir(&self.checkpoints);
        let upload = upload.part_size(1 << 20).cancel_with(cancel).on_progress(bar.until(bytes, cancel));
        bar.close(upload.await).map(drop)
    }

    async fn down_until(
        &self,
        key: &str,
        file: &Path,
        bytes: u64,
        cancel: &Cancel,
    ) -> Result<(), TransferError> {
        let bar = Bar::new("down, broken off");
        let download = self.bucket.download_file(key, file).checkpoint_dir(&self.checkpoints);
        let download = download.part_size(1 << 20).cancel_with(cancel).on_progress(bar.until(bytes, cancel));
        bar.close(download.await).map(drop)
    }
}

fn broken_off(result: Result<(), TransferError>) -> Outcome {
    match result {
        Err(error) if error.is_cancelled() => {
            println!("{error}");
            Ok(())
        }
        Err(error) => Err(error.into()),
        // A machine may be quicker than the hand that stops it.
        Ok(()) => Ok(()),
    }
}

fn shown(crc64: Option<u64>) -> String {
    crc64.map_or_else(|| String::from("not stated"), |crc| format!("{crc:016x}"))
}

/// Bytes without a pattern.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

const USAGE: &str = "usage: transfer up FILE KEY | down KEY FILE | copy KEY KEY | demo [MIB]
       [--lanes N] [--part-size MIB] [--rate MIB]";
const CHECKPOINTS: &str = ".oss-checkpoints";
const DEMO_MIB: u64 = 32;
