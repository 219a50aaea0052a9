//! TLS by rustls on ring, verified; or, without the feature, an error that says so.

#[cfg(feature = "rustls")]
pub(crate) use with_rustls::Tls;
#[cfg(not(feature = "rustls"))]
pub(crate) use without::Tls;

use core::fmt;

/// A version of TLS. There is no way to say 1.0 or 1.1: RFC 8996 forbids them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    Tls12,
    /// TLS 1.3, RFC 8446.
    Tls13,
}

/// Which versions may be agreed on.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "rustls"), expect(dead_code, reason = "there is no TLS to tell"))]
pub(crate) enum Versions {
    From(TlsVersion),
    Only(TlsVersion),
}

/// How TLS is to be spoken.
#[derive(Clone, Debug)]
pub(crate) struct TlsOptions {
    /// In addition to those of Mozilla; each one certificate in DER or any number in PEM.
    pub(crate) roots: Vec<Box<[u8]>>,
    pub(crate) versions: Versions,
    pub(crate) is_unverified: bool,
    pub(crate) identity: Option<Identity>,
}

/// A certificate of one's own, with its chain, and its private key; each in PEM or DER.
#[derive(Clone)]
#[cfg_attr(not(feature = "rustls"), expect(dead_code, reason = "there is no TLS to tell"))]
pub(crate) struct Identity {
    pub(crate) chain: Box<[u8]>,
    pub(crate) key: Box<[u8]>,
}

/// An option that cannot be used: its name, and what is wrong with it.
pub(crate) type BadOption = (&'static str, String);

impl Default for TlsOptions {
    fn default() -> Self {
        let versions = Versions::From(TlsVersion::Tls12);
        Self { roots: Vec::new(), versions, is_unverified: false, identity: None }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

#[cfg(feature = "rustls")]
mod with_rustls {
    use alloc::sync::Arc;
    use core::fmt;
    use std::io;

    use oss_proto::FailureKind;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use tokio_rustls::rustls::{
        self, AlertDescription, ClientConfig, PeerIncompatible, RootCertStore, SupportedProtocolVersion,
        version::TLS12, version::TLS13,
    };

    use super::{BadOption, Identity, TlsOptions, TlsVersion, Versions};
    use crate::connect::Fault;
    use crate::stream::Stream;
    use crate::unverified::Unverified;

    /// What is trusted, and how.
    #[derive(Clone)]
    pub(crate) struct Tls {
        config: Arc<ClientConfig>,
        /// The same with certificates verified; another one only when they are not.
        verified: Arc<ClientConfig>,
    }

    impl Tls {
        pub(crate) fn new(options: &TlsOptions) -> Result<Self, BadOption> {
            let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            for bytes in &options.roots {
                add(&mut roots, bytes).map_err(|problem| ("root_certificates", problem))?;
            }
            let provider = Arc::new(ring::default_provider());
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&versions(options.versions))
                .map_err(|error| ("tls_min_version", error.to_string()))?
                .with_root_certificates(roots);
            let mut config = match &options.identity {
                None => builder.with_no_client_auth(),
                Some(identity) => {
                    let (chain, key) = read(identity, &provider)?;
                    let bad = |error: rustls::Error| (CERTIFICATE, error.to_string());
                    builder.with_client_auth_cert(chain, key).map_err(bad)?
                }
            };
            config.alpn_protocols = [b"http/1.1".to_vec()].into();
            let verified = Arc::new(config.clone());
            if !options.is_unverified {
                return Ok(Self { config: Arc::clone(&verified), verified });
            }
            config.dangerous().set_certificate_verifier(Arc::new(Unverified::new(provider)));
            Ok(Self { config: Arc::new(config), verified })
        }

        pub(crate) fn verified(&self) -> Self {
            Self { config: Arc::clone(&self.verified), verified: Arc::clone(&self.verified) }
        }

        pub(crate) async fn handshake(&self, host: &str, under: Stream) -> Result<Stream, Fault> {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|error| Fault::new(FailureKind::Tls, format!("{host}: {error}")))?;
            match TlsConnector::from(Arc::clone(&self.config)).connect(name, under).await {
                Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
                Err(error) => Err(fault(error)),
            }
        }
    }

    fn versions(versions: Versions) -> Vec<&'static SupportedProtocolVersion> {
        match versions {
            Versions::From(TlsVersion::Tls12) => vec![&TLS12, &TLS13],
            Versions::Only(TlsVersion::Tls12) => vec![&TLS12],
            Versions::From(TlsVersion::Tls13) | Versions::Only(TlsVersion::Tls13) => vec![&TLS13],
        }
    }

    fn add(roots: &mut RootCertStore, bytes: &[u8]) -> Result<(), String> {
        let bad = |problem: String| format!("a root certificate cannot be read: {problem}; give PEM or DER");
        for certificate in certificates(bytes).map_err(bad)? {
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        Ok(())
    }

    /// Any number in PEM, or one in DER.
    fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
        if !bytes.windows(PEM.len()).any(|window| window == PEM) {
            return Ok(vec![CertificateDer::from(bytes.to_vec())]);
        }
        let read = CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>();
        read.map_err(|error| error.to_string())
    }

    fn read(
        identity: &Identity,
        provider: &CryptoProvider,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), BadOption> {
        let bad = |problem: String| {
            (CERTIFICATE, format!("the certificate cannot be read: {problem}; give PEM or DER"))
        };
        let chain = certificates(&identity.chain).map_err(bad)?;
        // Not the parser's own words: they may quote the key.
        let bad = || {
            let problem = "the private key cannot be read; give an unencrypted one in PEM or DER (PKCS#8, \
                           PKCS#1 or SEC1)";
            (CERTIFICATE, problem.to_owned())
        };
        let key = PrivateKeyDer::from_pem_slice(&identity.key)
            .or_else(|_| PrivateKeyDer::try_from(identity.key.to_vec()).map_err(|_| bad()))?;
        provider.key_provider.load_private_key(key.clone_key()).map_err(|_| bad())?;
        Ok((chain, key))
    }

    /// A peer that hangs up is a bad moment; one that shows the wrong certificate stays wrong.
    fn fault(error: io::Error) -> Fault {
        let Some(of_tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
            return Fault::new(FailureKind::Connect, error);
        };
        // Certificates explain themselves.
        let meaning = match of_tls {
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => "the server has no version of TLS that is allowed here (`tls_min_version`, `tls_version`)",
            rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port",
            _ => return Fault::new(FailureKind::Tls, error),
        };
        Fault::new(FailureKind::Tls, format!("{meaning}: {of_tls}"))
    }

    impl fmt::Debug for Tls {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Tls(rustls)")
        }
    }

    const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const CERTIFICATE: &str = "client_certificate";
}

#[cfg(not(feature = "rustls"))]
mod without {
    use oss_proto::FailureKind;

    use super::{BadOption, TlsOptions};
    use crate::connect::Fault;
    use crate::stream::Stream;

    /// No TLS.
    #[derive(Clone, Debug)]
    pub(crate) struct Tls;

    impl Tls {
        pub(crate) fn new(_options: &TlsOptions) -> Result<Self, BadOption> {
            Ok(Self)
        }

        pub(crate) fn verified(&self) -> Self {
            Self
        }

        pub(crate) async fn handshake(&self, _host: &str, _under: Stream) -> Result<Stream, Fault> {
            let missing = "this build has no TLS; enable the feature `rustls`, or use an http endpoint";
            Err(Fault::new(FailureKind::Tls, missing))
        }
    }
}
