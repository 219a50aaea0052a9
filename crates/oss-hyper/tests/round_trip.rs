//! Against the emulator, over real sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use core::time::Duration;

use common::{BUCKET, ID, bucket_of, bucket_over, content, emulator, service};
use oss_emulator_server::{Config, Server};
use oss_hyper::{
    AbortMultipartUpload, Body, Client, CompleteMultipartUpload, CompletedPart, CompletedParts, Credentials,
    CredentialsProvider, DeleteMultipleObjects, Environment, ErrorKind, GetObject, InitiateMultipartUpload,
    Integrity, ListBuckets, ListObjectsV2, Outcome, PutBucket, PutObject, Source, Transport, UploadPart,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

#[tokio::test]
async fn everyday_verbs() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));

    let put = bucket.put("a/example.txt", "hello").await.unwrap();
    assert!(put.output.etag.is_some() && put.request_id().is_some());
    assert_eq!(put.attempts.len(), 1);
    assert!(bucket.exists("a/example.txt").await.unwrap());
    assert!(!bucket.exists("a/other.txt").await.unwrap());
    let head = bucket.head("a/example.txt").await.unwrap();
    assert_eq!(head.output.content_length, Some(5));
    assert_eq!(head.output.content_type.as_deref(), Some("text/plain"));

    let object = bucket.get("a/example.txt").await.unwrap();
    assert_eq!(object.output().etag, put.output.etag);
    assert_eq!(object.text().await.unwrap(), "hello");
    assert_eq!(bucket.get_range("a/example.txt", 1..3).await.unwrap().text().await.unwrap(), "el");

    bucket.copy("a/example.txt", "b/copy.txt").await.unwrap();
    assert_eq!(bucket.get("b/copy.txt").await.unwrap().text().await.unwrap(), "hello");
    bucket.delete("a/example.txt").await.unwrap();
    assert!(bucket.get("a/example.txt").await.unwrap_err().is_not_found());

    let buckets = bucket.client().send(ListBuckets::new()).await.unwrap();
    assert_eq!(buckets.output.buckets[0].name.as_deref(), Some(BUCKET));
    let gone = bucket.client().bucket("no-such-bucket").unwrap();
    assert_eq!(gone.exists("key").await.unwrap_err().code(), Some("NoSuchBucket"));
}

#[cfg(feature = "v1")]
#[tokio::test]
async fn signature_v1_works_without_a_region() {
    use oss_hyper::{Endpoint, Service, SignatureVersion};
    let server = emulator().await;
    let endpoint = Endpoint::parse(&server.endpoint()).unwrap();
    let bucket = bucket_of(Service::new(endpoint).with_signature(SignatureVersion::V1));
    let key = "目录/a b+c.txt";
    bucket.put(key, "hello").await.unwrap();
    assert_eq!(bucket.get(key).await.unwrap().text().await.unwrap(), "hello");
    assert_eq!(bucket.list("").next().await.unwrap().unwrap().output.contents.len(), 1);
    let url = bucket.presign(GetObject::to(key), Duration::from_secs(60)).await.unwrap();
    assert!(url.expose_url().contains("?OSSAccessKeyId=test-id&Expires="));
    let wrong = Client::new(bucket.client().service().clone(), Credentials::new(ID, "wrong").unwrap());
    let error = wrong.bucket(BUCKET).unwrap().get(key).await.unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    assert!(error.explanation().unwrap().contains("the secret is wrong"), "{error}");
}

#[tokio::test]
async fn keys_of_every_kind_come_back() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let keys = [
        "a b",
        "a+b",
        "100%",
        "a?b=c",
        "a#b",
        "a//b",
        "./a",
        "../a",
        "a/../b",
        "a/./b",
        "%2E%2E/x",
        "a%2Fb",
        "目录/对象",
        "🦆",
        "a&b;c=d,e'(f)*~!@$",
        "\u{301}",
        "a\\b",
    ];
    for key in keys {
        bucket.put(key, key).await.unwrap_or_else(|error| panic!("{key}: {error}"));
        let text = bucket.get(key).await.unwrap().text().await.unwrap();
        assert_eq!(text, key);
    }
    let page = bucket.list("").next().await.unwrap().unwrap().output;
    let listed: alloc::collections::BTreeSet<_> = page.contents.iter().map(|o| o.key.as_str()).collect();
    assert_eq!(listed, keys.into_iter().collect());
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let bytes = content(3 * 1024 * 1024 + 17);
    let len = bytes.len() as u64;

    let reader = std::io::Cursor::new(bytes.clone());
    let put = bucket.put("once", Body::reader(len, reader.clone())).await.unwrap();
    let crc = put.output.crc64.unwrap();
    bucket.put("chunked", Body::reader(None, reader.clone())).await.unwrap();
    let again = bytes.clone();
    let open = move || core::future::ready(Ok(std::io::Cursor::new(again.clone())));
    bucket.put("again", Body::reopen(len, open)).await.unwrap();
    bucket.put("whole", bytes.clone()).await.unwrap();
    let frames = http_body_util::Full::new(bytes::Bytes::from(bytes.clone()));
    bucket.put("wrapped", Body::wrap(len, frames)).await.unwrap();
    bucket.put("nothing", Body::reader(0, tokio::io::empty())).await.unwrap();

    for key in ["once", "chunked", "again", "whole", "wrapped"] {
        let mut object = bucket.get(key).await.unwrap();
        let mut received = Vec::new();
        while let Some(chunk) = object.chunk().await.unwrap() {
            received.extend_from_slice(&chunk);
        }
        assert!(received == bytes, "{key}");
        let verified = object.verified().unwrap();
        assert_eq!((verified.bytes, verified.integrity), (len, Integrity::Crc64(crc)), "{key}");
        // Asked again it stays at its end.
        assert_eq!(object.chunk().await.unwrap(), None);
    }
    let mut object = bucket.get("once").await.unwrap();
    let mut received = Vec::new();
    object.read_to_end(&mut received).await.unwrap();
    assert!(received == bytes && object.verified().is_some());
    assert!(bucket.get("once").await.unwrap().bytes().await.unwrap() == bytes);
    let bounded = bucket.get("once").await.unwrap().collect_at_most(1000);
    let error = bounded.bytes().await.unwrap_err();
    assert!(
        error.to_string().contains("the answer is longer than 1000 bytes; read it by `chunk`"),
        "{error}"
    );
    assert!(bucket.get("nothing").await.unwrap().bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_is_uploaded_and_read_again_for_each_attempt() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let path = std::env::temp_dir().join(format!("oss-hyper-{}.bin", std::process::id()));
    let bytes = content(200_000);
    std::fs::write(&path, &bytes).unwrap();
    bucket.put("file.bin", Body::file(&path).await.unwrap()).await.unwrap();
    assert!(bucket.get("file.bin").await.unwrap().bytes().await.unwrap() == bytes);
    std::fs::remove_file(&path).unwrap();
    assert!(Body::file(&path).await.is_err());
}

#[tokio::test]
async fn an_upload_in_parts() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    let upload = bucket.send(InitiateMultipartUpload::to("big.bin")).await.unwrap().output.upload_id;
    let bytes = content(250 * 1024);
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(bytes.chunks(100 * 1024)) {
        let body = Body::reader(part.len() as u64, std::io::Cursor::new(part.to_vec()));
        let operation = UploadPart::to("big.bin", &upload, number, body.payload());
        let reply = bucket.client().send_from(operation, body).await.unwrap();
        parts.push(CompletedPart::new(number, reply.output.etag.unwrap()));
    }
    let complete = CompleteMultipartUpload::to("big.bin", &upload).parts(CompletedParts::new(parts));
    bucket.send(complete).await.unwrap();
    assert!(bucket.get("big.bin").await.unwrap().bytes().await.unwrap() == bytes);

    let upload = bucket.send(InitiateMultipartUpload::to("big.bin")).await.unwrap().output.upload_id;
    bucket.send(AbortMultipartUpload::to("big.bin", &upload)).await.unwrap();
}

#[tokio::test]
async fn pages_come_one_by_one_and_end() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    for n in 0..7 {
        bucket.put(format!("p/{n}"), "x").await.unwrap();
    }
    bucket.put("q", "x").await.unwrap();
    let mut pages = bucket.client().pages(ListObjectsV2::here().prefix("p/").max_keys(3));
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        assert!(page.output.contents.len() <= 3);
        keys.extend(page.output.contents.into_iter().map(|object| object.key));
    }
    assert_eq!(keys, (0..7).map(|n| format!("p/{n}")).collect::<Vec<_>>());
    assert!(pages.next().await.unwrap().is_none());

    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let names: [&str; 7] = names.try_into().unwrap();
    bucket.send(DeleteMultipleObjects::here(names)).await.unwrap();
    assert!(bucket.list("p/").next().await.unwrap().unwrap().output.contents.is_empty());
}

#[tokio::test]
async fn a_presigned_url_works_for_whoever_has_it() {
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    bucket.put("a b+c.txt", "hello").await.unwrap();
    let url = bucket.presign(GetObject::to("a b+c.txt"), Duration::from_secs(900)).await.unwrap();
    assert!(url.to_string().ends_with("/examplebucket/a%20b%2Bc.txt?***"));

    let target = url.expose_url().strip_prefix(&server.endpoint()).unwrap();
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");

    let error = bucket.presign(GetObject::to("a"), Duration::from_secs(8 * 86_400)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_so_many_words() {
    let server = emulator().await;
    let wrong = Credentials::new(ID, "mellon").unwrap();
    let bucket = Client::new(service(&server.endpoint()), wrong).bucket(BUCKET).unwrap();
    let error = bucket.put("key", "hello").await.unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Rejected, 1));
    for shown in [error.to_string(), format!("{error:?}"), format!("{bucket:?}")] {
        assert!(!shown.contains("mellon"), "{shown}");
    }
}

#[tokio::test]
async fn bad_names_are_refused_before_anything_is_sent() {
    let shown = |error: oss_hyper::Error| {
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)) && error.outcome() == Outcome::NotSent);
        error.to_string()
    };
    let connect = |region: &str, bucket: &str| oss_hyper::Bucket::connect(region, bucket, Environment);
    assert!(shown(connect("cn hangzhou", "examplebucket").unwrap_err()).contains("cn hangzhou"));
    assert!(shown(connect("cn-hangzhou", "Example_Bucket").unwrap_err()).contains("Example_Bucket"));
    let server = emulator().await;
    let bucket = bucket_of(service(&server.endpoint()));
    assert!(shown(bucket.put("/key", "x").await.unwrap_err()).contains("key"));
    assert!(bucket.put("key", "x").await.is_ok());
}

#[tokio::test]
async fn f21_a_clock_that_is_wrong_is_corrected_once_for_all() {
    let server = emulator().await;
    server.shift_clock(3 * 3600);
    let bucket = bucket_of(service(&server.endpoint()));
    assert_eq!(bucket.put("key", "x").await.unwrap().attempts.len(), 2);
    assert_eq!(bucket.put("key", "x").await.unwrap().attempts.len(), 1);
    let url = bucket.presign(GetObject::to("key"), Duration::from_secs(60)).await.unwrap();
    let now = i64::try_from(server.now().as_secs()).unwrap();
    assert!((url.expires().unwrap().as_secs() - now - 60).abs() < 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_share_a_small_pool() {
    let server = emulator().await;
    let transport = Transport::builder().max_connections(4).build().unwrap();
    let bucket = bucket_over(service(&server.endpoint()), &transport);
    let mut calls = JoinSet::new();
    for n in 0..200 {
        let bucket = bucket.clone();
        calls.spawn(async move {
            let key = format!("key-{n}");
            bucket.put(&key, format!("content {n}")).await.unwrap();
            assert_eq!(bucket.get(&key).await.unwrap().text().await.unwrap(), format!("content {n}"));
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let shown = format!("{transport:?}");
    assert!(shown.contains("in_use: 0"), "{shown}");
    let idle: usize = shown.split("idle: ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!((1..=4).contains(&idle), "{shown}");
}

#[tokio::test]
async fn f72_calls_dropped_at_any_point_leave_nothing_behind() {
    let server = emulator().await;
    let transport = Transport::builder().max_connections(2).build().unwrap();
    let bucket = bucket_over(service(&server.endpoint()), &transport);
    let bytes = content(300_000);
    bucket.put("big", bytes.clone()).await.unwrap();
    let calls = async {
        for polls in 0..60 {
            let (writer, reader, body) = (bucket.clone(), bucket.clone(), bytes.clone());
            drop_after(polls, async move { writer.put("other", body).await.map(drop) }).await;
            drop_after(polls, async move { reader.get("big").await?.bytes().await.map(drop) }).await;
        }
        // Every slot is free again, and what was cut off left no half of anything.
        for _ in 0..3 {
            assert!(bucket.get("big").await.unwrap().bytes().await.unwrap() == bytes);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), calls).await.expect("no slot is lost");
    assert!(format!("{transport:?}").contains("in_use: 0"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.with(|emulator| emulator.open_bodies()), 0);
    if let Some(object) = server.with(|emulator| emulator.object(BUCKET, "other").map(|o| o.size())) {
        assert_eq!(object, bytes.len() as u64);
    }
}

/// Polls a call this many times, then drops it.
async fn drop_after<F: Future>(polls: usize, call: F) {
    let mut call = core::pin::pin!(call);
    let mut left = polls;
    core::future::poll_fn(|cx| {
        if left == 0 {
            return core::task::Poll::Ready(());
        }
        left -= 1;
        call.as_mut().poll(cx).map(drop)
    })
    .await;
}

#[tokio::test]
async fn anonymous_calls_read_what_is_public() {
    let server = Server::start(Config::new("cn-hangzhou").with_access_key(ID, common::SECRET)).await.unwrap();
    let endpoint = server.endpoint();
    let owner = bucket_of(service(&endpoint));
    owner.send(PutBucket::here().acl(oss_hyper::BucketAcl::PublicRead)).await.unwrap();
    owner.put("key", "hello").await.unwrap();
    let service = oss_hyper::Service::new(oss_hyper::Endpoint::parse(&endpoint).unwrap());
    let anyone = Client::new(service, Credentials::anonymous()).bucket(BUCKET).unwrap();
    assert_eq!(anyone.get("key").await.unwrap().text().await.unwrap(), "hello");
    let error = anyone.send(PutObject::to("key", "x")).await.unwrap_err();
    assert!(error.is_access_denied());
}

#[tokio::test]
async fn credentials_come_from_the_programs_own_source() {
    let server = emulator().await;
    let service = service(&server.endpoint());
    let own = Client::new(
        service.clone(),
        CredentialsProvider::from_fn(|| async { Ok::<_, std::io::Error>(Some(common::key())) }),
    );
    own.bucket(BUCKET).unwrap().put("key", "x").await.unwrap();
    let none = Client::new(service, Source::Custom(2));
    let error = none.send(ListBuckets::new()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Credentials(_)) && error.outcome() == Outcome::NotSent);
    assert!(error.to_string().contains("custom source 2"), "{error}");
}
