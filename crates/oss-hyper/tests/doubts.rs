//! Places and peers that a transfer must not trust: what lies where its files go, and answers that lack what
//! tells objects apart.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use common::transfers::{Directory, after, parts_in, uploads, world};
use common::{BUCKET, bucket_of, content, emulator, raw, read_request, service, strict, write};
use oss_hyper::transfer::{Cancel, Fate, Inside};
use oss_hyper::{CopySource, Overrides, Retryer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

const PART: u64 = 100 << 10;
const LONG: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_a_download_that_is_dropped_before_its_first_checkpoint_leaves_no_file() {
    let directory = Directory::new("unbegun");
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        tokio::time::sleep(LONG).await;
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let down = bucket.download_file("key", directory.file("target")).checkpoint_dir(directory.file("c"));
    assert!(timeout(Duration::from_millis(300), down.into_future()).await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(directory.parts(), Vec::<PathBuf>::new());
}

/// Its id is told only when nobody waits for it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_an_upload_that_is_dropped_while_it_is_begun_is_given_up() {
    for keeps in [false, true] {
        let directory = Directory::new("begun");
        let source = directory.file("source");
        fs::write(&source, content(3 * PART as usize)).unwrap();
        let (begun, to_drop) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, asked) = mpsc::unbounded_channel();
        let script = (Arc::clone(&begun), Arc::clone(&to_drop), told);
        let address = raw(move |_, mut stream| {
            let (begun, dropped, told) = script.clone();
            async move {
                loop {
                    let (head, _) = read_request(&mut stream).await;
                    let Some(line) = head.lines().next() else { return };
                    told.send(line.to_owned()).unwrap();
                    let answer = if line.starts_with("POST") {
                        begun.notify_one();
                        dropped.notified().await;
                        let body = "<InitiateMultipartUploadResult><UploadId>ID</UploadId>\
                                    </InitiateMultipartUploadResult>";
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                    } else {
                        "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
                    };
                    write(&mut stream, answer).await;
                }
            }
        })
        .await;
        let bucket = bucket_of(strict(address, LONG));
        let up = bucket.upload_file("key", &source).part_size(PART).keep_parts(keeps);
        let up = tokio::spawn(up.into_future());
        begun.notified().await;
        up.abort();
        assert!(up.await.unwrap_err().is_cancelled());
        to_drop.notify_one();
        let mut asked = asked;
        assert!(asked.recv().await.unwrap().starts_with("POST "));
        let next = timeout(LONG, asked.recv()).await.unwrap().unwrap();
        assert!(next.starts_with("DELETE ") && next.contains("uploadId=ID"), "{next}");
    }
}

/// What was arriving when the first abort came is not freed by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_an_upload_that_is_dropped_amid_its_parts_is_given_up_twice() {
    let directory = Directory::new("amid");
    let source = directory.file("source");
    fs::write(&source, content(3 * PART as usize)).unwrap();
    let (told, mut asked) = mpsc::unbounded_channel();
    let address = raw(move |_, mut stream| {
        let told = told.clone();
        async move {
            loop {
                let (head, _) = read_request(&mut stream).await;
                let Some(line) = head.lines().next() else { return };
                told.send(line.to_owned()).unwrap();
                if line.starts_with("PUT") {
                    // No part is ever answered.
                    return tokio::time::sleep(LONG).await;
                }
                let body = "<InitiateMultipartUploadResult><UploadId>ID</UploadId>\
                            </InitiateMultipartUploadResult>";
                write(
                    &mut stream,
                    match line.starts_with("POST") {
                        true => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
                        false => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                    },
                )
                .await;
            }
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let up = tokio::spawn(bucket.upload_file("key", &source).part_size(PART).lanes(1).into_future());
    assert!(asked.recv().await.unwrap().starts_with("POST "));
    assert!(asked.recv().await.unwrap().starts_with("PUT "));
    up.abort();
    assert!(up.await.unwrap_err().is_cancelled());
    for _ in 0..2 {
        let next = timeout(LONG, asked.recv()).await.unwrap().unwrap();
        assert!(next.starts_with("DELETE ") && next.contains("uploadId=ID"), "{next}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b61_a_pipe_is_not_replaced_by_a_file() {
    use std::os::unix::fs::FileTypeExt as _;
    let (_server, bucket, directory) = world("pipe").await;
    bucket.put("key", "hello").await.unwrap();
    let pipe = directory.file("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let result = bucket.download_file("key", &pipe).await;
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(result.is_err());
    assert!(bucket.get_to_file("key", &pipe).await.is_err());
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

/// OSS says of one object of two that there are too many requests, as often as it is asked.
async fn busy_deletions(told: mpsc::UnboundedSender<Instant>) -> SocketAddr {
    raw(move |_, mut stream| {
        let told = told.clone();
        async move {
            loop {
                let (head, body) = read_request(&mut stream).await;
                if head.is_empty() {
                    return;
                }
                told.send(Instant::now()).unwrap();
                let both = String::from_utf8(body.to_vec()).unwrap().contains("<Key>a</Key>");
                let body = format!(
                    "<DeleteResult>{}<Error><Key>b</Key><Code>SlowDown</Code></Error></DeleteResult>",
                    if both { "<Deleted><Key>a</Key></Deleted>" } else { "" }
                );
                let len = body.len();
                write(&mut stream, format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n{body}")).await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f19_f63_what_oss_has_no_time_to_delete_waits_as_the_retry_rule_says() {
    let pause = Duration::from_millis(300);
    for (answer, requests) in [(Some(pause), 3), (None, 1)] {
        let (told, mut asked) = mpsc::unbounded_channel();
        let address = busy_deletions(told).await;
        let proposals = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&proposals);
        let rule = Retryer::from_fn(3, move |proposal| {
            let code = proposal.code.as_ref().map(|code| code.as_str().to_owned());
            seen.lock().unwrap().push((proposal.attempt, code));
            answer
        });
        let bucket = bucket_of(strict(address, LONG)).with(&Overrides::new().retryer(rule));
        let deletions = timeout(LONG, bucket.delete_many(["a", "b"]).into_future()).await.unwrap().unwrap();
        let [(object, Fate::Failed(failed))] = &deletions.left().cloned().collect::<Vec<_>>()[..] else {
            panic!("{deletions:?}")
        };
        assert_eq!((object.key.as_str(), failed.code.as_deref()), ("b", Some("SlowDown")));
        let due: Vec<_> = (1..=2).map(|attempt| (attempt, Some("SlowDown".to_owned()))).collect();
        assert_eq!(*proposals.lock().unwrap(), due[..if answer.is_some() { 2 } else { 1 }]);
        asked.close();
        let mut times = Vec::new();
        while let Some(time) = asked.recv().await {
            times.push(time);
        }
        assert_eq!(times.len(), requests);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= pause), "{times:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_deletions_that_are_cancelled_in_a_pause_send_nothing_more() {
    let (told, mut asked) = mpsc::unbounded_channel();
    let address = busy_deletions(told).await;
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let rule = Retryer::from_fn(3, move |_| {
        stop.keep();
        Some(LONG * 10)
    });
    let bucket = bucket_of(strict(address, LONG)).with(&Overrides::new().retryer(rule));
    let deletions = bucket.delete_many(["a", "b"]).cancel_with(&cancel);
    let error = timeout(LONG, deletions.into_future()).await.unwrap().unwrap_err();
    assert!(error.error.is_cancelled(), "{error}");
    assert!(matches!(error.deletions.fates(), [(_, Fate::Deleted(_)), (_, Fate::Failed(_))]), "{error:?}");
    assert!(asked.recv().await.is_some() && asked.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_an_object_whose_size_is_not_told_is_not_read_as_an_empty_one() {
    let address = raw(|_, mut stream| async move {
        loop {
            let (head, _) = read_request(&mut stream).await;
            if head.is_empty() {
                return;
            }
            write(&mut stream, "HTTP/1.1 200 OK\r\netag: \"1\"\r\n\r\n").await;
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let result = bucket.reader("key").await;
    assert!(result.is_err(), "an object of unknown size is read as empty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i02_a_range_that_comes_in_chunks_is_asked_for_once() {
    let address = raw(|_, mut stream| async move {
        loop {
            let (head, _) = read_request(&mut stream).await;
            if head.is_empty() {
                return;
            }
            if head.starts_with("HEAD") {
                write(&mut stream, "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 5\r\n\r\n").await;
            } else {
                write(
                    &mut stream,
                    "HTTP/1.1 206 Partial\r\netag: \"1\"\r\ncontent-range: bytes 0-4/5\r\n\
                     transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                )
                .await;
            }
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let mut reader = bucket.reader("key").await.unwrap();
    let mut text = String::new();
    let read = timeout(Duration::from_secs(3), reader.read_to_string(&mut text)).await;
    assert!(read.is_ok(), "it asks again and again");
    assert_eq!(text, "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_a_reader_without_an_entity_tag_tells_objects_apart_by_what_else_is_told() {
    let address = raw(|_, mut stream| async move {
        let mut gets = 0;
        loop {
            let (head, _) = read_request(&mut stream).await;
            if head.is_empty() {
                return;
            }
            if head.starts_with("HEAD") {
                write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx-oss-hash-crc64ecma: 1\r\n\r\n")
                    .await;
            } else {
                gets += 1;
                let (range, body, crc) = if gets == 1 { ("0-1/4", "aa", 1) } else { ("2-3/4", "bb", 2) };
                let head = format!("content-range: bytes {range}\r\nx-oss-hash-crc64ecma: {crc}");
                let answer = format!("HTTP/1.1 206 Partial\r\n{head}\r\ncontent-length: 2\r\n\r\n{body}");
                write(&mut stream, answer).await;
            }
        }
    })
    .await;
    let bucket = bucket_of(strict(address, LONG));
    let mut reader = bucket.reader("key").await.unwrap().read_ahead(2);
    let mut text = String::new();
    let read = reader.read_to_string(&mut text).await;
    assert!(read.is_err(), "{text}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b61_another_file_under_the_name_of_the_partial_one_is_not_the_object() {
    let (_server, bucket, directory) = world("swapped").await;
    bucket.put("key", content(8 * PART as usize)).await.unwrap();
    let target = directory.file("target");
    let (dir, evil) = (directory.0.clone(), directory.file("evil"));
    fs::write(&evil, "evil").unwrap();
    let swap = move || {
        fs::rename(&evil, parts_in(&dir).pop().unwrap()).unwrap();
    };
    let down = bucket.download_file("key", &target).part_size(PART).bytes_per_sec(2 << 20);
    let result = down.on_progress(after(2 * PART, swap)).await;
    assert!(
        result.is_err() || fs::read(&target).unwrap() == content(8 * PART as usize),
        "target is {:?}",
        fs::read(&target)
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b61_a_partial_file_of_another_owner_is_not_gone_on_with() {
    let (_server, bucket, directory) = world("owner").await;
    bucket.put("key", content(8 * PART as usize)).await.unwrap();
    let (target, dir) = (directory.file("target"), directory.file("c"));
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let begin =
        || bucket.download_file("key", &target).part_size(PART).bytes_per_sec(4 << 20).checkpoint_dir(&dir);
    begin().cancel_with(&cancel).on_progress(after(2 * PART, move || stop.keep())).await.unwrap_err();
    let part = directory.parts().pop().unwrap();
    if std::os::unix::fs::chown(&part, Some(12345), None).is_err() {
        return;
    }
    let saved = begin().await.unwrap();
    assert!(saved.fresh.is_some(), "another owner's file is gone on with");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_an_option_that_cannot_be_leaves_what_was_kept() {
    let (_server, bucket, directory) = world("option").await;
    let (source, dir) = (directory.file("source"), directory.file("c"));
    fs::write(&source, content(8 * PART as usize)).unwrap();
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let begin = || bucket.upload_file("key", &source).bytes_per_sec(4 << 20).checkpoint_dir(&dir);
    begin()
        .part_size(PART)
        .cancel_with(&cancel)
        .on_progress(after(2 * PART, move || stop.keep()))
        .await
        .unwrap_err();
    assert_eq!((uploads(&bucket).await, fs::read_dir(&dir).unwrap().count()), (1, 1));
    begin().part_size(1).await.unwrap_err();
    assert_eq!(
        (uploads(&bucket).await, fs::read_dir(&dir).unwrap().count()),
        (1, 1),
        "upload without a checkpoint"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_a_checkpoint_directory_that_vanishes_leaves_no_file() {
    let (_server, bucket, directory) = world("deleted").await;
    bucket.put("key", content(8 * PART as usize)).await.unwrap();
    let (target, dir) = (directory.file("target"), directory.file("c"));
    let gone = dir.clone();
    let down =
        bucket.download_file("key", &target).part_size(PART).bytes_per_sec(2 << 20).checkpoint_dir(&dir);
    let result = down.on_progress(after(3 * PART, move || fs::remove_dir_all(gone).unwrap())).await;
    assert!(result.unwrap_err().to_string().starts_with("the checkpoint cannot be kept"));
    assert_eq!(directory.parts(), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f76_a_writer_whose_upload_has_failed_holds_nothing_more() {
    let (_server, bucket, _directory) = world("writer").await;
    let mut writer = bucket.writer("key").part_size(6 << 30).start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut written = 0_usize;
    let block = vec![0; 1 << 20];
    while written < 200 << 20 {
        if writer.write_all(&block).await.is_err() {
            return;
        }
        written += block.len();
    }
    panic!("{written} bytes are held for an upload that has failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_is_checked_only_where_the_calls_check_its_parts() {
    let (_server, bucket, directory) = world("unchecked").await;
    let source = directory.file("source");
    fs::write(&source, content(8 * PART as usize)).unwrap();
    let overrides = Overrides::new().disable_upload_crc64_check(true);
    let up = bucket.upload_file("key", &source).part_size(PART).overrides(&overrides).await.unwrap();
    let one = bucket.upload_file("key", &source).overrides(&overrides).await.unwrap();
    assert_eq!((up.is_checked, one.is_checked), (false, false));
}

#[test]
fn b22_names_that_one_file_system_takes_for_one_collide() {
    let directory = Directory::new("fold");
    for (one, other) in [("ΑΣ", "ασ"), ("ß", "SS"), ("ſ", "s")] {
        let mut inside = Inside::new(&directory.0).unwrap();
        inside.join(one).unwrap();
        assert!(inside.join(other).is_err(), "{one} {other}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_what_was_cancelled_before_it_began_does_nothing() {
    let (_server, bucket, directory) = world("cancelled").await;
    let (source, target) = (directory.file("source"), directory.file("target"));
    fs::write(&source, "hello").unwrap();
    bucket.put("there", "hello").await.unwrap();
    let cancel = Cancel::new();
    cancel.abort();
    let up = bucket.upload_file("key", &source).cancel_with(&cancel).await;
    let stream = bucket.upload_stream("key", &b"hello"[..]).cancel_with(&cancel).await;
    let source = CopySource::new(BUCKET, "there");
    let copy = bucket.copy_object(source, "key").cancel_with(&cancel).await;
    let down = bucket.download_file("there", &target).cancel_with(&cancel).await;
    assert!(!bucket.exists("key").await.unwrap());
    for error in [up.unwrap_err(), stream.unwrap_err(), copy.unwrap_err(), down.unwrap_err()] {
        assert!(error.is_cancelled(), "{error}");
    }
    assert!(!target.exists() && directory.parts().is_empty());
}

/// As after a process that was killed when its completion had taken effect: the checkpoint is there still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f60_b59_who_must_not_overwrite_finds_his_own_earlier_success() {
    let (_server, bucket, directory) = world("returns").await;
    let (source, dir) = (directory.file("source"), directory.file("c"));
    let bytes = content(8 * PART as usize + 5);
    fs::write(&source, &bytes).unwrap();
    let upload =
        || bucket.upload_file("key", &source).part_size(PART).forbid_overwrite(true).checkpoint_dir(&dir);
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let slow = upload().bytes_per_sec(4 << 20).cancel_with(&cancel);
    slow.on_progress(after(2 * PART, move || stop.keep())).await.unwrap_err();
    let kept = fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
    let text = fs::read(&kept).unwrap();
    let made = upload().await.unwrap();
    assert!(!kept.exists());
    fs::write(&kept, &text).unwrap();
    let again = upload().await.unwrap();
    assert_eq!((again.etag, again.crc64, again.parts), (made.etag, made.crc64, 9));
    assert!(again.is_checked && again.fresh.is_none() && !kept.exists());
    assert_eq!(uploads(&bucket).await, 0);

    // Another object of the same length is a conflict.
    fs::write(&kept, &text).unwrap();
    bucket.put("key", vec![7; bytes.len()]).await.unwrap();
    let error = upload().await.unwrap_err();
    assert!(error.call().unwrap().is_precondition_failed(), "{error}");
}

/// OSS overwrites all the same where versions are kept: who asks for create-if-absent there is told.
#[tokio::test]
async fn f60_create_if_absent_is_refused_where_buckets_keep_versions() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()).with(|settings| settings.buckets_versioned = true));
    let once = || oss_hyper::PutObject::to("a", "x").forbid_overwrite(true);
    let refused = bucket.send(once()).await.unwrap_err().to_string();
    let why = "forbid_overwrite: has no effect in a versioned bucket, which takes each write as a version \
               more; leave it out";
    assert!(refused.contains(why), "{refused}");

    let directory = Directory::new("versioned");
    let file = directory.0.join("file");
    fs::write(&file, content(300 << 10)).unwrap();
    let upload = bucket.upload_file("a", &file).part_size(PART).forbid_overwrite(true);
    let refused = upload.await.unwrap_err().to_string();
    assert!(refused.contains(why), "{refused}");
    assert!(!bucket.exists("a").await.unwrap());
    bucket.send(once().forbid_overwrite(false)).await.unwrap();
}
