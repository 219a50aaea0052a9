//! Transfers between files, streams and the emulator.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use common::transfers::{after, uploads, world};
use common::{BUCKET, content};
use oss_hyper::transfer::{
    Cancel, Fate, FileStep, Fresh, ListEntry, TransferError, TransferErrorKind, TransferProgress, UploadFate,
    io_kind,
};
use oss_hyper::{CopySource, Integrity, ListObjectsV2, Metadata, PutObject};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{sleep, timeout};

const PART: u64 = 100 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f66_files_of_every_size_go_up_and_come_down() {
    let (_server, bucket, directory) = world("sizes").await;
    let (source, target) = (directory.file("source"), directory.file("target"));
    for len in [0, 1, PART - 1, PART, PART + 1, 7 * PART, 7 * PART + 1234] {
        let bytes = content(usize::try_from(len).unwrap());
        fs::write(&source, &bytes).unwrap();
        for lanes in [1, 4] {
            let up = bucket.upload_file("photo.jpg", &source).part_size(PART).lanes(lanes).await.unwrap();
            assert_eq!((up.bytes, up.is_checked), (len, true), "{up:?}");
            assert_eq!(u64::from(up.parts), if len <= PART { 0 } else { len.div_ceil(PART) });
            assert_eq!(
                bucket.head("photo.jpg").await.unwrap().output.content_type.as_deref(),
                Some("image/jpeg")
            );
            let down = bucket.download_file("photo.jpg", &target).part_size(PART).lanes(lanes).await.unwrap();
            assert_eq!(down.download.range, 0..len);
            assert!(matches!(down.download.integrity, Integrity::Crc64(_)), "{down:?}");
            assert!(fs::read(&target).unwrap() == bytes, "{len} bytes, {lanes} lanes");
        }
    }
    let range =
        bucket.download_file("photo.jpg", &target).range(150_000..400_000).part_size(PART).await.unwrap();
    assert_eq!(range.download.integrity, Integrity::Length);
    assert!(fs::read(&target).unwrap() == content(400_000)[150_000..]);
    assert_eq!(directory.names(), ["source", "target"]);
    assert_eq!(uploads(&bucket).await, 0);
}

/// A part is read and written in blocks of a few hundred KiB, and its checksum tells nothing of their places.
/// What the system has in memory is read at once, and what it has forgotten is waited for on other threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_parts_of_many_blocks_have_each_block_in_its_place() {
    let (_server, bucket, directory) = world("blocks").await;
    let (source, target) = (directory.file("source"), directory.file("target"));
    let bytes = content((5 << 20) + 1234);
    fs::write(&source, &bytes).unwrap();
    for (lanes, is_forgotten) in [(1, false), (3, false), (1, true), (3, true)] {
        if is_forgotten {
            forget(&source);
        }
        bucket.upload_file("a.bin", &source).part_size(2 << 20).lanes(lanes).await.unwrap();
        bucket.download_file("a.bin", &target).part_size(2 << 20).lanes(lanes).await.unwrap();
        assert!(fs::read(&target).unwrap() == bytes, "{lanes} lanes, forgotten: {is_forgotten}");
    }
}

/// Makes the system read a file from its disk next time, where it can be told to.
fn forget(path: &Path) {
    let file = fs::File::open(path).unwrap();
    file.sync_all().unwrap();
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_goes_one_way_and_ends_at_the_end() {
    let (_server, bucket, directory) = world("progress").await;
    let (source, target) = (directory.file("source"), directory.file("target"));
    let len = 9 * PART + 5;
    fs::write(&source, content(usize::try_from(len).unwrap())).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watcher = || {
        let seen = Arc::clone(&seen);
        move |at: TransferProgress| seen.lock().unwrap().push(at)
    };
    let check = || {
        let seen = core::mem::take(&mut *seen.lock().unwrap());
        assert!(seen.len() >= 2, "{seen:?}");
        for pair in seen.windows(2) {
            let [before, after] = pair else { unreachable!() };
            assert!(after.bytes >= before.bytes && after.parts >= before.parts, "{pair:?}");
            assert!(after.bytes <= len);
        }
        let last = seen.last().unwrap();
        assert_eq!((last.bytes, last.bytes_total), (len, Some(len)));
        assert_eq!((last.parts, last.parts_total, last.retries), (10, Some(10), 0));
    };
    bucket.upload_file("key", &source).part_size(PART).on_progress(watcher()).await.unwrap();
    check();
    bucket.download_file("key", &target).part_size(PART).on_progress(watcher()).await.unwrap();
    check();
    let reader = tokio::fs::File::open(&source).await.unwrap();
    bucket.upload_stream("key", reader).part_size(PART).on_progress(watcher()).await.unwrap();
    let last = *seen.lock().unwrap().last().unwrap();
    assert_eq!((last.bytes, last.parts), (len, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_a_download_that_is_cancelled_is_kept_or_given_up_as_asked() {
    let (_server, bucket, directory) = world("cancel-down").await;
    let (target, dir) = (directory.file("target"), directory.file("checkpoints"));
    let bytes = content(20 * PART as usize);
    bucket.put("key", bytes.clone()).await.unwrap();
    fs::write(&target, "old").unwrap();
    let download = || bucket.download_file("key", &target).part_size(PART).lanes(2).bytes_per_sec(8 << 20);
    for keeps in [false, true] {
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let stop = move || if keeps { stop.keep() } else { stop.abort() };
        let watcher = after(5 * PART, stop);
        let cancelled =
            download().checkpoint_dir(&dir).cancel_with(&cancel).on_progress(watcher).await.unwrap_err();
        assert!(cancelled.is_cancelled(), "{cancelled}");
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(directory.names().len(), if keeps { 3 } else { 2 }, "{:?}", directory.names());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), usize::from(keeps), "the lock is gone as well");
    }
    // Without a checkpoint there is nothing to keep.
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let other = directory.file("other");
    let again = bucket.download_file("key", &other).part_size(PART).bytes_per_sec(8 << 20);
    let result = again.cancel_with(&cancel).on_progress(after(PART, move || stop.keep())).await;
    assert!(result.unwrap_err().is_cancelled());
    assert_eq!(directory.names().len(), 3);

    let kept = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&kept);
    let watcher = move |at: TransferProgress| *seen.lock().unwrap() = at.bytes_kept;
    let saved =
        bucket.download_file("key", &target).part_size(PART).checkpoint_dir(&dir).on_progress(watcher);
    let saved = saved.await.unwrap();
    assert_eq!(saved.fresh, None);
    let kept = *kept.lock().unwrap();
    assert!(kept >= 3 * PART && kept.is_multiple_of(PART), "{kept}");
    assert!(fs::read(&target).unwrap() == bytes);
    assert_eq!(
        (directory.names(), fs::read_dir(&dir).unwrap().count()),
        (vec!["checkpoints".into(), "target".into()], 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_i07_an_upload_that_is_cancelled_is_kept_or_given_up_as_asked() {
    let (_server, bucket, directory) = world("cancel-up").await;
    let (source, dir) = (directory.file("source"), directory.file("checkpoints"));
    let bytes = content(20 * PART as usize + 77);
    fs::write(&source, &bytes).unwrap();
    let upload = || bucket.upload_file("key", &source).part_size(PART).lanes(2).bytes_per_sec(8 << 20);
    for keeps in [false, true] {
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let stop = move || if keeps { stop.keep() } else { stop.abort() };
        let error =
            upload().checkpoint_dir(&dir).cancel_with(&cancel).on_progress(after(8 * PART, stop)).await;
        let error = error.unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        let fate = error.left().unwrap().fate;
        assert_eq!(fate, if keeps { UploadFate::Kept } else { UploadFate::Aborted });
        assert_eq!(uploads(&bucket).await, usize::from(keeps));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), usize::from(keeps));
    }
    let kept = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&kept);
    let watcher = move |at: TransferProgress| *seen.lock().unwrap() = at.bytes_kept;
    let up = bucket.upload_file("key", &source).part_size(PART).checkpoint_dir(&dir).on_progress(watcher);
    assert_eq!(up.await.unwrap().bytes, bytes.len() as u64);
    assert!(*kept.lock().unwrap() >= 4 * PART);
    assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    assert_eq!((uploads(&bucket).await, fs::read_dir(&dir).unwrap().count()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b62_a_second_transfer_with_the_same_checkpoint_is_told_busy() {
    let (_server, bucket, directory) = world("busy").await;
    let (file, dir) = (directory.file("file"), directory.file("checkpoints"));
    fs::write(&file, content(6 * PART as usize)).unwrap();
    bucket.upload_file("key", &file).await.unwrap();
    let slow_up =
        || bucket.upload_file("key", &file).part_size(PART).bytes_per_sec(2 << 20).checkpoint_dir(&dir);
    let slow_down = || {
        bucket
            .download_file("key", directory.file("target"))
            .part_size(PART)
            .bytes_per_sec(2 << 20)
            .checkpoint_dir(&dir)
    };
    let is_busy = |error: &TransferError| matches!(error.kind(), TransferErrorKind::Busy);
    let (first, second) = tokio::join!(slow_up(), slow_up());
    assert!(first.is_ok() != second.is_ok() && is_busy(&first.err().or_else(|| second.err()).unwrap()));
    let (first, second) = tokio::join!(slow_down(), slow_down());
    assert!(first.is_ok() != second.is_ok() && is_busy(&first.err().or_else(|| second.err()).unwrap()));
    // Once it has ended, the next one has it.
    slow_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_i09_a_transfer_that_is_dropped_leaves_nothing_behind() {
    let (_server, bucket, directory) = world("dropped").await;
    let (source, target) = (directory.file("source"), directory.file("target"));
    fs::write(&source, content(8 * PART as usize)).unwrap();
    bucket.upload_file("key", &source).await.unwrap();
    for wait in [1, 2, 4, 8, 15, 30, 60, 120] {
        let wait = Duration::from_millis(wait);
        let down = bucket.download_file("key", &target).part_size(PART).bytes_per_sec(4 << 20);
        assert!(timeout(wait, down.into_future()).await.is_err());
        let up = bucket.upload_file("other", &source).part_size(PART).bytes_per_sec(4 << 20);
        assert!(timeout(wait, up.into_future()).await.is_err());
    }
    let began = Instant::now();
    while uploads(&bucket).await > 0 || directory.names() != ["source"] {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", directory.names());
        sleep(Duration::from_millis(20)).await;
    }
    assert!(!bucket.exists("other").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_moves_and_is_paced_within_a_part() {
    let (_server, bucket, _directory) = world("paced").await;
    let bytes = content(600 << 10);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watcher = {
        let seen = Arc::clone(&seen);
        move |at: TransferProgress| seen.lock().unwrap().push(at.bytes)
    };
    let began = Instant::now();
    let up = bucket.upload_stream("key", io::Cursor::new(bytes.clone())).bytes_per_sec(1 << 20);
    up.on_progress(watcher).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(250), "{:?}", began.elapsed());
    let seen = core::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.iter().any(|now| (1..bytes.len() as u64).contains(now)), "{seen:?}");
    assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_an_object_that_is_replaced_in_the_middle_is_no_file() {
    let (_server, bucket, directory) = world("replaced").await;
    let target = directory.file("target");
    fs::write(&target, "old").unwrap();
    bucket.put("key", content(10 * PART as usize)).await.unwrap();
    for has_checkpoint in [false, true] {
        let (tell, told) = tokio::sync::oneshot::channel();
        let watcher = after(2 * PART, move || tell.send(()).unwrap());
        let mut down = bucket.download_file("key", &target).part_size(PART).bytes_per_sec(2 << 20);
        if has_checkpoint {
            down = down.checkpoint_dir(directory.file("checkpoints"));
        }
        let replace = async {
            told.await.unwrap();
            bucket.put("key", vec![7; 10 * PART as usize + usize::from(has_checkpoint)]).await.unwrap();
        };
        let (result, ()) = tokio::join!(down.on_progress(watcher).into_future(), replace);
        assert!(result.unwrap_err().is_object_changed());
        assert_eq!(fs::read(&target).unwrap(), b"old");
        let parts = directory.names().iter().filter(|name| name.ends_with(".part")).count();
        assert_eq!(parts, 0, "of no use");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_while_it_is_uploaded_is_not_uploaded() {
    let (_server, bucket, directory) = world("changes").await;
    let source = directory.file("source");
    type Change = fn(&PathBuf);
    let changes: [(&str, Change); 3] = [
        ("grows", |path| {
            fs::OpenOptions::new()
                .append(true)
                .open(path)
                .map(|mut file| io::Write::write_all(&mut file, b"x").unwrap())
                .unwrap()
        }),
        ("shrinks", |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(PART * 3).unwrap()),
        ("changes", |path| fs::write(path, vec![1; 10 * PART as usize]).unwrap()),
    ];
    for (what, change) in changes {
        fs::write(&source, content(10 * PART as usize)).unwrap();
        let path = source.clone();
        let watcher = after(2 * PART, move || change(&path));
        let upload = bucket.upload_file("key", &source).part_size(PART).lanes(2).bytes_per_sec(4 << 20);
        let error = upload.on_progress(watcher).await.unwrap_err();
        assert!(matches!(error.kind(), TransferErrorKind::SourceChanged { .. }), "{what}: {error}");
        assert!(!bucket.exists("key").await.unwrap());
        assert_eq!(uploads(&bucket).await, 0);
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_told_with_its_step() {
    let (_server, bucket, directory) = world("files").await;
    let step = |error: &TransferError| match error.kind() {
        TransferErrorKind::File(error) => error.step(),
        other => panic!("{other:?}"),
    };
    let error = bucket.upload_file("key", directory.file("none")).await.unwrap_err();
    assert_eq!(step(&error), FileStep::Open);
    assert!(error.to_string().contains("none"), "{error}");
    let error = bucket.upload_file("key", &directory.0).await.unwrap_err();
    assert!(error.to_string().ends_with("upload a pipe or a device with `upload_stream`"), "{error}");
    bucket.put("key", "hello").await.unwrap();
    fs::create_dir(directory.file("directory")).unwrap();
    for target in ["none/target", "directory"] {
        let error = bucket.download_file("key", directory.file(target)).await.unwrap_err();
        assert_eq!(step(&error), FileStep::Open, "{error}");
        assert!(error.to_string().contains(target), "{error}");
    }
    // A place for checkpoints that is none is told before anything is sent.
    fs::write(directory.file("file"), "").unwrap();
    for error in [
        bucket
            .download_file("key", directory.file("t"))
            .checkpoint_dir(directory.file("file"))
            .await
            .unwrap_err(),
        bucket
            .upload_file("key", directory.file("file"))
            .checkpoint_dir(directory.file("file"))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(step(&error), FileStep::Lock, "{error}");
    }
    let missing = bucket.download_file("no-such-key", directory.file("target")).await.unwrap_err();
    assert!(missing.call().unwrap().is_not_found());
    assert_eq!(directory.names(), ["directory", "file"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b61_a_download_takes_the_place_of_a_link_and_its_checkpoint_follows_none() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (_server, bucket, directory) = world("links").await;
    let (target, other, dir) =
        (directory.file("target"), directory.file("other"), directory.file("checkpoints"));
    bucket.put("key", content(5 * PART as usize)).await.unwrap();
    fs::write(&other, "other").unwrap();
    symlink(&other, &target).unwrap();
    bucket.download_file("key", &target).part_size(PART).await.unwrap();
    let metadata = fs::symlink_metadata(&target).unwrap();
    assert!(metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o600);
    assert_eq!(fs::read(&other).unwrap(), b"other");
    // What is left where the checkpoint goes is replaced, not written through.
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let down =
        bucket.download_file("key", &target).part_size(PART).bytes_per_sec(2 << 20).checkpoint_dir(&dir);
    let result = down.cancel_with(&cancel).on_progress(after(2 * PART, move || stop.keep())).await;
    assert!(result.unwrap_err().is_cancelled());
    let checkpoint = fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::metadata(&checkpoint).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_file(&checkpoint).unwrap();
    symlink(&other, &checkpoint).unwrap();
    let saved = bucket.download_file("key", &target).part_size(PART).checkpoint_dir(&dir).await.unwrap();
    assert!(matches!(saved.fresh, Some(Fresh::Unreadable(_))), "{:?}", saved.fresh);
    assert_eq!(fs::read(&other).unwrap(), b"other");
    // A lock that is a link is nobody's lock.
    let lock = checkpoint.with_extension("lock");
    symlink(&other, &lock).unwrap();
    assert!(bucket.download_file("key", &target).checkpoint_dir(&dir).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f76_streams_of_every_length_go_up() {
    let (_server, bucket, _directory) = world("streams").await;
    for len in [0, 1, PART - 1, PART, PART + 1, 5 * PART, 5 * PART + 1] {
        let bytes = content(usize::try_from(len).unwrap());
        for lanes in [1, 3] {
            let reader = Drip(io::Cursor::new(bytes.clone()));
            let up = bucket.upload_stream("key", reader).part_size(PART).lanes(lanes).await.unwrap();
            assert_eq!((up.bytes, up.is_checked), (len, true), "{up:?}");
            assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes, "{len}, {lanes} lanes");
        }
    }
    let up = bucket.upload_stream("key", Broken(3 * PART as usize)).part_size(PART).await.unwrap_err();
    assert!(matches!(up.kind(), TransferErrorKind::File(error) if error.step() == FileStep::Read), "{up}");
    assert!(up.to_string().contains("the tap is broken"), "{up}");
    assert_eq!(up.left().map(|left| left.fate), Some(UploadFate::Aborted));
    assert_eq!(uploads(&bucket).await, 0);
}

/// Gives a few bytes at a time.
struct Drip(io::Cursor<Vec<u8>>);

impl AsyncRead for Drip {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = buffer.remaining().min(7777);
        let read = io::Read::read(&mut self.0, buffer.initialize_unfilled_to(len))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

/// Breaks after so many bytes.
struct Broken(usize);

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = buffer.remaining().min(self.0);
        if len == 0 {
            return Poll::Ready(Err(io::Error::other("the tap is broken")));
        }
        self.0 -= len;
        buffer.initialize_unfilled_to(len);
        buffer.advance(len);
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn f60_create_if_absent_tells_a_conflict() {
    let (_server, bucket, directory) = world("absent").await;
    let source = directory.file("source");
    fs::write(&source, content(3 * PART as usize)).unwrap();
    let upload = || bucket.upload_file("key", &source).part_size(PART).forbid_overwrite(true);
    upload().await.unwrap();
    let conflict = upload().await.unwrap_err();
    assert!(conflict.call().unwrap().is_precondition_failed(), "{conflict}");
    let copy =
        bucket.copy_object(CopySource::new(BUCKET, "key"), "key").forbid_overwrite(true).await.unwrap_err();
    assert!(copy.call().unwrap().is_precondition_failed(), "{copy}");
    assert_eq!(uploads(&bucket).await, 0);
}

#[tokio::test]
async fn copies_are_made_in_one_request_or_in_parts_with_what_belongs_to_them() {
    let (_server, bucket, _directory) = world("copies").await;
    let bytes = content(4 * PART as usize + 9);
    let metadata = Metadata::from_iter([(String::from("colour"), String::from("blue"))]);
    bucket.send(PutObject::to("source.txt", bytes.clone()).metadata(metadata)).await.unwrap();
    let source = || CopySource::new(BUCKET, "source.txt");
    let whole = bucket.copy_object(source(), "whole").await.unwrap();
    assert_eq!((whole.parts, whole.is_checked), (0, true));
    let parts = bucket.copy_object(source(), "parts").part_size(PART).single_bytes_max(PART).await.unwrap();
    assert_eq!((parts.parts, parts.bytes, parts.is_checked), (5, bytes.len() as u64, true));
    for key in ["whole", "parts"] {
        let object = bucket.get(key).await.unwrap();
        assert_eq!(object.output().metadata.get("colour"), Some("blue"));
        assert!(object.bytes().await.unwrap() == bytes);
    }
    let missing = bucket.copy_object(CopySource::new(BUCKET, "none"), "key").await.unwrap_err();
    assert!(missing.call().unwrap().is_not_found());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_is_as_fast_as_it_may_be() {
    let (_server, bucket, directory) = world("pace").await;
    let source = directory.file("source");
    fs::write(&source, content(1 << 20)).unwrap();
    let began = Instant::now();
    bucket.upload_file("key", &source).part_size(PART).bytes_per_sec(2 << 20).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(350), "{:?}", began.elapsed());
    let began = Instant::now();
    let down = bucket.download_file("key", directory.file("target")).part_size(PART).bytes_per_sec(2 << 20);
    down.await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(350), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b57_a_range_that_cannot_be_gone_on_with_leaves_no_partial_file() {
    let (_server, bucket, directory) = world("range").await;
    bucket.put("key", content(9 * PART as usize)).await.unwrap();
    let (target, dir) = (directory.file("target"), directory.file("checkpoints"));
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let range = bucket.download_file("key", &target).range(1..700_000).part_size(PART).checkpoint_dir(&dir);
    let range = range.bytes_per_sec(4 << 20).cancel_with(&cancel);
    let result = range.on_progress(after(2 * PART, move || stop.keep())).await;
    assert!(result.unwrap_err().is_cancelled());
    assert_eq!(directory.names(), ["checkpoints"]);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    let saved = bucket.download_file("key", &target).range(1..700_000).part_size(PART).await.unwrap();
    assert_eq!((saved.download.bytes(), fs::metadata(&target).unwrap().len()), (699_999, 699_999));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_the_parts_of_a_copy_stay_when_it_is_asked_for() {
    let (_server, bucket, directory) = world("copy-parts").await;
    bucket.put("key", content(9 * PART as usize)).await.unwrap();
    for keeps in [false, true] {
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let copy = bucket.copy_object(CopySource::new(BUCKET, "key"), "copy").single_bytes_max(0);
        let copy = copy.part_size(PART).lanes(1).keep_parts(keeps).cancel_with(&cancel);
        let error = copy.on_progress(after(2 * PART, move || stop.keep())).await.unwrap_err();
        let fate = error.left().unwrap().fate;
        assert_eq!(fate, if keeps { UploadFate::Kept } else { UploadFate::Aborted });
        assert_eq!(uploads(&bucket).await, usize::from(keeps));
    }
    let missing = bucket.upload_file("key", directory.file("missing")).await.unwrap_err();
    assert_eq!(io_kind(&missing), Some(io::ErrorKind::NotFound));
    assert_eq!(io_kind(&bucket.download_file("none", directory.file("x")).await.unwrap_err()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f52_f62_f63_entries_of_a_list_and_any_number_of_deletions() {
    let (_server, bucket, _directory) = world("many").await;
    for at in 0..23 {
        bucket.put(format!("p/{at:02}"), "x").await.unwrap();
    }
    bucket.put("q/z", "x").await.unwrap();
    let mut entries = bucket.entries(ListObjectsV2::here().prefix("p/").max_keys(10)).strict();
    let mut keys = Vec::new();
    while let Some(entry) = entries.next().await.unwrap() {
        let ListEntry::One(object) = entry else { panic!("{entry:?}") };
        keys.push(object.key);
    }
    assert_eq!(keys, (0..23).map(|at| format!("p/{at:02}")).collect::<Vec<_>>());
    assert!(entries.next().await.unwrap().is_none());
    let mut entries = bucket.entries(ListObjectsV2::here().delimiter("/").max_keys(1));
    assert_eq!(entries.next().await.unwrap(), Some(ListEntry::Prefix("p/".into())));
    // A call that fails is made again.
    let nowhere = bucket.client().bucket("no-such-bucket").unwrap();
    let mut entries = nowhere.entries(ListObjectsV2::here());
    for _ in 0..2 {
        assert_eq!(entries.next().await.unwrap_err().code(), Some("NoSuchBucket"));
    }

    let all = keys.into_iter().chain((0..2100).map(|at| format!("none/{at}")));
    let deletions = bucket.delete_many(all.clone()).await.unwrap();
    assert_eq!((deletions.deleted(), deletions.left().count()), (2123, 0));
    assert!(!bucket.exists("p/07").await.unwrap() && bucket.exists("q/z").await.unwrap());
    let error = nowhere.delete_many(all).lanes(1).await.unwrap_err();
    assert_eq!(error.error.call().unwrap().code(), Some("NoSuchBucket"));
    let fates = error.deletions.fates();
    assert!(fates[..1000].iter().all(|(_, fate)| *fate == Fate::Refused));
    assert!(fates[1000..].iter().all(|(_, fate)| *fate == Fate::NotTried));
    assert!(error.to_string().ends_with("; 0 of 2123 objects are known to be deleted"), "{error}");
}
