//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use protocol::accounts::Role as AccountRole;

use crate::config::Role;

/// Chat, presence and calls for your app, in one program.
#[derive(Parser, Debug)]
#[command(name = "secureconnect", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// The config file (default: the one that SECURECONNECT_CONFIG names, or none).
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory, over the config's.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What to do; without it: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Runs the services (the default).
    Serve(Serve),
    /// Accounts.
    #[command(subcommand)]
    Users(Users),
    /// Brings in users and conversations (docs/import.md). The same file again changes nothing.
    Import(Import),
    /// The keys that sign access tokens.
    #[command(subcommand)]
    Keys(Keys),
    /// The stores' schemas; the server must not run for up and down.
    #[command(subcommand)]
    Migrate(Migrate),
    /// The configuration.
    #[command(subcommand)]
    Config(Configuration),
    /// The link between processes.
    #[command(subcommand)]
    Link(Link),
    /// Changes what a running server logs, until it is started again.
    Log {
        /// A level, or levels by module: `info,chat=debug`.
        filter: String,
    },
    /// Whether the services of this data directory are ready; the exit code says it.
    Healthcheck {
        /// Only these services.
        #[arg(long, value_delimiter = ',', value_name = "ROLE")]
        role: Vec<Role>,
    },
}

/// How to serve.
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// Only these services: gateway, auth, chat, signaling, storage, turn.
    #[arg(long, value_delimiter = ',', value_name = "ROLE")]
    pub role: Vec<Role>,
    /// Serves this network with a development certificate, so that a phone gets a secure page: on port 8443 of every address,
    /// unless `listen.gateway` is configured.
    #[arg(long)]
    pub lan: bool,
}

/// Accounts.
#[derive(Subcommand, Debug)]
pub enum Users {
    /// Gives an account a role; this is how the first admin is made.
    Role {
        /// Whose.
        handle: String,
        /// user, moderator or admin.
        #[arg(value_parser = account_role)]
        role: AccountRole,
    },
}

/// What to bring in.
#[derive(Args, Debug)]
pub struct Import {
    /// JSON lines.
    pub file: PathBuf,
    /// Logs every user of the file in and writes one line for each: handle, user, session, access_token, refresh_token.
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
}

/// The keys that sign access tokens.
#[derive(Subcommand, Debug)]
pub enum Keys {
    /// Makes a new key. The old one verifies until the last token it signed has expired.
    Rotate,
}

/// The stores' schemas.
#[derive(Subcommand, Debug)]
pub enum Migrate {
    /// Which versions each store has.
    Status,
    /// Brings the stores to the newest version.
    Up,
    /// Takes a store back to an older version; what the newer versions brought is lost.
    Down {
        /// The version to go back to; 0 empties the store.
        version: u32,
        /// Whose store: auth or chat.
        #[arg(long)]
        role: Role,
    },
}

/// The configuration.
#[derive(Subcommand, Debug)]
pub enum Configuration {
    /// Tells what is wrong with a config file (and the environment).
    Check {
        /// The file; without it the one that would be used.
        file: Option<PathBuf>,
    },
    /// Prints the configuration as a server would use it.
    Print {
        /// The defaults, with an explanation of every key.
        #[arg(long)]
        defaults: bool,
    },
}

/// The link between processes.
#[derive(Subcommand, Debug)]
pub enum Link {
    /// Makes certificates for processes on several machines, and the CA that signs them if the folder has none. Give each process its own
    /// two files and ca.pem; keep ca-key.pem where no process can read it.
    Certificates {
        /// Where.
        folder: PathBuf,
        /// For each process the names (host names, addresses) by which the others reach it, separated by commas.
        #[arg(required = true, value_name = "NAME[,NAME]")]
        process: Vec<String>,
    },
}

fn account_role(name: &str) -> Result<AccountRole, String> {
    AccountRole::parse(name).ok_or_else(|| format!("`{name}` is no role: user, moderator, admin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn roles_are_separated_by_commas() {
        let cli = Cli::parse_from(["secureconnect", "serve", "--role", "gateway,auth"]);
        let Some(Command::Serve(serve)) = cli.command else { panic!("it serves") };
        assert_eq!(serve.role.len(), 2);
        assert!(Cli::try_parse_from(["secureconnect", "serve", "--role", "cook"]).is_err());
    }
}
