//! The bound listeners of a process: bind first, build later, report what was bound.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use protocol::ServiceName;
use runtime::listen::{BindError, ListenConfig, Listener, TlsFiles};

use super::peers::{self, Door};
use crate::config::{AdminSection, Config};

/// What a process listens on.
pub(crate) struct Listeners {
    pub(crate) services: Vec<(ServiceName, Listener)>,
    pub(crate) admin: Listener,
    /// The link's.
    pub(crate) doors: Vec<Door>,
    /// TURN's, if it serves here.
    pub(crate) turn: Option<turn::Listeners>,
}

impl Listeners {
    /// Binds everything, or says what can't be had.
    pub(crate) async fn bind(config: &Config) -> Result<Self> {
        let mut services = Vec::new();
        for role in &config.roles {
            let service = role.0;
            let bound = Listener::bind(service_listener(config, service)).await;
            services.push((service, bound.with_context(|| format!("listen.{role}"))?));
        }
        let serves_turn = config.turn.enabled && config.runs(ServiceName::Turn);
        let turn = serves_turn.then(|| turn::Listeners::bind(&config.turn)).transpose().context("turn.listen")?;
        let doors = peers::bind(config).await?;
        Ok(Self { services, admin: bind_admin(config).await.context("admin.listen")?, doors, turn })
    }
}

fn service_listener(config: &Config, service: ServiceName) -> ListenConfig {
    let mut listen = ListenConfig::new(service, config.listen.of(service));
    listen.max_connections = config.listen.max_connections;
    listen.max_pending_per_address = config.listen.max_pending_per_address;
    // Clients, and so proxies and certificates, are the gateway's; the other listeners are for operators.
    if service == ServiceName::Gateway {
        listen.trusted_proxies.clone_from(&config.proxy.trusted);
        listen.proxy_protocol = config.proxy.protocol;
        if let (Some(cert), Some(key)) = (&config.tls.cert, &config.tls.key) {
            listen.tls = Some(TlsFiles { cert: cert.clone(), key: key.clone() });
        }
    }
    listen
}

async fn bind_admin(config: &Config) -> Result<Listener, BindError> {
    let service = config.roles.first().map_or(ServiceName::Gateway, |role| role.0);
    let mut address = config.admin.listen;
    // The well-known port is for the process that most commands are for; the others tell theirs in the addresses file.
    if address == AdminSection::default().listen && !config.runs(ServiceName::Auth) {
        address.set_port(0);
    }
    Listener::bind(ListenConfig::new(service, address)).await
}

/// Where a person opens the web client of a gateway that listens here.
pub(crate) fn url(bound: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    match bound.ip() {
        ip if ip.is_unspecified() || ip.is_loopback() => format!("{scheme}://localhost:{}", bound.port()),
        _ => format!("{scheme}://{bound}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_one_that_this_machines_browser_opens() {
        assert_eq!(url("127.0.0.1:8080".parse().unwrap(), false), "http://localhost:8080");
        assert_eq!(url("0.0.0.0:8443".parse().unwrap(), true), "https://localhost:8443");
        assert_eq!(url("192.0.2.7:80".parse().unwrap(), false), "http://192.0.2.7:80");
    }
}
