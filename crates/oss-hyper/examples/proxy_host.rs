//! A client behind a proxy with user and password; with https the proxy sees nothing but the host's name.
//!
//! Answers the row `proxy_host` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;
    let proxy = stage.proxy().await?;

    // One for each scheme and exceptions: `.proxy(Proxy::none().https(…)?.except("10.0.0.0/8"))`; that of
    // the environment (HTTPS_PROXY, NO_PROXY, …): `.proxy_from_environment(true)`.
    let config = Config::new()
        .region("cn-hangzhou")
        .credentials_provider(Environment)
        .proxy_host(format!("http://user:password@{}", proxy.host()));
    assert!(!format!("{config:?}").contains("password@"));

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    assert_eq!(proxy.tunnels(), 1);
    println!("uploaded to {} through the proxy at {}", stage.last()?.url(), proxy.host());
    Ok(())
}
