//! A peer that answers what is canned and checks nothing, so that it does not blur what it helps to measure.
//!
//! The object `/bucket/<length>` has that many bytes, all of them [`FILL`].

use core::net::SocketAddr;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use oss_crc::Crc64;

/// Serves each connection on a thread of its own, until the program ends.
pub(crate) fn start(lengths: &[u64]) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let canned: Vec<(u64, String)> = lengths.iter().map(|length| (*length, crc_of(*length))).collect();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let canned = canned.clone();
            // Whoever hangs up has what it wanted.
            thread::spawn(move || connection.and_then(|tcp| serve(tcp, &canned)));
        }
    });
    Ok(address)
}

fn serve(mut tcp: TcpStream, canned: &[(u64, String)]) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let block = vec![FILL; BLOCK_BYTES];
    let mut buffer = vec![0; BLOCK_BYTES];
    let mut filled = 0;
    loop {
        let Some(end) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            match tcp.read(&mut buffer[filled..])? {
                0 => return Ok(()),
                read => filled += read,
            }
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let request = Request::of(&head);
        let mut unread = request.body_bytes.saturating_sub((filled - end - 4) as u64);
        while unread > 0 {
            let most = buffer.len().min(usize::try_from(unread).unwrap_or(usize::MAX));
            unread -= tcp.read(&mut buffer[..most])?.max(1) as u64;
        }
        // Nobody asks before the answer has come, so all that was read is of this request.
        filled = 0;
        let (length, crc) = &canned[canned.iter().position(|(length, _)| *length == request.length).unwrap()];
        let mut left = if request.is_get { *length } else { 0 };
        let mut answer = answer(left, crc).into_bytes();
        if left <= SMALL_BYTES {
            answer.extend_from_slice(&block[..usize::try_from(left).unwrap_or_default()]);
            left = 0;
        }
        tcp.write_all(&answer)?;
        while left > 0 {
            let most = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            tcp.write_all(&block[..most])?;
            left -= most as u64;
        }
    }
}

struct Request {
    is_get: bool,
    /// The length that the object's name says.
    length: u64,
    body_bytes: u64,
}

impl Request {
    fn of(head: &str) -> Self {
        let path = head.split(' ').nth(1).unwrap();
        let length = path.rsplit('/').next().unwrap().parse().unwrap();
        let mut said = head.lines().filter_map(|line| line.split_once(": "));
        let body = said.rfind(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let body_bytes = body.map_or(0, |(_, length)| length.parse().unwrap());
        Self { is_get: head.starts_with("GET "), length, body_bytes }
    }
}

/// The head of an answer, with what OSS says besides.
fn answer(length: u64, crc: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nServer: AliyunOSS\r\nDate: Sat, 16 Dec 2023 16:20:57 GMT\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n\
         x-oss-request-id: 657DCFC9A5B6D3303436E1A1\r\nAccept-Ranges: bytes\r\n\
         ETag: \"5D41402ABC4B2A76B9719D911017C592\"\r\nLast-Modified: Sat, 16 Dec 2023 16:20:50 GMT\r\n\
         x-oss-object-type: Normal\r\nx-oss-hash-crc64ecma: {crc}\r\nx-oss-storage-class: Standard\r\n\
         x-oss-server-time: 3\r\n\r\n"
    )
}

fn crc_of(length: u64) -> String {
    let block = vec![FILL; BLOCK_BYTES];
    let mut crc = Crc64::new();
    let mut left = usize::try_from(length).unwrap();
    while left > 0 {
        let most = left.min(block.len());
        crc.update(&block[..most]);
        left -= most;
    }
    crc.value().to_string()
}

/// What every object is made of.
pub(crate) const FILL: u8 = 7;
const BLOCK_BYTES: usize = 1 << 20;
/// What is written together with its head.
const SMALL_BYTES: u64 = 64 << 10;
