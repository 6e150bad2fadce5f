//! Who may open a socket, and how it begins and ends.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, header};
use link::Refusal;
use link::scope::within;
use protocol::{CloseCode, ErrorCode};
use runtime::lifecycle::Phase;

use super::connection::Connection;
use super::greeting::{Greeted, greet};
use super::handshake::{Handshake, offered};
use super::offer::{self, Offer};
use super::transport::Transport;
use crate::edge::{Edge, Origin, bearer, refuse};
use crate::limits::Greeting;
use crate::meters::SOCKET_OPEN;
use crate::token::Verified;

/// What audit calls the upgrade.
const RESOURCE: &str = "socket";

/// Judges a request for a socket and opens it.
pub(crate) async fn upgrade(edge: Arc<Edge>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let origin = Origin::of(&parts);
    let page = match edge.origins.judge(&parts, false, origin.secure) {
        Ok(page) => page,
        Err(refusal) => {
            edge.denials.note(&refusal, RESOURCE, None, &origin);
            return refuse(&refusal, origin.request_id);
        }
    };
    let opening = async {
        if parts.method != Method::GET {
            return Err(Refusal::of(ErrorCode::MethodNotAllowed));
        }
        if edge.shutdown.phase() >= Phase::Draining {
            return Err(Refusal::of(ErrorCode::Unavailable).after(1_000));
        }
        let counted = edge.limits.open(origin.address);
        edge.meters.limit(SOCKET_OPEN, counted.is_err());
        counted?;
        let invalid = |message: &str| Refusal::new(ErrorCode::InvalidRequest, message);
        let offer = offer::read(offered(&parts)).map_err(|bad| invalid(bad.message()))?;
        let handshake = Handshake::of(&mut parts).ok_or_else(|| invalid("This is a WebSocket: send an upgrade."))?;
        let token = match bearer(&parts.headers)? {
            Some(token) => Some(token.to_owned()),
            None => offer.token.clone(),
        };
        Ok((handshake, offer, token))
    };
    let mut response = match opening.await {
        Ok((handshake, offer, token)) => open(Arc::clone(&edge), handshake, offer, token, origin).await,
        Err(refusal) => {
            let mut response = refuse(&refusal, origin.request_id);
            if refusal.code == ErrorCode::MethodNotAllowed {
                let get = HeaderValue::from_static("GET");
                response.headers_mut().insert(header::ALLOW, get);
            }
            response
        }
    };
    page.allow(response.headers_mut());
    response
}

/// What is known of the client before its first frame.
enum Known {
    /// The upgrade carried a good token.
    Bearer(Verified),
    /// It will say.
    Nobody(Greeting),
    /// It is closed at once: why is better said by a close code than by a failed upgrade, which a browser shows to nobody.
    Refused(CloseCode),
}

async fn open(edge: Arc<Edge>, handshake: Handshake, offer: Offer, token: Option<String>, origin: Origin) -> Response {
    let known = match token {
        Some(token) => match edge.tokens.verify(&token).await {
            Ok(verified) => Known::Bearer(verified),
            Err(refusal) => {
                edge.denials.note(&refusal, RESOURCE, None, &origin);
                Known::Refused(close_code(&refusal))
            }
        },
        None => match edge.unauthenticated.enter(origin.address) {
            Some(guard) => Known::Nobody(guard),
            None => Known::Refused(CloseCode::TooManyUnauthenticated),
        },
    };
    let codec = offer.codec;
    let response = handshake.answer(offer.subprotocol);
    // What is read for the socket bears the names of the request that opened it; its commands have their own.
    let scope = origin.scope();
    tokio::spawn(within(scope, async move {
        let Ok(stream) = handshake.stream.await else { return };
        let _open = edge.sockets.enter(&edge.meters);
        let transport = Transport::new(stream);
        // The greeting's state is larger than what a quiet connection needs: it lives in a box of its own until it is over.
        let begun = Box::pin(begin(Arc::clone(&edge), transport, codec, known, origin)).await;
        if let Some(connection) = begun {
            connection.run().await;
        }
    }));
    response
}

async fn begin(
    edge: Arc<Edge>,
    mut transport: Transport,
    codec: crate::codec::Codec,
    known: Known,
    origin: Origin,
) -> Option<Connection> {
    let greeted = match known {
        Known::Refused(code) => Err(Some(code)),
        Known::Bearer(verified) => greet(&edge, &mut transport, codec, (Some(verified), None), &origin).await,
        Known::Nobody(place) => greet(&edge, &mut transport, codec, (None, Some(place)), &origin).await,
    };
    match greeted {
        Ok(greeted) => {
            let Greeted { conn, socket, caller } = greeted;
            Some(Connection::new(edge, conn, socket, transport, caller, origin))
        }
        Err(Some(code)) => {
            edge.meters.error(code.as_str());
            transport.close(code, code.as_str().to_owned()).await;
            None
        }
        Err(None) => {
            transport.finish().await;
            None
        }
    }
}

/// How a socket is closed whose hello was refused.
pub(super) fn close_code(refusal: &Refusal) -> CloseCode {
    match refusal.code {
        ErrorCode::Unauthenticated => CloseCode::Unauthenticated,
        ErrorCode::TokenExpired => CloseCode::TokenExpired,
        ErrorCode::TokenRevoked | ErrorCode::Suspended => CloseCode::Revoked,
        ErrorCode::Unavailable | ErrorCode::Timeout => CloseCode::Unavailable,
        ErrorCode::Overloaded => CloseCode::Overloaded,
        ErrorCode::RateLimited => CloseCode::RateLimited,
        ErrorCode::InvalidRequest => CloseCode::ProtocolViolation,
        _ => CloseCode::Internal,
    }
}
