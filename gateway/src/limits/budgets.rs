//! One limiter for each row of the table that the gateway counts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use link::Refusal;
use protocol::commands::{CommandSpec, Cost};
use protocol::limits::{LimitKind, RATE_LIMITS, RateLimit};
use protocol::{ErrorCode, UserId};
use runtime::limits::{Decision, Gcra, Keyed, Rule, SlidingWindow};
use uuid::Uuid;

use crate::clock;

/// The most keys that one limit remembers; beyond it new keys are refused.
const KEYS_MAX: usize = 100_000;

/// Whose budget.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    User(UserId),
    Address(IpAddr),
    InConversation(UserId, Uuid),
}

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
    general: Row<SlidingWindow>,
    login_address: Row<SlidingWindow>,
    register_address: Row<SlidingWindow>,
    join_user: Row<SlidingWindow>,
    join_address: Row<SlidingWindow>,
    conversation_messages: Row<Gcra>,
    socket_opens: Row<Gcra>,
    socket_frames: Rule,
}

struct Row<L> {
    rule: Rule,
    keyed: Keyed<Key, L>,
}

impl Limits {
    /// The table's rows; `counts` replaces the count of those it names.
    pub(crate) fn new(counts: &BTreeMap<String, u32>) -> Self {
        let rule = |name| rule(name, counts);
        Self {
            general: Row::new(rule("general")),
            login_address: Row::new(rule("login_address")),
            register_address: Row::new(rule("register_address")),
            join_user: Row::new(rule("join_user")),
            join_address: Row::new(rule("join_address")),
            conversation_messages: Row::new(rule("conversation_messages")),
            socket_opens: Row::new(rule("socket_opens")),
            socket_frames: rule("socket_frames"),
        }
    }

    /// What each socket may send.
    pub(crate) fn socket_frames(&self) -> &Rule {
        &self.socket_frames
    }

    /// A request over REST.
    pub(crate) fn request(&self, client: Client, spent: &mut Spent) -> Result<(), Refusal> {
        let key = match client.user {
            Some(user) => Key::User(user),
            None => Key::Address(client.address),
        };
        self.general.take(key, spent)
    }

    /// A socket is to be opened.
    pub(crate) fn open(&self, address: IpAddr) -> Result<(), Refusal> {
        self.socket_opens.take(Key::Address(address), &mut Spent::default())
    }

    /// The budgets of a command's own class.
    pub(crate) fn command(
        &self,
        spec: &CommandSpec,
        client: Client,
        to: Option<Uuid>,
        spent: &mut Spent,
    ) -> Result<(), Refusal> {
        let address = Key::Address(client.address);
        match (spec.cost, client.user) {
            (Cost::Login, _) => self.login_address.take(address, spent),
            (Cost::Register, _) => self.register_address.take(address, spent),
            (Cost::Join, Some(user)) => {
                self.join_user.take(Key::User(user), spent)?;
                self.join_address.take(address, spent)
            }
            (Cost::Send, Some(user)) => {
                let conversation = to.unwrap_or_default();
                self.conversation_messages.take(Key::InConversation(user, conversation), spent)
            }
            _ => Ok(()),
        }
    }

    /// Gives back the memory of keys at rest.
    pub(crate) fn trim(&self) {
        let now = clock::steady();
        for row in [&self.general, &self.login_address, &self.register_address, &self.join_user, &self.join_address] {
            row.keyed.trim(&row.rule, now);
        }
        for row in [&self.conversation_messages, &self.socket_opens] {
            row.keyed.trim(&row.rule, now);
        }
    }
}

impl<L: runtime::limits::Limiter> Row<L> {
    fn new(rule: Rule) -> Self {
        Self { rule, keyed: Keyed::new(KEYS_MAX) }
    }

    fn take(&self, key: Key, spent: &mut Spent) -> Result<(), Refusal> {
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
    fn a_raised_pace_raises_its_burst() {
        let counts = BTreeMap::from([("socket_frames".to_owned(), 600_000)]);
        assert_eq!(Limits::new(&counts).socket_frames().burst, 120_000);
    }
}
