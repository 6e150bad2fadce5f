//! A process from bind to drain: a table of contents.
//!
//! Locks first, because a second process on the same data is the worst mistake and deserves the clearest message; then everything
//! is bound, so that what can't be had is known before anything is touched; then the services are opened and served.

pub(crate) mod addresses;
mod compose;
pub(crate) mod denials;
mod drain;
mod lan;
mod listeners;
pub(crate) mod machine;
pub(crate) mod peers;
mod routes;
mod shared;
mod turn;

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Context, Result};
use link::grpc::Key;
use protocol::ServiceName;
use runtime::store::StoreLock;
use runtime::telemetry::logs::{self, LogHandle, LogOptions};
use runtime::telemetry::metrics;
use tracing::Instrument;

use crate::cli::Serve;
use crate::config::{Config, Role};
use crate::reach::ADMIN_TOKEN;
use crate::{admin, say};
use addresses::Written;
use compose::Composition;
use listeners::Listeners;

/// Serves until a signal.
pub(crate) async fn run(mut config: Config, arguments: Serve) -> Result<ExitCode> {
    let log = logs::init(&LogOptions { format: config.log.format, filter: config.log.filter.clone() })?;
    if !arguments.role.is_empty() {
        config.roles = arguments.role;
    }
    // Each once, in the order of their ports, however they were named.
    config.roles = ServiceName::ALL.into_iter().map(Role).filter(|role| config.roles.contains(role)).collect();
    let service = match config.roles.as_slice() {
        [role] => role.0.as_str(),
        _ => "secureconnect",
    };
    // What is no service's own doing carries the name of the process.
    process(config, arguments.lan, log).instrument(tracing::info_span!("process", service)).await
}

async fn process(mut config: Config, lan: bool, log: LogHandle) -> Result<ExitCode> {
    let handles = metrics::install();
    let open_files = machine::raise_open_files().context("the limit of open files")?;
    machine::make_data_dir(&config.data_dir).with_context(|| format!("data_dir {}", config.data_dir.display()))?;
    let locks = lock(&config)?;
    let network = if lan { Some(lan::open(&mut config)?) } else { None };
    let token = Key::load_or_create(&config.data_dir.join(ADMIN_TOKEN)).context("the admin token")?;

    let mut listeners = Listeners::bind(&config).await?;
    let written = report(&config, &listeners, open_files)?;
    let composition = Composition::build(&config, listeners.turn.take()).await?;
    if config.runs(ServiceName::Gateway) {
        invite(&config, &listeners, network);
    }
    let admin = admin::router(composition.admin(log, &handles), token, composition.first());
    let ended = drain::serve(&config, listeners, composition, admin, &handles).await;
    // In this order: who finds no addresses must find no lock either, once the process is gone.
    drop(written);
    drop(locks);
    ended.map(|()| ExitCode::SUCCESS)
}

fn lock(config: &Config) -> Result<Vec<StoreLock>> {
    config.roles.iter().map(|role| Ok(StoreLock::acquire(&config.folder(role.0))?)).collect()
}

/// Tells operators and tools what was bound.
fn report(config: &Config, listeners: &Listeners, open_files: u64) -> Result<Vec<Written>> {
    let admin = listeners.admin.local_addr();
    let mut written = Vec::new();
    for (service, listener) in &listeners.services {
        let address = listener.local_addr();
        tracing::info!(service = service.as_str(), %address, "listening");
        let folder = config.folder(*service);
        let file = addresses::write(&folder, *service, address, admin, also(*service, listeners));
        written.push(file.with_context(|| format!("the addresses file in {}", folder.display()))?);
    }
    tracing::info!(address = %admin, open_files, "listening for administration");
    Ok(written)
}

/// What a service listens on beside its operators' routes.
fn also(service: ServiceName, listeners: &Listeners) -> impl Iterator<Item = (&'static str, SocketAddr)> {
    let turn = listeners.turn.as_ref().filter(|_| service == ServiceName::Turn);
    let turn = turn.and_then(|turn| turn.addresses().first().copied()).map(|address| (turn::ADDRESS, address));
    let door = listeners.doors.iter().find(|door| door.offers.contains(&service));
    let link = door.and_then(|door| door.listener.socket_address()).map(|address| (addresses::LINK, address));
    turn.into_iter().chain(link)
}

/// Tells a person where to go.
fn invite(config: &Config, listeners: &Listeners, network: Option<IpAddr>) {
    let gateway = listeners.services.iter().find(|(service, _)| *service == ServiceName::Gateway);
    let Some(bound) = gateway.map(|(_, listener)| listener.local_addr()) else { return };
    let tls = config.tls.cert.is_some();
    say::problem(format_args!("Open {}", listeners::url(bound, tls)));
    if let Some(address) = network {
        let elsewhere = SocketAddr::from((address, bound.port()));
        say::problem(format_args!("From another device in this network: {}", listeners::url(elsewhere, tls)));
    }
}
