//! TLS by rustls on ring, verified; or, without the feature, an error that says so.

#[cfg(feature = "rustls")]
pub(crate) use with_rustls::Tls;
#[cfg(not(feature = "rustls"))]
pub(crate) use without::Tls;

#[cfg(feature = "rustls")]
mod with_rustls {
    use alloc::sync::Arc;
    use core::fmt;
    use std::io;

    use oss_proto::FailureKind;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

    use crate::connect::Fault;
    use crate::stream::{Metered, Stream};

    /// What is trusted, and how.
    #[derive(Clone)]
    pub(crate) struct Tls(Arc<ClientConfig>);

    impl Tls {
        /// Trusts the roots of Mozilla and these, each one certificate in DER or any number in PEM.
        pub(crate) fn new(extra_roots: &[Box<[u8]>]) -> Result<Self, String> {
            let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            for bytes in extra_roots {
                add(&mut roots, bytes)?;
            }
            let provider = Arc::new(ring::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = [b"http/1.1".to_vec()].into();
            Ok(Self(Arc::new(config)))
        }

        pub(crate) async fn handshake(&self, host: &str, tcp: Metered) -> Result<Stream, Fault> {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|error| Fault::new(FailureKind::Tls, format!("{host}: {error}")))?;
            match TlsConnector::from(Arc::clone(&self.0)).connect(name, tcp).await {
                Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
                // A peer that hangs up is a bad moment; one that shows the wrong certificate stays wrong.
                Err(error) if is_of_tls(&error) => Err(Fault::new(FailureKind::Tls, error)),
                Err(error) => Err(Fault::new(FailureKind::Connect, error)),
            }
        }
    }

    fn add(roots: &mut RootCertStore, bytes: &[u8]) -> Result<(), String> {
        let bad = |problem: String| format!("a root certificate cannot be read: {problem}; give PEM or DER");
        if !bytes.windows(PEM.len()).any(|window| window == PEM) {
            return roots.add(CertificateDer::from(bytes)).map_err(|error| bad(error.to_string()));
        }
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        Ok(())
    }

    fn is_of_tls(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
    }

    impl fmt::Debug for Tls {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Tls(rustls)")
        }
    }

    const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
}

#[cfg(not(feature = "rustls"))]
mod without {

    use oss_proto::FailureKind;

    use crate::connect::Fault;
    use crate::stream::{Metered, Stream};

    /// No TLS.
    #[derive(Clone, Debug)]
    pub(crate) struct Tls;

    impl Tls {
        pub(crate) fn new(_extra_roots: &[Box<[u8]>]) -> Result<Self, String> {
            Ok(Self)
        }

        pub(crate) async fn handshake(&self, _host: &str, _tcp: Metered) -> Result<Stream, Fault> {
            let missing = "this build has no TLS; enable the feature `rustls`, or use an http endpoint";
            Err(Fault::new(FailureKind::Tls, missing))
        }
    }
}
