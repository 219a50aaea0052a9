//! The quickstart's calls on plain blocking sockets: no async runtime, and a driver of a few pages.
//!
//! ```sh
//! cargo run --release --example blocking
//! ```
//!
//! It starts an emulator inside the process and talks to it over a loopback port. The loop is in
//! `tests/src/blocking/mod.rs`, the sockets are in `tests/src/blocking/wire.rs`.

use core::error::Error;
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use oss_emulator_server::{Config, Server};
use oss_proto::{
    CompleteMultipartUpload, CompletedPart, CopyObject, CopySource, Credentials, DeleteBucket,
    DeleteMultipleObjects, Endpoint, GetObject, HeadObject, InitiateMultipartUpload, Integrity,
    ListObjectsV2, Paged as _, Payload, PutBucket, PutObject, Region, Replay, Service, UploadPart,
};
use oss_sim::blocking::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start_on_thread(Config::new("cn-hangzhou").with_access_key("id", "secret"))?;
    let service =
        Service::new(Endpoint::parse(&server.endpoint())?).with_region(Region::parse("cn-hangzhou")?);
    let client = Client::new(service, Credentials::new("id", "secret")?);
    println!("An emulator listens on {}.", server.endpoint());

    client.call(&PutBucket::new(BUCKET))?;
    println!("Created the bucket {BUCKET}.");
    upload(&client)?;
    list(&client)?;
    read(&client)?;
    share(&client)?;
    clean_up(&client)
}

fn upload(client: &Client) -> Result<(), Box<dyn Error>> {
    let greeting = client.call(&PutObject::new(BUCKET, "notes/你好.txt", "hello"))?;
    println!("Put 5 bytes; OSS states CRC-64 {:016x}.", greeting.output.crc64.unwrap_or_default());

    // A body that is read as it is sent, and opened anew for each attempt.
    let len = u64::try_from(FILE.len())?;
    let body = Payload::Stream { len: Some(len), replay: Replay::FromStart };
    client.call_from(&PutObject::new(BUCKET, "streamed.bin", body), &mut || Ok(Box::new(&FILE[..])))?;
    println!("Streamed {len} bytes.");

    let begun = client.call(&InitiateMultipartUpload::new(BUCKET, "in-parts.bin"))?;
    let upload_id = begun.output.upload_id;
    let mut parts = Vec::new();
    for (number, part) in (1_u32..).zip(FILE.chunks(PART_BYTES)) {
        let reply =
            client.call(&UploadPart::new(BUCKET, "in-parts.bin", upload_id.as_str(), number, part))?;
        let etag = reply.output.etag.ok_or("OSS gave no entity tag")?;
        parts.push(CompletedPart::new(number, etag));
    }
    let count = parts.len();
    let complete = CompleteMultipartUpload::new(BUCKET, "in-parts.bin", upload_id.as_str()).parts(parts);
    client.call(&complete)?;
    println!("Uploaded the same in {count} parts.");

    let source = CopySource::new(BUCKET, "notes/你好.txt");
    client.call(&CopyObject::new(BUCKET, "notes/copy.txt", source))?;
    println!("Copied one object.");
    Ok(())
}

fn list(client: &Client) -> Result<(), Box<dyn Error>> {
    let mut list = ListObjectsV2::new(BUCKET).max_keys(3_u32);
    for number in 1.. {
        let page = client.call(&list)?.output;
        let keys: Vec<_> = page.contents.iter().map(|object| object.key.as_str()).collect();
        println!("Page {number} of the list: {}.", keys.join(", "));
        match list.next(&page)? {
            Some(next) => list = next,
            None => break,
        }
    }
    Ok(())
}

fn read(client: &Client) -> Result<(), Box<dyn Error>> {
    let mut range = Vec::new();
    client.fetch(&GetObject::new(BUCKET, "streamed.bin").range(1_000..1_010), &mut range)??;
    println!("Read {} bytes from the middle.", range.len());

    let mut whole = Vec::new();
    let reply = client.fetch(&GetObject::new(BUCKET, "in-parts.bin"), &mut whole)??;
    match reply.output.integrity {
        Integrity::Crc64(crc) if whole == FILE => {
            println!("Read {} bytes; their CRC-64 is {crc:016x}, as OSS states.", whole.len());
            Ok(())
        }
        _ => Err("the bytes are not those that were uploaded".into()),
    }
}

fn share(client: &Client) -> Result<(), Box<dyn Error>> {
    let url = client.presign(&GetObject::new(BUCKET, "notes/copy.txt"), Duration::from_secs(900))?;
    println!("Presigned: {url}");
    // Whoever holds the URL needs nothing of ours: a socket will do.
    let (authority, target) =
        url.expose_url().trim_start_matches("http://").split_once('/').ok_or("no path")?;
    let mut stream = TcpStream::connect(authority)?;
    write!(stream, "GET /{target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("Fetched it with plain HTTP: {:?}.", answer.split("\r\n\r\n").nth(1).unwrap_or_default());

    match client.call(&HeadObject::new(BUCKET, "no-such-key")) {
        Ok(_) => Err("there is such a key".into()),
        Err(error) => {
            println!("An error reads like this: {error}.");
            Ok(())
        }
    }
}

fn clean_up(client: &Client) -> Result<(), Box<dyn Error>> {
    let page = client.call(&ListObjectsV2::new(BUCKET))?.output;
    let keys = page.contents.into_iter().map(|object| object.key);
    client.call(&DeleteMultipleObjects::new(BUCKET, keys.collect::<oss_proto::Delete>()))?;
    client.call(&DeleteBucket::new(BUCKET))?;
    println!("Deleted everything.");
    Ok(())
}

const BUCKET: &str = "examplebucket";
const PART_BYTES: usize = 1 << 20;
/// Something of a few MiB.
static FILE: [u8; 3 << 20] = [b'x'; 3 << 20];
