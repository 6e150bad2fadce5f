//! Which addresses are public, by IANA's registries of special-purpose addresses, and which IPv4 addresses an IPv6 address carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not public: network and length of its prefix.
const IPV4_SPECIAL: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // carrier-grade NAT
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, also clouds' metadata
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // AMT
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and broadcast
];

/// What of 2000::/3, the only public part of IPv6, is not public.
const IPV6_SPECIAL: &[([u16; 8], u32)] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments: Teredo, benchmarks, ORCHID
    ([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// Where networks translate IPv6 to IPv4 (RFC 6052).
const NAT64: ([u16; 8], u32) = ([0x0064, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
const GLOBAL_UNICAST: ([u16; 8], u32) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Whether an address belongs to the public Internet. Of an address that carries another ask for that one, too.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !IPV4_SPECIAL.iter().any(|(network, length)| {
            let mask = u32::MAX << (32 - length);
            (ip.to_bits() ^ u32::from_be_bytes(*network)) & mask == 0
        }),
        IpAddr::V6(ip) => {
            let is_special = IPV6_SPECIAL.iter().any(|special| is_within(ip, special));
            is_within(ip, &NAT64) || (is_within(ip, &GLOBAL_UNICAST) && !is_special)
        }
    }
}

/// The IPv4 addresses that packets to this address may end up at.
pub(super) fn embedded(ip: IpAddr) -> [Option<Ipv4Addr>; 2] {
    let IpAddr::V6(ip) = ip else { return [None, None] };
    let [_, b, c, .., g, h] = ip.segments();
    let at_end = join(g, h);
    match ip.segments() {
        // Mapped and compatible forms, NAT64.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] | [0x0064, 0xff9b, ..] => {
            [Some(at_end), None]
        }
        // 6to4 carries its router.
        [0x2002, .., e, f, _, _] if e & 0xfdff == 0 && f == 0x5efe => [Some(join(b, c)), Some(at_end)],
        [0x2002, ..] => [Some(join(b, c)), None],
        // Teredo carries its server, and its client upside down.
        [0x2001, 0, ..] => [Some(join(c, ip.segments()[3])), Some(Ipv4Addr::from_bits(!at_end.to_bits()))],
        // ISATAP carries its host, under any prefix.
        [.., e, f, _, _] if e & 0xfdff == 0 && f == 0x5efe => [Some(at_end), None],
        _ => [None, None],
    }
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

fn is_within(ip: Ipv6Addr, (network, length): &([u16; 8], u32)) -> bool {
    let mask = u128::MAX << (128 - length);
    (ip.to_bits() ^ Ipv6Addr::from(*network).to_bits()) & mask == 0
}
