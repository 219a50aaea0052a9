//! Every parameter of `Config`, by what a server sees of it.
#![cfg(all(feature = "rustls", feature = "v1"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;
#[path = "../examples/stage/mod.rs"]
mod stage;

use alloc::sync::Arc;
use core::future::pending;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

use common::{content, key, raw, read_request, write};
use oss_hyper::{
    Body, Bucket, Config, Credentials, CredentialsProvider, Error, ErrorKind, FailureKind, Integrity, Policy,
    Proxy, PutObject, Retryer, SignatureVersion, TlsVersion, Transport, Wait,
};
use stage::{BUCKET, CNAME, ID, ProtocolVersion, REGION, SECRET, Seen, Stage};
use tokio::io::{AsyncRead, ReadBuf};

fn config() -> Config {
    Config::new().region(REGION).credentials_provider(key())
}

fn bucket(stage: &Stage, config: Config) -> Bucket {
    stage.over(config).bucket(BUCKET).unwrap()
}

/// What the server sees of an upload.
async fn upload(stage: &Stage, config: Config) -> Seen {
    bucket(stage, config).put("a.txt", "hello").await.unwrap();
    stage.last().unwrap()
}

fn kind_of(error: &Error) -> FailureKind {
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    failure.kind
}

#[tokio::test]
async fn the_settings_of_the_endpoint_decide_on_scheme_host_and_path() {
    let stage = Stage::up().await.unwrap();
    let cname = config().endpoint(CNAME).use_cname(true);
    let cases = [
        (config(), "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a.txt"),
        (config().disable_ssl(true), "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/a.txt"),
        (
            config().endpoint("oss-accelerate.aliyuncs.com"),
            "https://examplebucket.oss-accelerate.aliyuncs.com/a.txt",
        ),
        (
            config().endpoint("oss-accelerate.aliyuncs.com").disable_ssl(true),
            "http://examplebucket.oss-accelerate.aliyuncs.com/a.txt",
        ),
        (
            config().endpoint("https://oss-cn-hangzhou.aliyuncs.com").disable_ssl(true),
            "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a.txt",
        ),
        (
            config().use_internal_endpoint(true),
            "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/a.txt",
        ),
        (config().use_dualstack_endpoint(true), "https://examplebucket.cn-hangzhou.oss.aliyuncs.com/a.txt"),
        (config().use_accelerate_endpoint(true), "https://examplebucket.oss-accelerate.aliyuncs.com/a.txt"),
        (
            config().use_accelerate_overseas_endpoint(true),
            "https://examplebucket.oss-accelerate-overseas.aliyuncs.com/a.txt",
        ),
        (config().endpoint("localhost").use_path_style(true), "https://localhost/examplebucket/a.txt"),
        (cname.clone(), "https://static.example.com/a.txt"),
        (cname.disable_ssl(true), "http://static.example.com/a.txt"),
    ];
    for (config, url) in cases {
        assert_eq!(upload(&stage, config).await.url(), url);
    }
}

#[tokio::test]
async fn the_region_is_what_v4_signs_and_v1_signs_none() {
    let stage = Stage::up().await.unwrap();
    let authorization = |seen: Seen| seen.header("authorization").to_owned();
    let v4 = authorization(upload(&stage, config()).await);
    assert!(v4.starts_with("OSS4-HMAC-SHA256 Credential=test-id/"), "{v4}");
    assert!(v4.contains("/cn-hangzhou/oss/aliyun_v4_request,"), "{v4}");
    let other = config().region("cn-beijing").endpoint("oss-cn-hangzhou.aliyuncs.com");
    let error = bucket(&stage, other).put("a.txt", "hello").await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(400), Some("InvalidArgument")), "{error}");
    let without = Config::new().endpoint("oss-cn-hangzhou.aliyuncs.com").credentials_provider(key());
    for config in [config(), without] {
        let config = config.signature_version(SignatureVersion::V1);
        let v1 = authorization(upload(&stage, config).await);
        assert!(v1.starts_with("OSS test-id:"), "{v1}");
    }
}

#[tokio::test]
async fn the_cloud_box_is_signed_in_place_of_the_region() {
    let host = "cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com";
    let emulator = oss_emulator_server::Config::new("cb-123").with_product("oss-cloudbox").with_domain(host);
    let emulator = emulator.with_access_key(ID, SECRET);
    let stage = Stage::with(emulator, &[host, &format!("*.{host}")]).await.unwrap();
    stage.handle().create_bucket(BUCKET);
    let config = config().endpoint(host);
    let told = config.clone().cloud_box_id("cb-123");
    let detected = config.clone().enable_auto_detect_cloud_box_id(true);
    for config in [told, detected] {
        let seen = upload(&stage, config).await;
        assert!(seen.header("authorization").contains("/cb-123/oss-cloudbox/aliyun_v4_request,"));
        assert_eq!(seen.url(), format!("https://examplebucket.{host}/a.txt"));
    }
    let error = bucket(&stage, config).put("a.txt", "hello").await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(400), Some("InvalidArgument")), "{error}");
}

#[tokio::test]
async fn the_credentials_are_those_of_the_provider() {
    let stage = Stage::up().await.unwrap();
    let seen = upload(&stage, config()).await;
    assert!(seen.header("authorization").contains("Credential=test-id/"));
    let own = CredentialsProvider::from_fn(|| async { Ok::<_, io::Error>(Some(key())) });
    let seen = upload(&stage, config().credentials_provider(own)).await;
    assert!(seen.header("authorization").contains("Credential=test-id/"));
    // Nobody signs nothing, and needs no region.
    let nobody = Config::new().endpoint("oss-cn-hangzhou.aliyuncs.com");
    let nobody = nobody.credentials_provider(Credentials::anonymous());
    let error = bucket(&stage, nobody).head("a.txt").await.unwrap_err();
    assert_eq!((error.status(), stage.last().unwrap().header("authorization")), (Some(403), ""));
}

#[tokio::test]
async fn additional_headers_and_the_user_agent_are_seen() {
    let stage = Stage::up().await.unwrap();
    let plain = upload(&stage, config()).await;
    assert!(!plain.header("authorization").contains("AdditionalHeaders"));
    let own = concat!("oss-hyper/", env!("CARGO_PKG_VERSION"));
    assert_eq!(plain.header("user-agent"), own);
    let config = config().additional_headers(["Content-Length", "host"]).user_agent("mytool/2.1 (linux)");
    let seen = upload(&stage, config).await;
    assert!(seen.header("authorization").contains(",AdditionalHeaders=content-length;host,"), "{seen:?}");
    assert_eq!(seen.header("user-agent"), format!("{own} mytool/2.1 (linux)"));
}

#[tokio::test]
async fn the_retryer_and_its_number_are_used() {
    let stage = Stage::up().await.unwrap();
    let quick = Policy::new().with_base_delay(Duration::from_millis(1));
    let rule = Retryer::from_fn(6, |_| Some(Duration::from_millis(1)));
    let cases = [
        (config().retryer(quick), 3),
        (config().retryer(quick.with_max_attempts(5)), 5),
        (config().retryer(quick).retry_max_attempts(4), 4),
        (config().retry_max_attempts(2).retryer(quick), 2),
        (config().retryer(quick).retry_max_attempts(0), 1),
        (config().retryer(Policy::none()), 1),
        (config().retryer(rule.clone()), 6),
        (config().retryer(rule).retry_max_attempts(2), 2),
    ];
    for (config, attempts) in cases {
        // One more than there may be: the last one is left over.
        stage.fail(attempts);
        let error = bucket(&stage, config).head("a.txt").await.unwrap_err();
        assert_eq!((error.attempts().len(), stage.seen().len()), (attempts, attempts), "{error}");
    }
    let fixed = Policy::new().with_fixed_delay(Duration::from_millis(300));
    stage.fail(1);
    let began = Instant::now();
    upload(&stage, config().retryer(fixed)).await;
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn each_time_limit_is_used() {
    let stage = Stage::up().await.unwrap();
    let short = Duration::from_millis(50);
    let once = || config().retry_max_attempts(1);
    let began = Instant::now();

    stage.stall(Duration::from_secs(30));
    let error = bucket(&stage, once().readwrite_timeout(short)).head("a.txt").await.unwrap_err();
    assert_eq!(kind_of(&error), FailureKind::Timeout, "{error}");

    stage.stall(Duration::from_secs(30));
    let error = bucket(&stage, once().operation_timeout(short)).head("a.txt").await.unwrap_err();
    let ErrorKind::Deadline(deadline) = error.kind() else { panic!("{error:?}") };
    assert_eq!(deadline.wait, Wait::Answer);

    let nowhere = once().connect_timeout(short).resolver(|_| pending());
    let error = nowhere.bucket(BUCKET).unwrap().head("a.txt").await.unwrap_err();
    assert_eq!(error.attempts().len(), 1);
    assert!(
        matches!(kind_of(&error), FailureKind::Connect | FailureKind::Timeout | FailureKind::Dns),
        "{error}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_redirect_is_followed_when_it_is_said() {
    let stage = Stage::up().await.unwrap();
    let place = "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/a.txt";
    upload(&stage, config()).await;
    for (config, is_followed) in [
        (config(), false),
        (config().enabled_redirect(true), true),
        (config().enabled_redirect(false), false),
    ] {
        stage.redirect(place);
        let result = bucket(&stage, config).head("a.txt").await;
        assert_eq!(result.is_ok(), is_followed);
        assert_eq!(stage.last().unwrap().url() == place, is_followed);
    }
}

#[tokio::test]
async fn what_is_said_of_versions_decides_on_repetitions() {
    for (config, requests) in
        [(config(), 2), (config().buckets_versioned(true), 1), (config().buckets_versioned(false), 2)]
    {
        let seen = Arc::new(Mutex::new(0));
        let count = Arc::clone(&seen);
        let address = raw(move |_, mut stream| {
            let count = Arc::clone(&count);
            async move {
                // The answer is lost.
                let _request = read_request(&mut stream).await;
                *count.lock().unwrap() += 1;
            }
        })
        .await;
        let bucket = config.endpoint(format!("http://{address}")).retry_max_attempts(2);
        let bucket = bucket.bucket(BUCKET).unwrap();
        bucket.put("a.txt", "hello").await.unwrap_err();
        assert_eq!(*seen.lock().unwrap(), requests);
    }
    let stage = Stage::up().await.unwrap();
    let bucket = bucket(&stage, config().buckets_versioned(true));
    let error = bucket.send(PutObject::to("a.txt", "hello").forbid_overwrite(true)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
}

#[tokio::test]
async fn a_conditional_write_carries_a_number_when_it_is_said() {
    let stage = Stage::up().await.unwrap();
    for (key, config, is_marked) in [
        ("a", config(), false),
        ("b", config().write_nonce(true), true),
        ("c", config().write_nonce(false), false),
    ] {
        let put = PutObject::to(key, "hello").forbid_overwrite(true);
        bucket(&stage, config).send(put).await.unwrap();
        assert_eq!(
            stage.last().unwrap().header("x-oss-meta-write-nonce").len(),
            if is_marked { 16 } else { 0 }
        );
    }
}

#[tokio::test]
async fn each_checksum_can_be_left_out() {
    const WRONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-oss-hash-crc64ecma: 7\r\n\r\nhello";
    let address = raw(|_, mut stream| async move {
        while !read_request(&mut stream).await.0.is_empty() {
            write(&mut stream, WRONG).await;
        }
    })
    .await;
    let config = || config().endpoint(format!("http://{address}")).retry_max_attempts(1);
    let cases = [
        (config(), true, true),
        (config().enable_crc(true), true, true),
        (config().enable_crc(false), false, false),
        (config().disable_upload_crc64_check(true), false, true),
        (config().disable_download_crc64_check(true), true, false),
        (config().enable_crc(false).disable_upload_crc64_check(false), true, false),
    ];
    for (config, checks_upload, checks_download) in cases {
        let bucket = config.bucket(BUCKET).unwrap();
        let is_corrupt = |error: &Error| matches!(error.kind(), ErrorKind::Corrupt(_));
        let put = bucket.put("a.txt", content(100)).await.map_err(|error| is_corrupt(&error));
        assert_eq!(put.err(), checks_upload.then_some(true));
        let mut object = bucket.get("a.txt").await.unwrap();
        let read = async {
            while object.chunk().await?.is_some() {}
            Ok(object.verified().cloned())
        };
        match read.await {
            Ok(verified) => {
                assert_eq!((verified.unwrap().integrity, checks_download), (Integrity::Length, false));
            }
            Err(error) => assert_eq!((is_corrupt(&error), checks_download), (true, true)),
        }
    }
}

#[tokio::test]
async fn the_number_of_connections_and_their_age_are_bounded() {
    let stage = Stage::up().await.unwrap();
    let few = bucket(&stage, config().max_connections(2));
    let calls = (0..50).map(|n| {
        let bucket = few.clone();
        tokio::spawn(async move { bucket.put(format!("{n}"), "hello").await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!((stage.seen().len(), stage.connections()), (50, 2));

    let kept = bucket(&stage, config());
    let aged = bucket(&stage, config().idle_connection_timeout(Duration::ZERO));
    for (bucket, more) in [(kept, 1), (aged, 3)] {
        let before = stage.connections();
        for _ in 0..3 {
            bucket.put("a.txt", "hello").await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stage.connections() - before, more);
    }
}

#[tokio::test]
async fn the_settings_of_tls_are_used() {
    let stage = Stage::up().await.unwrap();
    for (config, version) in [
        (config(), ProtocolVersion::TLSv1_3),
        (config().tls_version(TlsVersion::Tls12), ProtocolVersion::TLSv1_2),
        (config().tls_min_version(TlsVersion::Tls13), ProtocolVersion::TLSv1_3),
    ] {
        assert_eq!(upload(&stage, config).await.tls, Some(version));
    }
    // `over` trusts the stage; without it only the option helps.
    let stranger = config().resolver(stage.resolver());
    let put = |config: Config| async move { config.bucket(BUCKET).unwrap().put("a.txt", "hello").await };
    assert_eq!(kind_of(&put(stranger.clone()).await.unwrap_err()), FailureKind::Tls);
    let off = stranger.clone().insecure_skip_verify(false);
    assert_eq!(kind_of(&put(off).await.unwrap_err()), FailureKind::Tls);
    put(stranger.clone().insecure_skip_verify(true)).await.unwrap();
    put(stranger.root_certificates(stage.ca_pem())).await.unwrap();
}

#[tokio::test]
async fn each_way_to_name_a_proxy_leads_through_it() {
    let stage = Stage::up().await.unwrap();
    let proxy = stage.proxy().await.unwrap();
    let url = format!("http://user:password@{}", proxy.host());
    let all = Proxy::all(&url).unwrap();
    for (config, tunnels) in [
        (config().proxy_host(&url), 1),
        (config().proxy(all.clone()), 2),
        (config().proxy(all.except("aliyuncs.com")), 2),
        (config().proxy(Proxy::none().https(&url).unwrap()), 3),
        (config().proxy(Proxy::none().http(&url).unwrap()), 3),
    ] {
        upload(&stage, config).await;
        assert_eq!(proxy.tunnels(), tunnels);
    }
}

#[tokio::test]
async fn the_address_and_the_resolver_are_used() {
    let stage = Stage::up().await.unwrap();
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    assert_eq!(upload(&stage, config().bind_address(address)).await.client.ip(), address);

    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (names, at) = (Arc::clone(&asked), stage.address());
    let config = config().root_certificates(stage.ca_pem()).resolver(move |host| {
        names.lock().unwrap().push(host);
        async move { Ok(vec![SocketAddr::new(at.ip(), at.port())]) }
    });
    config.bucket(BUCKET).unwrap().put("a.txt", "hello").await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["examplebucket.oss-cn-hangzhou.aliyuncs.com"]);
}

#[tokio::test]
async fn each_bandwidth_is_limited_in_kibibytes_a_second() {
    let stage = Stage::up().await.unwrap();
    let bytes = content(256 << 10);
    for (config, is_up, is_down) in [
        (config(), false, false),
        (config().upload_bandwidth_limit(128), true, false),
        (config().download_bandwidth_limit(128), false, true),
    ] {
        let bucket = bucket(&stage, config);
        // 2 s by the limit; what may be ahead of it is a quarter of that.
        let (least, began) = (Duration::from_millis(1200), Instant::now());
        bucket.put("a.bin", bytes.clone()).await.unwrap();
        let (up, began) = (began.elapsed(), Instant::now());
        assert_eq!(bucket.get("a.bin").await.unwrap().bytes().await.unwrap(), bytes);
        let down = began.elapsed();
        assert_eq!((up >= least, down >= least), (is_up, is_down), "{up:?} {down:?}");
        assert!(up.max(down) < Duration::from_secs(20), "{up:?} {down:?}");
    }
}

/// Remembers the most that it was asked for at once.
struct Source(Arc<Mutex<usize>>);

impl AsyncRead for Source {
    fn poll_read(
        self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> core::task::Poll<io::Result<()>> {
        let mut most = self.0.lock().unwrap();
        *most = buffer.remaining().max(*most);
        let room = buffer.remaining();
        buffer.put_slice(&vec![7; room]);
        core::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_body_is_read_in_blocks() {
    let stage = Stage::up().await.unwrap();
    for (config, bytes) in [(config(), 64 << 10), (config().block_size(16 << 10), 16 << 10)] {
        let most = Arc::new(Mutex::new(0));
        let source = tokio::io::AsyncReadExt::take(Source(Arc::clone(&most)), 300_000);
        bucket(&stage, config).put("a.bin", Body::reader(300_000, source)).await.unwrap();
        assert_eq!(*most.lock().unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_transport_is_shared_by_clients() {
    let stage = Stage::up().await.unwrap();
    let transport = stage.transport_over(Transport::builder()).build().unwrap();
    for _ in 0..3 {
        let bucket = config().transport(transport.clone()).bucket(BUCKET).unwrap();
        bucket.put("a.txt", "hello").await.unwrap();
    }
    assert_eq!((stage.seen().len(), stage.connections()), (3, 1));
}

/// Runs in a process of its own, whose environment is its own.
#[tokio::test]
async fn the_environment_names_region_endpoint_credentials_and_proxy() {
    const CA: &str = "CONFIG_TEST_CA";
    if let Ok(ca) = std::env::var(CA) {
        let config = Config::from_env().root_certificates(ca).proxy_from_environment(true);
        config.bucket(BUCKET).unwrap().put("a.txt", "hello").await.unwrap();
        return;
    }
    let stage = Stage::up().await.unwrap();
    let proxy = stage.proxy().await.unwrap();
    let run = |endpoint: &str| {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "the_environment_names_region_endpoint_credentials_and_proxy"]).env_clear();
        child.env(CA, stage.ca_pem()).env("OSS_REGION", REGION).env("OSS_ENDPOINT", endpoint);
        child.env("OSS_ACCESS_KEY_ID", ID).env("OSS_ACCESS_KEY_SECRET", SECRET);
        child.env("https_proxy", format!("http://user:password@{}", proxy.host()));
        child.output()
    };
    let internal = "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/a.txt";
    for (endpoint, url) in [
        ("", "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a.txt"),
        ("oss-cn-hangzhou-internal.aliyuncs.com", internal),
    ] {
        let output = run(endpoint).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(stage.last().unwrap().url(), url);
    }
    assert_eq!(proxy.tunnels(), 2);
}
