//! TURN must not be a way into the private network: thousands of forms of addresses that must not be reached, by each way that a client
//! has to name a peer. Nothing is relayed and nothing arrives.
//!
//! A test binary of its own, because it reads the process's counters: not one packet may have left.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must be: a panic is how it says no")]

#[path = "it/client.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod client;
#[path = "it/world.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod world;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use client::Client;
use protocol::ServiceName;
use tokio::net::UdpSocket;
use turn::Config;
use turn::stun::{attribute, method};
use world::{World, credentials};

/// What must not be reached, in IPv4: the ends and the middle of each special network.
fn private_ipv4() -> Vec<Ipv4Addr> {
    let networks = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ];
    let networks = networks.map(|network| network.parse::<ipnet::Ipv4Net>().unwrap());
    let inside = networks.iter().flat_map(|network| {
        let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
        [first, first + 1, first + (last - first) / 2, first + (last - first) / 3, last - 1, last]
            .map(Ipv4Addr::from_bits)
    });
    let known = ["127.0.0.1", "127.1.1.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "255.255.255.255"];
    inside.chain(known.map(|ip| ip.parse().unwrap())).collect()
}

/// Every form that an IPv4 address has in IPv6.
fn dressed(ip: Ipv4Addr) -> Vec<IpAddr> {
    let [high, low] = [ip.to_bits() >> 16, ip.to_bits() & 0xFFFF].map(|half| half as u16);
    [
        [0, 0, 0, 0, 0, 0xffff, high, low],
        [0, 0, 0, 0, 0, 0, high, low],
        [0, 0, 0, 0, 0xffff, 0, high, low],
        [0x64, 0xff9b, 0, 0, 0, 0, high, low],
        [0x64, 0xff9b, 1, 0, 0, 0, high, low],
        [0x2002, high, low, 0, 0, 0, 0, 1],
        [0x2002, 0x0808, 0x0808, 0, 0, 0x5efe, high, low],
        [0x2001, 0, 0x0808, 0x0808, 0, 0, !high, !low],
        [0x2001, 0, high, low, 0, 0, 0xf7f7, 0xf7f7],
        [0x2a00, 1, 2, 3, 0, 0x5efe, high, low],
        [0x2a00, 1, 2, 3, 0x200, 0x5efe, high, low],
        [0xfe80, 0, 0, 0, 0, 0x5efe, high, low],
    ]
    .map(|segments| Ipv6Addr::from(segments).into())
    .to_vec()
}

fn private_ipv6() -> Vec<IpAddr> {
    let plain = [
        "::",
        "::1",
        "::2",
        "100::1",
        "64:ff9b:1::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002::1",
        "2620:4f:8000::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "8000::1",
        "fc00::1",
        "fd00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff00::1",
        "ff02::1",
        "ff02::fb",
        "ff0e::1",
    ];
    let plain = plain.map(|ip| ip.parse().unwrap());
    private_ipv4().into_iter().flat_map(dressed).chain(plain).collect()
}

struct Attacker {
    client: Client,
    forms: usize,
}

impl Attacker {
    async fn at(world: &World, name: &str, family: u8) -> Self {
        let mut client = Client::udp(world.address, credentials(name, 600)).await;
        let answer = client.request(method::ALLOCATE, |writer| {
            writer
                .attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
                .attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        });
        answer.await.unwrap_or_else(|code| panic!("{code}"));
        Self { client, forms: 0 }
    }

    /// Tries one peer by every way. Whether a way is refused or silently leads nowhere is told by the counters.
    async fn tries(&mut self, peer: SocketAddr) {
        self.forms += 1;
        let number = 0x4000 + (self.forms % 0x3000) as u16;
        let is_own = ["127.0.0.1", "::1"].contains(&peer.ip().to_canonical().to_string().as_str());
        let permitted = self.client.permit(peer).await;
        // A permission has no port: for the server's own address it is made, and each packet is judged.
        assert!(is_own || matches!(permitted, Err(403 | 443)), "a permission for {peer}");
        assert!(matches!(self.client.bind(number, peer).await, Err(403 | 443)), "a channel to {peer}");
        self.client.send_to(peer, b"by indication").await;
        self.client.send_on(number, b"by channel").await;
    }
}

#[tokio::test]
async fn no_form_of_a_private_address_is_relayed_to_by_any_way() {
    let listen = |config: &mut Config| {
        config.listen = vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()];
    };
    let world = World::with(listen);
    // Real services of this machine, which a packet would reach.
    let traps = [UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("[::1]:0").await.unwrap()];
    let ports: Vec<u16> = traps.iter().map(|trap| trap.local_addr().unwrap().port()).collect();
    let every_port = |ip: IpAddr| {
        let known = [0, 22, 53, 3478, 8080];
        known.into_iter().chain(ports.clone()).map(move |port| SocketAddr::new(ip, port)).collect::<Vec<_>>()
    };
    let mut forms = 0;
    for (name, family) in [("ann", 1), ("bob", 2)] {
        let mut attacker = Attacker::at(&world, name, family).await;
        let all = private_ipv4().into_iter().map(IpAddr::V4).chain(private_ipv6());
        for peer in all.filter(|ip| ip.is_loopback() || ip.is_unspecified()).flat_map(&every_port) {
            attacker.tries(peer).await;
        }
        for ip in private_ipv4().into_iter().map(IpAddr::V4).chain(private_ipv6()) {
            attacker.tries(SocketAddr::new(ip, ports[0])).await;
        }
        // The server's own address, where nothing is relayed from.
        for peer in every_port(world.address.ip()) {
            attacker.tries(peer).await;
        }
        // What was sent before is worked off.
        assert!(attacker.client.refresh(600).await.is_ok());
        forms += attacker.forms;
    }
    assert!(forms > 2_000, "{forms}");
    for trap in &traps {
        let mut read = [0; 100];
        assert!(trap.try_recv_from(&mut read).is_err(), "something arrived");
    }
    let metrics = runtime::telemetry::metrics::install().render(ServiceName::Turn);
    let value = |name: &str, label: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name) && line.contains(&format!("=\"{label}\"")));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or_else(|| panic!("no {name} {label}")).parse().unwrap()
    };
    assert_eq!(value("turn_relayed_packets_total", "to_peer"), 0.0);
    assert!(value("turn_denied_peers_total", "permission") > 500.0);
    assert!(value("turn_denied_peers_total", "channel_bind") > 500.0);
    assert!(
        value("turn_denied_peers_total", "send") > 0.0,
        "the server's own address was permitted, and the packet denied"
    );
}
