//! A client of a region: over its public endpoint, by https, with V4 signatures.
//!
//! Answers "Default configuration example", method 1, of "Configure an OSSClient instance".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);

    // Against OSS itself: `config.bucket("examplebucket")?`.
    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.last()?;
    assert_eq!(seen.url(), "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/example.txt");
    assert!(seen.header("authorization").starts_with("OSS4-HMAC-SHA256 "));
    println!("uploaded to {}, signed with V4", seen.url());
    Ok(())
}
