//! A client that waits at least half of what the formula gives before it tries again.
//!
//! Answers "Configure retry policies" of "Configure an OSSClient instance": the third of the SDK's
//! `backoff_delayer`s, `EqualJitterBackoff`.

mod stage;

use core::time::Duration;
use std::time::Instant;

use oss_hyper::{Config, Environment, Policy, Strategy};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .retryer(Policy::new().with_strategy(Strategy::EqualJitter));

    let bucket = stage.over(config).bucket("examplebucket")?;
    stage.fail(1);
    let began = Instant::now();
    let reply = bucket.put("example.txt", "hello").await?;

    // Half of 2 * 0.2 s is certain.
    let took = began.elapsed();
    assert_eq!(reply.attempts.len(), 2);
    assert!(took >= Duration::from_millis(200));
    println!("uploaded with {} attempts in {:.1} s", reply.attempts.len(), took.as_secs_f64());
    Ok(())
}
