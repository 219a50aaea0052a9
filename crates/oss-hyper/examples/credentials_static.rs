//! A client with a key that the program has from elsewhere: not one to write into the program.
//!
//! Answers "Embed access credentials in code" of "Configure the AccessKey pair of a RAM user" in "Configure
//! access credentials" (`oss2.Auth`).

mod stage;

use oss_hyper::{Config, Credentials};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;
    let (id, secret) = (stage::ID, stage::SECRET);

    let credentials = Credentials::new(id, secret)?;
    let config = Config::new().region("cn-hangzhou").credentials_provider(credentials);
    assert!(!format!("{config:?}").contains(secret));

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.last()?;
    assert!(seen.header("authorization").contains(&format!("Credential={id}/")));
    println!("uploaded with the key {id}");
    Ok(())
}
