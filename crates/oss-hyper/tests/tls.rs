//! HTTPS against servers whose certificates are made for the test.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;
#[path = "../examples/stage/mod.rs"]
mod stage;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::time::Instant;

use common::{bucket_over, raw, service};
use oss_emulator_server::{Config, Server};
use oss_hyper::{Error, ErrorKind, FailureKind, Outcome, Policy, TlsVersion, Transport, TransportBuilder};
use rcgen::date_time_ymd;
use stage::{Authority, Leaf};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

/// The emulator behind TLS; gives where it is as the endpoint `https://localhost:port`.
async fn served(tls: ServerConfig) -> (Server, String) {
    let server = common::emulator().await;
    let address = stage::serve(server.handle().clone(), tls).await.unwrap();
    (server, format!("https://localhost:{}", address.port()))
}

fn leaf(authority: &Authority) -> Leaf {
    authority.issue(&["localhost".to_owned()]).unwrap()
}

fn server_of(leaf: &Leaf, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain(), leaf.private())
        .unwrap()
}

fn builder() -> TransportBuilder {
    Transport::builder().connect_timeout(Duration::from_secs(5))
}

async fn put(endpoint: &str, transport: TransportBuilder) -> Result<(), Error> {
    let transport = transport.build().unwrap();
    bucket_over(service(endpoint), &transport).put("key", "hello").await.map(drop)
}

/// What was told of a call that must end after one attempt, with nothing sent.
fn refused(error: &Error) -> String {
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    assert_eq!(failure.kind, FailureKind::Tls, "{error:?}");
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotSent, 1));
    failure.cause.as_ref().unwrap().to_string()
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_talked_to() {
    let authority = Authority::new("test").unwrap();
    let (_server, endpoint) = served(leaf(&authority).server().unwrap()).await;
    for roots in [authority.pem().into_bytes(), authority.der().to_vec()] {
        let transport = builder().root_certificates(roots).build().unwrap();
        let bucket = bucket_over(service(&endpoint), &transport);
        let bytes = common::content(1_000_000);
        bucket.put("key", bytes.clone()).await.unwrap();
        bucket.put("again", "hello").await.unwrap();
        assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn f04_a_certificate_that_is_not_right_ends_the_call_and_its_error_says_why() {
    let authority = Authority::new("test").unwrap();
    let here = ["localhost".to_owned()];
    let change = |from, to| {
        let issued = authority.issue_with(&here, |params| (params.not_before, params.not_after) = (from, to));
        issued.unwrap()
    };
    let past = date_time_ymd(2001, 1, 1);
    let future = date_time_ymd(4000, 1, 1);
    let cases = [
        (change(past, date_time_ymd(2002, 1, 1)), "invalid peer certificate: certificate expired: "),
        (change(date_time_ymd(3999, 1, 1), future), "invalid peer certificate: certificate not valid yet: "),
        (
            authority.issue(&["other.example".to_owned()]).unwrap(),
            "invalid peer certificate: certificate not valid for name \"localhost\"",
        ),
        (leaf(&Authority::new("nobody").unwrap()), "invalid peer certificate: UnknownIssuer"),
    ];
    for (leaf, reason) in cases {
        let (_server, endpoint) = served(leaf.server().unwrap()).await;
        let trusting = || builder().root_certificates(authority.pem());
        let said = refused(&put(&endpoint, trusting()).await.unwrap_err());
        assert!(said.starts_with(reason), "{said}");
        put(&endpoint, trusting().insecure_skip_verify(true)).await.unwrap();
        put(&endpoint, builder().insecure_skip_verify(true)).await.unwrap();
        // Off is off.
        let off = builder().insecure_skip_verify(true).insecure_skip_verify(false);
        refused(&put(&endpoint, off.root_certificates(authority.pem())).await.unwrap_err());
    }
}

#[tokio::test]
async fn each_version_of_tls_can_be_forced_on_both_sides() {
    use TlsVersion::{Tls12, Tls13};
    let authority = Authority::new("test").unwrap();
    let leaf = leaf(&authority);
    type Choice = fn(TransportBuilder) -> TransportBuilder;
    // Whether it comes to an agreement with a server that has only 1.2, and one that has only 1.3.
    let cases: [(&str, Choice, [bool; 2]); 6] = [
        ("default", |b| b, [true, true]),
        ("min 1.2", |b| b.tls_min_version(Tls12), [true, true]),
        ("min 1.3", |b| b.tls_min_version(Tls13), [false, true]),
        ("exactly 1.2", |b| b.tls_version(Tls12), [true, false]),
        ("exactly 1.3", |b| b.tls_version(Tls13), [false, true]),
        ("the last one counts", |b| b.tls_version(Tls12).tls_min_version(Tls12), [true, true]),
    ];
    for (i, version) in [&TLS12, &TLS13].into_iter().enumerate() {
        let (_server, endpoint) = served(server_of(&leaf, &[version])).await;
        for (name, choose, agrees) in &cases {
            for is_unverified in [false, true] {
                let transport = choose(builder().root_certificates(authority.pem()));
                let result = put(&endpoint, transport.insecure_skip_verify(is_unverified)).await;
                assert_eq!(result.is_ok(), agrees[i], "{name} and {version:?}: {result:?}");
                if let Err(error) = result {
                    let said = refused(&error);
                    let why = "the server has no version of TLS that is allowed here (`tls_min_version`, \
                               `tls_version`)";
                    assert!(said.starts_with(why), "{said}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_the_one_that_was_given() {
    let authority = Authority::new("test").unwrap();
    let mut clients = RootCertStore::empty();
    clients.add(authority.der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(clients.into(), Arc::clone(&provider));
    let leaf = leaf(&authority);
    for version in [&TLS12, &TLS13] {
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone().build().unwrap())
            .with_single_cert(leaf.chain(), leaf.private())
            .unwrap();
        let (_server, endpoint) = served(config).await;
        let ours = authority.issue(&["somebody".to_owned()]).unwrap();
        let trusting = || builder().root_certificates(authority.pem());
        let pem = (ours.certificate.pem().into_bytes(), ours.key.serialize_pem().into_bytes());
        let der = (ours.certificate.der().to_vec(), ours.key.serialize_der());
        for (chain, key) in [pem, der] {
            put(&endpoint, trusting().client_certificate(chain, key)).await.unwrap();
        }
        let stranger = Authority::new("nobody").unwrap().issue(&["somebody".to_owned()]).unwrap();
        let (chain, key) = (stranger.certificate.pem(), stranger.key.serialize_pem());
        for transport in [trusting(), trusting().client_certificate(chain, key)] {
            let error = put(&endpoint, transport).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn f04_a_server_without_tls_is_not_talked_to_in_the_clear() {
    let server = Server::start(Config::new("cn-hangzhou")).await.unwrap();
    let endpoint = format!("https://localhost:{}", server.address().port());
    let said = refused(&put(&endpoint, builder()).await.unwrap_err());
    assert!(said.starts_with("the server does not speak TLS on this port: "), "{said}");
}

#[tokio::test]
async fn f05_a_handshake_that_stalls_is_within_the_time_to_connect() {
    let address = raw(|_, tcp| async move {
        let _open = tcp;
        core::future::pending::<()>().await;
    })
    .await;
    let limit = Duration::from_millis(200);
    let transport = Transport::builder().connect_timeout(limit).build().unwrap();
    let service = service(&format!("https://{address}")).with_retry(Policy::none());
    let began = Instant::now();
    let error = bucket_over(service, &transport).put("key", "x").await.unwrap_err();
    assert!((limit..limit * 20).contains(&began.elapsed()), "{:?}", began.elapsed());
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    assert_eq!((failure.kind, error.outcome()), (FailureKind::Connect, Outcome::NotSent));
    let said = "the TLS handshake did not end within 0.2 s";
    assert_eq!(failure.cause.as_ref().unwrap().to_string(), said);
}

#[test]
fn a_root_certificate_that_is_none_is_refused_when_it_is_given() {
    for bytes in [&b"nonsense"[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b""] {
        let error = Transport::builder().root_certificates(bytes).build().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
        assert!(error.to_string().contains("root certificate"), "{error}");
    }
}

#[test]
fn a_certificate_of_ones_own_that_is_none_is_refused_and_its_key_not_shown() {
    let authority = Authority::new("test").unwrap();
    let (one, other) = (leaf(&authority), leaf(&authority));
    let (chain, key) = (one.certificate.pem(), one.key.serialize_pem());
    // The middle of the key, which nobody may see.
    let mark = key[60..90].to_owned();
    let cut = key.replace("-----END PRIVATE KEY-----", "");
    let odd = key.replace("MIG", "-----BEGIN MIG");
    let cases = [
        ("nonsense", key.as_str(), "client_certificate: "),
        ("-----BEGIN CERTIFICATE-----\nAAAA", &key, "the certificate cannot be read: "),
        (&chain, "nonsense", "the private key cannot be read; give an unencrypted one in PEM or DER"),
        (&chain, &cut, "the private key cannot be read"),
        (&chain, &odd, "the private key cannot be read"),
        (&chain, &chain, "the private key cannot be read"),
        (&chain, &other.key.serialize_pem(), "client_certificate: "),
    ];
    for (i, (chain, key, said)) in cases.into_iter().enumerate() {
        let builder = Transport::builder().client_certificate(chain, key);
        let shown = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
        assert!(error.to_string().contains(said), "{i}: {error}");
        assert!(!format!("{error} {error:?} {shown}").contains(&mark), "{error:?} {shown}");
    }
    assert!(Transport::builder().client_certificate(chain, key).build().is_ok());
}

/// A listener that takes no more connections: what comes gets no answer, as from behind a firewall.
async fn full() -> (tokio::net::TcpListener, Vec<tokio::net::TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    for _ in 0..1000 {
        let connecting = tokio::net::TcpStream::connect(address);
        let Ok(connected) = tokio::time::timeout(Duration::from_millis(300), connecting).await else {
            return (listener, queued);
        };
        queued.push(connected.unwrap());
    }
    panic!("the backlog of {address} does not fill");
}

#[tokio::test]
async fn f03_a_server_whose_backlog_is_full_is_waited_for_as_long_as_connecting_may_take() {
    let (listener, _queued) = full().await;
    let address = listener.local_addr().unwrap();
    let limit = Duration::from_millis(250);
    let proxied = |url: String| builder().proxy(oss_hyper::Proxy::all(&url).unwrap());
    let cases = [
        (format!("http://{address}"), builder(), ""),
        (format!("https://{address}"), builder(), ""),
        ("http://oss-cn-hangzhou.aliyuncs.com".into(), proxied(format!("http://{address}")), "the proxy"),
        ("https://oss-cn-hangzhou.aliyuncs.com".into(), proxied(format!("http://{address}")), "the proxy"),
        ("https://oss-cn-hangzhou.aliyuncs.com".into(), proxied(format!("https://{address}")), "the proxy"),
    ];
    for (endpoint, transport, said) in cases {
        let transport = transport.connect_timeout(limit).build().unwrap();
        let bucket = bucket_over(service(&endpoint).with_retry(Policy::none()), &transport);
        let began = Instant::now();
        let error = bucket.put("key", "x").await.unwrap_err();
        assert!((limit..limit * 20).contains(&began.elapsed()), "{:?}", began.elapsed());
        let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
        assert_eq!((failure.kind, error.outcome()), (FailureKind::Connect, Outcome::NotSent));
        let cause = failure.cause.as_ref().unwrap().to_string();
        assert!(cause.starts_with(said) && cause.contains("no answer"), "{cause}");
    }
}
