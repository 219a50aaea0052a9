//! A stage for the examples and tests: the emulator on a port of this machine that speaks http and https, a
//! resolver that sends every name there, and a certificate authority made for the occasion.
//!
//! Against OSS itself none of this is needed: say `config.client()` instead of
//! `stage.over(config).client()`.
#![allow(dead_code, unused_imports, reason = "each program uses its own part")]

extern crate alloc;

mod forward;
mod peer;
mod scratch;

use alloc::sync::Arc;
use core::error::Error;
use core::future::{Ready, ready};
use core::net::SocketAddr;
use core::time::Duration;
use std::{env, io, process};

pub(crate) use forward::Forward;
use http::HeaderValue;
use oss_emulator_server::{Config, Handle};
use oss_hyper::{EcsRole, Transport, TransportBuilder};
pub(crate) use peer::{Canned, Peer, ProtocolVersion, Seen};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
pub(crate) use scratch::{Scratch, scratch};
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
pub(crate) const ROLE: &str = "acs:ram::1234567890123456:role/ossststest";
pub(crate) const OIDC_PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack-rrsa";
pub(crate) const OIDC_TOKEN: &str = "example-oidc-token";
/// A domain of the bucket's own.
pub(crate) const CNAME: &str = "static.example.com";

/// The emulator with its address; it goes with the program's runtime.
pub(crate) struct Stage {
    peer: Peer,
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
        let config = with_roles(Config::new(region)).with_access_key(ID, SECRET).with_cname(CNAME, BUCKET);
        let stage = Self::with(config, &[CNAME]).await?;
        stage.peer.handle().create_bucket(BUCKET);
        Ok(stage)
    }

    /// The stage of an example, in the region `cn-hangzhou`, for the key that is in the environment.
    ///
    /// Without one the program starts itself anew with a key of the stage's: it cannot safely set a
    /// variable of its own (`std::env::set_var`).
    pub(crate) async fn open() -> Outcome<Self> {
        Self::open_at(REGION, &[]).await
    }

    /// The same in another region, and under more host names; buckets are sub-domains of them.
    pub(crate) async fn open_at(region: &str, hosts: &[&str]) -> Outcome<Self> {
        let config = with_key_of_environment(with_roles(Config::new(region)).with_cname(CNAME, BUCKET))?;
        let config = hosts.iter().fold(config, |config, host| config.with_domain(*host));
        let mut names = vec![CNAME.to_owned()];
        names.extend(hosts.iter().flat_map(|host| [(*host).to_owned(), format!("*.{host}")]));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let stage = Self::with(config, &names).await?;
        stage.peer.handle().create_bucket(BUCKET);
        Ok(stage)
    }

    /// A stage of one's own; its certificate is for these names and for those of the region.
    pub(crate) async fn with(config: Config, names: &[&str]) -> Outcome<Self> {
        let authority = Authority::new("the stage")?;
        let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        all.push("127.0.0.1".to_owned());
        all.push("sts.aliyuncs.com".to_owned());
        all.extend(["sts", "sts-vpc"].map(|name| format!("{name}.{}.aliyuncs.com", config.region())));
        for domain in domains(config.region()) {
            all.push(format!("*.{domain}"));
            all.push(domain);
        }
        let tls = authority.issue(&all)?.server()?;
        let peer = Peer::from(Handle::new(config));
        let address = serve(peer.clone(), tls).await?;
        Ok(Self { peer, address, authority })
    }

    /// What leads a client here that would go to OSS: a resolver that answers every name with this machine,
    /// and trust in the stage's certificates.
    pub(crate) fn over(&self, config: oss_hyper::Config) -> oss_hyper::Config {
        config.resolver(self.resolver()).root_certificates(self.ca_pem())
    }

    /// The same for a transport.
    pub(crate) fn transport_over(&self, builder: TransportBuilder) -> TransportBuilder {
        builder.resolver(self.resolver()).root_certificates(self.ca_pem())
    }

    /// A proxy in front of the stage, for `user` and `password`.
    pub(crate) async fn proxy(&self) -> Outcome<Forward> {
        Forward::to(self.address).await
    }

    /// The role of the instance that the stage stands for.
    pub(crate) fn instance(&self, role: EcsRole) -> EcsRole {
        role.endpoint(self.address.to_string())
    }

    /// The requests since the last time that it was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.peer.seen()
    }

    /// The last request.
    pub(crate) fn last(&self) -> Outcome<Seen> {
        self.seen().pop().ok_or_else(|| "no request since the last time".into())
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.peer.connections()
    }

    /// Answers the next so many requests with 500, as OSS does in trouble.
    pub(crate) fn fail(&self, times: usize) {
        self.peer.answer(vec![Canned::Trouble; times]);
    }

    /// Answers the next request by naming another place for the bucket.
    pub(crate) fn redirect(&self, place: &'static str) {
        self.peer.answer([Canned::Redirect(HeaderValue::from_static(place))]);
    }

    /// Answers the next request only after this time.
    pub(crate) fn stall(&self, time: Duration) {
        self.peer.answer([Canned::Silence(time)]);
    }

    /// Looks up every name at this stage: the port comes along, for http and https alike.
    pub(crate) fn resolver(&self) -> impl Fn(String) -> Lookup + Clone + Send + Sync + use<> {
        let address = self.address;
        move |_host| ready(Ok(vec![address]))
    }

    /// A transport whose every name leads here, and which trusts the stage's certificates.
    pub(crate) fn transport(&self) -> TransportBuilder {
        self.transport_over(Transport::builder())
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
        self.peer.handle()
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

/// Adds what STS and the metadata service hand out credentials for.
fn with_roles(config: Config) -> Config {
    config.with_role(ROLE).with_oidc_token(OIDC_PROVIDER, OIDC_TOKEN, FAR).with_ecs_role("ECSRAMRole")
}

/// Adds the key of the environment; starts the program anew with one where there is none.
fn with_key_of_environment(config: Config) -> Outcome<Config> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let (id, secret) = (variable("OSS_ACCESS_KEY_ID"), variable("OSS_ACCESS_KEY_SECRET"));
    match (id, secret, variable("OSS_SESSION_TOKEN")) {
        (Some(id), Some(secret), None) => Ok(config.with_access_key(id, secret)),
        (Some(id), Some(secret), Some(token)) => Ok(config.with_temporary_key(id, secret, token, FAR)),
        _ => {
            let mut again = process::Command::new(env::current_exe()?);
            again.args(env::args_os().skip(1)).env_remove("OSS_SESSION_TOKEN");
            let status = again.env("OSS_ACCESS_KEY_ID", ID).env("OSS_ACCESS_KEY_SECRET", SECRET).status()?;
            process::exit(status.code().unwrap_or(1));
        }
    }
}

/// The emulator on a free port: in TLS for who begins with its first byte, in the clear for others.
pub(crate) async fn serve(peer: impl Into<Peer>, tls: ServerConfig) -> Outcome<SocketAddr> {
    let peer = peer.into();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((tcp, client)) = listener.accept().await {
            let (acceptor, peer) = (acceptor.clone(), peer.clone());
            // What ends a connection is its client's to tell.
            tokio::spawn(async move { Some(answer(tcp, client, acceptor, peer).await) });
        }
    });
    Ok(address)
}

async fn answer(tcp: TcpStream, client: SocketAddr, acceptor: TlsAcceptor, peer: Peer) -> Outcome {
    tcp.set_nodelay(true)?;
    let mut first = [0];
    tcp.peek(&mut first).await?;
    if first != [TLS_HANDSHAKE] {
        return Ok(peer.speak(tcp, None, client).await?);
    }
    let stream = acceptor.accept(tcp).await?;
    let version = stream.get_ref().1.protocol_version();
    Ok(peer.speak(stream, version, client).await?)
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
/// Later than any token is used: since the Unix epoch.
const FAR: Duration = Duration::from_secs(1 << 40);
