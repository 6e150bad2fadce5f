//! What an operator can set of TURN. The defaults are for one machine: reachable from nowhere else.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use runtime::config::{Environment, Problems, Secret};
use serde::{Deserialize, Serialize};

/// `[turn]` of the config file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether the embedded server serves.
    pub enabled: bool,
    /// The URIs that clients are given; empty: the embedded server's own.
    pub urls: Vec<String>,
    /// What credentials are made and checked with; unset: the secret in the data directory.
    pub secret: Secret,
    /// The secret before this one, whose credentials are still good.
    pub previous_secret: Secret,
    /// How long credentials are good, in seconds, and with them the allocations that stand on them.
    pub credential_s: u64,
    /// The realm of the long-term credential mechanism.
    pub realm: String,
    /// Where clients are served, by UDP and TCP on the same port; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// The addresses that are relayed from, at most one of a family; empty: those of `listen`.
    pub relay_ips: Vec<IpAddr>,
    /// The addresses by which the outside knows those of `relay_ips`, at most one of a family.
    pub external_ips: Vec<IpAddr>,
    /// The lowest port that is relayed from.
    pub relay_port_min: u16,
    /// The highest port that is relayed from.
    pub relay_port_max: u16,
    /// Networks that are relayed to although they are not public.
    pub allowed_peers: Vec<IpNet>,
    /// Networks that are not relayed to although they are public or allowed.
    pub denied_peers: Vec<IpNet>,
    /// The most allocations of one user.
    pub allocations_per_user: usize,
    /// The most allocations of one client address.
    pub allocations_per_address: usize,
    /// The most allocations of all.
    pub allocations_max: usize,
    /// What one allocation may carry in each direction, in bytes a second; 0: no limit.
    pub allocation_bytes_per_s: u32,
    /// Answers a second to one address that has not shown credentials.
    pub answers_per_address: u32,
    /// The most TCP connections of one client address.
    pub tcp_per_address: usize,
    /// The most TCP connections of all.
    pub tcp_max: usize,
    /// How long a TCP connection without an allocation is kept, in seconds.
    pub tcp_idle_s: u64,
    /// The most bytes that wait to be written to one TCP connection; more are dropped, as UDP drops.
    pub tcp_queue_bytes: usize,
}

/// The port that the standard names.
const PORT: u16 = 3478;

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            urls: Vec::new(),
            secret: Secret::default(),
            previous_secret: Secret::default(),
            credential_s: 300,
            realm: "secureconnect".to_owned(),
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))],
            relay_ips: Vec::new(),
            external_ips: Vec::new(),
            relay_port_min: 49_152,
            relay_port_max: 65_535,
            allowed_peers: Vec::new(),
            denied_peers: Vec::new(),
            allocations_per_user: 10,
            allocations_per_address: 100,
            allocations_max: 4_096,
            allocation_bytes_per_s: 2_500_000,
            answers_per_address: 100,
            tcp_per_address: 100,
            tcp_max: 4_096,
            tcp_idle_s: 30,
            tcp_queue_bytes: 256 * 1024,
        }
    }
}

impl Config {
    /// Every key with what it means, for the documented configuration file.
    #[must_use]
    pub fn comments() -> &'static [(&'static str, &'static str)] {
        &[
            (
                "enabled",
                "Whether the embedded server serves. false where a TURN server of your own does (urls names it, secret is the same).",
            ),
            (
                "urls",
                "The URIs that clients are given: [\"turn:turn.example.org:3478?transport=udp\"]. Empty: the embedded server's own address.",
            ),
            (
                "secret",
                "What credentials are made and checked with (coturn: static-auth-secret). Unset: <data_dir>/turn.secret, made at the first start.",
            ),
            (
                "previous_secret",
                "The secret before this one: what it made stays good until it expires. Take it away after credential_s.",
            ),
            (
                "credential_s",
                "How long credentials are good, and with them the allocations that stand on them: clients ask for new ones in time.",
            ),
            ("realm", "The realm of the long-term credential mechanism."),
            (
                "listen",
                "Where clients are served, by UDP and TCP on the same port. 0.0.0.0 needs relay_ips; where a machine has several addresses, name one.",
            ),
            (
                "relay_ips",
                "The addresses that are relayed from, at most one IPv4 and one IPv6. Empty: those of listen.",
            ),
            (
                "external_ips",
                "The addresses by which the outside knows relay_ips, where NAT lies between, at most one IPv4 and one IPv6.",
            ),
            (
                "relay_port_min",
                "The lowest port that is relayed from. A firewall must let UDP in from here to relay_port_max.",
            ),
            ("relay_port_max", "The highest port that is relayed from."),
            (
                "allowed_peers",
                "Networks that are relayed to although they are not public. Each opens that network to whoever may call.",
            ),
            (
                "denied_peers",
                "Networks that are not relayed to although they are public or allowed, such as other services' public addresses.",
            ),
            (
                "allocations_per_user",
                "The most allocations of one user. A call takes one for each network interface and transport of a device.",
            ),
            (
                "allocations_per_address",
                "The most allocations of one client address. Raise it where many people share one address.",
            ),
            ("allocations_max", "The most allocations of all. Each is a UDP port and an open file."),
            (
                "allocation_bytes_per_s",
                "What one allocation may carry in each direction, in bytes a second; more is dropped. 0: no limit.",
            ),
            (
                "answers_per_address",
                "Answers a second to one address that has not shown credentials: more would serve to flood somebody else.",
            ),
            ("tcp_per_address", "The most TCP connections of one client address."),
            ("tcp_max", "The most TCP connections of all."),
            ("tcp_idle_s", "How long a TCP connection without an allocation is kept."),
            (
                "tcp_queue_bytes",
                "The most bytes that wait to be written to one TCP connection; more are dropped, as UDP drops.",
            ),
        ]
    }

    /// The addresses that are relayed from.
    pub(crate) fn relay_ips(&self) -> Vec<IpAddr> {
        match self.relay_ips.as_slice() {
            [] => {
                let mut ips: Vec<IpAddr> = self.listen.iter().map(SocketAddr::ip).collect();
                ips.dedup();
                ips
            }
            ips => ips.to_vec(),
        }
    }

    /// The address by which clients reach what listens on this one.
    #[must_use]
    pub fn reached_at(&self, listening: IpAddr) -> IpAddr {
        let own = self.relay_ips.iter().copied().find(|ip| ip.is_ipv4() == listening.is_ipv4());
        self.advertised(if listening.is_unspecified() { own.unwrap_or(listening) } else { listening })
    }

    /// The address by which the outside knows a relay's.
    pub(crate) fn advertised(&self, relay: IpAddr) -> IpAddr {
        self.external_ips.iter().copied().find(|ip| ip.is_ipv4() == relay.is_ipv4()).unwrap_or(relay)
    }

    /// Reports what can't work, under keys that begin with `section`.
    pub fn check(&self, section: &str, environment: Environment, problems: &mut Problems) {
        let mut refuse = |key: &str, reason: String| problems.refuse(&format!("{section}.{key}"), reason);
        if !(30..=86_400).contains(&self.credential_s) {
            refuse("credential_s", "must be from 30 to 86400".to_owned());
        }
        for url in
            self.urls.iter().filter(|url| !["turn:", "turns:", "stun:"].iter().any(|scheme| url.starts_with(scheme)))
        {
            refuse(
                "urls",
                format!("{url:?} is no TURN URI: write it like \"turn:turn.example.org:3478?transport=udp\""),
            );
        }
        for (key, value) in [
            ("allocations_per_user", self.allocations_per_user),
            ("allocations_per_address", self.allocations_per_address),
            ("allocations_max", self.allocations_max),
            ("answers_per_address", self.answers_per_address as usize),
            ("tcp_per_address", self.tcp_per_address),
            ("tcp_max", self.tcp_max),
            ("tcp_idle_s", self.tcp_idle_s as usize),
        ] {
            if value == 0 {
                refuse(key, "must not be 0".to_owned());
            }
        }
        let largest = crate::framing::FRAME_BYTES_MAX;
        if self.tcp_queue_bytes < 2 * largest {
            refuse("tcp_queue_bytes", format!("must be at least {}, two of the largest packets", 2 * largest));
        }
        if (1..largest as u32).contains(&self.allocation_bytes_per_s) {
            refuse("allocation_bytes_per_s", format!("must be 0 or at least {largest}, one of the largest packets"));
        }
        if self.enabled {
            self.check_addresses(&mut refuse);
        }
        if self.enabled || !self.urls.is_empty() {
            problems.check_secret(&format!("{section}.secret"), &self.secret, environment);
            problems.check_secret(&format!("{section}.previous_secret"), &self.previous_secret, environment);
        }
        if !self.enabled && !self.urls.is_empty() && !self.secret.is_set() {
            problems.refuse(&format!("{section}.secret"), "must be that of the server that urls names");
        }
    }

    fn check_addresses(&self, refuse: &mut impl FnMut(&str, String)) {
        if self.listen.is_empty() || self.realm.is_empty() || self.realm.len() > 127 {
            refuse("listen", "needs an address, and realm from 1 to 127 bytes".to_owned());
        }
        if self.relay_port_min == 0 || self.relay_port_min >= self.relay_port_max {
            refuse("relay_port_min", "must be less than relay_port_max, and not 0".to_owned());
        }
        for (key, ips) in [("relay_ips", &self.relay_ips()), ("external_ips", &self.external_ips)] {
            if ips.iter().any(|ip| ip.is_unspecified() || ip.is_multicast()) {
                refuse(
                    key,
                    "must name addresses that packets can come from: set it where listen is 0.0.0.0 or [::]".to_owned(),
                );
            }
            if ips.iter().map(IpAddr::is_ipv4).collect::<BTreeSet<_>>().len() != ips.len() {
                refuse(key, "has more than one address of a family".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        let mut problems = Problems::default();
        config.check("turn", Environment::Production, &mut problems);
        problems.into_result().err().map(|error| error.to_string())
    }

    #[test]
    fn every_key_is_documented() {
        let json = serde_json::to_value(Config::default()).unwrap();
        for key in json.as_object().unwrap().keys() {
            assert!(Config::comments().iter().any(|(name, _)| name == key), "{key}");
        }
    }

    #[test]
    fn what_can_not_work_is_refused_by_its_key() {
        assert_eq!(problem(|_| {}), None);
        type Case = (&'static str, fn(&mut Config));
        let cases: [Case; 9] = [
            ("turn.credential_s", |config| config.credential_s = 5),
            ("turn.urls", |config| config.urls = vec!["http://turn.example.org".to_owned()]),
            ("turn.relay_ips", |config| config.listen = vec!["0.0.0.0:3478".parse().unwrap()]),
            ("turn.relay_port_min", |config| config.relay_port_max = 1_000),
            ("turn.external_ips", |config| {
                config.external_ips = ["1.1.1.1", "1.1.1.2"].map(|ip| ip.parse().unwrap()).to_vec()
            }),
            ("turn.allocations_max", |config| config.allocations_max = 0),
            ("turn.allocation_bytes_per_s", |config| config.allocation_bytes_per_s = 1_000),
            ("turn.secret", |config| config.secret = Secret::new("changeme")),
            ("turn.secret", |config| (config.enabled, config.urls) = (false, vec!["turn:turn.example.org".to_owned()])),
        ];
        for (key, change) in cases {
            let found = problem(change);
            assert!(found.as_ref().is_some_and(|found| found.contains(&format!("`{key}`"))), "{key}: {found:?}");
        }
    }
}
