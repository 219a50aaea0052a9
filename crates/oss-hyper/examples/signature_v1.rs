//! A client with V1 signatures, for buckets that still take them; beside an endpoint it needs no region.
//!
//! Answers "(Not recommended) Use the V1 signature algorithm" of "Initialization", and the row
//! `signature_version` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment, SignatureVersion};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().credentials_provider(Environment).signature_version(SignatureVersion::V1);
    let with_region = config.clone().region("cn-hangzhou");
    let without = config.endpoint("https://oss-cn-hangzhou.aliyuncs.com");

    for config in [with_region, without] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let seen = stage.last()?;
        assert!(seen.header("authorization").starts_with("OSS "));
        println!("uploaded to {}, signed with V1", seen.url());
    }
    Ok(())
}
