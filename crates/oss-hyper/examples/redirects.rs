//! A client that follows a redirect: reads only, once, signed anew, and only inside of the service.
//!
//! Answers the row `enabled_redirect` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;
    let elsewhere = "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/example.txt";

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment).enabled_redirect(true);

    let bucket = stage.over(config.clone()).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;
    stage.redirect(elsewhere);
    bucket.head("example.txt").await?;
    assert_eq!(stage.last()?.url(), elsewhere);

    // By default the place is an error that says what to configure.
    let bucket = stage.over(config.enabled_redirect(false)).bucket("examplebucket")?;
    stage.redirect(elsewhere);
    let error = bucket.head("example.txt").await.err().ok_or("redirects are off")?;
    println!("followed to {elsewhere}; without the option: {error}");
    Ok(())
}
