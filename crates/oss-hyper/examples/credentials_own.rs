//! A client with credentials of a source of one's own: a vault, a service of the company, a file.
//!
//! Answers `CredentialsProvider` of "Configure access credentials": its `CredentialProviderWarpper` around
//! another library, as its samples for RAM roles have it.

mod stage;

use core::sync::atomic::{AtomicU32, Ordering};
use std::io;

use oss_hyper::{Config, Credentials, CredentialsProvider};
use stage::{Outcome, Stage};

static ASKED: AtomicU32 = AtomicU32::new(0);

/// Stands for a question to a vault.
async fn ask_the_vault() -> io::Result<(String, String)> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    Ok((stage::ID.to_owned(), stage::SECRET.to_owned()))
}

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::up().await?;

    let provider = CredentialsProvider::from_fn(|| async {
        let (id, secret) = ask_the_vault().await?;
        // With `.with_expiration(…)` it is asked again before they end.
        Credentials::new(id, secret).map(Some).map_err(io::Error::other)
    });
    let config = Config::new().region("cn-hangzhou").credentials_provider(provider);

    let bucket = stage.over(config).bucket("examplebucket")?;
    for n in 0..10 {
        bucket.put(format!("{n}.txt"), "hello").await?;
    }

    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    println!("{} uploads, the vault was asked once", stage.seen().len());
    Ok(())
}
