//! A client that tries once.
//!
//! Answers "Configure retry policies" of "Configure an OSSClient instance": `NopRetryer()`.

mod stage;

use oss_hyper::{Config, Environment, Policy};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config =
        Config::new().region("cn-hangzhou").credentials_provider(Environment).retryer(Policy::none());

    let bucket = stage.over(config).bucket("examplebucket")?;
    stage.fail(1);
    let error = bucket.put("example.txt", "hello").await.err().ok_or("the server was in trouble")?;

    assert_eq!((error.attempts().len(), stage.seen().len()), (1, 1));
    println!("{error}");
    Ok(())
}
