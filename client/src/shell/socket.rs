//! A WebSocket to the gateway with small buffers.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use protocol::frames::SUBPROTOCOL_JSON;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::Config;

/// The largest frame taken from the server: a page of 100 messages of 4,000 characters and room.
const FRAME_BYTES_MAX: usize = 4 << 20;
/// Frames are gathered up to this size before they are written.
const WRITE_BUFFER_BYTES: usize = 4 << 10;
/// A close frame that can't be written in this time isn't worth waiting for.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    outgoing: VecDeque<String>,
    unflushed: bool,
}

/// What a socket gives.
pub(crate) enum Received {
    Text(Utf8Bytes),
    /// Something that is no text.
    Other,
    /// The end, with the close frame's code and reason where one came.
    End(Option<(u16, Utf8Bytes)>),
}

impl Socket {
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let mut request = ws_url(&config.url).into_client_request()?;
        let protocol = HeaderValue::from_static(SUBPROTOCOL_JSON);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        let uri = request.uri();
        let default_port = if uri.scheme_str() == Some("wss") { 443 } else { 80 };
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = dial(host, uri.port_u16().unwrap_or(default_port), config.bind).await?;
        let limits = WebSocketConfig::default()
            .read_buffer_size(config.read_buffer_bytes)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(FRAME_BYTES_MAX)
            .max_message_size(Some(FRAME_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        let tls = config.tls.clone().map(Connector::Rustls);
        let (stream, _) = client_async_tls_with_config(request, stream, Some(limits), tls).await?;
        Ok(Self { stream, outgoing: VecDeque::new(), unflushed: false })
    }

    /// Queues a frame; it is written when the socket is polled.
    pub(crate) fn send(&mut self, text: String) {
        self.outgoing.push_back(text);
    }

    /// Writes what waits, and gives what came where `read` says so. Both at once, so that neither side can block the other.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Received> {
        if let Poll::Ready(Err(_)) = self.poll_write(cx) {
            // What the server had to say before it closed may still be there to be read.
            self.outgoing.clear();
            self.unflushed = false;
            if !read {
                return Poll::Ready(Received::End(None));
            }
        }
        if !read {
            return Poll::Pending;
        }
        loop {
            let message = ready!(self.stream.poll_next_unpin(cx));
            return Poll::Ready(match message {
                Some(Ok(Message::Text(text))) => Received::Text(text),
                Some(Ok(Message::Close(frame))) => Received::End(frame.map(|frame| (frame.code.into(), frame.reason))),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(_))) => Received::Other,
                Some(Err(_)) | None => Received::End(None),
            });
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.outgoing.is_empty() {
            ready!(self.stream.poll_ready_unpin(cx))?;
            if let Some(text) = self.outgoing.pop_front() {
                self.stream.start_send_unpin(Message::text(text))?;
                self.unflushed = true;
            }
        }
        if self.unflushed {
            ready!(self.stream.poll_flush_unpin(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Says why, and ends it.
    pub(crate) async fn close(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::from_static(reason) };
        // Whether the server hears it or not, the connection is over.
        let _ = tokio::time::timeout(CLOSE_WITHIN, self.stream.close(Some(frame))).await;
    }
}

fn ws_url(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.strip_prefix("http") {
        Some(rest) => format!("ws{rest}/v1/ws"),
        None => format!("{url}/v1/ws"),
    }
}

async fn dial(host: &str, port: u16, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in lookup_host((host, port)).await? {
        if bind.is_some_and(|bind| bind.is_ipv4() != address.is_ipv4()) {
            continue;
        }
        match dial_one(address, bind).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn dial_one(address: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bind) = bind {
        socket.bind(SocketAddr::new(bind, 0))?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_lies_beside_the_rest_routes() {
        assert_eq!(ws_url("http://h:1/"), "ws://h:1/v1/ws");
        assert_eq!(ws_url("https://h"), "wss://h/v1/ws");
        assert_eq!(ws_url("ws://h"), "ws://h/v1/ws");
    }
}
