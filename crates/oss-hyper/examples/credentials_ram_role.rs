//! A client with the temporary credentials of a RAM role that its key assumes; they renew themselves.
//!
//! Answers "Configure a RAM role" of "Configure access credentials", in code and by `OSS_STS_ROLE_ARN` (for
//! which `Source::EnvironmentRole` is the provider). The document's samples read the secret from the variable
//! of the id; here it is the secret.

mod stage;

use oss_hyper::{Config, Environment, RamRole, StsEndpoint};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let role = RamRole::new("acs:ram::1234567890123456:role/ossststest")
        .assumed_by(Environment) // or by any other source
        .session_name("roleSessionName")
        .endpoint(StsEndpoint::region("cn-hangzhou"));
    let config = Config::new().region("cn-hangzhou").credentials_provider(role);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;
    bucket.put("another.txt", "hello").await?;

    let seen = stage.seen();
    assert_eq!(seen[0].url(), "https://sts.cn-hangzhou.aliyuncs.com/");
    assert!(seen[1].header("authorization").contains("Credential=STS."));
    println!("{} uploads, one question to STS", seen.len() - 1);
    Ok(())
}
