//! The shipped proxy configuration in the real Caddy, with a certificate of its own authority because the name is an address.

use std::net::SocketAddr;

use harness::rest::try_send;
use harness::tls::Trust;
use harness::{Rest, wait};
use rig::free_port;

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
        let host = engine.host();
        let [secure, plain] = [(); 2].map(|()| SocketAddr::from((host, free_port(host))));
        let edits = [
            ("http_port 8080", format!("http_port {}\n\tdefault_bind {host}", plain.port())),
            ("https_port 8443", format!("https_port {}", secure.port())),
        ];
        engine.start("caddy", &edits);
        let authority = engine.volume("caddy").join("caddy/pki/authorities/local/root.crt");
        let made = async || {
            let whole =
                std::fs::read_to_string(&authority).is_ok_and(|text| text.contains("-----END CERTIFICATE-----"));
            whole.then(|| Trust::in_file(&authority))
        };
        let trust = engine.until("caddy", "the proxy to have an authority", made).await;
        let proxy = Self { secure, plain, trust };
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
