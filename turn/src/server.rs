//! From addresses to a running server: bind first, build later, report what was bound.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use runtime::lifecycle::{Shutdown, Tasks};
use runtime::turn_credentials::TurnSecrets;
use tokio::net::{TcpListener, UdpSocket};

use crate::auth::Auth;
use crate::config::Config;
use crate::engine::{Engine, Now};
use crate::nonce::Nonces;
use crate::revoked::{Revoked, is_under};
use crate::{tcp, udp};

/// Free ports that are tried until one is free for both transports.
const TRIES: usize = 16;

/// What the process gives its services.
#[derive(Clone, Debug)]
pub struct Host {
    /// Where tasks run.
    pub tasks: Tasks,
    /// When they end.
    pub shutdown: Shutdown,
}

/// An address can't be had.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}: {source}. Is another TURN server running?")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// Bound sockets that are not served yet.
#[derive(Debug)]
pub struct Listeners(Vec<Bound>);

#[derive(Debug)]
struct Bound {
    address: SocketAddr,
    tcp: TcpListener,
    udp: Vec<UdpSocket>,
}

/// A server that runs. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Server {
    engine: Arc<Engine>,
}

impl Listeners {
    /// Takes the addresses, for TCP and UDP on the same port.
    ///
    /// # Errors
    /// When one can't be had.
    pub fn bind(config: &Config) -> Result<Self, BindError> {
        let all = config
            .listen
            .iter()
            .map(|address| bind(*address).map_err(|source| BindError { address: *address, source }));
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// What was bound.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|bound| bound.address).collect()
    }
}

/// TCP first: it shares its port with nobody.
fn bind(address: SocketAddr) -> io::Result<Bound> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut tries = 0;
    loop {
        let tcp = tcp::bind(address)?;
        let bound = tcp.local_addr()?;
        match udp::bind(bound, cores) {
            Ok(udp) => return Ok(Bound { address: bound, tcp, udp }),
            // The port that was free for TCP is somebody's for UDP.
            Err(_) if address.port() == 0 && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

impl Server {
    /// Serves what was bound, until the host's shutdown stops.
    #[must_use]
    pub fn start(config: Config, secrets: TurnSecrets, listeners: Listeners, host: Host) -> Self {
        let auth = Auth { realm: config.realm.clone(), secrets, nonces: Nonces::new(), revoked: Revoked::default() };
        let addresses = listeners.addresses();
        let engine = Arc::new(Engine::new(config, auth, &addresses, host.tasks.clone(), host.shutdown));
        let connections = tcp::Connections::new();
        for bound in listeners.0 {
            for socket in bound.udp {
                host.tasks.spawn("turn-udp", udp::serve(Arc::clone(&engine), socket, bound.address));
            }
            let accepting = tcp::serve(Arc::clone(&engine), bound.tcp, bound.address, connections.clone());
            host.tasks.spawn("turn-accept", accepting);
        }
        Self { engine }
    }

    /// Takes back the credentials of `name` and of all names below it (`name.…`): their allocations end now, and no new one is made with
    /// credentials that were handed out before. Answers how many allocations ended.
    ///
    /// Only of use in the process of whoever knows that an authorisation ended; a server in a process of its own relies on
    /// [`Config::credential_s`].
    pub fn revoke(&self, name: &str) -> usize {
        let now = Now::read();
        // What was made up to now has expired then.
        let until_s = now.unix_s.saturating_add(self.engine.config.credential_s);
        if !self.engine.auth.revoked.add(name, until_s, now.unix_s) {
            tracing::warn!("too many revoked names: credentials of a revoked one are good until they expire");
        }
        let clients = self.engine.clients.named(|known| is_under(known, name));
        for client in &clients {
            self.engine.end(client, "its credentials were revoked");
        }
        clients.len()
    }
}
