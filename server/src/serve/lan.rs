//! `serve --lan`: this network, with a certificate for development.
//!
//! Browsers give a page the camera, notifications and a service worker only over TLS (or on localhost). The certificate is
//! self-signed, so the phone asks once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result};
use protocol::ServiceName;
use runtime::listen::dev_cert;

use crate::config::Config;

const PORT: u16 = 8443;
const TURN_PORT: u16 = 3478;

/// Makes the gateway listen to the network with a development certificate; answers this machine's address in it.
pub(crate) fn open(config: &mut Config) -> Result<IpAddr> {
    let address = own_address().context("this machine has no address in a network")?;
    let folder = config.folder(ServiceName::Gateway);
    let files = dev_cert(&folder, &["localhost".to_owned(), address.to_string()])?;
    config.listen.gateway = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    config.turn.listen = vec![SocketAddr::new(address, TURN_PORT)];
    config.tls.cert = Some(files.cert);
    config.tls.key = Some(files.key);
    Ok(address)
}

/// The address that this machine would send from. Connecting a UDP socket sends nothing.
fn own_address() -> std::io::Result<IpAddr> {
    // An address that is reserved for documentation: only the route to it matters.
    let elsewhere = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9));
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(elsewhere)?;
    Ok(socket.local_addr()?.ip())
}
