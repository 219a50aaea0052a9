//! A client whose connections are made by code of one's own: a Unix socket, a tunnel, a TLS library.
//!
//! Answers `adapter` of the `kwargs` in "Use an HTTP client to configure a Client instance".

mod stage;

use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use hyper_util::rt::TokioIo;
use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};
use tokio::net::TcpStream;

/// Connects to one address, whatever the endpoint; connectors of hyper-util and hyper-rustls fit as well.
#[derive(Clone)]
struct ToOnePlace(SocketAddr);

impl tower_service::Service<http::Uri> for ToOnePlace {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let address = self.0;
        Box::pin(async move { Ok(TokioIo::new(TcpStream::connect(address).await?)) })
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .disable_ssl(true) // names, TLS and proxies are the connector's affair
        .connector(ToOnePlace(stage.address()));

    config.bucket("examplebucket")?.put("example.txt", "hello").await?;
    println!("uploaded to {} by a connector of one's own", stage.last()?.url());
    Ok(())
}
