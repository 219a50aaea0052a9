//! A client with the key of its environment, long-term or temporary: the way to keep keys out of programs.
//!
//! Answers "Prerequisites" of "Configure an OSSClient instance" and of "Initialization", and "Environment
//! variables" of "Configure access credentials", with and without a security token.
//!
//! ```sh
//! export OSS_ACCESS_KEY_ID=…
//! export OSS_ACCESS_KEY_SECRET=…
//! export OSS_SESSION_TOKEN=…   # with temporary credentials only
//! ```

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    // Read when they are needed, not now. `Config::from_env()` reads OSS_REGION and OSS_ENDPOINT as well.
    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);

    let bucket = stage.over(config).bucket("examplebucket")?;
    bucket.put("example.txt", "hello").await?;

    let seen = stage.last()?;
    let is_temporary = !seen.header("x-oss-security-token").is_empty();
    assert_eq!(is_temporary, std::env::var_os("OSS_SESSION_TOKEN").is_some());
    println!("uploaded with a {} key", if is_temporary { "temporary" } else { "long-term" });
    Ok(())
}
