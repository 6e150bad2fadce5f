//! Addresses and ports that nobody else on this machine has at the same time.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};

/// A loopback address that no other part of this test, and hardly one of another process, has at the same time.
#[must_use]
pub fn own_address() -> Ipv4Addr {
    static TAKEN: AtomicU8 = AtomicU8::new(0);
    let [high, low, ..] = (std::process::id() as u16).to_be_bytes();
    let own = TAKEN.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::new(127, 64 + high % 128, low, 1 + own % 250)
}

/// A port of this address that is free at the moment, for a server that can't choose one by itself.
///
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port(address: Ipv4Addr) -> u16 {
    let listener = TcpListener::bind((IpAddr::V4(address), 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}
