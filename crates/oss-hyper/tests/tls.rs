//! HTTPS against a server with a certificate made for the test.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use common::{bucket_over, service};
use oss_emulator_server::{Config, Server};
use oss_hyper::{ErrorKind, FailureKind, Outcome, Transport};
use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The emulator behind TLS, with a certificate for this name; gives it in PEM and DER.
async fn tls_server(name: &str) -> (Server, SocketAddr, String, Vec<u8>) {
    let server = common::emulator().await;
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handle = server.handle().clone();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (acceptor, handle) = (acceptor.clone(), handle.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    let _ended = handle.serve_connection(stream).await;
                }
            });
        }
    });
    (server, address, certificate.pem(), certificate.der().to_vec())
}

fn transport(roots: Option<&[u8]>) -> Transport {
    let builder = Transport::builder().connect_timeout(Duration::from_secs(5));
    match roots {
        Some(roots) => builder.root_certificates(roots).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_talked_to() {
    let (_server, address, pem, der) = tls_server("localhost").await;
    let service = service(&format!("https://localhost:{}", address.port()));
    for roots in [pem.as_bytes(), &der] {
        let bucket = bucket_over(service.clone(), &transport(Some(roots)));
        let bytes = common::content(1_000_000);
        bucket.put("key", bytes.clone()).await.unwrap();
        bucket.put("again", "hello").await.unwrap();
        assert!(bucket.get("key").await.unwrap().bytes().await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn f04_a_certificate_that_is_not_trusted_ends_the_call_at_once() {
    let (_server, address, pem, _) = tls_server("other.example").await;
    let service = service(&format!("https://localhost:{}", address.port()));
    // Nobody we know issued it; and: it is known, but for another name.
    for (roots, said) in [(None, "UnknownIssuer"), (Some(pem.as_bytes()), "not valid for name")] {
        let error = bucket_over(service.clone(), &transport(roots)).put("key", "x").await.unwrap_err();
        let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
        assert_eq!(failure.kind, FailureKind::Tls, "{error:?}");
        assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotSent, 1));
        let cause = failure.cause.as_ref().unwrap().to_string();
        assert!(cause.contains(said), "{cause}");
    }
}

#[tokio::test]
async fn f04_a_server_without_tls_is_not_talked_to_in_the_clear() {
    let server = Server::start(Config::new("cn-hangzhou")).await.unwrap();
    let service = service(&format!("https://localhost:{}", server.address().port()));
    let error = bucket_over(service, &transport(None)).put("key", "x").await.unwrap_err();
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    assert_eq!((failure.kind, error.outcome()), (FailureKind::Tls, Outcome::NotSent));
}

#[test]
fn a_root_certificate_that_is_none_is_refused_when_it_is_given() {
    for bytes in [&b"nonsense"[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b""] {
        let error = Transport::builder().root_certificates(bytes).build().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
        assert!(error.to_string().contains("root certificate"), "{error}");
    }
}
