//! One connection, from the accept to its last request or its upgrade.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::accept::refused;
use super::addr::{self, ClientAddr, PeerAddr, Secure, ViaProxy};
use super::pending::{Pending, PendingPlace};
use super::stream::{Slot, Stream, Transport};
use super::{ListenConfig, proxy};
use crate::lifecycle::Shutdown;

/// Bytes of a request's head, and of hyper's buffers; hyper takes no less.
const HEAD_BYTES_MAX: usize = 8_192;

/// Header lines of a request.
const HEADERS_MAX: usize = 64;

/// What all connections of a listener share.
pub(super) struct Shared {
    pub(super) config: Arc<ListenConfig>,
    pub(super) router: axum::Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) pending: Pending,
    pub(super) shutdown: Shutdown,
}

/// What is known of a connection before its first request.
#[derive(Clone, Copy)]
struct Origin {
    peer: SocketAddr,
    /// The client by the PROXY protocol, otherwise the peer.
    source: SocketAddr,
    proxied: bool,
    secure: bool,
}

pub(super) async fn run(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, slot: Slot) {
    let service = shared.config.service.as_str();
    let trusted = shared.config.trusts(peer.ip());
    // A proxy's connections are many and its clients' own; each client is limited by the address that the proxy names.
    let place = match trusted {
        true => None,
        false => match shared.pending.enter(peer.ip().into()) {
            Some(place) => Some(place),
            None => return refused(service, "pending"),
        },
    };
    match open(&shared, stream, peer, trusted).await {
        Ok((transport, origin)) => {
            let stream = Stream::new(transport, slot);
            serve(shared, stream, origin, place).await;
        }
        Err(reason) => refused(service, reason),
    }
}

/// The PROXY header and the TLS handshake, whichever the listener wants.
async fn open(
    shared: &Shared,
    mut stream: TcpStream,
    peer: SocketAddr,
    trusted: bool,
) -> Result<(Transport, Origin), &'static str> {
    let mut origin = Origin { peer, source: peer, proxied: false, secure: shared.tls.is_some() };
    if shared.config.proxy_protocol && trusted {
        let header = tokio::time::timeout(shared.config.header_timeout, proxy::read(&mut stream));
        match header.await {
            Ok(Ok(header)) => {
                origin.proxied = true;
                if let proxy::Header::Client(source) = header {
                    origin.source = source;
                }
            }
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "PROXY header");
                return Err("proxy_header");
            }
            Err(_) => return Err("timeout"),
        }
    }
    let Some(tls) = &shared.tls else {
        return Ok((Transport::Plain(stream), origin));
    };
    match tokio::time::timeout(shared.config.handshake_timeout, tls.accept(stream)).await {
        Ok(Ok(stream)) => Ok((Transport::Tls(Box::new(stream)), origin)),
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "TLS handshake");
            Err("tls")
        }
        Err(_) => Err("timeout"),
    }
}

async fn serve(shared: Arc<Shared>, stream: Stream, origin: Origin, place: Option<PendingPlace>) {
    let shutdown = shared.shutdown.clone();
    let place = Mutex::new(place);
    let head_timeout = match shared.config.trusts(origin.peer.ip()) {
        true => shared.config.proxy_idle_timeout,
        false => shared.config.header_timeout,
    };
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // The head has arrived: the connection is no longer one that only waits.
        drop(place.lock().take());
        mark(&mut request, &origin, &shared.config);
        shared.router.clone().oneshot(request.map(Body::new))
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Broken requests and vanished clients are everyday; the answer, if any, was sent.
        _ = connection.as_mut() => return,
        () = shutdown.draining() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = shutdown.stopped() => {}
    }
}

/// Puts onto the request what handlers may know of its connection.
fn mark(request: &mut Request<Incoming>, origin: &Origin, config: &ListenConfig) {
    let headers = request.headers();
    let shows_proxy = addr::shows_proxy(headers);
    let client = addr::client_addr(origin.source.ip(), lines(headers, "x-forwarded-for"), &config.trusted_proxies);
    let secure = origin.secure
        || (config.trusts(origin.peer.ip()) && lines(headers, "x-forwarded-proto").next_back() == Some("https"));
    let extensions = request.extensions_mut();
    extensions.insert(PeerAddr(origin.peer));
    extensions.insert(ClientAddr(client));
    extensions.insert(Secure(secure));
    extensions.insert(ViaProxy(origin.proxied || shows_proxy));
}

fn lines<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}
