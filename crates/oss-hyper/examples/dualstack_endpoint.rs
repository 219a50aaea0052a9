//! A client that reaches OSS by IPv6 as well as by IPv4.
//!
//! Answers the row `use_dualstack_endpoint` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    // Method 1: the region and the kind of endpoint.
    let by_kind =
        Config::new().region("cn-hangzhou").use_dualstack_endpoint(true).credentials_provider(Environment);

    // Method 2: the region and the endpoint itself.
    let by_name = Config::new()
        .region("cn-hangzhou")
        .endpoint("https://cn-hangzhou.oss.aliyuncs.com")
        .credentials_provider(Environment);

    for config in [by_kind, by_name] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let url = stage.last()?.url();
        assert_eq!(url, "https://examplebucket.cn-hangzhou.oss.aliyuncs.com/example.txt");
        println!("uploaded to {url}");
    }
    Ok(())
}
