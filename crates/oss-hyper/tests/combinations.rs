//! Settings beside each other: none is silently ignored, and what says nothing goes with everything.
#![allow(clippy::unwrap_used, reason = "a test that fails stops")]

use core::net::{IpAddr, Ipv4Addr};

use hyper_util::client::legacy::connect::HttpConnector;
use oss_hyper::{Config, Credentials, ErrorKind, Proxy, TlsVersion, Transport};

const PROXY: &str = "http://proxy.example:3128";

fn config() -> Config {
    Config::new().region("cn-hangzhou").credentials_provider(Credentials::anonymous())
}

fn refused(config: Config) -> String {
    let error = config.client().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error:?}");
    error.to_string()
}

#[test]
fn a_proxy_that_is_said_in_two_ways_is_refused_and_not_passed_by() {
    let proxy = || config().proxy(Proxy::all(PROXY).unwrap());
    let cases = [
        (proxy().proxy_host(PROXY), "proxy_host", "proxy"),
        (proxy().proxy_from_environment(true), "proxy", "proxy_from_environment"),
        (config().proxy_host(PROXY).proxy_from_environment(true), "proxy_host", "proxy_from_environment"),
    ];
    for (config, one, other) in cases {
        let said = format!(
            "cannot send a request: {one}: `{other}` is set too, and each says all proxies; leave one of \
             them out"
        );
        assert_eq!(refused(config), said);
    }
    proxy().proxy_host(" ").proxy_from_environment(false).client().unwrap();
}

#[test]
fn what_changes_nothing_goes_with_a_transport() {
    let shared = || config().transport(Transport::new());
    let nothing = shared().insecure_skip_verify(false).proxy_from_environment(false).proxy_host("");
    nothing.upload_bandwidth_limit(0).download_bandwidth_limit(0).client().unwrap();
    let cases = [
        (shared().insecure_skip_verify(true), "insecure_skip_verify"),
        (shared().proxy_from_environment(true), "proxy_from_environment"),
        (shared().proxy_host(PROXY), "proxy_host"),
        (shared().upload_bandwidth_limit(1), "upload_bandwidth_limit"),
        (shared().download_bandwidth_limit(1), "download_bandwidth_limit"),
    ];
    for (config, name) in cases {
        let said = format!("cannot send a request: {name}: has no effect beside a `transport`");
        assert!(refused(config).starts_with(&said));
    }
}

#[test]
fn what_a_connector_does_not_see_is_refused_by_the_name_it_was_set_by() {
    let own = || config().connector(HttpConnector::new());
    let cases = [
        (own().tls_min_version(TlsVersion::Tls13), "tls_min_version"),
        (own().tls_version(TlsVersion::Tls13), "tls_version"),
        (own().bind_address(IpAddr::V4(Ipv4Addr::LOCALHOST)), "bind_address"),
        (own().proxy(Proxy::none()), "proxy"),
        (own().proxy_host(PROXY), "proxy_host"),
        (own().proxy_from_environment(true), "proxy_from_environment"),
    ];
    for (config, name) in cases {
        let said = format!("`connector` and `{name}` are both set");
        let line = refused(config);
        assert!(line.contains(&said), "{line}");
    }
    own().proxy_host("").insecure_skip_verify(false).max_connections(1).client().unwrap();
}

#[test]
fn b68_what_cannot_stand_in_a_header_is_refused_before_there_is_a_client() {
    let cases = [
        (config().user_agent("a\r"), r#"user_agent: "a\r" cannot stand in a header; use printable ASCII"#),
        (config().user_agent("a\nb"), r#"user_agent: "a\nb" cannot stand in a header; use printable ASCII"#),
        (config().user_agent("café"), r#"user_agent: "café" cannot stand in a header; use printable ASCII"#),
        (
            config().additional_headers(["x-a", "a b"]),
            r#"additional_headers: the additional header "a b" is no header name"#,
        ),
    ];
    for (config, said) in cases {
        assert_eq!(refused(config), format!("cannot send a request: {said}"));
    }
    config().user_agent("app/1.0 (x)").additional_headers(["Content-Length"]).client().unwrap();
}
