//! Clients that share their connections, whoever they are.
//!
//! Answers `session` of "Parameters supported by the oss2.Bucket class" ("the session is reused"), and of
//! the `kwargs` of an HTTP client.

mod stage;

use oss_hyper::{Config, Environment, Transport};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let session = stage.transport_over(Transport::builder()).build()?;

    for name in ["examplebucket", "otherbucket"] {
        stage.handle().create_bucket(name);
        // Any number of configurations, with settings and credentials of their own.
        let config = Config::new()
            .region("cn-hangzhou")
            .endpoint("http://localhost")
            .use_path_style(true)
            .credentials_provider(Environment)
            .transport(session.clone());
        config.bucket(name)?.put("example.txt", "hello").await?;
    }

    let seen = stage.seen();
    assert_eq!((seen.len(), stage.connections()), (2, 1));
    println!("{} uploads over {} connection", seen.len(), stage.connections());
    Ok(())
}
