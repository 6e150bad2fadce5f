//! Where the services are: in this process, at the addresses of the config, or at their sockets in the shared data directory.

use std::sync::Arc;

use anyhow::{Context, Result};
use link::grpc::{self, Address, BreakerState, Key, Tls, Trust};
use link::{Balanced, Service};
use protocol::ServiceName;
use runtime::ops::Readiness;
use runtime::redis::Redis;

use super::shared;
use crate::config::Config;

/// The file of the link's key, in the data directory.
const LINK_KEY: &str = "link.key";
/// The folder of the link's sockets, in the data directory.
const LINK_FOLDER: &str = "link";
/// What the others call an instance of this process that listens nowhere for them: nothing, so any name will do.
const UNNAMED: &str = "here";

/// A bound address of the link.
pub(crate) struct Door {
    pub(crate) listener: grpc::Listener,
    /// What is offered there.
    pub(crate) offers: Vec<ServiceName>,
}

/// Who asks a service, and where it is said whether that answers.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) service: ServiceName,
    pub(crate) readiness: Option<&'a Readiness>,
    /// By which it also hears.
    pub(crate) redis: Option<&'a Redis>,
}

/// The service itself if it runs here, else the way to it; both, where others run it, too.
pub(crate) fn find(
    config: &Config,
    local: &[Arc<dyn Service>],
    service: ServiceName,
    asker: Asker<'_>,
) -> Result<Arc<dyn Service>> {
    let here = local.iter().find(|candidate| candidate.name() == service).cloned();
    let own = config.link.own_name();
    // All nodes may have one list, in which this process is the instance that is here.
    let elsewhere = config.link.peers.of(service).iter().filter(|peer| here.is_none() || !config.link.is_own(peer));
    let mut elsewhere: Vec<(String, Address)> = elsewhere.map(|peer| (peer.name(), peer.address.clone())).collect();
    if here.is_none() && elsewhere.is_empty() {
        let socket = socket(config, service);
        elsewhere.push((socket.to_string(), socket));
    }
    let only = here.is_none() && elsewhere.len() == 1;
    let mut instances: Vec<(String, Arc<dyn Service>)> = Vec::new();
    for (name, address) in elsewhere {
        let dependency = if only { service.as_str().to_owned() } else { format!("{}@{name}", service.as_str()) };
        instances.push((name, connect(config, &address, service, asker, dependency)?));
    }
    if let Some(here) = here {
        instances.push((own.unwrap_or_else(|| UNNAMED.to_owned()), here));
    }
    if instances.len() > 1 {
        return Ok(Arc::new(Balanced::among(service, instances)));
    }
    instances.pop().map(|(_, only)| only).with_context(|| format!("link.peers.{} names nobody", service.role()))
}

/// The other instances of the asking service.
pub(crate) fn others(config: &Config, asker: Asker<'_>) -> Result<Vec<Arc<dyn Service>>> {
    let others = config.link.peers.of(asker.service).iter().filter(|peer| !config.link.is_own(peer));
    let connected = others.map(|peer| {
        let dependency = format!("{}@{}", asker.service.as_str(), peer.name());
        connect(config, &peer.address, asker.service, asker, dependency)
    });
    connected.collect()
}

/// Binds where other processes find what runs here: everything at the configured address, or each service at its socket in the data
/// directory. A process that runs all of them needs none, unless it is told one.
pub(crate) async fn bind(config: &Config) -> Result<Vec<Door>> {
    let offers = config.roles.iter().map(|role| role.0);
    let offers: Vec<_> =
        offers.filter(|service| service.serves_commands() && *service != ServiceName::Gateway).collect();
    if offers.is_empty() || (config.runs_all() && config.link.listen.is_none()) {
        return Ok(Vec::new());
    }
    let trust = trust(config)?;
    if let Some(address) = &config.link.listen {
        let listener = grpc::Listener::bind(address, &trust).await.context("link.listen")?;
        return Ok(vec![Door { listener, offers }]);
    }
    let mut doors = Vec::new();
    for service in offers {
        let listener = grpc::Listener::bind(&socket(config, service), &trust).await?;
        doors.push(Door { listener, offers: vec![service] });
    }
    Ok(doors)
}

/// The key of the data directory, and the certificates where there are any.
fn trust(config: &Config) -> Result<Trust> {
    let path = config.data_dir.join(LINK_KEY);
    let key = Key::load_or_create(&path).with_context(|| format!("the link's key in {}", path.display()))?;
    let tls = config.link.tls_files().map(|files| Tls::load(&files)).transpose().context("link.tls")?;
    Ok(Trust { key, tls })
}

/// The socket of a service where nothing else was said.
fn socket(config: &Config, service: ServiceName) -> Address {
    Address::Unix(config.data_dir.join(LINK_FOLDER).join(format!("{}.sock", service.role())))
}

/// A service of another process. The asker's metrics and readiness tell by the name of `dependency` how the connection is.
fn connect(
    config: &Config,
    address: &Address,
    service: ServiceName,
    asker: Asker<'_>,
    dependency: String,
) -> Result<Arc<dyn Service>> {
    let user = asker.service.as_str();
    // The gateway knows more of these than that they answer, and names them itself.
    let is_named =
        asker.service == ServiceName::Gateway && service != ServiceName::Storage && dependency == service.as_str();
    let standing =
        asker.readiness.filter(|_| !is_named).map(|readiness| readiness.dependency(dependency.as_str(), false));
    let gauge = metrics::gauge!("circuit_breaker_state", "service" => user, "dependency" => dependency);
    let tell = move |state| {
        gauge.set(breaker_value(state));
        match (&standing, state) {
            (Some(standing), BreakerState::Closed) => standing.up(),
            (Some(standing), BreakerState::Open) => standing.down("does not answer"),
            (None, _) => {}
        }
    };
    tell(BreakerState::Closed);
    let observer = Arc::new(tell);
    let remote = grpc::connect(address, &trust(config)?, service, observer)
        .with_context(|| format!("link.peers.{}", service.role()))?;
    Ok(shared::heard(remote, asker.redis))
}

/// As every breaker's gauge shows it.
fn breaker_value(state: BreakerState) -> f64 {
    match state {
        BreakerState::Closed => 0.0,
        BreakerState::Open => 2.0,
    }
}
