//! Certificates that tests make, and clients that trust them.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::wait;

/// A certificate and its key, in the files that a server is told of.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The one certificate that a client trusts.
#[derive(Clone, Debug)]
pub struct Trust {
    pem: Arc<[u8]>,
}

impl Certificate {
    /// Makes one for this address in a folder; takes the place of an older one as a renewal does, file by file.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn make(folder: &Path, address: IpAddr) -> Self {
        let made = generate_simple_self_signed(vec![address.to_string()]).expect("a certificate");
        let this = Self { cert: folder.join("test-cert.pem"), key: folder.join("test-key.pem") };
        replace(&this.key, &made.signing_key.serialize_pem());
        replace(&this.cert, &made.cert.pem());
        this
    }
}

fn replace(path: &Path, text: &str) {
    let draft = path.with_extension("new");
    std::fs::write(&draft, text).expect("a file");
    std::fs::rename(&draft, path).expect("a file");
}

impl Trust {
    /// The certificate in this file, as it is now.
    ///
    /// # Panics
    /// When it can't be read.
    #[must_use]
    pub fn in_file(path: &Path) -> Self {
        let pem = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { pem: pem.into() }
    }

    /// For an HTTP client.
    pub(crate) fn for_http(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(&self.pem).expect("a certificate")
    }

    /// What a client speaks TLS with.
    ///
    /// # Panics
    /// When it is no certificate.
    #[must_use]
    pub fn client_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.pem).expect("a certificate")).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    /// A handshake on a connection to this address.
    ///
    /// # Errors
    /// When the server shows another certificate.
    pub async fn handshake(&self, stream: TcpStream, address: IpAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(self.client_config());
        wait::within("a TLS handshake", connector.connect(ServerName::from(address), stream)).await
    }
}
