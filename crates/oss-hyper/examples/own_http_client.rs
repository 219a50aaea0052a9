//! A client over a whole HTTP client of one's own, here the pooled one of hyper-util: any `tower::Service`.
//!
//! Answers the row `http_client` of "OSSClient configuration parameters".

mod stage;

use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oss_hyper::{Config, Environment, RequestBody, Transport};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let own: Client<_, RequestBody> = Client::builder(TokioExecutor::new())
        .retry_canceled_requests(false) // what may be repeated is decided above
        .build(HttpConnector::new());

    let config = Config::new()
        .region("cn-hangzhou")
        .endpoint(format!("http://{}", stage.address()))
        .credentials_provider(Environment)
        .transport(Transport::from_service(own));

    config.bucket("examplebucket")?.put("example.txt", "hello").await?;
    println!("uploaded to {} by an HTTP client of one's own", stage.last()?.url());
    Ok(())
}
