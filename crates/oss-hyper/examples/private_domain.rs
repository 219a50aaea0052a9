//! A client of a domain of one's own for the whole service, with each bucket below it.
//!
//! Answers "Use a private domain to configure a Client instance" of "Configure an OSSClient instance".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open_at("cn-hangzhou", &["service.corp.example.com"]).await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .endpoint("https://service.corp.example.com")
        .credentials_provider(Environment);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let url = stage.last()?.url();
    assert_eq!(url, "https://examplebucket.service.corp.example.com/example.txt");
    println!("uploaded to {url}");
    Ok(())
}
