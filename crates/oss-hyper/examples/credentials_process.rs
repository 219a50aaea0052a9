//! A client with credentials that another program prints, such as the helper of a password manager.
//!
//! The program is started without a shell, has a minute, and prints one of the two forms that the vendor's
//! tools know.

mod stage;

use oss_hyper::{Config, Process};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;
    let printed = r#"{"mode":"AK","access_key_id":"test-id","access_key_secret":"test-secret"}"#;

    let helper = Process::new("printf").argument("%s").argument(printed);
    let config = Config::new().region("cn-hangzhou").credentials_provider(helper);
    assert!(!format!("{config:?}").contains("test-secret"));

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    assert!(stage.last()?.header("authorization").contains("Credential=test-id/"));
    println!("uploaded with the key that a program printed");
    Ok(())
}
