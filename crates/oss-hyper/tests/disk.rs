//! A disk that takes what is written and cannot keep it: an ext4 in a file in a memory that is too small.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use std::env;
use std::fs;
use std::path::PathBuf;

use common::transfers::world;
use common::{bucket_of, content, service};
use oss_hyper::transfer::TransferErrorKind;
use tokio::process::Command;

/// Mounts it where nobody else sees it, and runs the other process there.
const MOUNTED: &str = r#"
    cd "$OSS_TEST_DIR" && mkdir memory disk && mount -t tmpfs -o size=6m none memory &&
    truncate -s 64m memory/image && mkfs.ext4 -q -O ^has_journal memory/image &&
    mount -o loop memory/image disk || exit 77
    exec "$0" --exact the_other_process
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f74_a_disk_that_cannot_keep_what_it_took_fails_the_download_and_keeps_the_old_file() {
    let (server, bucket, directory) = world("disk").await;
    bucket.put("key", content(16 << 20)).await.unwrap();
    let mut other = Command::new("unshare");
    other.args(["--mount", "sh", "-c", MOUNTED]).arg(env::current_exe().unwrap());
    other.env("OSS_TEST_DIR", directory.file("")).env("OSS_TEST_ENDPOINT", server.endpoint());
    match other.output().await {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code().is_some_and(|code| code != 77 && code != 1) => {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        }
        _ => {
            return println!(
                "skipped: no disk of our own can be mounted here; that takes root and a loop device"
            );
        }
    }
    let said = fs::read_to_string(directory.file("said")).unwrap();
    assert!(said.starts_with("Sync: "), "{said}");
    assert!(said.ends_with("left: lost+found target\ntarget: old\n"), "{said}");
}

/// What the other process does: nothing, unless it is asked to by its environment.
#[tokio::test]
async fn the_other_process() {
    let Ok(dir) = env::var("OSS_TEST_DIR").map(PathBuf::from) else { return };
    let bucket = bucket_of(service(&env::var("OSS_TEST_ENDPOINT").unwrap()));
    let target = dir.join("disk/target");
    fs::write(&target, "old\n").unwrap();
    let error = bucket.download_file("key", &target).await.unwrap_err();
    let TransferErrorKind::File(file) = error.kind() else { panic!("{error:?}") };
    let mut left: Vec<_> =
        fs::read_dir(dir.join("disk")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    let left: Vec<_> = left.iter().map(|name| name.to_str().unwrap()).collect();
    let old = fs::read_to_string(&target).unwrap();
    let said = format!("{:?}: {error}\nleft: {}\ntarget: {old}", file.step(), left.join(" "));
    fs::write(dir.join("said"), said).unwrap();
}
