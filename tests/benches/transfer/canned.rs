//! A peer that answers what is canned and checks nothing, so that it does not blur what it helps to measure.
//!
//! Its object has as many bytes as it was told, all of them [`FILL`]; parts are read and forgotten.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

use oss_crc::Crc64;

use crate::{BUCKET, KEY};

/// Serves each connection on a thread of its own, until the program ends.
pub(crate) fn serve(listener: &TcpListener, length: u64) -> io::Result<()> {
    let world = Arc::new(World { length, sums: Mutex::default() });
    world.crc(length);
    for connection in listener.incoming() {
        let (world, connection) = (Arc::clone(&world), connection?);
        // Whoever hangs up has what it wanted.
        thread::spawn(move || world.converse(connection));
    }
    Ok(())
}

struct World {
    length: u64,
    /// CRC-64 of so many bytes.
    sums: Mutex<BTreeMap<u64, u64>>,
}

impl World {
    fn converse(&self, mut tcp: TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        let mut reader = BufReader::with_capacity(16 << 10, tcp.try_clone()?);
        let mut block = vec![FILL; BLOCK_BYTES];
        while let Some(request) = Request::read(&mut reader)? {
            let mut unread = request.length;
            while unread > 0 {
                let most = block.len().min(usize::try_from(unread).unwrap_or(usize::MAX));
                match reader.read(&mut block[..most])? {
                    0 => return Ok(()),
                    read => unread -= read as u64,
                }
            }
            if request.length > 0 {
                block.fill(FILL);
            }
            let (head, mut left) = self.answer(&request);
            tcp.write_all(head.as_bytes())?;
            while left > 0 {
                let most = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                tcp.write_all(&block[..most])?;
                left -= most as u64;
            }
        }
        Ok(())
    }

    /// The head, with a small body behind it, and how many bytes of the object follow.
    fn answer(&self, request: &Request) -> (String, u64) {
        let has = |name: &str| request.line.contains(name);
        let whole = format!("x-oss-hash-crc64ecma: {}\r\n", self.crc(self.length));
        if has("HEAD ") {
            return (head(200, self.length, &whole), 0);
        }
        if has("GET ") {
            let (from, to) = request.range.unwrap_or((0, self.length - 1));
            let range = format!("{whole}Content-Range: bytes {from}-{to}/{}\r\n", self.length);
            return (head(206, to + 1 - from, &range), to + 1 - from);
        }
        if has("PUT ") {
            return (head(200, 0, &format!("x-oss-hash-crc64ecma: {}\r\n", self.crc(request.length))), 0);
        }
        if has("DELETE ") {
            return (head(204, 0, ""), 0);
        }
        let kind =
            if has("uploads") { "InitiateMultipartUploadResult" } else { "CompleteMultipartUploadResult" };
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><{kind}><Bucket>{BUCKET}</Bucket><Key>{KEY}</Key>\
             <UploadId>0004B9895DBBB6EC98E36</UploadId><ETag>{ETAG}</ETag></{kind}>"
        );
        (head(200, document.len() as u64, &whole) + &document, 0)
    }

    fn crc(&self, length: u64) -> u64 {
        let mut sums = self.sums.lock().unwrap();
        *sums.entry(length).or_insert_with(|| {
            let block = vec![FILL; BLOCK_BYTES];
            let (mut crc, mut left) = (Crc64::new(), length);
            while left > 0 {
                let most = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                crc.update(&block[..most]);
                left -= most as u64;
            }
            crc.value()
        })
    }
}

struct Request {
    line: String,
    /// Of the body, in bytes.
    length: u64,
    range: Option<(u64, u64)>,
}

impl Request {
    fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut request = Self { line: String::new(), length: 0, range: None };
        if reader.read_line(&mut request.line)? == 0 {
            return Ok(None);
        }
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? <= 2 {
                return Ok(Some(request));
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => request.length = value.parse().unwrap(),
                "range" => {
                    let range = value.strip_prefix("bytes=").and_then(|range| range.split_once('-')).unwrap();
                    request.range = Some((range.0.parse().unwrap(), range.1.parse().unwrap()));
                }
                _ => {}
            }
        }
    }
}

/// The head of an answer, with what OSS says besides.
fn head(status: u16, length: u64, more: &str) -> String {
    format!(
        "HTTP/1.1 {status} OK\r\nServer: AliyunOSS\r\nDate: Sat, 16 Dec 2023 16:20:57 GMT\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n\
         x-oss-request-id: 657DCFC9A5B6D3303436E1A1\r\nAccept-Ranges: bytes\r\nETag: {ETAG}\r\n\
         Last-Modified: Sat, 16 Dec 2023 16:20:50 GMT\r\nx-oss-object-type: Normal\r\n\
         x-oss-storage-class: Standard\r\n{more}\r\n"
    )
}

/// What the object is made of.
pub(crate) const FILL: u8 = 7;
const ETAG: &str = "\"5D41402ABC4B2A76B9719D911017C592-1\"";
const BLOCK_BYTES: usize = 1 << 20;
