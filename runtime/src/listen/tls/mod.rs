//! TLS: certificate files that can be replaced while the listener runs.
//!
//! The files are looked at every few seconds; a pair that loads takes the old one's place for new handshakes, a pair
//! that does not is reported and the old one stays. So a renewal needs neither a restart nor a signal.

mod dev;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

pub use dev::dev_cert;

/// A certificate chain and its key, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Why TLS can't be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate and the key don't belong together, or can't be used.
    #[error("certificate {path}: {reason}")]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The certificate in use, and where it comes from.
#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    pub(super) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let current = Arc::new(Current(ArcSwap::from_pointee(read(files)?)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| certificate(files, error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files: files.clone(), current, config: Arc::new(config) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Takes up changed files, for ever.
    pub(super) async fn watch(&self, interval: Duration) {
        let mut seen = self.changed_at();
        loop {
            tokio::time::sleep(interval).await;
            let now = self.changed_at();
            // While one of the two is missing a replacement is under way.
            if now == seen || now.0.is_none() || now.1.is_none() {
                continue;
            }
            match self.reload() {
                Ok(()) => {
                    seen = now;
                    tracing::info!(cert = %self.files.cert.display(), "certificate reloaded");
                }
                // Looked at again next time: the pair may be half written.
                Err(error) => tracing::warn!(%error, "the new certificate is not used"),
            }
        }
    }

    fn reload(&self) -> Result<(), TlsError> {
        self.current.0.store(Arc::new(read(&self.files)?));
        Ok(())
    }

    fn changed_at(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        let of = |path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
        (of(&self.files.cert), of(&self.files.key))
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let file = |path: &PathBuf, error: rustls::pki_types::pem::Error| TlsError::File {
        path: path.clone(),
        reason: error.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| file(&files.cert, error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| file(&files.key, error))?;
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|error| certificate(files, error))?;
    certified.keys_match().map_err(|error| certificate(files, error))?;
    Ok(certified)
}

fn certificate(files: &TlsFiles, error: rustls::Error) -> TlsError {
    TlsError::Certificate { path: files.cert.clone(), reason: error.to_string() }
}
