//! A client on a server of Alibaba Cloud: it stays inside, which is faster and costs no traffic.
//!
//! Answers "Use an internal endpoint to configure a Client instance" of "Configure an OSSClient instance",
//! and "Use an internal endpoint to initialize OSS SDK for Python" of "Initialization".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    // Method 1: the region and the kind of endpoint.
    let by_kind =
        Config::new().region("cn-hangzhou").use_internal_endpoint(true).credentials_provider(Environment);

    // Method 2: the region and the endpoint itself.
    let by_name = Config::new()
        .region("cn-hangzhou")
        .endpoint("https://oss-cn-hangzhou-internal.aliyuncs.com")
        .credentials_provider(Environment);

    for config in [by_kind, by_name] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let url = stage.last()?.url();
        assert_eq!(url, "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/example.txt");
        println!("uploaded to {url}");
    }
    Ok(())
}
