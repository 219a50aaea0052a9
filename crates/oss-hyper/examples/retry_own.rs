//! A client that decides by a rule of its own whether and when to try again.
//!
//! Answers "Configure retry policies" of "Configure an OSSClient instance": "modify the retry
//! implementation", and the row `retryer` of its table.

mod stage;

use core::time::Duration;

use oss_hyper::{Config, Environment, Retryer};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    // It is asked only about what may be repeated, for at most 10 attempts.
    let patient_with_500 = Retryer::from_fn(10, |failed| {
        (failed.status == Some(500)).then_some(Duration::from_millis(10) * failed.attempt)
    });
    let config =
        Config::new().region("cn-hangzhou").credentials_provider(Environment).retryer(patient_with_500);

    let bucket = stage.over(config).bucket("examplebucket")?;
    stage.fail(7);
    let reply = bucket.put("example.txt", "hello").await?;

    assert_eq!((reply.attempts.len(), stage.seen().len()), (8, 8));
    println!("uploaded with {} attempts", reply.attempts.len());
    Ok(())
}
