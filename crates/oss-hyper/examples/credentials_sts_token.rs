//! A client with temporary credentials of STS: key, secret and token.
//!
//! Answers "Embed access credentials in code" of "Configure STS temporary access credentials" in "Configure
//! access credentials" (`oss2.StsAuth`).

mod stage;

use core::time::Duration;
use std::time::SystemTime;

use oss_hyper::{Config, Credentials};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;
    let (id, secret, token) = ("STS.example", "example-secret", "example-token");
    let until = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? + Duration::from_secs(3600);
    stage.handle().with(|emulator| {
        emulator.configure(|config| config.with_temporary_key(id, secret, token, until));
    });

    let credentials = Credentials::new(id, secret)?.with_token(token)?;
    let config = Config::new().region("cn-hangzhou").credentials_provider(credentials);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    assert_eq!(stage.last()?.header("x-oss-security-token"), token);
    println!("uploaded with the temporary key {id}");
    Ok(())
}
