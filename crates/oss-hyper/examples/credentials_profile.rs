//! A client with a profile of the vendor's command line tool: whoever can use `aliyun` can use the program.
//!
//! The sections of `~/.alibabacloud/credentials` work in the same way, with `IniProfile`.

mod stage;

use oss_hyper::{CliProfile, Config};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;
    let file = stage::scratch(
        "config.json",
        r#"{"current": "work", "profiles": [
            {"name": "home", "mode": "AK", "access_key_id": "test-id", "access_key_secret": "test-secret"},
            {"name": "work", "mode": "ChainableRamRoleArn", "source_profile": "home",
             "ram_role_arn": "acs:ram::1234567890123456:role/ossststest", "ram_session_name": "me"}]}"#,
    )?;

    let profile = CliProfile::new().file(file.path()); // without `file`: ~/.aliyun/config.json
    let config = Config::new().region("cn-hangzhou").credentials_provider(profile);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    assert!(stage.last()?.header("authorization").contains("Credential=STS."));
    print!("uploaded; {}", bucket.client().account().explain());
    Ok(())
}
