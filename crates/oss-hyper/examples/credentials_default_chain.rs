//! A client that finds its credentials wherever it runs, and says where it looked.
//!
//! The order is that of the vendor's libraries, after the variables of OSS itself: variables, RRSA, the two
//! profile files, the role of the ECS instance, the credentials URI.

mod stage;

use oss_hyper::{Config, Source};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Source::default_chain());

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let told = bucket.client().account().explain().to_string();
    assert!(told.starts_with("the environment (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET): gave credentials"));
    print!("uploaded; {told}");
    Ok(())
}
