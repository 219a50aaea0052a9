//! A client over connections with settings of their own: proxy, certificates, pool, TLS and more.
//!
//! Answers "Use an HTTP client to configure a Client instance" of "Configure an OSSClient instance": its
//! `kwargs`.

mod stage;

use core::time::Duration;

use oss_hyper::{Config, Environment, Proxy, TlsVersion, Transport};
use stage::{Outcome, ProtocolVersion, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;
    let proxy = stage.proxy().await?;

    let builder = Transport::builder()
        .insecure_skip_verify(false)
        .proxy(Proxy::all(&format!("http://user:password@{}", proxy.host()))?)
        .block_size(16 * 1024)
        .connect_timeout(Duration::from_secs(30))
        .max_connections(1024)
        .tls_min_version(TlsVersion::Tls13);
    let transport = stage.transport_over(builder).build()?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .enabled_redirect(false)
        .readwrite_timeout(Duration::from_secs(30))
        .transport(transport);

    let bucket = config.bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    assert_eq!(proxy.tunnels(), 1);
    assert_eq!(stage.last()?.tls, Some(ProtocolVersion::TLSv1_3));
    println!("uploaded through the proxy at {}, by TLS 1.3", proxy.host());
    Ok(())
}
