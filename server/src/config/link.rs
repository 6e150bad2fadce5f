//! `[link]`: how processes that share the work find and trust each other.

use std::path::PathBuf;

use ::link::grpc::{Address, AddressError, TlsFiles};
use protocol::ServiceName;
use runtime::config::Problems;
use serde::{Deserialize, Serialize};

/// `[link]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSection {
    /// Where the services of this process listen for other processes.
    pub listen: Option<Address>,
    /// What processes on several machines trust each other by.
    pub tls: LinkTlsSection,
    /// Where services of other processes listen.
    pub peers: PeersSection,
}

/// `[link.tls]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkTlsSection {
    /// The CA's certificate, PEM.
    pub ca: Option<PathBuf>,
    /// This process's certificate, PEM.
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
}

/// `[link.peers]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeersSection {
    /// The auth service.
    pub auth: Option<Addresses>,
    /// The chat service.
    pub chat: Option<Addresses>,
    /// The signaling service.
    pub signaling: Option<Addresses>,
    /// The storage service.
    pub storage: Option<Addresses>,
}

/// The addresses of one service: written as one, or as a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Addresses(Vec<Address>);

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "an address (\"host:port\") or a list of addresses")]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl TryFrom<Written> for Addresses {
    type Error = AddressError;

    fn try_from(written: Written) -> Result<Self, AddressError> {
        let written = match written {
            Written::One(address) => vec![address],
            Written::Several(addresses) => addresses,
        };
        Ok(Self(written.iter().map(|address| address.parse()).collect::<Result<_, _>>()?))
    }
}

impl From<Addresses> for Written {
    fn from(addresses: Addresses) -> Self {
        let mut written: Vec<String> = addresses.0.into_iter().map(String::from).collect();
        match written.pop() {
            Some(only) if written.is_empty() => Self::One(only),
            last => Self::Several(written.into_iter().chain(last).collect()),
        }
    }
}

impl LinkSection {
    /// The files of this process, where there are any.
    #[must_use]
    pub fn tls_files(&self) -> Option<TlsFiles> {
        match self.tls.clone() {
            LinkTlsSection { ca: Some(ca), cert: Some(cert), key: Some(key) } => Some(TlsFiles { ca, cert, key }),
            _ => None,
        }
    }

    /// Refuses what can't be.
    pub(super) fn check(&self, problems: &mut Problems) {
        let LinkTlsSection { ca, cert, key } = &self.tls;
        if [ca, cert, key].iter().any(|file| file.is_some()) && self.tls_files().is_none() {
            problems.refuse("link.tls", "ca, cert and key come together or not at all");
        }
        let listen = self.listen.iter().map(|address| ("link.listen".to_owned(), address));
        let peers = ServiceName::ALL.into_iter().flat_map(|service| {
            let key = format!("link.peers.{}", service.role());
            self.peers.of(service).iter().map(move |address| (key.clone(), address))
        });
        for (key, address) in listen.chain(peers) {
            if address.needs_tls() && self.tls_files().is_none() {
                problems.refuse(&key, AddressError::NeedsTls(address.clone()).to_string());
            }
        }
    }
}

impl PeersSection {
    /// Where a service of other processes was said to listen.
    #[must_use]
    pub fn of(&self, service: ServiceName) -> &[Address] {
        let addresses = match service {
            ServiceName::Gateway | ServiceName::Turn => None,
            ServiceName::Auth => self.auth.as_ref(),
            ServiceName::Chat => self.chat.as_ref(),
            ServiceName::Signaling => self.signaling.as_ref(),
            ServiceName::Storage => self.storage.as_ref(),
        };
        addresses.map_or(&[], |addresses| &addresses.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_or_several_read_back_as_they_were_written() {
        for text in ["signaling = \"node-1:9082\"\n", "signaling = [\"node-1:9082\", \"node-2:9082\"]\n"] {
            let section: PeersSection = toml::from_str(text).unwrap();
            assert_eq!(toml::to_string(&section).unwrap(), text);
        }
        let several: PeersSection = toml::from_str("chat = [\"unix:/a\", \"127.0.0.1:1\"]").unwrap();
        assert_eq!(several.of(ServiceName::Chat).len(), 2);
        assert!(several.of(ServiceName::Auth).is_empty());
        let refused = toml::from_str::<PeersSection>("chat = [\"nowhere\"]").unwrap_err();
        assert!(refused.to_string().contains("`nowhere` is no link address"), "{refused}");
    }
}
