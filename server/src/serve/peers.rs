//! Where the services of other processes are: by config, or by their sockets in the shared data directory.

use std::sync::Arc;

use anyhow::{Context, Result};
use link::Service;
use link::grpc::{self, Address, BreakerState, Key};
use protocol::ServiceName;

use crate::config::Config;

/// The file of the link's key, in the data directory.
const LINK_KEY: &str = "link.key";
/// The folder of the link's sockets, in the data directory.
const LINK_FOLDER: &str = "link";

/// The key of the data directory.
pub(crate) fn key(config: &Config) -> Result<Key> {
    let path = config.data_dir.join(LINK_KEY);
    Key::load_or_create(&path).with_context(|| format!("the link's key in {}", path.display()))
}

/// The socket of a service where nothing else was said.
pub(crate) fn socket(config: &Config, service: ServiceName) -> Address {
    Address::Unix(config.data_dir.join(LINK_FOLDER).join(format!("{}.sock", service.role())))
}

/// A service of another process, for `user`, whose metrics tell how the connection is.
pub(crate) fn connect(config: &Config, service: ServiceName, user: ServiceName) -> Result<Arc<dyn Service>> {
    let address = config.link.peers.of(service).cloned().unwrap_or_else(|| socket(config, service));
    let gauge = metrics::gauge!(
        "circuit_breaker_state",
        "service" => user.as_str(),
        "dependency" => service.as_str(),
    );
    gauge.set(0.0);
    let observer = Arc::new(move |state| gauge.set(breaker_value(state)));
    grpc::connect(&address, &key(config)?, service, observer).with_context(|| format!("link.peers.{}", service.role()))
}

/// As every breaker's gauge shows it.
fn breaker_value(state: BreakerState) -> f64 {
    match state {
        BreakerState::Closed => 0.0,
        BreakerState::Open => 2.0,
    }
}
