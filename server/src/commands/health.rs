//! `healthcheck`: for containers and scripts.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use protocol::ServiceName;
use runtime::store::StoreLock;

use crate::config::{Config, Role};
use crate::say;
use crate::serve::addresses;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Whether these services (or all that this configuration runs) are ready.
pub(crate) async fn run(config: &Config, roles: Vec<Role>) -> Result<ExitCode> {
    let roles = if roles.is_empty() { config.roles.clone() } else { roles };
    // The certificate is for the name that clients use; this asks the address.
    let http =
        reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).tls_danger_accept_invalid_certs(true).build()?;
    let mut code = ExitCode::SUCCESS;
    for role in roles {
        match ready(config, &http, role.0).await {
            Ok(()) => say::answer(format_args!("{role}: ready")),
            Err(error) => {
                say::answer(format_args!("{role}: {error:#}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

async fn ready(config: &Config, http: &reqwest::Client, service: ServiceName) -> Result<()> {
    let folder = config.folder(service);
    if StoreLock::holder(&folder).is_none() {
        bail!("does not run");
    }
    let mut address = addresses::of_service(&folder, service).context("still starting")?;
    // What listens on all addresses is asked on loopback, where the operators' routes are open.
    if address.ip().is_unspecified() {
        let loopback = if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    let tls = service == ServiceName::Gateway && config.tls.cert.is_some();
    let url = |scheme| format!("{scheme}://{address}/readyz");
    let asked = http.get(url(if tls { "https" } else { "http" })).send().await;
    let answer = match asked {
        // Served with --lan, which the configuration does not know.
        Err(_) if service == ServiceName::Gateway && !tls => http.get(url("https")).send().await?,
        asked => asked?,
    };
    match answer.status().as_u16() {
        200 => Ok(()),
        _ => bail!("not ready: {}", answer.text().await.unwrap_or_default()),
    }
}
