//! A client of the finance cloud, whose regions have two networks with hosts of their own.
//!
//! Answers "Configuration example for Alibaba Finance Cloud" of "Configure an OSSClient instance".

mod stage;

use oss_hyper::{Config, Environment, FinanceNetwork};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open_at("cn-hangzhou-finance", &["oss-cn-hzjbp-a-internal.aliyuncs.com"]).await?;

    let config = Config::new().region("cn-hangzhou-finance").credentials_provider(Environment);
    // As the document does it: the endpoint itself.
    let by_name = config.clone().endpoint("https://oss-cn-hzjbp-a-internal.aliyuncs.com");
    // The same from the catalogue: which of the two networks the bucket is in is for you to say.
    let by_network = config.use_internal_endpoint(true).finance_network(FinanceNetwork::Private);

    for config in [by_name, by_network] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let url = stage.last()?.url();
        assert_eq!(url, "https://examplebucket.oss-cn-hzjbp-a-internal.aliyuncs.com/example.txt");
        println!("uploaded to {url}");
    }
    Ok(())
}
