//! The front door: an accept loop of our own over hyper.
//!
//! `axum::serve` arms no header timeout, leaves Nagle's algorithm on, counts nothing and knows neither TLS nor proxies. Here:
//!
//! * The address is known before anything is served ([`Listener::bind`] then [`Listener::serve`]), so port 0 works in every test.
//! * A client that is slow with its request head costs five seconds and 8 KiB, and a network (an IPv4 address, an IPv6 /64) may have
//!   only so many such connections at once. The number of connections is bounded as a whole.
//! * Who the client is comes from `X-Forwarded-For` or the PROXY protocol only if the peer is a configured proxy
//!   ([`ClientAddr`]); everyone else is who they connect as.
//! * Per connection little is kept: hyper's buffers start small, and once a connection is upgraded to a
//!   WebSocket its HTTP task has ended; only the slot in the connection count stays with the stream.
//! * HTTP/1.1 only, also under TLS: the socket is an upgrade, and everything else is small.

mod accept;
mod addr;
mod connection;
mod pending;
mod proxy;
mod stream;
mod tls;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use protocol::ServiceName;
use tokio::net::TcpListener;

use crate::lifecycle::Shutdown;

pub use addr::{ClientAddr, PeerAddr, Secure, ViaProxy};
pub use tls::{TlsError, TlsFiles, dev_cert};

/// How a service listens. `ListenConfig::new` gives the defaults.
#[derive(Debug, Clone)]
pub struct ListenConfig {
    /// Whose listener it is, for metrics.
    pub service: ServiceName,
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Serve TLS with these files instead of plain TCP.
    pub tls: Option<TlsFiles>,
    /// Expect the PROXY protocol (version 1 or 2) from trusted proxies.
    pub proxy_protocol: bool,
    /// Whose word on the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at once, sockets included; more are closed at once.
    pub max_connections: usize,
    /// Connections of one address (of one /64 in IPv6) that have not sent a whole request yet.
    pub max_pending_per_address: usize,
    /// From the connection, or from the answer before, to the end of the request's head. So it is also how long an idle
    /// connection is kept.
    pub header_timeout: Duration,
    /// The same for a trusted proxy, which has read its client's head before it asks us, and whose own idle time must
    /// be the shorter one: otherwise it sends a request into a connection that we are closing.
    pub proxy_idle_timeout: Duration,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// How often the certificate's files are looked at.
    pub certificate_check: Duration,
}

impl ListenConfig {
    /// Plain TCP without proxies.
    pub fn new(service: ServiceName, addr: SocketAddr) -> Self {
        Self {
            service,
            addr,
            tls: None,
            proxy_protocol: false,
            trusted_proxies: Vec::new(),
            // The usual limit of open files is 20,000; the store, the link and the logs need some too.
            max_connections: 19_000,
            max_pending_per_address: 256,
            header_timeout: Duration::from_secs(5),
            proxy_idle_timeout: Duration::from_secs(75),
            handshake_timeout: Duration::from_secs(10),
            certificate_check: Duration::from_secs(2),
        }
    }

    /// Whether this peer's word on the client's address counts.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        addr::is_within(peer, &self.trusted_proxies)
    }
}

/// Why a listener did not come up.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address can't be had.
    #[error("can't listen on {addr}: {source}. Is another instance running?")]
    Address {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A bound listener that does not serve yet.
#[derive(Debug)]
pub struct Listener {
    config: Arc<ListenConfig>,
    listener: TcpListener,
    local_addr: SocketAddr,
    tls: Option<tls::Tls>,
}

impl Listener {
    /// Takes the address and reads the certificate.
    pub async fn bind(config: ListenConfig) -> Result<Self, BindError> {
        let tls = config.tls.as_ref().map(tls::Tls::load).transpose()?;
        let address = |source| BindError::Address { addr: config.addr, source };
        let listener = accept::bind(config.addr).map_err(address)?;
        let local_addr = listener.local_addr().map_err(address)?;
        Ok(Self { config: Arc::new(config), listener, local_addr, tls })
    }

    /// The address that was bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` drains, then lets requests in flight end, at the latest when it stops.
    /// Upgraded connections are their owner's to close.
    pub async fn serve(self, router: axum::Router, shutdown: Shutdown) {
        accept::serve(self, router, shutdown).await;
    }
}
