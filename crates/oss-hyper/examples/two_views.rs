//! Two views of one service: `Client` for the account, `Bucket` for one bucket and its objects.
//!
//! Answers "Usage notes" of "Initialization": `oss2.Service` lists buckets and does not go through a custom
//! domain, `oss2.Bucket` does everything else.

mod stage;

use oss_hyper::{Config, Environment, ListBuckets};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);

    let client = stage.over(config.clone()).client()?;
    let buckets = client.send(ListBuckets::new()).await?.output.buckets;
    assert!(buckets.iter().any(|bucket| bucket.name.as_deref() == Some("examplebucket")));

    let bucket = client.bucket("examplebucket")?; // over the same connections
    bucket.put("example.txt", "hello").await?;

    // A domain that is bound to a bucket serves that bucket, and no question about the account.
    let cname = config.endpoint("https://static.example.com").use_cname(true);
    let client = stage.over(cname).client()?;
    client.bucket("examplebucket")?.head("example.txt").await?;
    let error = client.send(ListBuckets::new()).await.err().ok_or("that is no question to a bucket")?;
    assert_eq!(error.attempts().len(), 0);
    println!("{} bucket; through a custom domain: {error}", buckets.len());
    Ok(())
}
