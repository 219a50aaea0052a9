//! A client that waits two seconds before each repetition.
//!
//! Answers "Configure retry policies" of "Configure an OSSClient instance":
//! `StandardRetryer(backoff_delayer=FixedDelayBackoff(2))`.

mod stage;

use core::time::Duration;
use std::time::Instant;

use oss_hyper::{Config, Environment, Policy};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .retryer(Policy::new().with_fixed_delay(Duration::from_secs(2)));

    let bucket = stage.over(config).bucket("examplebucket")?;
    stage.fail(1);
    let began = Instant::now();
    let reply = bucket.put("example.txt", "hello").await?;

    let took = began.elapsed();
    assert_eq!(reply.attempts.len(), 2);
    assert!(took >= Duration::from_secs(2));
    println!("uploaded with {} attempts in {:.1} s", reply.attempts.len(), took.as_secs_f64());
    Ok(())
}
