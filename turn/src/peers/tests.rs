use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn rule(allowed: &[&str], denied: &[&str]) -> PeerRule {
    let networks = |of: &[&str]| of.iter().map(|network| network.parse().unwrap()).collect();
    PeerRule::new(["203.0.113.5".parse().unwrap(), "0.0.0.0".parse().unwrap()], networks(allowed), networks(denied))
}

fn reaches(rule: &PeerRule, ip: &str) -> bool {
    rule.reaches(SocketAddr::new(ip.parse().unwrap(), 7), &Relays::default())
}

/// Every form that an IPv4 address has in IPv6, by every mechanism that was ever standardised.
pub(crate) fn dressed(ip: Ipv4Addr) -> Vec<IpAddr> {
    let [a, b, c, d] = ip.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let mut forms = vec![IpAddr::V4(ip)];
    forms.extend(
        [
            [0, 0, 0, 0, 0, 0xffff, high, low],
            [0, 0, 0, 0, 0, 0, high, low],
            [0, 0, 0, 0, 0xffff, 0, high, low],
            [0x64, 0xff9b, 0, 0, 0, 0, high, low],
            [0x64, 0xff9b, 1, 0, 0, 0, high, low],
            [0x2002, high, low, 0, 0, 0, 0, 1],
            [0x2001, 0, 0x0808, 0x0808, 0, 0, !high, !low],
            [0x2001, 0, high, low, 0, 0, 0xf7f7, 0xf7f7],
            [0x2a00, 1, 2, 3, 0, 0x5efe, high, low],
            [0x2a00, 1, 2, 3, 0x200, 0x5efe, high, low],
            [0xfe80, 0, 0, 0, 0, 0x5efe, high, low],
        ]
        .map(|segments| IpAddr::V6(Ipv6Addr::from(segments))),
    );
    forms
}

#[test]
fn what_is_not_public_is_not_reached_in_any_form() {
    let rule = rule(&[], &[]);
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.254",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.9",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
    ] {
        for form in dressed(text.parse().unwrap()) {
            assert!(!reaches(&rule, &form.to_string()), "{form}");
            assert!(!rule.permits(form), "{form}");
        }
    }
    for text in [
        "::",
        "::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "ff0e::1",
        "100::1",
        "2001:db8::1",
        "2001::1",
        "2001:2::1",
        "2001:20::1",
        "2002::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "64:ff9b:1::808:808",
    ] {
        assert!(!reaches(&rule, text), "{text}");
    }
}

#[test]
fn what_is_public_is_reached() {
    let rule = rule(&[], &[]);
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.254",
        "2606:4700::1111",
        "2a00:1450::1",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8",
        "2a00::5efe:808:808",
    ] {
        assert!(reaches(&rule, text), "{text}");
    }
}

#[test]
fn configuration_opens_a_private_network_in_its_plain_form_and_denial_is_stronger() {
    let rule = rule(&["10.0.0.0/8", "fd00::/8"], &["10.9.0.0/16", "8.8.8.0/24"]);
    for text in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00::1"] {
        assert!(reaches(&rule, text), "{text}");
    }
    for text in ["10.9.0.1", "64:ff9b::a09:1", "8.8.8.8", "64:ff9b::808:808", "192.168.0.1", "2002:a01:203::1"] {
        assert!(!reaches(&rule, text), "{text}");
    }
}

#[test]
fn the_server_itself_is_reached_only_where_an_allocation_lives() {
    // Not even by allowing its network: its other ports are other services.
    let rule = rule(&["203.0.113.0/24"], &[]);
    let relays = Relays::default();
    let live: SocketAddr = "203.0.113.5:50000".parse().unwrap();
    let place = relays.enter(live);
    assert!(rule.reaches(live, &relays));
    assert!(rule.permits(live.ip()));
    for port in [0, 22, 3478, 8080, 50_001] {
        assert!(!rule.reaches(SocketAddr::new(live.ip(), port), &relays), "{port}");
    }
    for form in dressed("203.0.113.5".parse().unwrap()).into_iter().skip(2) {
        assert!(!rule.reaches(SocketAddr::new(form, 50_000), &relays), "{form}");
    }
    drop(place);
    assert!(!rule.reaches(live, &relays));
}

proptest! {
    #[test]
    fn no_dress_makes_a_private_address_public(bits: u32) {
        let (rule, ip) = (rule(&[], &[]), Ipv4Addr::from(bits));
        let is_plain_reached = reaches(&rule, &ip.to_string());
        for form in dressed(ip) {
            let is_reached = reaches(&rule, &form.to_string());
            prop_assert!(is_plain_reached || !is_reached, "{form} is reached, {ip} is not");
        }
    }

    #[test]
    fn ipv4_agrees_with_what_the_standard_library_knows(bits: u32) {
        let ip = Ipv4Addr::from(bits);
        let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast()
            || ip.is_unspecified() || ip.is_documentation();
        prop_assert!(!(special && public::is_public(ip.into())));
    }
}
