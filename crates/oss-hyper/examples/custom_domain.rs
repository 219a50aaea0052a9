//! A client of a domain that is bound to a bucket (CNAME): the bucket stands in no host and no path.
//!
//! Answers "Use a custom domain name to configure a Client instance" of "Configure an OSSClient instance",
//! and "Use a custom domain name to initialize OSS SDK for Python" (`is_cname`) of "Initialization".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    // The domain must be bound to the bucket in OSS first.
    let config = Config::new()
        .region("cn-hangzhou")
        .endpoint("https://static.example.com")
        .use_cname(true)
        .credentials_provider(Environment);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let url = stage.last()?.url();
    assert_eq!(url, "https://static.example.com/example.txt");
    println!("uploaded to {url}, which is `{}`", bucket.name());
    Ok(())
}
