//! The one binary: which services run here, how they find each other, and the tools around them.
//!
//! `secureconnect` without arguments runs all services in one process on embedded parts; `serve --role` runs some of them, and
//! processes that share a data directory find each other by it. What differs between the two is decided in [`serve`], once,
//! at start. The same binary is the operators' tool: a command speaks to the server that holds a service's folder, and opens
//! the store itself only when none does ([`reach`]).
//!
//! Reading order: [`config`] (what can be set), [`cli`] (what can be asked), [`serve`] (a process from bind to drain),
//! [`admin`] (what a running process is asked), [`reach`], [`commands`], [`import`].

pub mod admin;
pub mod cli;
mod commands;
pub mod config;
pub mod import;
mod reach;
mod say;
pub mod serve;

use std::process::ExitCode;

use clap::Parser;

/// The program, from its arguments to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain in one line: what was tried, and why it failed.
            say::problem(format_args!("secureconnect: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
