//! The relayed side of an allocation: a UDP socket of its own, on a port out of the configured range.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rand::Rng;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::config::Config;
use crate::relays::{RelayPlace, Relays};

/// Ports that are tried before the range counts as used up.
const TRIES: usize = 64;
/// What the kernel keeps of packets that come faster than they are read: about 50 ms of the fastest allocation.
const RECEIVE_BUFFER_BYTES: usize = 256 * 1024;

/// The socket of one allocation.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) socket: UdpSocket,
    /// As the outside knows it.
    pub(crate) advertised: SocketAddr,
    _place: RelayPlace,
}

/// The addresses of one family that are relayed from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RelayAddress {
    /// What sockets are bound to.
    pub(crate) bound: IpAddr,
    /// As the outside knows it.
    pub(crate) advertised: IpAddr,
}

impl RelayAddress {
    /// All of a configuration.
    pub(crate) fn all(config: &Config) -> Vec<Self> {
        let address = |bound| Self { bound, advertised: config.advertised(bound) };
        config.relay_ips().into_iter().map(address).collect()
    }

    /// Where a packet to a peer really goes: another client's relayed address is on this machine, whatever NAT lies outside.
    pub(crate) fn inside(&self, peer: SocketAddr) -> SocketAddr {
        match peer.ip() == self.advertised {
            true => SocketAddr::new(self.bound, peer.port()),
            false => peer,
        }
    }

    /// Who a packet comes from, as the outside knows it.
    pub(crate) fn outside(&self, peer: SocketAddr) -> SocketAddr {
        match peer.ip() == self.bound {
            true => SocketAddr::new(self.advertised, peer.port()),
            false => peer,
        }
    }
}

impl Relay {
    /// Binds a free port of the range, an even one where that was asked for. The port is random, so that it can't be guessed.
    pub(crate) fn bind(config: &Config, address: RelayAddress, even: bool, relays: &Relays) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            let port = rand::rng().random_range(config.relay_port_min..=config.relay_port_max);
            if even && !port.is_multiple_of(2) {
                continue;
            }
            match bind(SocketAddr::new(address.bound, port)) {
                Ok(socket) => {
                    let advertised = SocketAddr::new(address.advertised, port);
                    return Ok(Self { socket, advertised, _place: relays.enter(advertised) });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: RelayAddress = RelayAddress {
        bound: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        advertised: IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5)),
    };

    #[tokio::test]
    async fn a_relay_lives_as_long_as_its_socket_by_the_address_that_is_advertised() {
        let (config, relays) = (Config::default(), Relays::default());
        let relay = Relay::bind(&config, HOME, true, &relays).unwrap();
        let port = relay.socket.local_addr().unwrap().port();
        assert!(port.is_multiple_of(2) && port >= config.relay_port_min);
        assert_eq!(relay.advertised, SocketAddr::new(HOME.advertised, port));
        assert!(relays.is_live(relay.advertised));
        drop(relay);
        assert!(!relays.is_live(SocketAddr::new(HOME.advertised, port)));
    }

    #[tokio::test]
    async fn a_range_that_is_used_up_is_told() {
        let relays = Relays::default();
        let first = Relay::bind(&Config::default(), HOME, false, &relays).unwrap();
        let port = first.advertised.port();
        let config = Config { relay_port_min: port, relay_port_max: port, ..Config::default() };
        assert_eq!(Relay::bind(&config, HOME, false, &relays).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn other_relays_are_met_inside_and_known_as_outside() {
        let [inside, outside, else_where] =
            ["127.0.0.1:50000", "203.0.113.5:50000", "8.8.8.8:53"].map(|text| text.parse().unwrap());
        assert_eq!((HOME.inside(outside), HOME.outside(inside)), (inside, outside));
        assert_eq!((HOME.inside(else_where), HOME.outside(else_where)), (else_where, else_where));
    }
}
