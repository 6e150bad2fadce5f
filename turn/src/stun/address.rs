//! Addresses as STUN writes them: exclusive-ored, so that no box on the way takes them for addresses to rewrite.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{MAGIC_COOKIE, TransactionId};

const FAMILY_IPV4: u8 = 1;
const FAMILY_IPV6: u8 = 2;

/// The address in the value of an XOR-…-ADDRESS attribute.
///
/// An IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) comes out as the IPv4 address: nothing after this line sees it dressed.
pub fn decode_xor_address(value: &[u8], transaction: &TransactionId) -> Option<SocketAddr> {
    let [_, family, port_high, port_low, rest @ ..] = value else { return None };
    let port = u16::from_be_bytes([*port_high, *port_low]) ^ (MAGIC_COOKIE >> 16) as u16;
    let mask = mask(transaction);
    let ip = match *family {
        FAMILY_IPV4 => {
            let octets: [u8; 4] = rest.try_into().ok()?;
            IpAddr::V4(Ipv4Addr::from(std::array::from_fn(|at| octets[at] ^ mask[at])))
        }
        FAMILY_IPV6 => {
            let octets: [u8; 16] = rest.try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(std::array::from_fn(|at| octets[at] ^ mask[at])))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

/// The value of an XOR-…-ADDRESS attribute, and how many of the bytes it takes.
pub fn encode_xor_address(address: SocketAddr, transaction: &TransactionId) -> ([u8; 20], usize) {
    let mask = mask(transaction);
    let mut value = [0; 20];
    let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
    value[2..4].copy_from_slice(&port.to_be_bytes());
    let (family, length) = match address.ip() {
        IpAddr::V4(ip) => {
            value[4..8].copy_from_slice(&ip.octets());
            (FAMILY_IPV4, 8)
        }
        IpAddr::V6(ip) => {
            value[4..20].copy_from_slice(&ip.octets());
            (FAMILY_IPV6, 20)
        }
    };
    value[1] = family;
    for (byte, mask) in value[4..length].iter_mut().zip(mask) {
        *byte ^= mask;
    }
    (value, length)
}

fn mask(transaction: &TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(transaction);
    mask
}
