//! Where the link listens: a Unix socket or loopback, and nothing else.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address of the link: `unix:/path/of/socket` or `127.0.0.1:port`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// A Unix socket. The file is readable and writable by its owner only, and so is its folder.
    Unix(PathBuf),
    /// A port of this machine.
    Loopback(SocketAddr),
}

/// Why some text is no address of the link.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// Neither of the two forms.
    #[error("`{0}` is no link address: write unix:/path/of/socket or 127.0.0.1:port")]
    Form(String),
    /// Reachable from other machines.
    #[error(
        "the link does not start on {0}: beyond loopback it needs mutual TLS, which this version does not offer; write \
         unix:/path/of/socket or 127.0.0.1:port"
    )]
    NotLoopback(SocketAddr),
}

impl Address {
    /// The loopback address, if it is one.
    ///
    /// # Errors
    /// When other machines could reach it.
    pub fn loopback(address: SocketAddr) -> Result<Self, AddressError> {
        // An IPv4 address in IPv6 clothes is judged as what it is.
        if address.ip().to_canonical().is_loopback() {
            Ok(Self::Loopback(address))
        } else {
            Err(AddressError::NotLoopback(address))
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(AddressError::Form(text.to_owned()));
            }
            return Ok(Self::Unix(path.into()));
        }
        match text.parse() {
            Ok(address) => Self::loopback(address),
            Err(_) => Err(AddressError::Form(text.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Loopback(address) => address.fmt(f),
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
        for text in ["unix:/run/link.sock", "127.0.0.1:9090", "[::1]:9090"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_other_machines_could_reach_is_refused() {
        for text in ["0.0.0.0:9090", "10.0.0.1:9090", "[::]:9090", "[::ffff:10.0.0.1]:9090", "192.168.1.2:0"] {
            let refused = text.parse::<Address>();
            assert!(matches!(refused, Err(AddressError::NotLoopback(_))), "{text}");
        }
        assert!("[::ffff:127.0.0.1]:9090".parse::<Address>().is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "unix:", "localhost:9090", "9090", "/run/link.sock"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError::Form(text.to_owned())));
        }
    }
}
