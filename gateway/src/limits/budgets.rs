//! One limiter for each row of the table that the gateway counts.
//!
//! Users and networks are counted in maps of their own: whoever fills those of the networks, without any login, refuses no user.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::net::IpAddr;

use link::Refusal;
use protocol::commands::{CommandSpec, Cost};
use protocol::limits::{LimitKind, RATE_LIMITS, RateLimit};
use protocol::{ErrorCode, UserId};
use runtime::limits::{Decision, Gcra, Keyed, Limiter, Network, Rule, SlidingWindow};
use uuid::Uuid;

use crate::clock;

/// The most keys that one limit remembers; beyond it new keys are refused.
const KEYS_MAX: usize = 100_000;

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
    general_user: Row<UserId, SlidingWindow>,
    general_address: Row<Network, SlidingWindow>,
    login_address: Row<Network, SlidingWindow>,
    register_address: Row<Network, SlidingWindow>,
    join_user: Row<UserId, SlidingWindow>,
    join_address: Row<Network, SlidingWindow>,
    conversation_messages: Row<(UserId, Uuid), Gcra>,
    calls_user: Row<UserId, SlidingWindow>,
    call_signals: Row<UserId, Gcra>,
    socket_opens: Row<Network, Gcra>,
    socket_frames: Rule,
}

struct Row<K, L> {
    rule: Rule,
    keyed: Keyed<K, L>,
}

impl Limits {
    /// The table's rows; `counts` replaces the count of those it names.
    pub(crate) fn new(counts: &BTreeMap<String, u32>) -> Self {
        let rule = |name| rule(name, counts);
        Self {
            general_user: Row::new(rule("general")),
            general_address: Row::new(rule("general")),
            login_address: Row::new(rule("login_address")),
            register_address: Row::new(rule("register_address")),
            join_user: Row::new(rule("join_user")),
            join_address: Row::new(rule("join_address")),
            conversation_messages: Row::new(rule("conversation_messages")),
            calls_user: Row::new(rule("calls_user")),
            call_signals: Row::new(rule("call_signals")),
            socket_opens: Row::new(rule("socket_opens")),
            socket_frames: rule("socket_frames"),
        }
    }

    /// What the sockets of a login may send together.
    pub(crate) fn socket_frames(&self) -> &Rule {
        &self.socket_frames
    }

    /// A request over REST.
    pub(crate) fn request(&self, client: Client, spent: &mut Spent) -> Result<(), Refusal> {
        match client.user {
            Some(user) => self.general_user.take(user, spent),
            None => self.general_address.take(client.address.into(), spent),
        }
    }

    /// A socket is to be opened.
    pub(crate) fn open(&self, address: IpAddr) -> Result<(), Refusal> {
        self.socket_opens.take(address.into(), &mut Spent::default())
    }

    /// The budgets of a command's own class.
    pub(crate) fn command(
        &self,
        spec: &CommandSpec,
        client: Client,
        to: Option<Uuid>,
        spent: &mut Spent,
    ) -> Result<(), Refusal> {
        let address = Network::from(client.address);
        match (spec.cost, client.user) {
            (Cost::Login, _) => self.login_address.take(address, spent),
            (Cost::Register, _) => self.register_address.take(address, spent),
            (Cost::Join, Some(user)) => {
                self.join_user.take(user, spent)?;
                self.join_address.take(address, spent)
            }
            (Cost::Call, Some(user)) => self.calls_user.take(user, spent),
            (Cost::Signal, Some(user)) => self.call_signals.take(user, spent),
            (Cost::Send, Some(user)) => self.conversation_messages.take((user, to.unwrap_or_default()), spent),
            _ => Ok(()),
        }
    }

    /// Gives back the memory of keys at rest.
    pub(crate) fn trim(&self) {
        let now = clock::steady();
        self.general_user.trim(now);
        self.general_address.trim(now);
        self.login_address.trim(now);
        self.register_address.trim(now);
        self.join_user.trim(now);
        self.join_address.trim(now);
        self.conversation_messages.trim(now);
        self.calls_user.trim(now);
        self.call_signals.trim(now);
        self.socket_opens.trim(now);
    }
}

impl<K: Hash + Eq, L: Limiter> Row<K, L> {
    fn new(rule: Rule) -> Self {
        Self { rule, keyed: Keyed::new(KEYS_MAX) }
    }

    fn trim(&self, now: u64) {
        self.keyed.trim(&self.rule, now);
    }

    fn take(&self, key: K, spent: &mut Spent) -> Result<(), Refusal> {
        let decision = self.keyed.take(key, &self.rule, clock::steady(), 1);
        spent.note(decision);
        if decision.allowed { Ok(()) } else { Err(Refusal::of(ErrorCode::RateLimited).after(decision.retry_after_ms)) }
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

/// The row of this name with its configured count; its burst grows and shrinks with it.
fn rule(name: &str, counts: &BTreeMap<String, u32>) -> Rule {
    let Some(row) = RATE_LIMITS.iter().find(|row| row.name == name) else {
        // A row that was taken out of the table limits nothing; a test holds the names.
        return Rule::new(u32::MAX, 1);
    };
    configured(row, counts.get(name).copied().unwrap_or(row.count))
}

fn configured(row: &RateLimit, count: u32) -> Rule {
    let rule = Rule::new(count, row.window_ms);
    match row.kind {
        LimitKind::SlidingWindow => rule,
        LimitKind::Gcra { burst } => {
            let scaled = u64::from(burst) * u64::from(count) / u64::from(row.count.max(1));
            rule.with_burst(u32::try_from(scaled).unwrap_or(u32::MAX).max(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Client = Client { user: None, address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) };

    #[test]
    fn every_row_of_the_table_is_counted_here_or_by_auth() {
        let here = [
            "general",
            "login_address",
            "register_address",
            "join_user",
            "join_address",
            "conversation_messages",
            "calls_user",
            "call_signals",
            "socket_opens",
            "socket_frames",
        ];
        for row in RATE_LIMITS {
            let known = here.contains(&row.name) || row.name == "login_account";
            assert!(known, "{}", row.name);
        }
        for name in here {
            assert!(RATE_LIMITS.iter().any(|row| row.name == name), "{name}");
        }
    }

    #[test]
    fn a_configured_count_replaces_the_tables_and_the_answer_tells_what_is_left() {
        let limits = Limits::new(&BTreeMap::from([("general".to_owned(), 2)]));
        let mut spent = Spent::default();
        limits.request(CLIENT, &mut spent).unwrap();
        assert_eq!(spent.0.unwrap().remaining, 1);
        limits.request(CLIENT, &mut spent).unwrap();
        let refusal = limits.request(CLIENT, &mut spent).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::RateLimited);
        assert!(refusal.retry_after_ms.unwrap() > 0);
    }

    #[test]
    fn an_ipv6_network_has_one_budget_and_no_flood_of_networks_refuses_a_user() {
        let limits = Limits::new(&BTreeMap::from([("general".to_owned(), 1)]));
        let ask = |address: u128, user| {
            let address = IpAddr::V6(address.into());
            limits.request(Client { user, address }, &mut Spent::default())
        };
        let network: u128 = 0x2001_0db8 << 96;
        ask(network + 1, None).unwrap();
        ask(network + 2, None).unwrap_err();
        let refused = (1..2 * KEYS_MAX as u128).filter(|n| ask(network + (n << 64), None).is_err()).count();
        assert!(refused > 0, "the map of the networks is full");
        ask(network + 1, Some(UserId::now())).unwrap();
    }

    #[test]
    fn a_raised_pace_raises_its_burst() {
        let counts = BTreeMap::from([("socket_frames".to_owned(), 600_000)]);
        assert_eq!(Limits::new(&counts).socket_frames().burst, 120_000);
    }
}
