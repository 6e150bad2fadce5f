//! `serve --lan`: this network, with a certificate for development.
//!
//! Browsers give a page the camera, notifications and a service worker only over TLS (or on localhost). The certificate is
//! self-signed, so the phone asks once. Where the operator has configured an address or port for the gateway, that one is taken.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result};
use protocol::ServiceName;
use runtime::listen::dev_cert;

use crate::config::{Config, ListenSection};

const PORT: u16 = 8443;
const TURN_PORT: u16 = 3478;

/// Makes the gateway listen to the network with a development certificate; answers its address in it.
pub(crate) fn open(config: &mut Config) -> Result<IpAddr> {
    let listen = listen(config.listen.gateway);
    let address = match listen.ip() {
        ip if ip.is_unspecified() => own_address().context("this machine has no address in a network")?,
        ip => ip,
    };
    let folder = config.folder(ServiceName::Gateway);
    let files = dev_cert(&folder, &["localhost".to_owned(), address.to_string()])?;
    config.listen.gateway = listen;
    config.turn.listen = vec![SocketAddr::new(address, TURN_PORT)];
    config.tls.cert = Some(files.cert);
    config.tls.key = Some(files.key);
    Ok(address)
}

/// Every address of this machine, unless the operator says otherwise.
fn listen(configured: SocketAddr) -> SocketAddr {
    if configured == ListenSection::default().gateway {
        return SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    }
    configured
}

/// The address that this machine would send from. Connecting a UDP socket sends nothing.
fn own_address() -> std::io::Result<IpAddr> {
    // An address that is reserved for documentation: only the route to it matters.
    let elsewhere = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9));
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(elsewhere)?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_configured_is_taken() {
        assert_eq!(listen(ListenSection::default().gateway), "0.0.0.0:8443".parse().unwrap());
        for configured in ["192.0.2.7:9000", "0.0.0.0:9443", "127.0.0.2:0"] {
            let configured = configured.parse().unwrap();
            assert_eq!(listen(configured), configured);
        }
    }
}
