//! One file for each command: it finds out who holds what it needs, asks or does, and says what came of it.

mod certificates;
mod configuration;
mod health;
mod import;
pub(crate) mod keys;
mod log;
mod migrate;
pub(crate) mod stores;
pub(crate) mod users;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::{Cli, Command, Keys, Link, Serve, Users};
use crate::config::Config;
use crate::serve;

/// Does what the command line asks.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    serve::machine::keep_files_private();
    // Only one provider is compiled in, but a library may ask which.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let command = cli.command.unwrap_or_else(|| Command::Serve(Serve::default()));
    // What needs no configuration that holds.
    let command = match command {
        Command::Config(command) => return configuration::run(command, cli.config, cli.data_dir),
        Command::Link(Link::Certificates { folder, process }) => return certificates::run(&folder, &process),
        command => command,
    };
    let mut config = Config::load(cli.config.as_deref())?;
    if let Some(data_dir) = cli.data_dir {
        config.data_dir = data_dir;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    match command {
        Command::Serve(command) => runtime.block_on(serve::run(config, command)),
        Command::Users(Users::Role { handle, role }) => runtime.block_on(users::role(&config, handle, role)),
        Command::Import(command) => runtime.block_on(import::run(&config, command)),
        Command::Keys(Keys::Rotate) => runtime.block_on(keys::run(&config)),
        Command::Migrate(command) => migrate::run(&config, command),
        Command::Log { filter } => runtime.block_on(log::run(&config, filter)),
        Command::Healthcheck { role } => runtime.block_on(health::run(&config, role)),
        // Handled above, before a configuration was loaded.
        Command::Config(_) | Command::Link(_) => Ok(ExitCode::SUCCESS),
    }
}
