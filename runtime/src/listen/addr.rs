//! Who the client is (GW10).
//!
//! A forwarding header is a claim. It counts only from a configured proxy, and then only as far as the chain of
//! configured proxies reaches: the client is the rightmost hop that is not one of them. Whatever stands to the left of that
//! the client wrote itself.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// Where the connection comes from: the client itself, or the last proxy. A request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// The client's address, as limits, lockout and audit use it. A request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);

/// Whether the client's own connection is encrypted: by our TLS, or by a configured proxy that says so. A request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure(pub bool);

/// Whether the request shows any sign of a proxy, trusted or not. A request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViaProxy(pub bool);

/// Headers that only a proxy adds.
const FORWARDING_HEADERS: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Longer chains than this are nobody's honest proxies.
const HOPS_MAX: usize = 32;

/// An IPv4 address in IPv6 clothes is that IPv4 address: deny lists and limits must not see two clients.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

pub(crate) fn is_within(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = canonical(address);
    networks.iter().any(|network| network.contains(&address))
}

/// The client behind `peer`, by the `X-Forwarded-For` lines in the order in which they stand in the request.
pub(super) fn client_addr<'a>(
    peer: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> IpAddr {
    let mut client = canonical(peer);
    if !is_within(client, trusted) {
        return client;
    }
    let hops = forwarded_for.rev().flat_map(|line| line.rsplit(','));
    for hop in hops.take(HOPS_MAX) {
        let Some(address) = parse_hop(hop) else {
            // Beyond what can't be read nothing can be believed.
            break;
        };
        client = address;
        if !is_within(client, trusted) {
            break;
        }
    }
    client
}

/// An address, with or without a port, with or without brackets.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop
        .parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(canonical(address))
}

/// Whether the headers show that a proxy passed the request on.
pub(super) fn shows_proxy(headers: &http::HeaderMap) -> bool {
    FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn networks(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|network| network.parse().unwrap()).collect()
    }

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        client_addr(peer.parse().unwrap(), lines.iter().copied(), &networks(trusted)).to_string()
    }

    #[test]
    fn a_stranger_is_who_it_connects_as_whatever_it_claims() {
        assert_eq!(client("203.0.113.5", &["10.0.0.1"], &[]), "203.0.113.5");
        assert_eq!(client("203.0.113.5", &["10.0.0.1"], &["10.0.0.0/8"]), "203.0.113.5");
    }

    #[test]
    fn behind_proxies_the_client_is_the_rightmost_hop_that_is_none_of_them() {
        let trusted = &["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 198.51.100.7"], trusted), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "198.51.100.7, 10.0.0.2"], trusted), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:443"], trusted), "2001:db8::1");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], trusted), "198.51.100.7");
    }

    #[test]
    fn what_cant_be_read_ends_the_chain() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(client("10.0.0.1", &["198.51.100.7, unknown"], trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["unknown, 10.0.0.9"], trusted), "10.0.0.9");
        assert_eq!(client("10.0.0.1", &[], trusted), "10.0.0.1");
    }

    proptest! {
        #[test]
        fn no_header_of_a_stranger_changes_its_address(lines in proptest::collection::vec("\\PC{0,60}", 0..5)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(client("203.0.113.5", &lines, &["10.0.0.0/8"]), "203.0.113.5");
        }

        #[test]
        fn what_the_client_wrote_is_never_believed(claim in "[0-9a-f.:, ]{0,60}") {
            let line = format!("{claim}, 198.51.100.7");
            prop_assert_eq!(client("10.0.0.1", &[&line], &["10.0.0.0/8"]), "198.51.100.7");
        }
    }
}
