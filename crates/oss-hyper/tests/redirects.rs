//! Redirects over real sockets: to the bucket's own endpoint and signed anew, or not at all.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;
#[path = "../examples/stage/mod.rs"]
mod stage;

use alloc::sync::Arc;
use core::time::Duration;
use std::sync::Mutex;

use common::{content, service};
use oss_emulator_server::Config as EmulatorConfig;
use oss_hyper::oss_proto::{Redirects, Unfollowed};
use oss_hyper::{Bucket, Client, Credentials, Error, ErrorKind, Outcome, Transport};
use stage::{BUCKET, Stage};

const TOKEN: &str = "example-token";
/// The year 9999.
const FAR: Duration = Duration::from_secs(253_402_300_799);
const BEIJING: &str = "oss-cn-beijing.aliyuncs.com";
const HERE: &str = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/key";

/// A stage whose bucket is in Hangzhou, and which answers for Beijing too; with the hosts that are looked up.
struct Scene {
    stage: Stage,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    async fn new() -> Self {
        let config = EmulatorConfig::new("cn-hangzhou")
            .with_temporary_key("STS.id", "sts-secret", TOKEN, FAR)
            .with_domain(BEIJING);
        let stage = Stage::with(config, &[BEIJING, &format!("*.{BEIJING}")]).await.unwrap();
        stage.handle().create_bucket(BUCKET);
        let scene = Self { stage, hosts: Arc::default() };
        let bucket = scene.bucket("https://oss-cn-hangzhou.aliyuncs.com", Redirects::Never);
        bucket.put("key", content(300_000)).await.unwrap();
        let _before = (scene.stage.seen(), scene.hosts());
        scene
    }

    /// The bucket by way of this endpoint, with temporary credentials.
    fn bucket(&self, endpoint: &str, redirects: Redirects) -> Bucket {
        let (address, hosts) = (self.stage.address(), Arc::clone(&self.hosts));
        let transport = Transport::builder().root_certificates(self.stage.ca_pem()).resolver(move |host| {
            hosts.lock().unwrap().push(host);
            core::future::ready(Ok(vec![address]))
        });
        let credentials = Credentials::new("STS.id", "sts-secret").unwrap().with_token(TOKEN).unwrap();
        let service = service(endpoint).with(|settings| settings.redirects = redirects);
        let client = Client::new(service, credentials).with_transport(transport.build().unwrap());
        client.bucket(BUCKET).unwrap()
    }

    /// The hosts that a connection was made for since the last time, in order.
    fn hosts(&self) -> Vec<String> {
        core::mem::take(&mut self.hosts.lock().unwrap())
    }

    /// `url, signed for the region` of the requests since the last time.
    fn seen(&self) -> Vec<String> {
        let seen = self.stage.seen().into_iter().map(|seen| {
            assert_eq!(seen.header("x-oss-security-token"), TOKEN);
            let scope = seen.header("authorization").split('/').nth(2).unwrap_or_default().to_owned();
            format!("{}, {scope}", seen.url())
        });
        seen.collect()
    }
}

fn unfollowed(error: &Error) -> Unfollowed {
    let ErrorKind::Moved(to) = error.kind() else { panic!("{error:?}") };
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::Rejected, false), "{error}");
    to.unfollowed
}

#[tokio::test]
async fn f47_a_read_goes_on_where_the_bucket_is_and_is_signed_for_that_place() {
    let scene = Scene::new().await;
    let bucket = scene.bucket(&format!("https://{BEIJING}"), Redirects::SameService);
    for _ in 0..2 {
        scene.stage.redirect(HERE);
        let bytes = bucket.get("key").await.unwrap().bytes().await.unwrap();
        assert!(bytes == content(300_000));
        let there = format!("https://examplebucket.{BEIJING}/key, cn-hangzhou");
        assert_eq!(scene.seen(), [there, format!("{HERE}, cn-hangzhou")]);
    }
    let asked = ["examplebucket.oss-cn-beijing.aliyuncs.com", "examplebucket.oss-cn-hangzhou.aliyuncs.com"];
    // One connection for each host, and both are kept.
    assert_eq!(scene.hosts(), asked);

    // One hop, and no circle.
    for (second, why) in [
        ("https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/key", Unfollowed::Again),
        (HERE, Unfollowed::Again),
    ] {
        scene.stage.redirect(HERE);
        scene.stage.redirect(second);
        let error = bucket.head("key").await.unwrap_err();
        assert_eq!((unfollowed(&error), scene.seen().len()), (why, 2), "{error}");
    }
    scene.stage.redirect("https://examplebucket.oss-cn-beijing.aliyuncs.com/key");
    let error = bucket.head("key").await.unwrap_err();
    assert_eq!((unfollowed(&error), scene.seen().len()), (Unfollowed::Loop, 1), "{error}");

    // A write is not followed: whoever names another place would choose who receives its data.
    scene.stage.redirect(HERE);
    let error = bucket.put("key", "changed").await.unwrap_err();
    assert_eq!((unfollowed(&error), scene.seen().len()), (Unfollowed::NotARead, 1), "{error}");
    let held = scene.stage.handle().with(|emulator| emulator.object(BUCKET, "key").map(|o| o.size()));
    assert_eq!(held, Some(300_000));
    assert_eq!(scene.hosts(), Vec::<String>::new(), "nothing went to a third host");
}

#[tokio::test]
async fn f46_f48_f49_r12_nothing_of_ours_leaves_the_service() {
    let scene = Scene::new().await;
    let places = [
        ("https://evil.example/key", Unfollowed::Foreign),
        ("https://examplebucket.oss-cn-hangzhou.aliyuncs.com.evil.example/key", Unfollowed::Foreign),
        ("http://examplebucket.oss-cn-beijing.aliyuncs.com/key", Unfollowed::Downgrade),
        ("http://examplebucket.oss-cn-hangzhou.aliyuncs.com/key", Unfollowed::Downgrade),
        ("https://user:pass@examplebucket.oss-cn-hangzhou.aliyuncs.com/key", Unfollowed::UserInfo),
        ("https://examplebucket.oss-cn-hangzhou.aliyuncs.com:8443/key", Unfollowed::Port),
        ("https://other.oss-cn-hangzhou.aliyuncs.com/key", Unfollowed::Foreign),
        ("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/other", Unfollowed::Resource),
        ("//evil.example/key", Unfollowed::NotAbsolute),
        ("/key", Unfollowed::NotAbsolute),
        ("", Unfollowed::Nowhere),
    ];
    for (place, why) in places {
        for (redirects, why) in [(Redirects::SameService, why), (Redirects::Never, Unfollowed::Disabled)] {
            let bucket = scene.bucket(&format!("https://{BEIJING}"), redirects);
            scene.stage.redirect(place);
            let error = bucket.get("key").await.unwrap_err();
            assert_eq!(unfollowed(&error), why, "{place}: {error}");
            assert_eq!(error.attempts().len(), 1, "{place}");
            assert_eq!(scene.seen().len(), 1, "{place}");
            assert_eq!(scene.hosts(), ["examplebucket.oss-cn-beijing.aliyuncs.com"], "{place}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("pass") && !shown.contains(TOKEN), "{shown}");
        }
    }
}
