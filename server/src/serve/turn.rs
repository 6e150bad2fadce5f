//! TURN beside the services: its secret, its listeners, and what signaling tells clients of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use protocol::ServiceName;
use runtime::lifecycle::Shutdown;
use runtime::turn_credentials::{TurnAccess, TurnSecrets};

use super::addresses;
use super::compose::Part;
use crate::config::Config;

/// The file of the secret where none is configured, in the data directory.
const SECRET: &str = "turn.secret";
/// The name in the addresses file.
pub(crate) const ADDRESS: &str = "turn";

/// Serves what was bound.
pub(crate) fn start(
    config: &Config,
    listeners: turn::Listeners,
    part: &Part,
    shutdown: &Shutdown,
) -> Result<turn::Server> {
    let host = turn::Host { tasks: part.tasks.clone(), shutdown: shutdown.clone() };
    Ok(turn::Server::start(config.turn.clone(), secrets(config)?, listeners, host))
}

/// Where clients find TURN, and what lets them in; `None` when no TURN server is configured. `bound` is what this process
/// serves TURN on, if it does.
pub(crate) fn access(config: &Config, bound: &[SocketAddr]) -> Result<Option<TurnAccess>> {
    let urls = match config.turn.urls.as_slice() {
        [] if !config.turn.enabled => return Ok(None),
        [] => own_urls(config, bound),
        urls => urls.to_vec(),
    };
    let lifetime = Duration::from_secs(config.turn.credential_s);
    Ok(Some(TurnAccess { urls, secrets: secrets(config)?, lifetime }))
}

/// What signaling has of TURN; `here` is the server of this process.
pub(crate) fn relay(access: TurnAccess, here: Option<turn::Server>) -> signaling::Relay {
    let revoke = here.map(|server| {
        let revoke: signaling::Revoke = Arc::new(move |name: &str| {
            server.revoke(name);
        });
        revoke
    });
    signaling::Relay { access, revoke }
}

fn secrets(config: &Config) -> Result<TurnSecrets> {
    let path = config.data_dir.join(SECRET);
    TurnSecrets::configured_or_of_file(&config.turn.secret, &config.turn.previous_secret, &path)
        .with_context(|| format!("the TURN secret in {}", path.display()))
}

/// The embedded server's own: UDP first, because a packet that is late is of no use to a call.
fn own_urls(config: &Config, bound: &[SocketAddr]) -> Vec<String> {
    // In another process: where it says that it listens, or where it is told to.
    let other = addresses::named(&config.folder(ServiceName::Turn), ADDRESS).map(|address| vec![address]);
    let addresses = match bound {
        [] => other.unwrap_or_else(|_| config.turn.listen.clone()),
        bound => bound.to_vec(),
    };
    let outside =
        addresses.into_iter().map(|address| SocketAddr::new(config.turn.reached_at(address.ip()), address.port()));
    let outside: Vec<SocketAddr> = outside.collect();
    let of = |transport| outside.iter().map(move |address| format!("turn:{address}?transport={transport}"));
    of("udp").chain(of("tcp")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(file: &str, dir: &tempfile::TempDir) -> Config {
        Config { turn: toml::from_str(file).unwrap(), data_dir: dir.path().to_path_buf(), ..Config::default() }
    }

    #[test]
    fn clients_are_given_the_configured_server_or_the_embedded_one_as_the_outside_knows_it() {
        let dir = tempfile::tempdir().unwrap();
        let bound = ["127.0.0.1:40000".parse().unwrap()];
        for (file, bound, urls) in [
            ("", &bound[..], vec!["turn:127.0.0.1:40000?transport=udp", "turn:127.0.0.1:40000?transport=tcp"]),
            ("", &[], vec!["turn:127.0.0.1:3478?transport=udp", "turn:127.0.0.1:3478?transport=tcp"]),
            (
                "listen = [\"[::]:3478\"]\nrelay_ips = [\"fd00::1\"]\nexternal_ips = [\"2a00::1\"]",
                &[],
                vec!["turn:[2a00::1]:3478?transport=udp", "turn:[2a00::1]:3478?transport=tcp"],
            ),
            ("urls = [\"turn:turn.example.org\"]", &bound[..], vec!["turn:turn.example.org"]),
            (
                "enabled = false\nsecret = \"x\"\nurls = [\"turns:turn.example.org\"]",
                &[],
                vec!["turns:turn.example.org"],
            ),
        ] {
            let access = access(&config(file, &dir), bound).unwrap().unwrap();
            assert_eq!(access.urls, urls, "{file}");
        }
        assert!(access(&config("enabled = false", &dir), &[]).unwrap().is_none());
    }

    #[test]
    fn without_a_configured_secret_all_processes_of_the_directory_hold_the_same_one() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("", &dir);
        let granted = access(&config, &[]).unwrap().unwrap().grant("ann.call.1", 1_000);
        assert_eq!(granted.1, 1_300);
        assert_eq!(secrets(&config).unwrap().passwords("1300:ann.call.1").next(), Some(granted.0.password));
    }
}
