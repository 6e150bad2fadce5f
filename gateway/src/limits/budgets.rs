//! One limiter for each row of the table that the gateway counts.
//!
//! Users and networks are counted in maps of their own: whoever fills those of the networks, without any login, refuses no user.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use link::Refusal;
use protocol::commands::{CommandSpec, Cost};
use protocol::{ErrorCode, SessionId, UserId};
use runtime::limits::{Decision, Exact, Network, Paced, Refused, draw, settle};
use runtime::redis::Redis;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::key::Key;
use super::rules::rule;
use crate::clock;

/// The most keys that one limit remembers; beyond it new keys are refused.
pub(super) const KEYS_MAX: usize = 100_000;
/// Between two settlements of the paces with Redis: what nodes admit too much in between is at most a burst each.
const SETTLE_EVERY: Duration = Duration::from_millis(100);
/// When whoever was refused for want of Redis comes again.
const UNAVAILABLE_MS: u64 = 1_000;

/// Who asks, as far as limits are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Client {
    pub(crate) user: Option<UserId>,
    pub(crate) address: IpAddr,
}

/// What was drawn: the tightest of all budgets that were asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Spent(pub(crate) Option<Decision>);

/// All limiters.
pub(crate) struct Limits {
    redis: Option<Redis>,
    general_user: Exact<Key>,
    general_address: Exact<Key>,
    login_address: Exact<Key>,
    register_address: Exact<Key>,
    join_user: Exact<Key>,
    join_address: Exact<Key>,
    calls_user: Exact<Key>,
    conversation_messages: Paced<Key>,
    call_signals: Paced<Key>,
    socket_opens: Paced<Key>,
    socket_frames: Paced<Key>,
}

/// A budget that is to be drawn from.
type Budget<'a> = (&'a Exact<Key>, Key);

impl Limits {
    /// The table's rows; `counts` replaces the count of those it names. With a Redis all gateways count together.
    pub(crate) fn new(counts: &BTreeMap<String, u32>, redis: Option<Redis>) -> Self {
        let exact = |name| Exact::new(name, rule(name, counts), KEYS_MAX);
        let paced = |name| Paced::new(name, rule(name, counts), KEYS_MAX, redis.is_some());
        Self {
            general_user: exact("general"),
            general_address: exact("general"),
            login_address: exact("login_address"),
            register_address: exact("register_address"),
            join_user: exact("join_user"),
            join_address: exact("join_address"),
            calls_user: exact("calls_user"),
            conversation_messages: paced("conversation_messages"),
            call_signals: paced("call_signals"),
            socket_opens: paced("socket_opens"),
            socket_frames: paced("socket_frames"),
            redis,
        }
    }

    /// A request over REST for a command: the general budget and the exact ones of its class, all or none.
    pub(crate) async fn request(&self, spec: &CommandSpec, client: Client, spent: &mut Spent) -> Result<(), Refusal> {
        let general = match client.user {
            Some(user) => (&self.general_user, Key::User(user)),
            None => (&self.general_address, Key::Network(client.address.into())),
        };
        let budgets: Vec<_> = std::iter::once(general).chain(self.exact(spec.cost, client)).collect();
        self.draw(&budgets, spent).await
    }

    /// The exact budgets of a command that came over a socket.
    pub(crate) async fn command(&self, spec: &CommandSpec, client: Client) -> Result<(), Refusal> {
        self.draw(&self.exact(spec.cost, client), &mut Spent::default()).await
    }

    /// Whether a command of this class has an exact budget: then it may have to be waited for.
    pub(crate) fn is_exact(cost: Cost) -> bool {
        matches!(cost, Cost::Login | Cost::Register | Cost::Join | Cost::Call)
    }

    fn exact(&self, cost: Cost, client: Client) -> Vec<Budget<'_>> {
        let address = Key::Network(client.address.into());
        match (cost, client.user.map(Key::User)) {
            (Cost::Login, _) => vec![(&self.login_address, address)],
            (Cost::Register, _) => vec![(&self.register_address, address)],
            (Cost::Join, Some(user)) => vec![(&self.join_user, user), (&self.join_address, address)],
            (Cost::Call, Some(user)) => vec![(&self.calls_user, user)],
            _ => Vec::new(),
        }
    }

    async fn draw(&self, budgets: &[Budget<'_>], spent: &mut Spent) -> Result<(), Refusal> {
        match draw(self.redis.as_ref(), budgets, clock::steady).await {
            Ok(decisions) => {
                decisions.into_iter().for_each(|decision| spent.note(decision));
                Ok(())
            }
            Err(Refused::Limited(decision)) => {
                spent.note(decision);
                Err(limited(decision))
            }
            Err(Refused::Unavailable) => Err(unavailable()),
        }
    }

    /// The pace of a command's class; nobody waits for it.
    pub(crate) fn pace(
        &self,
        spec: &CommandSpec,
        client: Client,
        to: Option<Uuid>,
        spent: &mut Spent,
    ) -> Result<(), Refusal> {
        match (spec.cost, client.user) {
            (Cost::Signal, Some(user)) => self.spend(&self.call_signals, Key::User(user), spent),
            (Cost::Send, Some(user)) => {
                let key = Key::Conversation(user, to.unwrap_or_default());
                self.spend(&self.conversation_messages, key, spent)
            }
            _ => Ok(()),
        }
    }

    /// A socket is to be opened.
    pub(crate) fn open(&self, address: IpAddr) -> Result<(), Refusal> {
        self.spend(&self.socket_opens, Key::Network(Network::from(address)), &mut Spent::default())
    }

    /// A frame of one of a login's sockets. They go on where there is no going on without Redis: beats and acknowledgements hold a socket open.
    pub(crate) fn frame(&self, login: SessionId) -> Decision {
        self.socket_frames.take(Key::Login(login), clock::steady())
    }

    fn spend(&self, row: &Paced<Key>, key: Key, spent: &mut Spent) -> Result<(), Refusal> {
        let alone = self.redis.as_ref().is_some_and(|redis| !redis.falls_back() && !redis.standing().is_up());
        if alone {
            return Err(unavailable());
        }
        let decision = row.take(key, clock::steady());
        spent.note(decision);
        if decision.allowed { Ok(()) } else { Err(limited(decision)) }
    }

    /// Settles the paces with Redis, for as long as it is polled.
    pub(crate) async fn settle(&self) {
        let Some(redis) = &self.redis else { return };
        let rows = [&self.conversation_messages, &self.call_signals, &self.socket_opens, &self.socket_frames];
        let mut turn = tokio::time::interval(SETTLE_EVERY);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turn.tick().await;
            settle(redis, &rows, clock::steady).await;
        }
    }

    /// Gives back the memory of keys at rest.
    pub(crate) fn trim(&self) {
        let now = clock::steady();
        let exact = [
            &self.general_user,
            &self.general_address,
            &self.login_address,
            &self.register_address,
            &self.join_user,
            &self.join_address,
            &self.calls_user,
        ];
        exact.into_iter().for_each(|row| row.trim(now));
        let paced = [&self.conversation_messages, &self.call_signals, &self.socket_opens, &self.socket_frames];
        paced.into_iter().for_each(|row| row.trim(now));
    }
}

impl Spent {
    fn note(&mut self, decision: Decision) {
        let tighter = self.0.is_none_or(|known| decision.remaining <= known.remaining);
        if tighter || !decision.allowed {
            self.0 = Some(decision);
        }
    }
}

/// The refusal of a spent budget.
pub(crate) fn limited(decision: Decision) -> Refusal {
    Refusal::of(ErrorCode::RateLimited).after(decision.retry_after_ms)
}

fn unavailable() -> Refusal {
    Refusal::of(ErrorCode::Unavailable).after(UNAVAILABLE_MS)
}
