//! The shipped proxy configuration in the real Caddy, before one gateway or several: how clients find them in production.
//!
//! Its certificate is of its own authority, because the name is an address here.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use protocol::ServiceName;
use rig::{Program, free_port};
use rustls::ClientConfig;
use tempfile::TempDir;
use tokio::process::Command;

use crate::World;
use crate::rest::{Rest, try_send};
use crate::tls::Trust;
use crate::wait;

/// What its log is called.
const NAME: &str = "caddy";

/// Where a proxy listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The address of this machine.
    pub host: Ipv4Addr,
    /// Sends everybody to the other one.
    pub plain: u16,
    /// Speaks TLS.
    pub secure: u16,
}

impl Ports {
    /// Free ones.
    #[must_use]
    pub fn free(host: Ipv4Addr) -> Self {
        Self { host, plain: free_port(host), secure: free_port(host) }
    }

    /// What must be different in the shipped file where it is not the only one on its machine.
    #[must_use]
    pub fn edits(self) -> [(&'static str, String); 2] {
        let Self { host, plain, secure } = self;
        [
            ("http_port 8080", format!("http_port {plain}\n\tdefault_bind {host}")),
            ("https_port 8443", format!("https_port {secure}")),
        ]
    }

    /// Where clients come in.
    #[must_use]
    pub fn secure_address(self) -> SocketAddr {
        SocketAddr::from((self.host, self.secure))
    }
}

/// A running proxy.
pub struct Proxy {
    ports: Ports,
    trust: Trust,
    program: Program,
    _folder: TempDir,
}

impl Proxy {
    /// Starts it before these gateways, of which one must run.
    ///
    /// # Panics
    /// When it doesn't come up.
    pub async fn before(host: Ipv4Addr, gateways: &[SocketAddr]) -> Self {
        let folder = tempfile::Builder::new().prefix("secureconnect-proxy-").tempdir().expect("a temporary directory");
        let ports = Ports::free(host);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/Caddyfile");
        let mut text = std::fs::read_to_string(shipped).expect("the shipped file");
        for (shipped, here) in ports.edits() {
            assert!(text.contains(shipped), "{shipped} is not in the shipped file");
            text = text.replace(shipped, &here);
        }
        let file = folder.path().join("Caddyfile");
        std::fs::write(&file, text).expect("a file");
        let names: Vec<String> = gateways.iter().map(ToString::to_string).collect();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("SECURECONNECT_DOMAIN", host.to_string()).env("SECURECONNECT_GATEWAYS", names.join(" "));
        command.env("XDG_DATA_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
        let mut program = Program::start(NAME, command, folder.path());
        let trust = authority(&folder.path().join("caddy"), &mut program).await;
        let proxy = Self { ports, trust, program, _folder: folder };
        proxy.passes_requests_on().await;
        proxy
    }

    /// Where clients come in: speaks TLS.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.ports.secure_address()
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address())
    }

    /// A plain HTTP client.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest::over_tls(self.address(), self.trust.clone())
    }

    /// What its clients trust.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What clients speak TLS with.
    #[must_use]
    pub fn tls(&self) -> Arc<ClientConfig> {
        self.trust.client_config()
    }

    /// Awaits that it has asked a gateway that was started again whether it is alive: then it sends clients there.
    pub async fn takes_note_of(&self, world: &World, part: &'static str) {
        wait::until("the proxy to take note of a gateway", async || {
            let metrics = world.metrics_at(part, ServiceName::Gateway).await;
            (metrics.sum("http_requests_total", &[("endpoint", "/healthz")]) > 0.0).then_some(())
        })
        .await;
    }

    /// Everything that it printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    async fn passes_requests_on(&self) {
        let rest = self.rest();
        wait::until("the proxy to pass requests on", async || {
            let answer = try_send(rest.request("GET", "/")).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }
}

/// The certificate of the authority that a proxy makes for itself in its data folder.
///
/// # Panics
/// When it ends instead.
async fn authority(data: &Path, program: &mut Program) -> Trust {
    let file = data.join("pki/authorities/local/root.crt");
    wait::until("the proxy to have an authority", async || {
        program.assert_running();
        let whole = std::fs::read_to_string(&file).is_ok_and(|text| text.contains("-----END CERTIFICATE-----"));
        whole.then(|| Trust::in_file(&file))
    })
    .await
}
