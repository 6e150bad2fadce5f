//! One service on a temporary directory, and words to speak with it.

use std::net::IpAddr;
use std::sync::Arc;

use auth::{Auth, Clock, Config, Host, ManualClock};
use link::{AccessClaims, Actor, Call, Caller, Context, CookieChange, Refusal, Reply, Revoked, Service};
use protocol::accounts::{Grant, Role};
use protocol::{ErrorCode, ServiceName, SessionId};
use runtime::lifecycle::{Phase, Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::{self, Redis};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const HOME: &str = "192.0.2.1";
pub(crate) const ELSEWHERE: &str = "198.51.100.7";
pub(crate) const MINUTE: u64 = 60_000;

pub(crate) struct World {
    pub(crate) auth: Arc<Auth>,
    pub(crate) clock: Arc<ManualClock>,
    config: Config,
    redis: Option<redis::Config>,
    handle: Option<Redis>,
    directory: tempfile::TempDir,
    tasks: Tasks,
    shutdown: Shutdown,
}

/// A config whose hashes cost next to nothing.
pub(crate) fn cheap() -> Config {
    let mut config = Config::default();
    config.password.memory_kib = 8;
    config.password.iterations = 1;
    // The budget per minute has tests of its own.
    config.login_account = 1_000;
    config
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(cheap())
    }

    pub(crate) fn with(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(4_000_000_000_000));
        Self::open(config, None, directory, clock)
    }

    /// A service that counts over this Redis.
    pub(crate) fn with_redis(config: Config, redis: redis::Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(4_000_000_000_000));
        Self::open(config, Some(redis), directory, clock)
    }

    fn open(
        config: Config,
        redis: Option<redis::Config>,
        directory: tempfile::TempDir,
        clock: Arc<ManualClock>,
    ) -> Self {
        let (tasks, shutdown) = (Tasks::new(ServiceName::Auth), Shutdown::new());
        let start = |config| Redis::start(config, ServiceName::Auth, &tasks, shutdown.clone()).unwrap();
        let handle = redis.as_ref().map(start);
        let host = Host {
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
            readiness: Readiness::new(shutdown.clone()),
            redis: handle.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let auth = Auth::open(config.clone(), directory.path(), host).unwrap();
        Self { auth, clock, config, redis, handle, directory, tasks, shutdown }
    }

    /// Awaits that its Redis answers, or that it does not.
    pub(crate) async fn redis_is(&self, up: bool) {
        let mut standing = self.handle.as_ref().unwrap().watch();
        let found = standing.wait_for(|standing| standing.is_up() == up);
        drop(rig::wait::within("Redis", found).await.unwrap());
    }

    /// Ends in order and opens the same directory again.
    pub(crate) async fn restart(self) -> Self {
        self.end().await;
        Self::open(self.config, self.redis, self.directory, self.clock)
    }

    /// The same with another config.
    pub(crate) async fn restart_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self.restart().await
    }

    /// Ends in order; what waits in the spool is written.
    pub(crate) async fn end(&self) {
        self.shutdown.advance(Phase::Stop);
        let late = self.tasks.join(std::time::Duration::from_secs(10)).await;
        assert!(late.is_empty(), "{late:?} did not end");
    }

    /// All that is on disk of the store, what waits in its log included.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let mut bytes = std::fs::read(self.directory().join("auth.db")).unwrap();
        bytes.extend(std::fs::read(self.directory().join("auth.db-wal")).unwrap_or_default());
        bytes
    }

    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(crate) async fn send(&self, call: Call) -> Reply {
        let service: Arc<dyn Service> = Arc::clone(&self.auth) as _;
        service.execute(call).await
    }

    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Refusal> {
        self.send(call).await.parse()
    }

    pub(crate) async fn code(&self, call: Call) -> ErrorCode {
        self.send(call).await.result.expect_err("it was to be refused").code
    }

    pub(crate) async fn register(&self, handle: &str) -> Grant {
        self.ask(registration(handle)).await.unwrap()
    }

    /// An account with this role; its grant is of a login after the role was given.
    pub(crate) async fn register_as(&self, handle: &str, role: Role) -> Grant {
        self.register(handle).await;
        self.auth.set_role(handle, role).await.unwrap();
        self.ask(login(handle, PASSWORD)).await.unwrap()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Grant, ErrorCode> {
        self.ask(refresh(token)).await.map_err(|refusal| refusal.code)
    }

    /// The sessions that were revoked, in order.
    pub(crate) async fn revoked_sessions(&self) -> Vec<SessionId> {
        let all = self.auth.revocations(0).await.unwrap();
        let sessions = all.rows.iter().filter_map(|row| match row.revoked {
            Revoked::Session(session) => Some(session),
            Revoked::TokensBefore(_) => None,
        });
        sessions.collect()
    }
}

/// A call of nobody from home.
pub(crate) fn call(command: &str, body: Value) -> Call {
    let mut call = Call::internal(command, None, &body).unwrap();
    call.actor = Actor::Anonymous;
    call.context = Context { client_ip: Some(HOME.parse().unwrap()), ..Context::internal() };
    call
}

pub(crate) fn registration(handle: &str) -> Call {
    let mut call = call("auth.register", json!({ "handle": handle, "name": "Somebody", "password": PASSWORD }));
    call.key = Some(Uuid::new_v4());
    call
}

pub(crate) fn login(handle: &str, password: &str) -> Call {
    call("auth.login", json!({ "handle": handle, "password": password }))
}

pub(crate) fn refresh(token: &str) -> Call {
    call("auth.refresh", json!({ "refresh_token": token }))
}

/// What an access token says, without a look at its signature.
pub(crate) fn claims(grant: &Grant) -> AccessClaims {
    jsonwebtoken::dangerous::insecure_decode_claims(&grant.access_token).unwrap()
}

/// The call of who was granted a login.
pub(crate) fn by(grant: &Grant, command: &str, body: Value) -> Call {
    let claims = claims(grant);
    let mut call = call(command, body);
    call.actor = Actor::User(Caller { user: claims.sub, session: claims.sid, connection: None, role: claims.role });
    call
}

pub(crate) trait Change: Sized {
    fn from(self, address: &str) -> Self;
    fn to(self, what: impl ToString) -> Self;
    fn cookie(self, token: &str) -> Self;
}

impl Change for Call {
    fn from(mut self, address: &str) -> Self {
        self.context.client_ip = Some(address.parse::<IpAddr>().unwrap());
        self
    }

    fn to(mut self, what: impl ToString) -> Self {
        self.to = Some(what.to_string());
        self
    }

    fn cookie(mut self, token: &str) -> Self {
        self.cookie = Some(token.to_owned());
        self
    }
}

/// The token that a reply sets as cookie.
pub(crate) fn set_cookie(reply: &Reply) -> String {
    match &reply.cookie {
        CookieChange::Set { token, max_age_s } => {
            assert_eq!(*max_age_s, 30 * 24 * 60 * 60);
            token.clone()
        }
        other => panic!("no cookie is set: {other:?}"),
    }
}
