//! `[link]`: how processes that share the work find and trust each other.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

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
    /// What the other processes call this one; its address where they all reach it by that.
    pub name: Option<String>,
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
pub struct Addresses(Vec<Peer>);

/// An instance of a service: `host:port`, or `name=host:port` where not everyone reaches it by the same address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    name: Option<String>,
    /// Where it listens, as seen from here.
    pub address: Address,
}

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

impl Peer {
    /// What everyone who chooses among the instances calls it.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.address.to_string())
    }
}

impl FromStr for Peer {
    type Err = AddressError;

    fn from_str(written: &str) -> Result<Self, AddressError> {
        // A path may hold an equals sign, a name no colon.
        match written.split_once('=').filter(|(name, _)| !name.contains([':', '/'])) {
            Some((name, address)) => Ok(Self { name: Some(name.to_owned()), address: address.parse()? }),
            None => Ok(Self { name: None, address: written.parse()? }),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}={}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl From<Addresses> for Written {
    fn from(addresses: Addresses) -> Self {
        let mut written: Vec<String> = addresses.0.iter().map(Peer::to_string).collect();
        match written.pop() {
            Some(only) if written.is_empty() => Self::One(only),
            last => Self::Several(written.into_iter().chain(last).collect()),
        }
    }
}

impl LinkSection {
    /// What the other processes call this one, if they reach it at all.
    #[must_use]
    pub fn own_name(&self) -> Option<String> {
        self.name.clone().or_else(|| self.listen.as_ref().map(Address::to_string))
    }

    /// Whether that is this process: it is called so, or listens there.
    #[must_use]
    pub fn is_own(&self, peer: &Peer) -> bool {
        self.own_name().is_some_and(|own| own == peer.name()) || self.listen.as_ref() == Some(&peer.address)
    }

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
            self.peers.of(service).iter().map(move |peer| (key.clone(), &peer.address))
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
    pub fn of(&self, service: ServiceName) -> &[Peer] {
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
        for text in [
            "signaling = \"node-1:9082\"\n",
            "signaling = [\"node-1:9082\", \"node-2:9082\"]\n",
            "signaling = [\"a=node-1:9082\", \"b=unix:/run/b=c\", \"unix:/run/b=c\"]\n",
        ] {
            let section: PeersSection = toml::from_str(text).unwrap();
            assert_eq!(toml::to_string(&section).unwrap(), text);
        }
        let several: PeersSection = toml::from_str("chat = [\"unix:/a\", \"127.0.0.1:1\"]").unwrap();
        assert_eq!(several.of(ServiceName::Chat).len(), 2);
        assert!(several.of(ServiceName::Auth).is_empty());
        let named: PeersSection = toml::from_str("signaling = [\"a=node-1:9082\", \"node-2:9082\"]").unwrap();
        let names: Vec<String> = named.of(ServiceName::Signaling).iter().map(Peer::name).collect();
        assert_eq!(names, ["a", "node-2:9082"]);
        let refused = toml::from_str::<PeersSection>("chat = [\"nowhere\"]").unwrap_err();
        assert!(refused.to_string().contains("`nowhere` is no link address"), "{refused}");
    }
}
