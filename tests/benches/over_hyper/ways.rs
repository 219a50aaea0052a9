//! The same calls twice: by `oss-hyper`, and by the hyper beneath it, which only sends and reads.

use core::net::SocketAddr;

use bytes::Bytes;
use http::uri::Uri;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use oss_hyper::{
    BucketName, Client, Composer, Credentials, Draft, Endpoint, GetObject, Operation, PutObject, Region,
    Service, UnixTime,
};
use tokio::net::TcpStream;

use crate::peer::FILL;

/// A bucket at this peer.
pub(crate) fn bucket(peer: SocketAddr, checks_crc64: bool) -> oss_hyper::Bucket {
    let service = service(peer).with(|settings| {
        settings.checks_upload_crc64 = checks_crc64;
        settings.checks_download_crc64 = checks_crc64;
    });
    Client::new(service, credentials()).bucket(BUCKET).unwrap()
}

/// Hyper alone, on one connection.
pub(crate) struct Raw {
    sender: SendRequest<Full<Bytes>>,
    get: http::Request<()>,
    put: http::Request<()>,
    body: Bytes,
}

impl Raw {
    /// A connection, and the very requests that `oss-hyper` sends for the object of this length.
    pub(crate) async fn connect(peer: SocketAddr, body: Bytes) -> Self {
        let tcp = TcpStream::connect(peer).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        let (service, key) = (service(peer), body.len().to_string());
        let composed = |draft: Draft| {
            let now = UnixTime::from_secs(1_702_743_657);
            let request = Composer::new().compose(&draft, &service, &credentials(), now).unwrap();
            let (mut head, ()) = request.into_parts();
            head.uri = Uri::from(head.uri.into_parts().path_and_query.unwrap());
            http::Request::from_parts(head, ())
        };
        let get = composed(GetObject::new(BUCKET, &*key).draft().unwrap());
        let put = composed(PutObject::new(BUCKET, &*key, body.clone()).draft().unwrap());
        Self { sender, get, put, body }
    }

    /// Reads the object, and forgets it; how many bytes it had.
    pub(crate) async fn get(&mut self) -> u64 {
        let request = self.get.clone().map(|()| Full::default());
        self.send(request).await
    }

    /// Writes the object.
    pub(crate) async fn put(&mut self) -> u64 {
        let body = self.body.clone();
        let request = self.put.clone().map(|()| Full::new(body));
        self.send(request).await
    }

    async fn send(&mut self, request: http::Request<Full<Bytes>>) -> u64 {
        self.sender.ready().await.unwrap();
        let mut answer = self.sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut bytes = 0;
        while let Some(frame) = answer.body_mut().frame().await {
            bytes += frame.unwrap().into_data().unwrap().len() as u64;
        }
        bytes
    }
}

/// Reads an object by `oss-hyper`, and forgets it; how many bytes it had.
pub(crate) async fn get(bucket: &oss_hyper::Bucket, key: &str) -> u64 {
    let mut object = bucket.get(key).await.unwrap();
    let mut bytes = 0;
    while let Some(chunk) = object.chunk().await.unwrap() {
        bytes += chunk.len() as u64;
    }
    bytes
}

/// Writes an object by `oss-hyper`.
pub(crate) async fn put(bucket: &oss_hyper::Bucket, key: &str, body: &Bytes) -> u64 {
    bucket.put(key, body.clone()).await.unwrap();
    0
}

/// The content of the object of this length.
pub(crate) fn content(length: u64) -> Bytes {
    Bytes::from(vec![FILL; usize::try_from(length).unwrap()])
}

/// The runtime of a client: one thread, whose time is that of the calls.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn service(peer: SocketAddr) -> Service {
    let endpoint = Endpoint::parse(&format!("http://{peer}")).unwrap();
    let service = Service::new(endpoint).with_region(Region::parse("cn-hangzhou").unwrap());
    service.with_bucket(BucketName::parse(BUCKET).unwrap())
}

fn credentials() -> Credentials {
    Credentials::new("LTAI5tExampleExampleKey1", "ExampleSecretExampleSecretAbcd").unwrap()
}

const BUCKET: &str = "examplebucket";
