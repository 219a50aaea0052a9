//! A client that waits longer before it tries again: 0.5 s instead of 0.2 s, up to 25 s instead of 20 s.
//!
//! Answers "Configure retry policies" of "Configure an OSSClient instance":
//! `StandardRetryer(max_backoff=25, base_delay=0.5)`.

mod stage;

use core::time::Duration;
use std::time::Instant;

use oss_hyper::{Config, Environment, Policy};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let policy =
        Policy::new().with_base_delay(Duration::from_millis(500)).with_max_backoff(Duration::from_secs(25));
    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment).retryer(policy);

    let bucket = stage.over(config).bucket("examplebucket")?;
    stage.fail(1);
    let began = Instant::now();
    let reply = bucket.put("example.txt", "hello").await?;

    // Full jitter after the first attempt: anything below 2 * 0.5 s.
    let took = began.elapsed();
    assert_eq!(reply.attempts.len(), 2);
    assert!(took < Duration::from_secs(10));
    println!("uploaded with {} attempts in {:.1} s", reply.attempts.len(), took.as_secs_f64());
    Ok(())
}
