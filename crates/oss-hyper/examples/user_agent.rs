//! A client that says which application it belongs to.
//!
//! Answers the row `user_agent` of "OSSClient configuration parameters", and `app_name` of "Parameters
//! supported by the oss2.Bucket class".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config =
        Config::new().region("cn-hangzhou").credentials_provider(Environment).user_agent("mytool/2.1");

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.last()?;
    assert!(seen.header("user-agent").ends_with(" mytool/2.1"));
    println!("uploaded as {}", seen.header("user-agent"));
    Ok(())
}
