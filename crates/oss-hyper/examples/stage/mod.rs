//! A stage for the examples and tests: the emulator on a port of this machine that speaks http and https, a
//! resolver that sends every name there, and a certificate authority made for the occasion.
//!
//! Against OSS itself none of this is needed: leave out `resolver` and `root_certificates`.
#![allow(dead_code, reason = "each program uses its own part")]

extern crate alloc;

use alloc::sync::Arc;
use core::error::Error;
use core::future::{Ready, ready};
use core::net::SocketAddr;
use std::io;

use oss_emulator_server::{Config, Handle};
use oss_hyper::{Transport, TransportBuilder};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) const ID: &str = "test-id";
pub(crate) const SECRET: &str = "test-secret";
pub(crate) const REGION: &str = "cn-hangzhou";
pub(crate) const BUCKET: &str = "examplebucket";
/// A domain of the bucket's own.
pub(crate) const CNAME: &str = "static.example.com";

/// The emulator with its address; it goes with the program's runtime.
pub(crate) struct Stage {
    handle: Handle,
    address: SocketAddr,
    authority: Authority,
}

impl Stage {
    /// A stage of the region `cn-hangzhou`, with one key, one bucket and one domain of that bucket's own.
    pub(crate) async fn up() -> Outcome<Self> {
        Self::of_region(REGION).await
    }

    /// The same in another region, under its own host names.
    pub(crate) async fn of_region(region: &str) -> Outcome<Self> {
        let config = Config::new(region).with_access_key(ID, SECRET).with_cname(CNAME, BUCKET);
        let stage = Self::with(config, &[CNAME]).await?;
        stage.handle.create_bucket(BUCKET);
        Ok(stage)
    }

    /// A stage of one's own; its certificate is for these names and for those of the region.
    pub(crate) async fn with(config: Config, names: &[&str]) -> Outcome<Self> {
        let authority = Authority::new("the stage")?;
        let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        all.push("127.0.0.1".to_owned());
        for domain in domains(config.region()) {
            all.push(format!("*.{domain}"));
            all.push(domain);
        }
        let tls = authority.issue(&all)?.server()?;
        let handle = Handle::new(config);
        let address = serve(handle.clone(), tls).await?;
        Ok(Self { handle, address, authority })
    }

    /// Looks up every name at this stage: the port comes along, for http and https alike.
    pub(crate) fn resolver(&self) -> impl Fn(String) -> Lookup + Clone + Send + Sync + use<> {
        let address = self.address;
        move |_host| ready(Ok(vec![address]))
    }

    /// A transport whose every name leads here, and which trusts the stage's certificates.
    pub(crate) fn transport(&self) -> TransportBuilder {
        Transport::builder().resolver(self.resolver()).root_certificates(self.ca_pem())
    }

    /// Who signed the stage's certificate, in PEM.
    pub(crate) fn ca_pem(&self) -> String {
        self.authority.certificate.pem()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The emulator, to look into.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

type Lookup = Ready<io::Result<Vec<SocketAddr>>>;

/// The host names of a region, each with the buckets below it.
fn domains(region: &str) -> Vec<String> {
    vec![
        "localhost".to_owned(),
        format!("oss-{region}.aliyuncs.com"),
        format!("oss-{region}-internal.aliyuncs.com"),
        format!("{region}.oss.aliyuncs.com"),
        "oss-accelerate.aliyuncs.com".to_owned(),
        "oss-accelerate-overseas.aliyuncs.com".to_owned(),
    ]
}

/// The emulator on a free port: in TLS for who begins with its first byte, in the clear for others.
pub(crate) async fn serve(handle: Handle, tls: ServerConfig) -> Outcome<SocketAddr> {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, handle) = (acceptor.clone(), handle.clone());
            // What ends a connection is its client's to tell.
            tokio::spawn(async move { Some(answer(tcp, acceptor, handle).await) });
        }
    });
    Ok(address)
}

async fn answer(tcp: TcpStream, acceptor: TlsAcceptor, handle: Handle) -> Outcome {
    tcp.set_nodelay(true)?;
    let mut first = [0];
    tcp.peek(&mut first).await?;
    if first == [TLS_HANDSHAKE] {
        return speak(handle, acceptor.accept(tcp).await?).await;
    }
    speak(handle, tcp).await
}

async fn speak(handle: Handle, stream: impl AsyncRead + AsyncWrite + Unpin) -> Outcome {
    Ok(handle.serve_connection(stream).await?)
}

/// Signs certificates.
pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
pub(crate) struct Leaf {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        Ok(Self { certificate: params.self_signed(&key)?, issuer: Issuer::new(params, key) })
    }

    /// Its own certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its own certificate, in DER.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A certificate for these names, for a server or a client.
    pub(crate) fn issue(&self, names: &[String]) -> Outcome<Leaf> {
        self.issue_with(names, |_| {})
    }

    /// A certificate for these names with a change of one's own.
    pub(crate) fn issue_with(
        &self,
        names: &[String],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Outcome<Leaf> {
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate()?;
        Ok(Leaf { certificate: params.signed_by(&key, &self.issuer)?, key })
    }
}

impl Leaf {
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    pub(crate) fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// A server that shows it, with TLS 1.2 and 1.3.
    pub(crate) fn server(&self) -> Outcome<ServerConfig> {
        Ok(ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain(), self.private())?)
    }
}

/// The type of the record that TLS begins with (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;
