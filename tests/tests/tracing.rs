//! What a program that listens to `tracing` hears of the hyper client.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

mod lines;

use lines::Lines;
use oss_emulator_server::{Config as EmulatorConfig, Server};
use oss_hyper::{Config, Credentials, PutBucketVersioning, PutObject, VersioningStatus};

#[test]
fn calls_attempts_and_warnings_are_heard_and_no_secret() {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(calls());
    });
    let heard = lines.text();
    let expected = [
        "WARN oss_hyper message=region `cn-shenzhen-finance-1`",
        "INFO oss_hyper oss_call operation=\"PutObject\"",
        "DEBUG oss_hyper message=answered method=PUT host=\"127.0.0.1:",
        "INFO oss_hyper oss_call operation=\"GetObject\"",
        "DEBUG oss_hyper message=answered method=GET host=\"127.0.0.1:",
        "INFO oss_hyper oss_call operation=\"PutBucketVersioning\"",
        "DEBUG oss_hyper message=answered method=PUT host=\"127.0.0.1:",
        "INFO oss_hyper oss_call operation=\"PutObject\"",
        "WARN oss_hyper message=`forbid_overwrite` had no effect: the bucket keeps versions method=PUT",
        "DEBUG oss_hyper message=answered method=PUT host=\"127.0.0.1:",
        "INFO oss_hyper oss_call operation=\"HeadObject\"",
        "DEBUG oss_hyper message=failed method=HEAD host=\"127.0.0.1:1\" failure=",
    ];
    let begins = |(line, expected): (&str, &&str)| line.starts_with(expected);
    assert!(heard.lines().zip(&expected).all(begins), "{heard}");
    assert_eq!(heard.lines().count(), expected.len(), "{heard}");
    for secret in ["my-secret", "Signature", "my-token", "private/key"] {
        assert!(!heard.contains(secret), "{heard}");
    }
}

async fn calls() {
    let config = EmulatorConfig::new("cn-hangzhou").with_access_key("id", "my-secret");
    let server = Server::start(config).await.unwrap();
    server.handle().create_bucket("examplebucket");
    let config = || Config::new().credentials_provider(Credentials::new("id", "my-secret").unwrap());
    let open = config().region("cn-shenzhen-finance-1").use_internal_endpoint(true);
    open.client().unwrap();
    let bucket = config().region("cn-hangzhou").endpoint(server.endpoint()).bucket("examplebucket").unwrap();
    bucket.put("private/key", "hello").await.unwrap();
    bucket.get("private/key").await.unwrap().text().await.unwrap();
    let versions = PutBucketVersioning::new("examplebucket", VersioningStatus::Enabled);
    bucket.send(versions).await.unwrap();
    bucket.send(PutObject::to("private/key", "hello").forbid_overwrite(true)).await.unwrap();
    let nobody = config().region("cn-hangzhou").endpoint("http://127.0.0.1:1").retry_max_attempts(1);
    nobody.bucket("examplebucket").unwrap().head("private/key").await.unwrap_err();
}
