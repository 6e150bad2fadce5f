//! One request on a connection of its own, byte for byte: for what no HTTP client would send.

use std::net::{IpAddr, SocketAddr};

use protocol::envelope::Success;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::wait;

/// What came back until the server closed the connection; empty where it said nothing.
#[derive(Clone, Debug)]
pub struct RawAnswer(pub String);

/// Connects from an address of this machine.
///
/// # Panics
/// When there is no connection.
pub async fn connect_from(source: IpAddr, server: SocketAddr) -> TcpStream {
    let tcp = TcpSocket::new_v4().expect("a TCP socket");
    tcp.bind(SocketAddr::new(source, 0)).expect("a source address");
    wait::within("a connection", tcp.connect(server)).await.expect("a connection")
}

/// Sends these bytes from this address and reads to the end.
pub async fn exchange(source: IpAddr, server: SocketAddr, bytes: &[u8]) -> RawAnswer {
    let mut stream = connect_from(source, server).await;
    // A server that has refused already may have closed: what it said is read all the same.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = wait::within("the end of the answer", stream.read_to_end(&mut answer)).await;
    RawAnswer(String::from_utf8_lossy(&answer).into_owned())
}

/// A whole request with a JSON body, after which the connection ends.
#[must_use]
pub fn post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl RawAnswer {
    /// The status; `None` where there was no answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// The `data` of a success.
    ///
    /// # Panics
    /// When it is no success of this type.
    #[must_use]
    pub fn data<T: DeserializeOwned>(&self) -> T {
        let (_, body) = self.0.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {self:?}"));
        let success: Success<'_> = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {self:?}"));
        serde_json::from_str(success.data.get()).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}
