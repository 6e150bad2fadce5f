//! The accept loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::Listener;
use super::connection::{self, Shared};
use super::pending::Pending;
use super::stream::Slot;
use crate::lifecycle::Shutdown;
use crate::telemetry::metrics::declare;

/// Connections that the kernel keeps until we accept them: the reconnect of a whole town arrives at once.
const BACKLOG: u32 = 4_096;

/// Why a connection is closed before a request was read.
const REFUSALS: [&str; 6] = ["full", "pending", "accept", "proxy_header", "tls", "timeout"];

/// After an error that is not one connection's fault (no file descriptors left), accepting pauses this long.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

pub(super) fn bind(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

pub(super) async fn serve(bound: Listener, router: axum::Router, shutdown: Shutdown) {
    let Listener { config, listener, tls, .. } = bound;
    let service = config.service.as_str();
    for reason in REFUSALS {
        declare(config.service, "http_connections_refused_total", &[("reason", reason)]);
    }
    let slots = Arc::new(Semaphore::new(config.max_connections));
    let open = metrics::gauge!("http_connections", "service" => service);
    let certificate_check = config.certificate_check;
    let shared = Arc::new(Shared {
        pending: Pending::new(config.max_pending_per_address),
        config,
        router,
        tls: tls.as_ref().map(super::tls::Tls::acceptor),
        shutdown: shutdown.clone(),
    });
    let connections = TaskTracker::new();
    let reload = async {
        match &tls {
            Some(tls) => tls.watch(certificate_check).await,
            None => std::future::pending().await,
        }
    };
    let accepting = async {
        loop {
            let Some((stream, peer)) = accept(&listener, service).await else {
                continue;
            };
            let Ok(permit) = Arc::clone(&slots).try_acquire_owned() else {
                refused(service, "full");
                continue;
            };
            // Small frames must leave at once; whoever has several writes them in one go.
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let slot = Slot::new(permit, open.clone());
            connections.spawn(connection::run(Arc::clone(&shared), stream, peer, slot));
        }
    };
    tokio::select! {
        () = shutdown.draining() => {}
        () = accepting => {}
        () = reload => {}
    }
    // From here on the kernel refuses new connections instead of keeping them waiting.
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = shutdown.stopped() => {}
    }
}

async fn accept(listener: &TcpListener, service: &'static str) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        // The peer left between its connect and our accept.
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::ConnectionRefused
            ) =>
        {
            None
        }
        Err(error) => {
            refused(service, "accept");
            tracing::error!(service, %error, "accepting failed");
            tokio::time::sleep(ACCEPT_BACKOFF).await;
            None
        }
    }
}

pub(super) fn refused(service: &'static str, reason: &'static str) {
    metrics::counter!("http_connections_refused_total", "service" => service, "reason" => reason).increment(1);
}
