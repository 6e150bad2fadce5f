//! The serving end: the services of this process at one address.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Request, Status};

use super::endpoint::Endpoint;
use super::health::{Health, Offered};
use super::wire::proto::link_server::LinkServer;
use super::{
    Address, AddressError, CONNECTION_WINDOW_BYTES, KEEPALIVE_EVERY, KEEPALIVE_WITHIN, KEY_HEADER, Key,
    MESSAGE_BYTES_MAX, NetworkAddress, STREAM_WINDOW_BYTES, Tls, Trust,
};

/// The longest path of a Unix socket (`sun_path` less its end).
const SOCKET_PATH_BYTES_MAX: usize = 107;
/// Calls in flight on one connection. Beyond it a gateway waits; its own budgets keep it below.
const CALLS_MAX: u32 = 8_192;
/// A bound address of the link.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
    gate: Gate,
}

#[derive(Debug)]
enum Socket {
    Unix { listener: UnixListener, owner: u32, _file: SocketFile },
    Loopback(TcpListener),
    Network(TcpListener, Tls),
}

/// The socket's file; removed when the listener goes.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Nobody can be told; the next start removes a file that nobody listens behind.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Why the link can't listen at an address.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is not allowed.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The path is too long for a socket.
    #[error("the path {0} is too long for a Unix socket: at most {SOCKET_PATH_BYTES_MAX} bytes")]
    PathTooLong(PathBuf),
    /// Others than the owner can enter the socket's folder.
    #[error("others than the owner can enter {0}: the link's socket lies in a folder of mode 0700 (chmod 700)")]
    FolderOpen(PathBuf),
    /// Something else has the address.
    #[error("another process listens on {0}")]
    InUse(Address),
    /// Anything else.
    #[error("the link can't listen on {address}")]
    Io {
        /// Where.
        address: Address,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Listener {
    /// Binds the address; who calls must show the key or, beyond loopback, a certificate.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn bind(address: &Address, trust: &Trust) -> Result<Self, BindError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(address.clone()),
            _ => BindError::Io { address: address.clone(), source },
        };
        let key = || Gate::Key(trust.key.clone());
        match address {
            Address::Unix(path) => {
                let socket = bind_unix(path).await?.map_err(failed)?;
                Ok(Self { socket, address: address.clone(), gate: key() })
            }
            Address::Loopback(wanted) => {
                let listener = TcpListener::bind(wanted).await.map_err(failed)?;
                let bound = Address::Loopback(listener.local_addr().map_err(failed)?);
                Ok(Self { socket: Socket::Loopback(listener), address: bound, gate: key() })
            }
            Address::Network(NetworkAddress { host, port }) => {
                let tls = trust.tls_for(address)?.clone();
                let listener = TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?;
                let port = listener.local_addr().map_err(failed)?.port();
                let bound = Address::Network(NetworkAddress { host: host.clone(), port });
                Ok(Self { socket: Socket::Network(listener, tls), address: bound, gate: Gate::Certificate })
            }
        }
    }

    /// The bound address: of port 0 the one that was chosen.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The bound port, where it is one.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Unix { .. } => None,
            Socket::Loopback(listener) | Socket::Network(listener, _) => listener.local_addr().ok(),
        }
    }

    /// Offers the services until `shutdown`; then calls in flight are finished, hint streams and watches of their health end.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn serve(self, offered: Vec<Offered>, shutdown: CancellationToken) -> io::Result<()> {
        let (services, ready): (HashMap<_, _>, Vec<_>) = offered
            .into_iter()
            .map(|Offered { service, ready }| {
                let name = service.name().as_str();
                ((name, service), (name, ready))
            })
            .unzip();
        let health = Health::of(ready).await;
        let router = router(Endpoint { services, shutdown: shutdown.clone() }, &health, &self.gate);
        let following = health.follow(shutdown.clone());
        tokio::select! {
            served = self.carry(router, shutdown) => served,
            // It is followed to the end, and then the transport still has to.
            ended = async { following.await; std::future::pending().await } => ended,
        }
    }

    async fn carry(self, router: Router, shutdown: CancellationToken) -> io::Result<()> {
        let stop = shutdown.cancelled_owned();
        let served = match self.socket {
            Socket::Unix { listener, owner, _file } => {
                let incoming =
                    UnixListenerStream::new(listener).filter(move |socket| std::future::ready(is_of(socket, owner)));
                router.serve_with_incoming_shutdown(incoming, stop).await
            }
            Socket::Loopback(listener) => {
                let incoming = TcpListenerStream::new(listener).map(|socket| {
                    let socket = socket?;
                    socket.set_nodelay(true)?;
                    Ok::<_, io::Error>(socket)
                });
                router.serve_with_incoming_shutdown(incoming, stop).await
            }
            Socket::Network(listener, tls) => {
                router.serve_with_incoming_shutdown(Box::pin(tls.accept(listener)), stop).await
            }
        };
        served.map_err(io::Error::other)
    }
}

async fn bind_unix(path: &Path) -> Result<io::Result<Socket>, BindError> {
    if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        return Err(BindError::PathTooLong(path.to_owned()));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    if let Err(error) = made {
        return Ok(Err(error));
    }
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            return Err(BindError::FolderOpen(folder.to_owned()));
        }
        Ok(_) => {}
        Err(error) => return Ok(Err(error)),
    }
    Ok(bind_socket(path).await)
}

async fn bind_socket(path: &Path) -> io::Result<Socket> {
    // A file behind which nobody listens is left over from a process that was killed.
    if let Ok(metadata) = std::fs::symlink_metadata(path)
        && metadata.file_type().is_socket()
    {
        match UnixStream::connect(path).await {
            Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
            Err(_) => std::fs::remove_file(path)?,
        }
    }
    let listener = UnixListener::bind(path)?;
    let file = SocketFile(path.to_owned());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    // The process that made the file owns it: whoever calls must be of the same user.
    let owner = std::fs::metadata(path)?.uid();
    Ok(Socket::Unix { listener, owner, _file: file })
}

fn is_of(socket: &io::Result<UnixStream>, owner: u32) -> bool {
    let Ok(socket) = socket else { return true };
    match socket.peer_cred() {
        Ok(peer) if peer.uid() == owner => true,
        Ok(peer) => {
            tracing::warn!(uid = peer.uid(), "the link refused a process of another user");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "the link refused a process that it can't tell the user of");
            false
        }
    }
}

fn router(endpoint: Endpoint, health: &Health, gate: &Gate) -> Router {
    let link = LinkServer::new(endpoint)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_WITHIN))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(CALLS_MAX)
        .add_service(InterceptedService::new(link, gate.clone()))
        .add_service(InterceptedService::new(health.server(), gate.clone()))
}

/// What lets a call through; stands before every method, also of those that don't exist.
#[derive(Clone, Debug)]
enum Gate {
    /// The key, shown with each call.
    Key(Key),
    /// The certificate that the connection began with: there is no connection without.
    Certificate,
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Self::Key(key) = self else { return Ok(request) };
        let shown = request.metadata().get(KEY_HEADER);
        if key.opens(shown.map(|value| value.as_bytes())) {
            return Ok(request);
        }
        tracing::warn!("the link refused a call without the key");
        Err(Status::unauthenticated("the link's key is missing or wrong"))
    }
}
