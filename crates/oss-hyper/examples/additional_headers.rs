//! A client that signs more headers than V4 asks for, so that nobody on the way can change them.
//!
//! Answers the row `additional_headers` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .additional_headers(["content-length", "host"]);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.last()?;
    assert!(seen.header("authorization").contains("AdditionalHeaders=content-length;host,"));
    println!("uploaded with content-length and host signed");
    Ok(())
}
