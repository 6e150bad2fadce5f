//! The proxy of the compose file: the shipped configuration in the real Caddy.

use std::net::SocketAddr;

use harness::proxy::Ports;
use harness::rest::try_send;
use harness::tls::Trust;
use harness::{Rest, wait};

use crate::engine::Engine;

/// Where clients come in.
pub(crate) struct Proxy {
    /// Speaks TLS.
    pub(crate) secure: SocketAddr,
    /// Sends everybody there.
    pub(crate) plain: SocketAddr,
    trust: Trust,
}

impl Proxy {
    /// Starts it before the services, which must run.
    pub(crate) async fn start(engine: &mut Engine) -> Self {
        let ports = Ports::free(engine.host());
        engine.start("caddy", &ports.edits());
        let authority = engine.volume("caddy").join("caddy/pki/authorities/local/root.crt");
        let made = async || {
            let whole =
                std::fs::read_to_string(&authority).is_ok_and(|text| text.contains("-----END CERTIFICATE-----"));
            whole.then(|| Trust::in_file(&authority))
        };
        let trust = engine.until("caddy", "the proxy to have an authority", made).await;
        let plain = SocketAddr::from((ports.host, ports.plain));
        let proxy = Self { secure: ports.secure_address(), plain, trust };
        let rest = proxy.rest();
        wait::until("the proxy to pass requests on", async || {
            let answer = try_send(rest.request("GET", "/")).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        proxy
    }

    /// A client of it.
    pub(crate) fn rest(&self) -> Rest {
        Rest::over_tls(self.secure, self.trust.clone())
    }
}
