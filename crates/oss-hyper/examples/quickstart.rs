//! A tour of a bucket: `cargo run --release --example quickstart`.
//!
//! By itself it starts the emulator in this process and tours a bucket there. With `OSS_REGION`,
//! `OSS_BUCKET`, `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET` set it does the same in your bucket, under
//! a prefix of its own, and removes what it made.

use core::error::Error;
use core::time::Duration;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use oss_emulator_server::{Config, Server};
use oss_hyper::{
    AbortMultipartUpload, Body, Bucket, ByteRange, CompleteMultipartUpload, CompletedPart,
    CreateBucketConfiguration, Credentials, DeleteBucket, DeleteMultipleObjects, Endpoint, Environment,
    GetBucketInfo, GetObject, InitiateMultipartUpload, Integrity, ListObjectsV2, PutBucket, Region, Service,
    StorageClass, UploadPart,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let began = Instant::now();
    let (bucket, emulator) = connect().await?;
    let is_ours = create(&bucket).await?;
    let prefix = format!("quickstart-{}/", SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let tour = tour(&bucket, &prefix).await;
    // Whatever happened: leave nothing behind.
    clean_up(&bucket, &prefix, is_ours).await?;
    tour?;
    if let Some(server) = emulator {
        server.shutdown().await;
    }
    println!("\ndone in {:.2} s", began.elapsed().as_secs_f64());
    Ok(())
}

async fn connect() -> Outcome<(Bucket, Option<Server>)> {
    if let (Ok(region), Ok(name)) = (std::env::var("OSS_REGION"), std::env::var("OSS_BUCKET")) {
        println!("OSS            bucket {name} in {region}");
        return Ok((Bucket::connect(region, name, Environment)?, None));
    }
    let config = Config::new("cn-hangzhou").with_access_key("emulator-id", "emulator-secret");
    let server = Server::start(config).await?;
    println!("emulator       {} (set OSS_REGION and OSS_BUCKET to tour a real bucket)", server.endpoint());
    let service =
        Service::new(Endpoint::parse(&server.endpoint())?).with_region(Region::parse("cn-hangzhou")?);
    let client = oss_hyper::Client::new(service, Credentials::new("emulator-id", "emulator-secret")?);
    Ok((client.bucket("quickstart-bucket")?, Some(server)))
}

/// Creates the bucket, unless it is there; says whether it did.
async fn create(bucket: &Bucket) -> Outcome<bool> {
    let configuration = CreateBucketConfiguration::new().storage_class(StorageClass::Standard);
    let is_ours = match bucket.send(GetBucketInfo::here()).await {
        Ok(_) => false,
        Err(error) if error.is_not_found() => {
            bucket.send(PutBucket::here().acl("private").configuration(configuration)).await?;
            true
        }
        Err(error) => return Err(error.into()),
    };
    let info = bucket.send(GetBucketInfo::here()).await?.output.bucket;
    let (location, class) = (info.location.unwrap_or_default(), info.storage_class);
    let class = class.map_or_else(String::new, |class| class.to_string());
    println!(
        "bucket         {} in {location}, {class}{}",
        bucket.name(),
        if is_ours { ", created" } else { "" }
    );
    Ok(is_ours)
}

async fn tour(bucket: &Bucket, prefix: &str) -> Outcome {
    let large = format!("{prefix}large file.bin");
    let crc = upload_file(bucket, &large).await?;
    let parts = format!("{prefix}目录/in parts.bin");
    upload_in_parts(bucket, &parts).await?;
    list(bucket, prefix).await?;
    read(bucket, &large, crc).await?;

    let copy = format!("{prefix}copy of it.bin");
    bucket.copy(large.as_str(), copy.as_str()).await?;
    let head = bucket.head(copy.as_str()).await?.output;
    println!(
        "copied         {} bytes, same CRC-64: {}",
        head.content_length.unwrap_or(0),
        head.crc64 == Some(crc)
    );

    presign(bucket, &copy).await?;
    // An error as a user meets it.
    match bucket.get(format!("{prefix}no such key")).await {
        Err(error) => println!("an error       {error}"),
        Ok(_) => return Err("a key that was never written is there".into()),
    }
    Ok(())
}

/// A file of 5 MiB, streamed from disk: never in memory as a whole, and repeatable, since a file can be
/// opened again.
async fn upload_file(bucket: &Bucket, key: &str) -> Outcome<u64> {
    let path = std::env::temp_dir().join(format!("oss-quickstart-{}.bin", std::process::id()));
    let content: Vec<u8> = (0..5_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    tokio::fs::write(&path, &content).await?;
    let put = bucket.put(key, Body::file(&path).await?).await;
    tokio::fs::remove_file(&path).await?;
    let put = put?;
    let crc = put.output.crc64.ok_or("OSS sent no checksum")?;
    println!("uploaded       {} MiB from a file, CRC-64 {crc:016x} on both sides", content.len() >> 20);
    Ok(crc)
}

async fn upload_in_parts(bucket: &Bucket, key: &str) -> Outcome {
    let begin = InitiateMultipartUpload::to(key).metadata([("made-by", "quickstart")]);
    let upload_id = bucket.send(begin).await?.output.upload_id;
    let done = match send_parts(bucket, key, &upload_id).await {
        Ok(parts) => {
            let count = parts.len();
            let complete = CompleteMultipartUpload::to(key, upload_id.as_str()).parts(parts);
            bucket.send(complete).await.map(|reply| (count, reply.output.etag))
        }
        Err(error) => Err(error),
    };
    match done {
        Ok((count, etag)) => {
            let etag = etag.map_or_else(String::new, |etag| etag.to_string());
            println!("uploaded       {count} parts as one object, ETag {etag}");
            Ok(())
        }
        Err(error) => {
            bucket.send(AbortMultipartUpload::to(key, upload_id.as_str())).await?;
            Err(error.into())
        }
    }
}

async fn send_parts(
    bucket: &Bucket,
    key: &str,
    upload_id: &str,
) -> Result<Vec<CompletedPart>, oss_hyper::Error> {
    let mut parts = Vec::new();
    for (number, size) in [(1, 256 << 10), (2, 256 << 10), (3, 1000)] {
        let part = UploadPart::to(key, upload_id, number, vec![number as u8; size]);
        let etag = bucket.send(part).await?.output.etag;
        parts.extend(etag.map(|etag| CompletedPart::new(number, etag)));
    }
    Ok(parts)
}

async fn list(bucket: &Bucket, prefix: &str) -> Outcome {
    for n in 0..5 {
        bucket.put(format!("{prefix}small/{n}.txt"), format!("file {n}")).await?;
    }
    let mut pages = bucket.client().pages(ListObjectsV2::here().prefix(prefix).max_keys(3_u32));
    let (mut count, mut bytes, mut number) = (0, 0, 0);
    while let Some(page) = pages.next().await? {
        number += 1;
        count += page.output.contents.len();
        bytes += page.output.contents.iter().filter_map(|object| object.size).sum::<u64>();
    }
    println!("listed         {count} objects of {bytes} bytes on {number} pages");
    Ok(())
}

async fn read(bucket: &Bucket, key: &str, crc: u64) -> Outcome {
    let range = bucket.open(GetObject::to(key).range(ByteRange::new(100..116))).await?.bytes().await?;
    println!(
        "read a range   bytes 100-115: {}",
        range.iter().map(|b| format!("{b:02x}")).collect::<String>()
    );

    let mut object = bucket.get(key).await?;
    let (mut bytes, mut chunks) = (0, 0);
    while let Some(chunk) = object.chunk().await? {
        bytes += chunk.len();
        chunks += 1;
    }
    // Only now is it known that these were the object's bytes.
    let verified = object.verified().map(|verified| verified.integrity);
    let is_verified = verified == Some(Integrity::Crc64(crc));
    println!("read the whole {bytes} bytes in {chunks} chunks, CRC-64 verified: {is_verified}");
    Ok(())
}

/// Fetches the URL with nothing but a socket: whoever has it may read the object, without any credentials.
async fn presign(bucket: &Bucket, key: &str) -> Outcome {
    let url = bucket.presign(GetObject::to(key), Duration::from_secs(900)).await?;
    println!("presigned      {url}, for 15 minutes");
    let (_, rest) = url.expose_url().split_once("://").ok_or("a URL without a scheme")?;
    let (host, target) = rest.split_once('/').ok_or("a URL without a path")?;
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no HTTP answer")?;
    let status = String::from_utf8_lossy(answer.get(..head).unwrap_or_default());
    let status = status.lines().next().unwrap_or_default();
    println!("fetched it     {status}, {} bytes", answer.len() - head - 4);
    Ok(())
}

async fn clean_up(bucket: &Bucket, prefix: &str, is_ours: bool) -> Outcome {
    let mut pages = bucket.list(prefix);
    let mut count = 0;
    while let Some(page) = pages.next().await? {
        let keys: Vec<_> = page.output.contents.into_iter().map(|object| object.key).collect();
        if !keys.is_empty() {
            count += keys.len();
            bucket.send(DeleteMultipleObjects::here(keys.into_iter().collect::<oss_hyper::Delete>())).await?;
        }
    }
    if is_ours {
        bucket.send(DeleteBucket::here()).await?;
    }
    println!("deleted        {count} objects{}", if is_ours { " and the bucket" } else { "" });
    Ok(())
}
