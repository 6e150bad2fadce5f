//! `migrate`: versions of the stores' schemas, forwards and back.
//!
//! A server brings its stores to the newest version when it starts; these commands are for looking, for doing it beforehand, and for
//! going back before an older server is started again.

use std::process::ExitCode;

use anyhow::{Result, bail};
use protocol::ServiceName;
use runtime::store::{Migration, StoreOptions, migrate};

use crate::cli::Migrate;
use crate::config::{Config, Role};
use crate::reach::stopped;
use crate::say;
use crate::serve::denials;

const STORES: [ServiceName; 4] = [ServiceName::Gateway, ServiceName::Auth, ServiceName::Chat, ServiceName::Signaling];

pub(crate) fn run(config: &Config, command: Migrate) -> Result<ExitCode> {
    match command {
        Migrate::Status => {
            for service in STORES {
                status(&store(config, service)?, service)?;
            }
        }
        Migrate::Up => {
            for service in STORES {
                let _lock = stopped(config, service)?;
                let options = store(config, service)?;
                let version = migrate::up_to(&options, newest(options.migrations))?;
                say::answer(format_args!("{}: version {version}", service.role()));
            }
        }
        Migrate::Down { version, role: Role(service) } => {
            let options = store(config, service)?;
            if version > newest(options.migrations) {
                bail!("{} has no version {version}", service.role());
            }
            let _lock = stopped(config, service)?;
            let version = migrate::down_to(&options, version)?;
            say::answer(format_args!("{}: version {version}", service.role()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn store(config: &Config, service: ServiceName) -> Result<StoreOptions> {
    let folder = config.folder(service);
    match service {
        ServiceName::Gateway => Ok(denials::store_options(&folder)),
        ServiceName::Auth => Ok(auth::store_options(&folder)),
        ServiceName::Chat => Ok(chat::store_options(&config.chat, &folder)),
        ServiceName::Signaling => Ok(signaling::store_options(&folder)),
        ServiceName::Storage | ServiceName::Turn => bail!("{} has no store", service.role()),
    }
}

fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |migration| migration.version)
}

fn status(options: &StoreOptions, service: ServiceName) -> Result<()> {
    for line in migrate::status(options)? {
        let state = if line.applied { "applied" } else { "pending" };
        say::answer(format_args!("{:8} {:>3}  {state}  {}", service.role(), line.version, line.name));
    }
    Ok(())
}
