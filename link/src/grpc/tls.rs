//! Mutual TLS for what other machines can reach: both ends show a certificate of one CA that signs for nothing else.
//!
//! The certificate is the authentication: who has one of this CA belongs to the deployment, as who reads the data directory does on
//! one machine. The caller checks the name, too, so that one process can't answer for another. Handshakes are done here rather
//! than by tonic, whose own are neither bounded in number nor told to the operator when they fail.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use futures_util::{Stream, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tokio_stream::wrappers::TcpListenerStream;

use super::address::NetworkAddress;

/// HTTP/2, as both ends must agree (RFC 7540).
const ALPN: &[u8] = b"h2";
/// Handshakes under way: more wait in the kernel's queue.
const HANDSHAKES_MAX: usize = 64;
/// A stranger keeps a handshake open for no longer.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(2);

/// The files of one process, all PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The CA's certificate.
    pub ca: PathBuf,
    /// The process's certificate, for the names by which others reach it.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What a process shows and whom it believes. It never prints.
#[derive(Clone)]
pub struct Tls {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

/// Why the files can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or holds something else.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// They don't fit together.
    #[error("the link's certificate can't be used: {0}")]
    Certificate(String),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(****)")
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one can't be read, or they don't fit together.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let unfit = |error: &dyn fmt::Display| TlsError::Certificate(error.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.ca)? {
            roots.add(certificate).map_err(|error| file(&files.ca, &error))?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(&files.cert)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| file(&files.key, &error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());

        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(&error))?
            .with_client_cert_verifier(verifier.build().map_err(|error| unfit(&error))?)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|error| unfit(&error))?;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(&error))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| unfit(&error))?;
        server.alpn_protocols = vec![ALPN.to_vec()];
        client.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { server: Arc::new(server), client: Arc::new(client) })
    }

    /// The connections of callers who have shown a certificate of the CA.
    pub(super) fn accept(&self, listener: TcpListener) -> impl Stream<Item = io::Result<server::TlsStream<TcpStream>>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.server));
        let handshakes = TcpListenerStream::new(listener).map(move |socket| shake(acceptor.clone(), socket));
        handshakes.buffer_unordered(HANDSHAKES_MAX).filter_map(std::future::ready)
    }

    /// A connection to who has a certificate of the CA for this host.
    pub(super) async fn connect(&self, address: &NetworkAddress) -> io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        let socket = TcpStream::connect((address.host.as_str(), address.port)).await?;
        socket.set_nodelay(true)?;
        TlsConnector::from(Arc::clone(&self.client)).connect(name, socket).await
    }
}

/// One handshake; a failed one is told to the operator and to nobody else.
async fn shake(
    acceptor: TlsAcceptor,
    socket: io::Result<TcpStream>,
) -> Option<io::Result<server::TlsStream<TcpStream>>> {
    let socket = match socket {
        Ok(socket) => socket,
        Err(error) => return Some(Err(error)),
    };
    let peer = socket.peer_addr().ok();
    let handshake = async {
        socket.set_nodelay(true)?;
        acceptor.accept(socket).await
    };
    let reason = match timeout(HANDSHAKE_WITHIN, handshake).await {
        Ok(Ok(stream)) => return Some(Ok(stream)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no handshake in time".to_owned(),
    };
    tracing::warn!(?peer, reason, "the link refused a connection");
    None
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| file(path, &error))?;
    if certificates.is_empty() {
        return Err(TlsError::File { path: path.to_owned(), reason: "no certificate in it".to_owned() });
    }
    Ok(certificates)
}

fn file(path: &Path, error: &dyn fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), reason: error.to_string() }
}
