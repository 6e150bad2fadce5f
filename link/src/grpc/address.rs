//! Where the link listens. The form of an address decides what the two ends trust each other by: on this machine the key of the
//! data directory, beyond it certificates.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address of the link: `unix:/path/of/socket`, `127.0.0.1:port`, or `host:port` of another machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// A Unix socket. The file is readable and writable by its owner only, and so is its folder.
    Unix(PathBuf),
    /// A port of this machine.
    Loopback(SocketAddr),
    /// What other machines can reach, by mutual TLS only.
    Network(NetworkAddress),
}

/// A host and a port. A name is looked up anew for each connection, because what it stands for may move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkAddress {
    /// A host name or an IP address without brackets; the certificate of who listens there is for it.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why an address can't be one of the link.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// None of the forms.
    #[error("`{0}` is no link address: write unix:/path/of/socket, 127.0.0.1:port or host:port")]
    Form(String),
    /// Other machines can reach it, and there are no certificates.
    #[error(
        "the link does not start on {0} without mutual TLS: set link.tls (`secureconnect link certificates` makes the files), or \
         write unix:/path/of/socket or 127.0.0.1:port"
    )]
    NeedsTls(Address),
}

impl Address {
    /// Whether it is beyond loopback.
    #[must_use]
    pub fn needs_tls(&self) -> bool {
        matches!(self, Self::Network(_))
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        // An IPv4 address in IPv6 clothes is judged as what it is.
        if address.ip().to_canonical().is_loopback() {
            return Self::Loopback(address);
        }
        Self::Network(NetworkAddress { host: address.ip().to_string(), port: address.port() })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Form(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(malformed()) } else { Ok(Self::Unix(path.into())) };
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
        let port = port.parse().map_err(|_| malformed())?;
        if !is_host_name(host) {
            return Err(malformed());
        }
        Ok(Self::Network(NetworkAddress { host: host.to_owned(), port }))
    }
}

/// Letters, digits, hyphens and dots (RFC 1123), and underscores, which containers' names have.
fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, self.port).fmt(f),
            Err(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Loopback(address) => address.fmt(f),
            Self::Network(address) => address.fmt(f),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_what_it_prints() {
        for text in ["unix:/run/link.sock", "127.0.0.1:9090", "[::1]:9090", "chat-service:9082", "[fd00::1]:9082"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_other_machines_could_reach_needs_tls() {
        for text in
            ["0.0.0.0:9090", "10.0.0.1:9090", "[::]:9090", "[::ffff:10.0.0.1]:9090", "node-1:9082", "localhost:1"]
        {
            assert!(text.parse::<Address>().unwrap().needs_tls(), "{text}");
        }
        for text in ["unix:/run/link.sock", "127.0.0.1:9090", "[::ffff:127.0.0.1]:9090", "127.9.9.9:0"] {
            assert!(!text.parse::<Address>().unwrap().needs_tls(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "unix:", "9090", "/run/link.sock", ":9090", "host:", "host:99999", "a b:1", "http://host:1", "::1:x"]
        {
            assert_eq!(text.parse::<Address>(), Err(AddressError::Form(text.to_owned())));
        }
    }
}
