//! The opening handshake (RFC 6455, section 4.2): is this an upgrade to a WebSocket, and what proves that we understood it.
//!
//! The web framework has an extractor for it, but hides the stream behind a socket of its own; we need the stream ([`super::line`]).

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A request that may become a socket.
pub(super) struct Handshake {
    /// Resolves to the stream once the answer is written.
    pub(super) stream: OnUpgrade,
    accept: HeaderValue,
}

impl Handshake {
    /// Reads the request; `None` where it is no good upgrade.
    pub(super) fn of(parts: &mut Parts) -> Option<Self> {
        let is_upgrade = parts.method == Method::GET
            && has_token(parts, &header::CONNECTION, "upgrade")
            && has_token(parts, &header::UPGRADE, "websocket")
            && parts.headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
        if !is_upgrade {
            return None;
        }
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY)?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()?;
        let stream = parts.extensions.remove::<OnUpgrade>()?;
        Some(Self { stream, accept })
    }

    /// The answer that switches the protocol.
    pub(super) fn answer<B: Default>(&self, subprotocol: &'static str) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
        response
    }
}

/// Whether a header's list, over all its lines, holds this word.
fn has_token(parts: &Parts, name: &header::HeaderName, word: &str) -> bool {
    let lines = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|token| token.trim().eq_ignore_ascii_case(word))
}

/// The subprotocols that the client offers, over all lines of the header.
pub(super) fn offered(parts: &Parts) -> impl Iterator<Item = &[u8]> {
    let lines = parts.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}
