//! A client with the role of its pod in ACK (RRSA), or of a job of a CI system: for a token in a file.
//!
//! In a pod the variables say everything, and the provider is `OidcRole::by_environment()`, which is also in
//! the default chain.

mod stage;

use oss_hyper::{Config, OidcRole, StsEndpoint};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;
    let token_file = stage::scratch("oidc-token", stage::OIDC_TOKEN)?;

    let role = OidcRole::new(
        "acs:ram::1234567890123456:role/ossststest",
        "acs:ram::1234567890123456:oidc-provider/ack-rrsa",
        token_file.path(), // read again each time, since it is renewed
    )
    .endpoint(StsEndpoint::vpc("cn-hangzhou"));
    let config = Config::new().region("cn-hangzhou").credentials_provider(role);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.seen();
    assert_eq!(seen[0].url(), "https://sts-vpc.cn-hangzhou.aliyuncs.com/");
    assert!(!seen[1].header("x-oss-security-token").is_empty());
    println!("uploaded with a role for a token");
    Ok(())
}
