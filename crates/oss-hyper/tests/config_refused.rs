//! What `Config` is without a word, what it refuses before anything is sent, and what it never shows.
#![cfg(feature = "v1")]
#![allow(clippy::unwrap_used, reason = "a test that fails stops")]

use core::time::Duration;

use oss_hyper::{
    Addressing, Client, Config, Credentials, CredentialsProvider, Environment, FinanceNetwork, ListBuckets,
    Policy, Redirects, Retryer, SignatureVersion, Strategy, Transport,
};

fn key() -> Credentials {
    Credentials::new("an-id", "hidden-secret").unwrap()
}

fn config() -> Config {
    Config::new().region("cn-hangzhou").credentials_provider(key())
}

fn refusal(config: Config) -> String {
    let Err(error) = config.client() else { return String::from("nothing is wrong") };
    assert!(error.attempts().is_empty());
    let line = error.to_string();
    line.strip_prefix("cannot send a request: ").map(String::from).unwrap_or(line)
}

/// Document "Configure an OSSClient instance", table "OSSClient configuration parameters".
#[test]
fn the_defaults_are_those_of_the_documents() {
    let client = config().client().unwrap();
    let service = client.service();
    assert_eq!(service.endpoint.to_string(), "https://oss-cn-hangzhou.aliyuncs.com");
    assert_eq!(service.endpoint.addressing(), Addressing::VirtualHosted);
    assert_eq!(service.region.as_ref().unwrap().as_str(), "cn-hangzhou");
    assert_eq!((service.signature, &*service.product), (SignatureVersion::V4, "oss"));
    let retry = &service.retry;
    assert_eq!((retry.max_attempts, retry.strategy), (3, Strategy::FullJitter));
    let waits = (Duration::from_millis(200), Duration::from_secs(20));
    assert_eq!((retry.base_delay, retry.max_backoff), waits);
    assert_eq!((service.timeouts.idle, service.timeouts.operation), (Duration::from_secs(20), None));
    assert_eq!(service.redirects, Redirects::Never);
    assert!(service.checks_upload_crc64 && service.checks_download_crc64);
    assert_eq!(service.additional_headers, [""; 0]);
    assert_eq!(service.user_agent, concat!("oss-hyper/", env!("CARGO_PKG_VERSION")));
    assert!(service.cloud_box.is_none() && service.bucket.is_none());
    assert_eq!(config().warnings().unwrap(), []);
    // Connections have the settings of a transport without settings, which are these.
    let transport = format!("{:?}", Transport::builder());
    for default in [
        "connect_timeout: 10s,",
        "max_connections: 20,",
        "idle_connection_timeout: 50s,",
        "block_bytes: 65536,",
        "upload_bytes_per_sec: 0,",
        "download_bytes_per_sec: 0,",
        "Proxy { http: None, https: None,",
        "local: None,",
        "tls_versions: From(Tls12),",
        "is_unverified: false,",
        "has_resolver: false,",
        "has_connector: false,",
    ] {
        assert!(transport.contains(default), "{default} is not in {transport}");
    }
}

#[test]
fn what_is_missing_is_named_with_what_to_set() {
    let no_endpoint = "endpoint: no endpoint: set `region`, as in `cn-hangzhou`, or set `endpoint`";
    let no_region = "region: is not set; set the region of the bucket, such as `cn-hangzhou`: signature V4 \
                     needs it, whatever the endpoint";
    let no_provider = "credentials_provider: is not set; set it, for example to `Environment`, or to \
                       `Credentials::anonymous()` for public objects";
    let nothing = Config::new().credentials_provider(key());
    let endpoint = || nothing.clone().endpoint("oss-cn-hangzhou.aliyuncs.com");
    let cases = [
        (nothing.clone(), no_endpoint),
        (endpoint(), no_region),
        (endpoint().region(""), no_region),
        (Config::new().endpoint("oss-cn-hangzhou.aliyuncs.com").credentials_provider(Environment), no_region),
        (Config::new().region("cn-hangzhou"), no_provider),
        (Config::new(), no_endpoint),
    ];
    for (config, text) in cases {
        assert_eq!(refusal(config), text);
    }
    let own = CredentialsProvider::from_fn(|| async { Ok::<_, std::io::Error>(None) });
    for config in [
        endpoint().signature_version(SignatureVersion::V1),
        endpoint().credentials_provider(Credentials::anonymous()),
        // Nobody knows yet whether it gives anybody's.
        endpoint().credentials_provider(own),
        endpoint().cloud_box_id("cb-123"),
    ] {
        assert_eq!(refusal(config), "nothing is wrong");
    }
}

#[test]
fn settings_that_exclude_each_other_are_named_both() {
    let transport = Transport::new;
    let cases = [
        (
            config().use_internal_endpoint(true).use_accelerate_endpoint(true),
            "endpoint: `use_internal_endpoint` and `use_accelerate_endpoint` exclude each other: unset \
             one of them",
        ),
        (
            config().use_dualstack_endpoint(true).use_internal_endpoint(true),
            "endpoint: `use_internal_endpoint` and `use_dualstack_endpoint` exclude each other: unset one \
             of them",
        ),
        (
            config().use_accelerate_endpoint(true).use_accelerate_overseas_endpoint(true),
            "endpoint: `use_accelerate_endpoint` and `use_accelerate_overseas_endpoint` exclude each \
             other: unset one of them",
        ),
        (
            config().use_cname(true).use_path_style(true),
            "endpoint: `use_cname` and `use_path_style` exclude each other: unset one of them",
        ),
        (
            config().endpoint("static.example.com").use_cname(true).use_path_style(true),
            "endpoint: `use_cname` and `use_path_style` exclude each other: unset one of them",
        ),
        (
            config().cloud_box_id("cb-123"),
            "endpoint: cloud box `cb-123` has hosts of its own: set `endpoint`, as in \
             `cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com`",
        ),
        (
            config().transport(transport()).max_connections(5),
            "max_connections: has no effect beside a `transport` of your own; set it on that one's builder",
        ),
        (
            config().proxy_host("http://proxy.example").transport(transport()),
            "proxy_host: has no effect beside a `transport` of your own; set it on that one's builder",
        ),
        (
            config().transport(transport()).connect_timeout(Duration::from_secs(1)),
            "connect_timeout: has no effect beside a `transport` of your own; set it on that one's builder",
        ),
    ];
    for (config, text) in cases {
        assert_eq!(refusal(config), text);
    }
    // An endpoint wins over the kinds, so there is no question which.
    let explicit = config().endpoint("oss.example").use_internal_endpoint(true).use_accelerate_endpoint(true);
    assert_eq!(refusal(explicit), "nothing is wrong");
    assert_eq!(
        refusal(config().transport(transport()).readwrite_timeout(Duration::ZERO)),
        "nothing is wrong"
    );
}

#[test]
fn a_text_that_is_none_is_shown_with_what_it_should_be() {
    let cases = [
        (
            config().region("cn hangzhou"),
            "region: invalid region \"cn hangzhou\": use only a-z, 0-9 and `-`, as in `cn-hangzhou`",
        ),
        (
            config().endpoint("ftp://oss.example"),
            "endpoint: invalid endpoint \"ftp://oss.example\": start it with `https://` or `http://`",
        ),
        (
            config().endpoint("https://oss.example/path?hidden-query"),
            "endpoint: invalid endpoint \"https://oss.example/path?…\": remove what follows the host and \
             the port",
        ),
        (
            config().endpoint("https://user:hidden-password@oss.example"),
            "endpoint: invalid endpoint \"***@oss.example\": remove the user and the password before `@`",
        ),
        (
            config().endpoint("oss.example").cloud_box_id("a box"),
            "cloud_box_id: invalid cloud box id \"a box\": start it with `cb-`, as in `cb-123`",
        ),
        (
            config().proxy_host("socks5://user:hidden-password@proxy.example"),
            "proxy_host: `socks5` proxies are not supported; use one of http:// or https://",
        ),
        (
            config().proxy_host("http://user:hidden-password@"),
            "proxy_host: `http://***@` names no proxy; write http://host:port, with `@`, `/` and `#` in a \
             user or password percent-encoded",
        ),
        (
            config().region("us-west-1").use_dualstack_endpoint(true),
            "endpoint: region `us-west-1` has no dual-stack host, as of 2026-11-21: choose a kind of host \
             that it has, or set `endpoint`",
        ),
    ];
    for (config, text) in cases {
        assert_eq!(refusal(config), text);
    }
    let error = config().bucket("No_Bucket").unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot send a request: bucket: invalid bucket name \"No_Bucket\": use only a-z, 0-9 and `-`"
    );
}

#[cfg(feature = "rustls")]
#[test]
fn a_certificate_that_is_none_is_named() {
    for (config, text) in [
        (config().root_certificates("nonsense"), "root_certificates: a root certificate cannot be read: "),
        (
            config().client_certificate("nonsense", "hidden-key"),
            "client_certificate: the private key cannot be read; ",
        ),
    ] {
        let said = refusal(config);
        assert!(said.starts_with(text), "{said}");
    }
}

#[test]
fn the_catalogue_is_a_default_that_can_be_overruled() {
    let host = |config: Config| config.service().unwrap().endpoint.to_string();
    let west = config().region("us-west-1").use_dualstack_endpoint(true).allow_unlisted_host(true);
    assert_eq!(host(west), "https://us-west-1.oss.aliyuncs.com");
    let finance = config().region("cn-hangzhou-finance").use_internal_endpoint(true);
    assert_eq!(host(finance.clone()), "https://oss-cn-hzjbp-a-internal.aliyuncs.com");
    let warnings = finance.warnings().unwrap();
    assert!(warnings[0].to_string().contains("oss-cn-hzfinance-internal.aliyuncs.com"), "{warnings:?}");
    let chosen = finance.finance_network(FinanceNetwork::Public);
    assert_eq!(host(chosen.clone()), "https://oss-cn-hzfinance-internal.aliyuncs.com");
    assert_eq!(chosen.warnings().unwrap(), []);
    // A region that nobody knew of when the catalogue was written.
    assert_eq!(host(config().region("xx-new-9")), "https://oss-xx-new-9.aliyuncs.com");
}

#[tokio::test]
async fn the_domain_of_a_bucket_takes_no_call_to_the_service() {
    let config = config().endpoint("https://static.example.com").use_cname(true);
    let error = config.client().unwrap().send(ListBuckets::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot send ListBuckets: endpoint: is a domain bound to one bucket (`use_cname`), and this \
         operation \
         is not about a bucket; send it to the endpoint of a region"
    );
    assert!(error.attempts().is_empty());
}

#[test]
fn nothing_shows_a_secret() {
    let token = key().with_token("hidden-token").unwrap();
    let config = config()
        .credentials_provider(token)
        .endpoint("https://user:hidden-password@oss.example?hidden-query")
        .proxy_host("http://user:hidden-password@proxy.example")
        .client_certificate("hidden-chain", "hidden-key")
        .retryer(Retryer::from(Policy::none()));
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("cn-hangzhou") && !shown.contains("hidden"), "{shown}");
    let error = config.client().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
    let proxied = Config::new().region("cn-hangzhou").credentials_provider(key());
    let client: Client = proxied.proxy_host("http://user:hidden-password@proxy.example").client().unwrap();
    let shown = format!("{client:?} {:?}", client.transport());
    assert!(!shown.contains("hidden"), "{shown}");
}
