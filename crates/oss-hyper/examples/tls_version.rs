//! A client that speaks one version of TLS, or none below one.
//!
//! Answers "Specify the TLS version" of "Initialization".

mod stage;

use oss_hyper::{Config, Environment, TlsVersion};
use stage::{Outcome, ProtocolVersion, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);
    let only_1_2 = config.clone().tls_version(TlsVersion::Tls12);
    let from_1_3 = config.tls_min_version(TlsVersion::Tls13); // instead of 1.2; 1.0 and 1.1 are never spoken

    for (config, version) in [(only_1_2, ProtocolVersion::TLSv1_2), (from_1_3, ProtocolVersion::TLSv1_3)] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        assert_eq!(stage.last()?.tls, Some(version));
        println!("uploaded by {version:?}");
    }
    Ok(())
}
