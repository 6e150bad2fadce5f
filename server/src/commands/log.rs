//! `log`: what running servers log, until they are started again.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use protocol::accounts::Done;
use runtime::store::StoreLock;

use crate::admin::SetLog;
use crate::config::Config;
use crate::reach::AdminClient;
use crate::say;

pub(crate) async fn run(config: &Config, filter: String) -> Result<ExitCode> {
    let mut told = Vec::new();
    // Where each service has a container of its own, only its own one can be asked from there; its `roles` say which that is.
    for service in config.roles.iter().map(|role| role.0) {
        let folder = config.folder(service);
        if StoreLock::holder(&folder).is_none() {
            continue;
        }
        // Services of one process share one filter: setting it twice does no harm.
        let body = SetLog { filter: filter.clone() };
        let _: Done = AdminClient::of(config, service)?.post("/v1/log", &body).await?;
        told.push(service.as_str());
    }
    ensure!(!told.is_empty(), "no server runs on {}", config.data_dir.display());
    say::answer(format_args!("{}: log {filter}", told.join(", ")));
    Ok(ExitCode::SUCCESS)
}
