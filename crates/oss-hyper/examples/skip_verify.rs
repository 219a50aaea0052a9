//! A client that takes any certificate: for tests only. One's own are trusted by `root_certificates`.
//!
//! Answers the row `insecure_skip_verify` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);
    // Without the stage's certificate authority: nobody knows who signed what it shows.
    let strict = config.clone().resolver(stage.resolver());
    let lax = strict.clone().insecure_skip_verify(true);
    let trusting = strict.clone().root_certificates(stage.ca_pem());

    let refused = strict.bucket("examplebucket")?.put("example.txt", "hello").await;
    let error = refused.err().ok_or("an unknown issuer was trusted")?;
    for config in [lax, trusting] {
        config.bucket("examplebucket")?.put("example.txt", "hello").await?;
    }

    assert_eq!(stage.seen().len(), 2);
    println!("uploaded with the option and with the root; without either: {error}");
    Ok(())
}
