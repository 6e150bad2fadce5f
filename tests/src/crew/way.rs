//! How the crew's clients reach the system: straight to a gateway, or by the proxy as everybody in production.

use client::{Config, Login, Rest};
use protocol::accounts::Grant;

use super::Pace;
use crate::tls::Trust;
use crate::{Proxy, World};

/// Where clients go.
#[derive(Clone)]
pub struct Way {
    url: String,
    trust: Option<Trust>,
}

impl Way {
    /// Straight to the gateway that clients use.
    #[must_use]
    pub fn straight(world: &World) -> Self {
        Self { url: format!("http://{}", world.gateway()), trust: None }
    }

    /// By a proxy.
    #[must_use]
    pub fn by(proxy: &Proxy) -> Self {
        Self { url: proxy.url(), trust: Some(proxy.trust().clone()) }
    }

    pub(super) fn rest(&self) -> Rest {
        match &self.trust {
            Some(trust) => Rest::with_http(&*self.url, crate::rest::http(None, Some(trust))),
            None => Rest::new(&*self.url, None).expect("an HTTP client"),
        }
    }

    pub(super) fn config(&self, pace: Pace, grant: Grant) -> Config {
        let mut config = Config::new(&self.url, Login::new(self.rest(), grant));
        config.settings.reconnect_within_ms = pace.reconnect_within_ms;
        config.tls = self.trust.as_ref().map(Trust::client_config);
        config
    }
}
