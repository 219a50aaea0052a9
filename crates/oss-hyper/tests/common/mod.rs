//! The emulator behind a socket, and servers that do one thing wrong.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that fails stops")]

pub(crate) mod transfers;

use core::net::SocketAddr;
use core::time::Duration;

use oss_emulator_server::{Config, Server};
use oss_hyper::{Bucket, Client, Credentials, Endpoint, Policy, Region, Service, Transport};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ID: &str = "test-id";
pub(crate) const SECRET: &str = "test-secret";
pub(crate) const BUCKET: &str = "examplebucket";

pub(crate) fn key() -> Credentials {
    Credentials::new(ID, SECRET).unwrap()
}

/// The emulator with one key and one bucket.
pub(crate) async fn emulator() -> Server {
    let server = Server::start(Config::new("cn-hangzhou").with_access_key(ID, SECRET)).await.unwrap();
    server.create_bucket(BUCKET);
    server
}

pub(crate) fn service(endpoint: &str) -> Service {
    let retry = Policy::new().with_base_delay(Duration::from_millis(1));
    let region = Region::parse("cn-hangzhou").unwrap();
    Service::new(Endpoint::parse(endpoint).unwrap()).with_region(region).with_retry(retry)
}

/// A service on which waiting is short and failures are final.
pub(crate) fn strict(address: SocketAddr, idle: Duration) -> Service {
    service(&format!("http://{address}")).with_retry(Policy::none()).with(|settings| {
        settings.timeouts.idle = idle;
    })
}

pub(crate) fn bucket_of(service: Service) -> Bucket {
    Client::new(service, key()).bucket(BUCKET).unwrap()
}

pub(crate) fn bucket_over(service: Service, transport: &Transport) -> Bucket {
    Client::new(service, key()).with_transport(transport.clone()).bucket(BUCKET).unwrap()
}

/// A server that runs a script for each connection, which is told the connection's number, from 0.
pub(crate) async fn raw<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(usize, TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(number, stream));
        }
    });
    address
}

/// Reads to the empty line; what follows it came along with it.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return (String::from_utf8(bytes).unwrap(), rest);
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::from_utf8(bytes).unwrap(), Vec::new());
        }
    }
}

/// Reads a request with a `content-length`, or without a body.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> (String, Vec<u8>) {
    let (head, mut body) = read_head(stream).await;
    let len = header(&head, "content-length").map_or(0, |len| len.parse().unwrap());
    while body.len() < len && stream.read_buf(&mut body).await.unwrap_or(0) > 0 {}
    (head, body)
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| *n == name).map(|(_, value)| value)
}

pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: impl AsRef<[u8]>) {
    // A client that has hung up is what some tests are about.
    let _gone = stream.write_all(bytes.as_ref()).await;
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Some bytes, different at every place.
pub(crate) fn content(len: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}
