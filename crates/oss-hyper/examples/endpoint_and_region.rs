//! A client of an endpoint and a region; the endpoint's scheme decides on https or http.
//!
//! Answers "Default configuration example", method 2, of "Configure an OSSClient instance", and
//! "(Recommended) Use the V4 signature algorithm" of "Initialization".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);
    let https = config.clone().endpoint("https://oss-cn-hangzhou.aliyuncs.com");
    let http = config.clone().endpoint("http://oss-cn-hangzhou.aliyuncs.com");
    // The same without an endpoint.
    let disabled = config.disable_ssl(true);

    for (config, scheme) in [(https, "https"), (http, "http"), (disabled, "http")] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let url = stage.last()?.url();
        assert_eq!(url, format!("{scheme}://examplebucket.oss-cn-hangzhou.aliyuncs.com/example.txt"));
        println!("uploaded to {url}");
    }
    Ok(())
}
