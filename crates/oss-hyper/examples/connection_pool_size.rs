//! A client with a connection pool of 30 instead of 20: a hard limit, however many calls are made.
//!
//! Answers "Specify the connection pool size" (`pool_size`) of "Initialization", and `max_connections` of
//! "Use an HTTP client to configure a Client instance".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment).max_connections(30);

    let bucket = stage.over(config).bucket("examplebucket")?;
    let uploads = (0..300).map(|n| {
        let bucket = bucket.clone();
        tokio::spawn(async move { bucket.put(format!("{n}.txt"), "hello").await })
    });
    for upload in uploads.collect::<Vec<_>>() {
        upload.await??;
    }

    assert_eq!(stage.seen().len(), 300);
    assert!(stage.connections() <= 30);
    println!("300 uploads over {} connections", stage.connections());
    Ok(())
}
