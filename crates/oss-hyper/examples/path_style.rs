//! A client that names the bucket in the path, for servers on an address or without names for buckets.
//!
//! Answers the row `use_path_style` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .endpoint("http://localhost")
        .use_path_style(true)
        .credentials_provider(Environment);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let url = stage.last()?.url();
    assert_eq!(url, "http://localhost/examplebucket/example.txt");
    println!("uploaded to {url}");
    Ok(())
}
