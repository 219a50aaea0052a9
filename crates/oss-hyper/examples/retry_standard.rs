//! A client that tries five times instead of three.
//!
//! Answers "Configure retry policies" of "Configure an OSSClient instance":
//! `StandardRetryer(max_attempts=5)`, and the row `retry_max_attempts` of its table.

mod stage;

use oss_hyper::{Config, Environment, Policy};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .retryer(Policy::new().with_max_attempts(5)); // or `.retry_max_attempts(5)`

    let bucket = stage.over(config).bucket("examplebucket")?;
    stage.fail(4);
    let reply = bucket.put("example.txt", "hello").await?;

    assert_eq!((reply.attempts.len(), stage.seen().len()), (5, 5));
    println!("uploaded with {} attempts: {:?}", reply.attempts.len(), reply.attempts);
    Ok(())
}
