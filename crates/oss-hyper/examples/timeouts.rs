//! A client with other time limits: for connecting, for silence, for a whole call.
//!
//! Answers "Configure the timeout period" of "Configure an OSSClient instance", and "Configure the
//! connection timeout period" of "Initialization".

mod stage;

use core::time::Duration;

use oss_hyper::{Config, Environment, Overrides};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .connect_timeout(Duration::from_secs(30)) // instead of 10 s
        .readwrite_timeout(Duration::from_secs(30)) // instead of 20 s
        .operation_timeout(Duration::from_secs(300)); // instead of no limit

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    // One call may have less time than its client gives: here the server is silent for longer.
    stage.stall(Duration::from_secs(5));
    let hasty = Overrides::new().readwrite_timeout(Duration::from_millis(100)).retry_max_attempts(1);
    let error = bucket.with(&hasty).head("example.txt").await.err().ok_or("the server was silent")?;
    assert_eq!(error.attempts().len(), 1);
    assert!(error.attempts().iter().all(|attempt| attempt.elapsed < Duration::from_secs(5)));
    println!("{error}");
    Ok(())
}
