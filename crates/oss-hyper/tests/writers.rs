//! Objects as readers and writers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

mod common;

use core::time::Duration;
use std::io;
use std::time::Instant;

use common::transfers::uploads;
use common::{bucket_of, content, emulator, service};
use oss_emulator_server::Server;
use oss_hyper::Bucket;
use oss_hyper::transfer::{TransferErrorKind, UploadFate};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::time::sleep;

const PART: u64 = 100 << 10;

async fn world() -> (Server, Bucket) {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    (server, bucket)
}

#[tokio::test]
async fn a_reader_goes_anywhere_and_stays_with_its_object() {
    let (_server, bucket) = world().await;
    let bytes = content(300_000);
    bucket.put("key", bytes.clone()).await.unwrap();
    let mut reader = bucket.reader("key").await.unwrap().read_ahead(50_000);
    assert_eq!(reader.size(), 300_000);
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.unwrap();
    assert!(all == bytes);
    let mut state = 5_u64;
    for _ in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (at, len) = ((state >> 20) % 300_000, (state >> 45) % 70_000);
        let at = match state % 3 {
            0 => reader.seek(io::SeekFrom::Start(at)).await.unwrap(),
            1 => reader.seek(io::SeekFrom::End(at as i64 - 300_000)).await.unwrap(),
            _ => {
                let here = reader.position();
                reader.seek(io::SeekFrom::Current(at as i64 - here as i64)).await.unwrap()
            }
        };
        let end = (at + len).min(300_000);
        let mut read = vec![0; (end - at) as usize];
        reader.read_exact(&mut read).await.unwrap();
        assert!(read == bytes[at as usize..end as usize], "{at}..{end}");
    }
    assert!(reader.seek(io::SeekFrom::Current(-400_000)).await.is_err());
    reader.seek(io::SeekFrom::Start(400_000)).await.unwrap();
    assert_eq!(reader.read(&mut [0; 9]).await.unwrap(), 0);
    bucket.put("key", vec![0; 300_000]).await.unwrap();
    reader.seek(io::SeekFrom::Start(100)).await.unwrap();
    let error = reader.read(&mut [0; 9]).await.unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<oss_hyper::Error>().unwrap();
    assert!(error.is_object_changed(), "{error}");
    bucket.delete("key").await.unwrap();
    let error = reader.read(&mut [0; 9]).await.unwrap_err();
    assert!(error.to_string().contains("deleted"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_a_writer_makes_an_object_when_it_is_shut_down_and_none_before() {
    let (_server, bucket) = world().await;
    for len in [0, 1, PART as usize, 3 * PART as usize, 3 * PART as usize + 1] {
        let bytes = content(len);
        let mut writer = bucket.writer("key").part_size(PART).lanes(2).start();
        for chunk in bytes.chunks(33_333) {
            writer.write_all(chunk).await.unwrap();
        }
        assert!(writer.output().is_none());
        writer.shutdown().await.unwrap();
        let output = writer.output().unwrap();
        assert_eq!((output.bytes, output.is_checked), (len as u64, true));
        assert!(writer.write(b"x").await.is_err(), "it is complete");
        assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    }
    bucket.delete("key").await.unwrap();
    let mut writer = bucket.writer("key").part_size(PART).start();
    writer.write_all(&content(4 * PART as usize)).await.unwrap();
    drop(writer);
    let began = Instant::now();
    while uploads(&bucket).await > 0 {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20)).await;
    }
    assert!(!bucket.exists("key").await.unwrap());
    // An upload that fails fails the next write, or the end.
    let nowhere = bucket.client().bucket("no-such-bucket").unwrap();
    let mut writer = nowhere.writer("key").part_size(PART).start();
    let written = writer.write_all(&content(9 * PART as usize)).await;
    let ended = writer.shutdown().await;
    assert!(written.is_err() || ended.is_err());
    assert!(writer.error().unwrap().call().unwrap().is_not_found());
    // So does a part size that OSS does not take, however large.
    for part_size in [0, 1, u64::MAX] {
        let mut writer = bucket.writer("key").part_size(part_size).start();
        let error = loop {
            if let Err(error) = writer.write_all(b"some").await {
                break error;
            }
            sleep(Duration::from_millis(1)).await;
        };
        assert!(error.to_string().contains("OSS takes"), "{error}");
        let reader = bucket.upload_stream("key", &b"some"[..]).part_size(part_size).await.unwrap_err();
        assert!(reader.to_string().contains("OSS takes"), "{reader}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_a_writer_replaces_nothing_and_keeps_its_parts_when_it_is_told_so() {
    let (_server, bucket) = world().await;
    bucket.put("key", "theirs").await.unwrap();
    for (keeps, fate) in [(false, UploadFate::Aborted), (true, UploadFate::Kept)] {
        let writer = bucket.writer("key").part_size(PART).forbid_overwrite(true).keep_parts(keeps);
        let mut writer = writer.start();
        // OSS tells at the beginning of the upload, or at its end.
        let _written = writer.write_all(&content(3 * PART as usize)).await;
        assert!(writer.shutdown().await.is_err());
        let error = writer.error().unwrap();
        assert!(error.call().unwrap().is_precondition_failed(), "{error}");
        assert!(error.left().is_none_or(|left| left.fate == fate), "{error}");
    }
    assert_eq!(bucket.get("key").await.unwrap().text().await.unwrap(), "theirs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f61_an_appender_goes_on_at_the_end_and_tells_a_conflict() {
    let (_server, bucket) = world().await;
    let mut all = Vec::new();
    for len in [0, 1, 50_000, 130_000, 100_000] {
        let bytes = content(len);
        let mut appender = bucket.appender("log").part_size(50_000).start();
        appender.write_all(&bytes).await.unwrap();
        appender.shutdown().await.unwrap();
        all.extend_from_slice(&bytes);
        let output = appender.output().unwrap();
        assert_eq!((output.position, output.appends), (all.len() as u64, len.div_ceil(50_000) as u64));
        if !all.is_empty() {
            assert!(bucket.get("log").await.unwrap().bytes().await.unwrap() == all);
        }
    }
    // Somebody else appends between two pieces.
    let mut appender = bucket.appender("log").part_size(1000).start();
    appender.write_all(&content(1000)).await.unwrap();
    appender.write_all(&content(1)).await.unwrap();
    let began = Instant::now();
    while bucket.head("log").await.unwrap().output.content_length < Some(all.len() as u64 + 1000) {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(5)).await;
    }
    let mut other = bucket.appender("log").start();
    other.write_all(b"other").await.unwrap();
    other.shutdown().await.unwrap();
    assert!(appender.shutdown().await.is_err());
    let error = appender.error().unwrap();
    assert!(matches!(error.kind(), TransferErrorKind::Conflict { .. }), "{error}");
}
