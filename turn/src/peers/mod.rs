//! Which peers may be reached through the relay: the rule that keeps TURN from being a way into the private network.
//!
//! A TURN server stands inside; its clients stand outside and name the addresses that it sends to. So what may be reached is decided
//! default-deny, after normalisation (an address has many forms, and every deny list that knew only one of them was walked around), in this order:
//!
//! 1. port 0 is nothing to send to;
//! 2. an address of this server itself is reached only at the port of a live allocation, as two relayed clients of one call do;
//! 3. what the configuration denies is denied, also where 4 and 5 would allow it;
//! 4. what the configuration allows is allowed;
//! 5. what every form of the address says is public is allowed; everything else is not.

mod public;

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::relays::Relays;

/// The rule with its configuration.
#[derive(Debug)]
pub(crate) struct PeerRule {
    own: Vec<IpAddr>,
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
}

impl PeerRule {
    /// `own` are the addresses of this server: what it listens on, relays from and advertises.
    pub(crate) fn new(own: impl IntoIterator<Item = IpAddr>, allowed: Vec<IpNet>, denied: Vec<IpNet>) -> Self {
        let own = own.into_iter().map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified()).collect();
        Self { own, allowed, denied }
    }

    /// Whether a packet may go to this peer, or come from it.
    pub(crate) fn reaches(&self, peer: SocketAddr, relays: &Relays) -> bool {
        let ip = peer.ip().to_canonical();
        if peer.port() == 0 {
            return false;
        }
        match self.own.contains(&ip) {
            true => relays.is_live(SocketAddr::new(ip, peer.port())),
            false => self.is_reachable(ip),
        }
    }

    /// Whether a permission may be made for this address. A permission has no port (RFC 8656, section 9), so for the server's own
    /// addresses it says nothing yet: each packet is judged by [`Self::reaches`].
    pub(crate) fn permits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.own.contains(&ip) || self.is_reachable(ip)
    }

    fn is_reachable(&self, ip: IpAddr) -> bool {
        // What an address carries inside is where its packets end up, so each of them must be allowed.
        let mut forms = std::iter::once(ip).chain(public::embedded(ip).into_iter().flatten().map(IpAddr::V4));
        if forms.clone().any(|form| is_in(form, &self.denied) || (form != ip && self.own.contains(&form))) {
            return false;
        }
        is_in(ip, &self.allowed)
            || forms.all(|form| public::is_public(form) || (form != ip && is_in(form, &self.allowed)))
    }
}

fn is_in(ip: IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(&ip))
}

#[cfg(test)]
mod tests;
