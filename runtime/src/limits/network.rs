//! The unit in which addresses are limited.
//!
//! Whoever has one IPv6 address has at least 2^64 of them: counted one by one they would be as many budgets, and would fill
//! every bounded map. So all addresses of a /64, the smallest network that is handed out, are one key. An IPv4 address is
//! a network of its own, also in IPv6 clothes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whose addresses share a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(Base);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Base {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Base::V4(address),
            IpAddr::V6(address) => Base::V6(prefix(address)),
        })
    }
}

fn prefix(address: Ipv6Addr) -> [u16; 4] {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d]
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Base::V4(address) => address.fmt(f),
            Base::V6([a, b, c, d]) => write!(f, "{a:x}:{b:x}:{c:x}:{d:x}::/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn all_addresses_of_a_household_are_one_network() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::9"), network("2001:db8:1:3::9"));
        assert_eq!(network("2001:db8:1:2::9").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn an_ipv4_address_is_its_own_network_whatever_it_is_dressed_as() {
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
        assert_eq!(network("::ffff:192.0.2.7").to_string(), "192.0.2.7");
    }
}
