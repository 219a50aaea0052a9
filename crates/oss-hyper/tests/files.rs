//! Files to objects and back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use core::time::Duration;
use std::fs;
use std::path::Path;

use common::transfers::Directory;
use common::{bucket_of, content, emulator, raw, read_request, service, strict, write};
use oss_hyper::{Body, CorruptBody, Error, ErrorKind, FailureKind, GetObject, Integrity, Outcome};
use tokio::time::{sleep, timeout};

const IDLE: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

fn kind(error: &Error) -> FailureKind {
    let ErrorKind::Transport(transport) = error.kind() else { panic!("{error:?}") };
    transport.kind
}

fn cause(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Transport(transport) => transport.cause.as_ref().unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_goes_to_an_object_and_comes_back() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let directory = Directory::new("round-trip");
    for len in [0, 1, 70_000, 3_000_000] {
        let (source, target) = (directory.file("source"), directory.file("target"));
        fs::write(&source, content(len)).unwrap();
        bucket.put_from_file("photo.jpg", &source).await.unwrap();
        let head = bucket.head("photo.jpg").await.unwrap().output;
        assert_eq!(
            (head.content_length, head.content_type.as_deref()),
            (Some(len as u64), Some("image/jpeg"))
        );
        // The second time over the first.
        let reply = bucket.get_to_file("photo.jpg", &target).await.unwrap();
        assert_eq!(fs::read(&target).unwrap(), content(len));
        assert_eq!(reply.output.bytes, len as u64);
        assert!(matches!(reply.output.integrity, Integrity::Crc64(_)), "{:?}", reply.output);
        assert!(reply.request_id().is_some() && reply.head.header("etag").is_some());
    }
    let range = bucket.open(GetObject::to("photo.jpg").range(5..9)).await.unwrap();
    let reply = range.to_file(directory.file("range")).await.unwrap();
    assert_eq!((reply.output.bytes, reply.output.integrity), (4, Integrity::Length));
    assert_eq!(fs::read(directory.file("range")).unwrap(), content(9)[5..]);
    let names = directory.names();
    assert_eq!(names, ["range", "source", "target"]);
}

#[cfg(unix)]
#[tokio::test]
async fn b61_a_file_is_new_its_owners_alone_and_takes_the_place_of_a_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    bucket.put("key", "hello").await.unwrap();
    let directory = Directory::new("link");
    let (target, other) = (directory.file("target"), directory.file("other"));
    fs::write(&other, "other").unwrap();
    std::os::unix::fs::symlink(&other, &target).unwrap();
    bucket.get_to_file("key", &target).await.unwrap();
    let metadata = fs::symlink_metadata(&target).unwrap();
    assert!(metadata.is_file());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(
        (fs::read(&target).unwrap(), fs::read(&other).unwrap()),
        (b"hello".to_vec(), b"other".to_vec())
    );
}

#[tokio::test]
async fn f36_f37_a_download_that_fails_leaves_the_old_file_and_no_other() {
    let long = "a".repeat(400_000);
    let cases = [
        ("breaks off", format!("content-length: 500000\r\n\r\n{long}")),
        ("is damaged", format!("content-length: 400000\r\nx-oss-hash-crc64ecma: 1\r\n\r\n{long}")),
        ("ends with its connection", format!("\r\n{long}")),
        ("ends early", format!("transfer-encoding: chunked\r\n\r\n61a80\r\n{long}\r\n")),
    ];
    let directory = Directory::new("broken");
    let target = directory.file("target");
    fs::write(&target, "old").unwrap();
    for (what, answer) in cases {
        let address = raw(move |_, mut stream| {
            let answer = format!("HTTP/1.1 200 OK\r\n{answer}");
            async move {
                read_request(&mut stream).await;
                write(&mut stream, answer).await;
            }
        })
        .await;
        let error = bucket_of(strict(address, LONG)).get_to_file("key", &target).await.unwrap_err();
        match error.kind() {
            ErrorKind::Transport(transport) => assert_eq!(transport.kind, FailureKind::Reset, "{what}"),
            ErrorKind::Corrupt(CorruptBody::Crc64 { .. }) => assert_eq!(what, "is damaged"),
            ErrorKind::Reply(_) => assert_eq!(what, "ends with its connection"),
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(error.attempts().len(), 1, "{what}");
        assert_eq!((fs::read(&target).unwrap(), directory.names().len()), (b"old".to_vec(), 1), "{what}");
    }
}

#[tokio::test]
async fn i7_a_download_that_is_dropped_removes_its_file() {
    let address = raw(|_, mut stream| async move {
        read_request(&mut stream).await;
        let part = "a".repeat(400_000);
        write(&mut stream, format!("HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n{part}")).await;
        sleep(LONG).await;
    })
    .await;
    let directory = Directory::new("dropped");
    let bucket = bucket_of(strict(address, LONG));
    // At every stage: before the answer, while the file is made, while it is written.
    for wait in [1, 2, 3, 5, 8, 13, 200] {
        let download = bucket.get_to_file("key", directory.file("target"));
        assert!(timeout(Duration::from_millis(wait), download).await.is_err());
    }
    // What was under way in the background has ended by now.
    sleep(IDLE).await;
    assert_eq!(directory.names(), Vec::<String>::new());
}

#[tokio::test]
async fn f73_a_place_that_cannot_be_written_is_one_error_and_no_attempt_more() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    bucket.put("key", "hello").await.unwrap();
    let directory = Directory::new("places");
    fs::create_dir(directory.file("directory")).unwrap();
    let cases = [
        (directory.file("none/target"), "None"),
        (directory.file("directory"), "the path names a directory; add a name"),
        (directory.file("directory").join(".."), "the path names no file"),
    ];
    for (path, said) in cases {
        let error = bucket.get_to_file("key", &path).await.unwrap_err();
        assert_eq!((kind(&error), error.attempts().len()), (FailureKind::BodySink, 1), "{error:?}");
        assert!(!error.is_retryable() && error.request_id().is_some());
        let cause = cause(&error);
        assert!(cause.starts_with(&path.display().to_string()), "{cause}");
        assert!(cause.ends_with(said) || said == "None", "{cause}");
    }
    // Without the object there is no file to make.
    let error = bucket.get_to_file("no-such-key", directory.file("target")).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(directory.names(), ["directory"]);
    // The connections are whole.
    assert_eq!(bucket.get("key").await.unwrap().text().await.unwrap(), "hello");
}

#[tokio::test]
async fn b61_what_is_no_file_is_not_uploaded() {
    let bucket = bucket_of(service("http://127.0.0.1:1"));
    let directory = Directory::new("no-file");
    let not_regular = "is not a regular file; read a pipe or a device with `Body::reader`";
    let cases: [(&Path, &str); 2] = [(&directory.0, not_regular), (&directory.file("none"), "")];
    for (path, said) in cases {
        let error = bucket.put_from_file("key", path).await.unwrap_err();
        assert_eq!((kind(&error), error.outcome()), (FailureKind::BodySource, Outcome::NotSent));
        assert!(error.attempts().is_empty());
        assert!(cause(&error).starts_with(&path.display().to_string()), "{}", cause(&error));
        assert!(cause(&error).ends_with(said), "{}", cause(&error));
        assert!(Body::file(path).await.is_err());
    }
}
