//! A client with the role of the ECS instance it runs on: no key anywhere, and new credentials in time.
//!
//! Answers "Configure a RAM role for an ECS instance" of "Configure access credentials" (`ecs_ram_role`). The
//! metadata service is asked in its hardened mode; where there is only the old one, `.allow_v1()` is needed.

mod stage;

use oss_hyper::{Config, EcsRole};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;

    // The name is found out where it is not given, for one more request.
    let role = EcsRole::new().name("ECSRAMRole");
    let role = stage.instance(role); // The stage is at another address than 100.100.100.200.
    let config = Config::new().region("cn-hangzhou").credentials_provider(role);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.seen();
    let paths: Vec<_> = seen.iter().map(|seen| seen.head.uri.path()).collect();
    assert_eq!(paths[0], "/latest/api/token");
    assert_eq!(paths[1], "/latest/meta-data/ram/security-credentials/ECSRAMRole");
    assert!(!seen[2].header("x-oss-security-token").is_empty());
    println!("uploaded as the role of the instance");
    Ok(())
}
