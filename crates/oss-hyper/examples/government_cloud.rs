//! A client of the government cloud.
//!
//! Answers "Configuration example for Alibaba Gov Cloud" of "Configure an OSSClient instance".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open_at("cn-north-2-gov-1", &[]).await?;

    let config = Config::new().region("cn-north-2-gov-1").credentials_provider(Environment);
    // As the document does it: the endpoint itself.
    let by_name = config.clone().endpoint("https://oss-cn-north-2-gov-1-internal.aliyuncs.com");
    // The same from the catalogue.
    let by_kind = config.use_internal_endpoint(true);

    for config in [by_name, by_kind] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let url = stage.last()?.url();
        assert_eq!(url, "https://examplebucket.oss-cn-north-2-gov-1-internal.aliyuncs.com/example.txt");
        println!("uploaded to {url}");
    }
    Ok(())
}
