//! What the two ends of the link trust each other by: the address decides which of the two it is.

use super::address::{Address, AddressError};
use super::key::Key;
use super::tls::Tls;

/// What a process has to be trusted by others.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The key of the data directory: for Unix sockets and loopback.
    pub key: Key,
    /// Certificates: for everything beyond. Without them there is no beyond.
    pub tls: Option<Tls>,
}

impl Trust {
    /// On this machine only.
    #[must_use]
    pub fn of_key(key: Key) -> Self {
        Self { key, tls: None }
    }

    /// The certificates that an address needs.
    pub(super) fn tls_for(&self, address: &Address) -> Result<&Tls, AddressError> {
        self.tls.as_ref().ok_or_else(|| AddressError::NeedsTls(address.clone()))
    }
}
