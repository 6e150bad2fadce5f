//! Logins that are logged out while things break: when it is over each of them is out, everywhere.

use std::fmt;
use std::time::Duration;

use client::core::{Event, Stop};
use client::{Client, Config, Events, Login, Rest, RestError};
use harness::people::PASSWORD;
use harness::socket::Opening;
use harness::{Socket, World, wait};
use protocol::ErrorCode;
use protocol::accounts::Grant;
use protocol::frames::Hello;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::PACE;

/// Whose logins they are.
pub(crate) const HANDLE: &str = "leaver";
/// So long a login may take to have its socket before it is logged out: some are in the middle of it.
const OPENS_WITHIN: Duration = Duration::from_millis(700);
/// Between two logins.
const BETWEEN: Duration = Duration::from_millis(150);
/// So long after all is put right nobody is in who was logged out.
const OUT_WITHIN: Duration = Duration::from_secs(2);
/// More than a run has.
const LOGINS_MAX: usize = 2_000;

/// Logins that are out.
pub(crate) struct Logins(Vec<LoggedOut>);

/// A login whose end was acknowledged.
struct LoggedOut {
    grant: Grant,
    acknowledged: Instant,
    /// When its client gave up, and why.
    stopped: JoinHandle<(Instant, Stop)>,
}

/// How long sockets outlived the end of their logins, in all.
pub(crate) struct Outlived(Vec<Duration>);

impl Logins {
    /// One account logs in and out, again and again, until it is over.
    pub(crate) async fn come_and_go(url: String, mut over: watch::Receiver<bool>) -> Self {
        let rest = Rest::new(&url, None).unwrap();
        let mut ended = Vec::new();
        while !*over.borrow_and_update() && ended.len() < LOGINS_MAX {
            let grant = wait::until("a login", async || rest.login(HANDLE, PASSWORD, "one of many").await.ok()).await;
            let (client, mut events) = connect(&url, &rest, &grant);
            let _ = tokio::time::timeout(OPENS_WITHIN, in_step(&mut events)).await;
            let acknowledged =
                wait::until("the logout to be acknowledged", async || log_out(&rest, &grant).await).await;
            ended.push(LoggedOut { grant, acknowledged, stopped: tokio::spawn(stopped(client, events)) });
            let _ = tokio::time::timeout(BETWEEN, over.changed()).await;
        }
        Self(ended)
    }

    /// As if these were logged out.
    pub(crate) fn that_are_out(url: &str, grants: Vec<Grant>) -> Self {
        let rest = Rest::new(url, None).unwrap();
        let out = grants.into_iter().map(|grant| {
            let (client, events) = connect(url, &rest, &grant);
            LoggedOut { grant, acknowledged: Instant::now(), stopped: tokio::spawn(stopped(client, events)) }
        });
        Self(out.collect())
    }

    /// All is put right: each of them is refused by REST and sockets, can't be refreshed, and its socket is closed.
    pub(crate) async fn stay_out(self, world: &World) -> Outlived {
        assert!(!self.0.is_empty(), "nobody was logged out");
        let began = Instant::now();
        let mut outlived = Vec::new();
        for LoggedOut { grant, acknowledged, stopped } in self.0 {
            let token = Some(grant.access_token.as_str());
            wait::until_within(OUT_WITHIN, "REST to refuse who was logged out", async || {
                let answer = world.rest().command("me.get", token, None, json!({})).await;
                (answer.status != 200 && answer.refused() == ErrorCode::TokenRevoked).then_some(())
            })
            .await;
            let refresh = json!({ "refresh_token": grant.refresh_token });
            let refreshed = world.rest().command("auth.refresh", None, None, refresh).await;
            assert_eq!(refreshed.refused(), ErrorCode::RefreshTokenInvalid);
            let mut socket = Socket::open(world.gateway(), Opening::default()).await.unwrap();
            let hello = Hello { token: Some(grant.access_token.clone()), ..Hello::default() };
            let refused = socket.command("hello", None, &hello).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::TokenRevoked);
            let (stopped, why) = wait::within("the socket of who was logged out to be closed", stopped).await.unwrap();
            let limit = OUT_WITHIN + Duration::from_millis(PACE.reconnect_within_ms);
            assert!(stopped.saturating_duration_since(began) <= limit, "{:?}", stopped - began);
            assert!(!matches!(why, Stop::Asked), "{why:?}");
            outlived.push(stopped.saturating_duration_since(acknowledged));
        }
        outlived.sort_unstable();
        Outlived(outlived)
    }
}

impl fmt::Display for Outlived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = (self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        write!(f, "{} logged out, their sockets outlived them by {half:?} (p50) and {most:?} (most)", self.0.len())
    }
}

fn connect(url: &str, rest: &Rest, grant: &Grant) -> (Client, Events) {
    let mut config = Config::new(url, Login::new(rest.clone(), grant.clone()));
    config.settings.reconnect_within_ms = PACE.reconnect_within_ms;
    Client::connect(config)
}

async fn in_step(events: &mut Events) {
    while !matches!(events.recv().await, None | Some(Event::InStep)) {}
}

/// When it was acknowledged. A repeated one finds the token revoked already.
async fn log_out(rest: &Rest, grant: &Grant) -> Option<Instant> {
    let body = json!({ "refresh_token": grant.refresh_token });
    let answer: Result<Value, RestError> =
        rest.with_token(&grant.access_token).command("auth.logout", None, &body, None).await;
    let is_out = [ErrorCode::TokenRevoked, ErrorCode::RefreshTokenInvalid].map(Some);
    let done = answer.is_ok() || answer.is_err_and(|error| is_out.contains(&error.code()));
    done.then(Instant::now)
}

/// Hears to the end; the client lives as long.
async fn stopped(client: Client, mut events: Events) -> (Instant, Stop) {
    loop {
        match events.recv().await {
            Some(Event::Stopped(why)) => {
                drop(client);
                return (Instant::now(), why);
            }
            Some(_) => {}
            None => panic!("a client ended without a word"),
        }
    }
}
