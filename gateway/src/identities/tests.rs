//! Two gateways and a real Redis, which is killed, emptied and comes back.

use std::sync::Arc;

use async_trait::async_trait;
use link::{Call, Head, Refusal, Reply, Service};
use protocol::{ErrorCode, Position, ServiceName, StreamId};
use rig::{RedisServer, wait};
use runtime::lifecycle::{Phase, Shutdown, Tasks};
use runtime::redis::Config;

use super::*;
use crate::clock;
use crate::codec::Codec;
use crate::session::{Budget, Session, Settings, Token};

const EPOCH: Epoch = Epoch(Uuid::from_u128(7));

struct Nothing;

#[async_trait]
impl Service for Nothing {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, _call: Call) -> Reply {
        Refusal::of(ErrorCode::Unsupported).into()
    }
}

/// A gateway, as far as it is about who its connections are.
struct Gateway {
    hub: Arc<Hub>,
    identities: Arc<Identities>,
    shutdown: Shutdown,
}

impl Gateway {
    async fn start(server: &RedisServer) -> Self {
        let (config, shutdown) = (Config { url: server.url(), ..Config::default() }, Shutdown::new());
        let redis = Redis::start(&config, ServiceName::Gateway, &Tasks::new(ServiceName::Gateway), shutdown.clone());
        let identities = Arc::new(Identities::new(Some(redis.unwrap())));
        let budget = Budget::new(usize::MAX);
        let settings = Settings { queue_bytes: 100_000, slow_after_ms: 1_000, unacked_max: 8, budget };
        let hub = Arc::new(Hub::new(Arc::new(Nothing), settings, 100));
        hub.epoch_is(EPOCH);
        let (keeper, kept) = (Arc::clone(&identities), Arc::clone(&hub));
        tokio::spawn(async move { keeper.keep(&kept).await });
        wait::until("Redis", async || identities.are_kept().then_some(())).await;
        Self { hub, identities, shutdown }
    }

    fn welcome(&self) -> Arc<Conn> {
        let (user, token) = (UserId::now(), Token { made_at: 0, expires_at: u64::MAX });
        let own = StreamId::user(user);
        let mut session = Session::new(self.hub.settings(), Codec::Json, own, token, clock::now());
        let welcome = session.codec().pong();
        session.welcome(vec![Head { stream: own, position: Position::default() }], welcome);
        let conn = self.hub.register(user, SessionId::now(), ConnectionIdentity::new(), session);
        self.identities.welcomed(&conn);
        conn
    }

    async fn find(&self, conn: &Conn) -> Option<ConnectionIdentity> {
        self.identities.find(EPOCH, conn.user, conn.login, conn.secret).await
    }

    async fn finds(&self, conn: &Conn) -> ConnectionIdentity {
        wait::until("the identity", async || self.find(conn).await).await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Stop);
    }
}

#[tokio::test]
async fn another_gateway_knows_who_a_connection_is_by_its_secret_and_only_for_its_own_login() {
    let server = RedisServer::start().await;
    let [one, other] = [Gateway::start(&server).await, Gateway::start(&server).await];
    let conn = one.welcome();
    assert_eq!(other.finds(&conn).await, ConnectionIdentity { id: conn.id, secret: conn.secret });
    let find = async |epoch, user, login, secret| other.identities.find(epoch, user, login, secret).await;
    assert_eq!(find(EPOCH, UserId::now(), conn.login, conn.secret).await, None);
    assert_eq!(find(EPOCH, conn.user, SessionId::now(), conn.secret).await, None);
    assert_eq!(find(EPOCH, conn.user, conn.login, conn.secret + 1).await, None);
    assert_eq!(find(Epoch(Uuid::nil()), conn.user, conn.login, conn.secret).await, None);
}

#[tokio::test]
async fn what_is_kept_does_not_tell_the_secret_and_ends_by_itself() {
    let server = RedisServer::start().await;
    let gateway = Gateway::start(&server).await;
    let conn = gateway.welcome();
    gateway.finds(&conn).await;
    let key = server.ask(&["EVAL", "return redis.call('KEYS', '*:resume:*')[1]", "0"]).await;
    assert!(key.contains("resume") && !key.contains(&format!("{:032x}", conn.secret)), "{key}");
    let left: u64 = server.ask(&["PTTL", &key]).await.trim_start_matches(':').parse().unwrap();
    assert!((RESUME_WINDOW_MS..=KEPT_MS).contains(&left), "{left}");
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_who_is_there_and_one_that_is_gone_is_not_waited_for() {
    let mut server = RedisServer::start().await;
    let gateway = Gateway::start(&server).await;
    let conn = gateway.welcome();
    gateway.finds(&conn).await;
    server.kill().await;
    wait::until("the loss to be seen", async || (!gateway.identities.are_kept()).then_some(())).await;
    assert_eq!(gateway.find(&conn).await, None);
    let meanwhile = gateway.welcome();
    server.restart().await;
    gateway.finds(&conn).await;
    gateway.finds(&meanwhile).await;
}

#[tokio::test]
async fn thousands_that_come_at_once_are_all_kept() {
    let server = RedisServer::start().await;
    let gateway = Gateway::start(&server).await;
    let conns: Vec<_> = (0..3_000).map(|_| gateway.welcome()).collect();
    for conn in conns {
        gateway.finds(&conn).await;
    }
}
