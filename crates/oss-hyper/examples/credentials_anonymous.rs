//! A client without credentials, for what everybody may read; it needs no region where it has an endpoint.
//!
//! Answers the `AnonymousAuth` of the SDK that "Configure access credentials" belongs to.

mod stage;

use oss_hyper::{Config, Credentials, Environment, PutObject};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;
    let owner = Config::new().region("cn-hangzhou").credentials_provider(Environment);
    let owner = stage.over(owner).bucket("examplebucket")?;
    owner.send(PutObject::to("public.txt", "hello").acl("public-read")).await?;
    owner.put("private.txt", "hello").await?;

    let config = Config::new()
        .endpoint("https://oss-cn-hangzhou.aliyuncs.com")
        .credentials_provider(Credentials::anonymous());

    let bucket = stage.over(config).bucket("examplebucket")?;
    let text = bucket.get("public.txt").await?.text().await?;
    assert_eq!((text.as_str(), stage.last()?.header("authorization")), ("hello", ""));
    let error = bucket.get("private.txt").await.err().ok_or("the object is private")?;
    assert_eq!(error.code(), Some("AccessDenied"));
    println!("downloaded {text:?} without a signature");
    Ok(())
}
