//! Files up and down over sockets, to a peer that does wrong: what arrives is exact, or it is not there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

use core::time::Duration;
use std::env;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use http::Method;
use oss_hyper::transfer::{TransferError, TransferErrorKind};
use oss_hyper::{Bucket, Client, Endpoint, Policy, Region, Service};
use oss_sim::peer::{Answer, BUCKET, Deed, End, Framing, Peer, credentials};
use oss_sim::tcp::{TcpPeer, system_time};
use tokio::runtime::Runtime;

const PART: u64 = 100 << 10;

/// A directory of a test's own.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("oss-sim-{name}-{}", std::process::id()));
        let _gone = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn chance(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 9
}

/// What is done to the next request: half of the time something that should not be.
fn deed(state: &mut u64, method: &Method) -> Deed {
    let at = chance(state) % 150_000;
    match chance(state) % 20 {
        0 => Deed::Lose,
        1 => Deed::Answer(Answer::error(503, "SlowDown")),
        2 => Deed::Answer(Answer::new(500)),
        3 => Deed::Close(at),
        4 | 5 => Deed::spoil(move |answer| answer.end = End::Cut(at)),
        6 => Deed::spoil(move |answer| {
            answer.reframe(Framing::Chunked);
            answer.body = answer.body.slice(..answer.body.len().min(at as usize));
        }),
        7 if method == Method::GET => Deed::spoil(move |answer| {
            let mut body = answer.body.to_vec();
            let len = body.len().max(1);
            if let Some(byte) = body.get_mut(at as usize % len) {
                *byte ^= 4;
            }
            answer.body = body.into();
        }),
        8 if method == Method::GET => Deed::spoil(|answer| answer.set("etag", Some("\"0BAD\""))),
        9 if method == Method::GET => Deed::spoil(|answer| answer.set("content-range", Some("bytes 0-9/10"))),
        _ => Deed::Serve,
    }
}

fn world(seed: u64, is_bad: bool) -> (TcpPeer, Bucket) {
    let mut state = seed;
    let peer = TcpPeer::start(Peer::new([], false, system_time())).unwrap();
    let peer = peer.with_patience(Duration::from_millis(250));
    let peer = peer.drawing(move |method, _| if is_bad { deed(&mut state, method) } else { Deed::Serve });
    let bucket = bucket(&peer, seed);
    (peer, bucket)
}

fn bucket(peer: &TcpPeer, seed: u64) -> Bucket {
    let service = Service::new(Endpoint::parse(&peer.endpoint()).unwrap());
    let service = service.with_region(Region::parse("cn-hangzhou").unwrap());
    // Without retries more reaches the transfer itself.
    let policy = if seed.is_multiple_of(2) { Policy::new() } else { Policy::none() };
    let service = service.with_retry(policy.with_base_delay(Duration::from_millis(1)));
    let service = service.with(|settings| settings.timeouts.idle = Duration::from_millis(500));
    Client::new(service, credentials()).bucket(BUCKET).unwrap()
}

fn content(len: u64) -> Vec<u8> {
    let mut state = len;
    (0..len).map(|_| chance(&mut state) as u8).collect()
}

fn is_of_a_call(error: &TransferError) -> bool {
    matches!(error.kind(), TransferErrorKind::Call(_))
}

#[test]
fn f36_f37_f41_f30_f33_i01_a_file_comes_down_exact_or_stays_as_it_was() {
    let runtime = Runtime::new().unwrap();
    let directory = Directory::new("down");
    let (target, dir) = (directory.file("target"), directory.file("checkpoints"));
    let (mut whole, mut failed) = (0, 0);
    for seed in 0..24 {
        let bytes = content(PART * (1 + seed % 7) + seed);
        let (peer, bucket) = world(seed, true);
        peer.peer().store("key", &Bytes::from(bytes.clone()), system_time());
        fs::write(&target, "old").unwrap();
        let mut is_there = false;
        for turn in 0..12 {
            let download = bucket.download_file("key", &target).part_size(PART).lanes(1 + (seed % 4) as u32);
            let download = if seed.is_multiple_of(3) { download } else { download.checkpoint_dir(&dir) };
            match runtime.block_on(download.into_future()) {
                Ok(saved) => {
                    assert!(fs::read(&target).unwrap() == bytes, "seed {seed}, turn {turn}: {saved:?}");
                    is_there = true;
                    whole += 1;
                    break;
                }
                Err(error) => {
                    assert!(is_of_a_call(&error), "seed {seed}: {error}");
                    assert_eq!(fs::read(&target).unwrap(), b"old", "seed {seed}: {error}");
                    failed += 1;
                }
            }
        }
        let parts = fs::read_dir(&directory.0).unwrap().filter(|entry| {
            entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "part"))
        });
        assert!(parts.count() <= usize::from(!is_there && !seed.is_multiple_of(3)), "seed {seed}");
        let _given_up = fs::remove_dir_all(&dir);
        fs::remove_dir_all(&directory.0).unwrap();
        fs::create_dir_all(&directory.0).unwrap();
    }
    println!("{whole} came down whole, after {failed} that failed");
    assert!(whole > 12 && failed > 15, "{whole} whole, {failed} failed");
}

#[test]
fn f07_f56_f65_i01_a_file_goes_up_exact_or_the_error_says_what_is_left() {
    let runtime = Runtime::new().unwrap();
    let directory = Directory::new("up");
    let (source, dir) = (directory.file("source"), directory.file("checkpoints"));
    let (mut whole, mut failed) = (0, 0);
    for seed in 0..24 {
        let bytes = content(PART * (seed % 8) + seed);
        fs::write(&source, &bytes).unwrap();
        let (peer, bucket) = world(seed, true);
        for turn in 0..12 {
            let upload = bucket.upload_file("key", &source).part_size(PART).lanes(1 + (seed % 4) as u32);
            let upload = if seed.is_multiple_of(3) { upload } else { upload.checkpoint_dir(&dir) };
            match runtime.block_on(upload.into_future()) {
                Ok(output) => {
                    let there = peer.peer().content("key").unwrap();
                    assert!(there == bytes, "seed {seed}, turn {turn}: {output:?}");
                    whole += 1;
                    break;
                }
                Err(error) => {
                    assert!(is_of_a_call(&error), "seed {seed}: {error}");
                    failed += 1;
                }
            }
            let there = peer.peer().content("key");
            assert!(there.is_none_or(|there| there == bytes), "seed {seed}, turn {turn}");
        }
        let _given_up = fs::remove_dir_all(&dir);
    }
    println!("{whole} went up whole, after {failed} that failed");
    assert!(whole > 12 && failed > 10, "{whole} whole, {failed} failed");
}

#[test]
fn f76_a_thousand_parts_go_through_a_window_of_eight() {
    let runtime = Runtime::new().unwrap();
    let directory = Directory::new("window");
    let (peer, bucket) = world(0, false);
    let bytes = content(100_000);
    peer.peer().store("key", &Bytes::from(bytes.clone()), system_time());
    let download = bucket.download_file("key", directory.file("target")).part_size(100).lanes(8);
    runtime.block_on(download.into_future()).unwrap();
    assert!(fs::read(directory.file("target")).unwrap() == bytes);
}
