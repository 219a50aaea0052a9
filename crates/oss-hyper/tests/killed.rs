//! Transfers of a process that is killed, and what the next one finds; disks that are full; servers that die.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use common::transfers::{Directory, uploads};
use common::{bucket_of, content, emulator, service};
use oss_hyper::transfer::{Fresh, TransferProgress};
use oss_hyper::{Bucket, ListMultipartUploads};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

const PART: u64 = 100 << 10;
const PARTS: usize = 30;

/// A directory with a source in it.
fn with_source(name: &str) -> Directory {
    let directory = Directory::new(&format!("killed-{name}"));
    fs::write(directory.file("source"), content(PARTS * PART as usize + 17)).unwrap();
    directory
}

/// What the other process does: nothing, unless it is asked to by its environment.
#[tokio::test]
async fn the_other_process() {
    let Ok(dir) = env::var("OSS_TEST_DIR").map(PathBuf::from) else { return };
    let bucket = bucket_of(service(&env::var("OSS_TEST_ENDPOINT").unwrap()));
    let rate = env::var("OSS_TEST_RATE").unwrap().parse().unwrap();
    let result = match env::var("OSS_TEST_WORK").unwrap().as_str() {
        "up" => {
            let up = bucket.upload_file("key", dir.join("source")).part_size(PART).bytes_per_sec(rate);
            up.checkpoint_dir(dir.join("checkpoints")).await.map(drop)
        }
        _ => {
            let down = bucket.download_file("key", dir.join("target")).part_size(PART).bytes_per_sec(rate);
            down.checkpoint_dir(dir.join("checkpoints")).await.map(drop)
        }
    };
    fs::write(dir.join("said"), result.map_or_else(|error| error.to_string(), |()| "done".into())).unwrap();
}

fn another(shell: &str, work: &str, dir: &Path, endpoint: &str, rate: u64) -> Child {
    Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$0\" --exact the_other_process")])
        .arg(env::current_exe().unwrap())
        .env("OSS_TEST_DIR", dir)
        .env("OSS_TEST_WORK", work)
        .env("OSS_TEST_ENDPOINT", endpoint)
        .env("OSS_TEST_RATE", rate.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until this is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn checkpoint(directory: &Directory) -> Option<PathBuf> {
    let entries = fs::read_dir(directory.file("checkpoints")).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|end| end == "checkpoint"))
}

fn watched() -> (Arc<Mutex<TransferProgress>>, impl FnMut(TransferProgress) + Send + 'static) {
    let seen = Arc::new(Mutex::new(TransferProgress::default()));
    let watcher = Arc::clone(&seen);
    (seen, move |at| *watcher.lock().unwrap() = at)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f75_b59_b62_a_download_whose_process_is_killed_is_gone_on_with() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let directory = with_source("down");
    let bytes = fs::read(directory.file("source")).unwrap();
    bucket.put("key", bytes.clone()).await.unwrap();
    fs::write(directory.file("target"), "old").unwrap();
    let mut killed = another("", "down", &directory.0, &server.endpoint(), 2 << 20);
    until("some parts are there", async || {
        let text = checkpoint(&directory).and_then(|path| fs::read_to_string(path).ok());
        text.is_some_and(|text| text.matches("\npart ").count() >= 5)
    })
    .await;
    // While it lives, nobody else gets at it.
    let download = || {
        let download = bucket.download_file("key", directory.file("target")).part_size(PART);
        download.checkpoint_dir(directory.file("checkpoints"))
    };
    let busy = download().await.unwrap_err();
    assert!(busy.to_string().contains("another transfer has the lock"), "{busy}");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(fs::read(directory.file("target")).unwrap(), b"old");
    assert_eq!(directory.parts().len(), 1);
    let (seen, watcher) = watched();
    let saved = download().on_progress(watcher).await.unwrap();
    assert_eq!(saved.fresh, None);
    let seen = *seen.lock().unwrap();
    assert!(seen.bytes_kept >= 5 * PART && seen.bytes == bytes.len() as u64, "{seen:?}");
    assert!(fs::read(directory.file("target")).unwrap() == bytes);
    assert_eq!(
        (directory.parts().len(), fs::read_dir(directory.file("checkpoints")).unwrap().count()),
        (0, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f75_an_upload_whose_process_is_killed_is_gone_on_with() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let directory = with_source("up");
    let mut killed = another("", "up", &directory.0, &server.endpoint(), 2 << 20);
    until("some parts are there", async || {
        let uploads = bucket.send(ListMultipartUploads::here()).await.unwrap().output.uploads;
        let Some(upload) = uploads.into_iter().next() else { return false };
        let (key, id) = (upload.key, upload.upload_id);
        let parts = bucket.send(oss_hyper::ListParts::to(key, id)).await.unwrap().output.parts;
        parts.len() >= 5
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (seen, watcher) = watched();
    let upload = bucket.upload_file("key", directory.file("source")).part_size(PART);
    let up = upload.checkpoint_dir(directory.file("checkpoints")).on_progress(watcher).await.unwrap();
    assert!(seen.lock().unwrap().bytes_kept >= 5 * PART);
    assert!(up.is_checked);
    let bytes = fs::read(directory.file("source")).unwrap();
    assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    assert_eq!(uploads(&bucket).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f73_a_disk_that_is_full_is_one_error_at_once() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let directory = with_source("full");
    bucket.put("key", fs::read(directory.file("source")).unwrap()).await.unwrap();
    fs::write(directory.file("target"), "old").unwrap();
    // Files of 1 MiB at most: in blocks of 512 bytes or of 1024, as the shell counts.
    let limit = "trap '' XFSZ; ulimit -f 1024;";
    let mut child = another(limit, "down", &directory.0, &server.endpoint(), 0);
    until("it has ended", async || child.try_wait().unwrap().is_some()).await;
    let said = fs::read_to_string(directory.file("said")).unwrap();
    assert!(said.starts_with("the file cannot be written: "), "{said}");
    assert_eq!(said.matches("File too large").count(), 1, "one cause: {said}");
    assert_eq!(fs::read(directory.file("target")).unwrap(), b"old");
    // What came is kept, and once there is room the rest follows.
    let down = bucket.download_file("key", directory.file("target")).part_size(PART);
    let saved = down.checkpoint_dir(directory.file("checkpoints")).await.unwrap();
    assert!(!matches!(saved.fresh, Some(Fresh::Unreadable(_))), "{:?}", saved.fresh);
    assert!(fs::read(directory.file("target")).unwrap() == fs::read(directory.file("source")).unwrap());
}

/// A way to the server that can be cut: what is under way breaks, and nothing new goes through.
async fn way(endpoint: &str) -> (Bucket, Arc<AtomicBool>) {
    let to = endpoint.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&is_cut);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (cut, to) = (Arc::clone(&cut), to.clone());
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                let breaks = async {
                    while !cut.load(Ordering::SeqCst) {
                        sleep(Duration::from_millis(2)).await;
                    }
                };
                tokio::select! {
                    () = breaks => {}
                    _ended = copy_bidirectional(&mut client, &mut server) => {}
                }
            });
        }
    });
    (bucket_of(service(&format!("http://{address}"))), is_cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f36_a_server_that_dies_in_the_middle_costs_what_was_on_its_way() {
    let server = emulator().await;
    let (bucket, is_cut) = way(&server.endpoint()).await;
    let directory = with_source("dying");
    let (source, target, dir) =
        (directory.file("source"), directory.file("target"), directory.file("checkpoints"));
    let bytes = fs::read(&source).unwrap();
    let cut_after = |parts: u64| {
        let is_cut = Arc::clone(&is_cut);
        move |at: TransferProgress| is_cut.store(at.parts >= parts, Ordering::SeqCst)
    };
    let upload =
        || bucket.upload_file("key", &source).part_size(PART).bytes_per_sec(8 << 20).checkpoint_dir(&dir);
    let error = upload().on_progress(cut_after(5)).await.unwrap_err();
    assert!(error.call().unwrap().is_retryable() && error.left().is_some(), "{error}");
    is_cut.store(false, Ordering::SeqCst);
    let (seen, watcher) = watched();
    upload().on_progress(watcher).await.unwrap();
    assert!(seen.lock().unwrap().bytes_kept >= 2 * PART);

    let download =
        || bucket.download_file("key", &target).part_size(PART).bytes_per_sec(8 << 20).checkpoint_dir(&dir);
    let error = download().on_progress(cut_after(9)).await.unwrap_err();
    assert!(error.call().unwrap().is_retryable(), "{error}");
    assert!(!target.exists());
    is_cut.store(false, Ordering::SeqCst);
    let (seen, watcher) = watched();
    download().on_progress(watcher).await.unwrap();
    assert!(seen.lock().unwrap().bytes_kept >= 5 * PART);
    assert!(fs::read(&target).unwrap() == bytes);

    // A short break is no more than a retry.
    let is_once = AtomicBool::new(true);
    let cut = Arc::clone(&is_cut);
    let blink = move |at: TransferProgress| {
        if at.parts >= 9 && is_once.swap(false, Ordering::SeqCst) {
            let cut = Arc::clone(&cut);
            cut.store(true, Ordering::SeqCst);
            tokio::spawn(async move {
                sleep(Duration::from_millis(10)).await;
                cut.store(false, Ordering::SeqCst);
            });
        }
    };
    fs::remove_file(&target).unwrap();
    let result = download().on_progress(blink).await;
    if result.is_err() {
        // On a busy machine three attempts may be over before the break is: then it is gone on with.
        download().await.unwrap();
    }
    assert!(fs::read(&target).unwrap() == bytes);
}
