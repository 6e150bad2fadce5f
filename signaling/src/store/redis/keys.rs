//! The names of what calls have in Redis. All of it bears one hash tag, `{calls}`: see the module's head.

use protocol::{CallId, ClientId, UserId};
use runtime::redis::Redis;

const TAG: &str = "calls";

/// What all calls share, with its name made once, and how the rest is called.
pub(super) struct Keys {
    redis: Redis,
    /// Sorted: when to look at a live call.
    pub(super) due: String,
    /// Sorted by name: live calls.
    pub(super) live: String,
    /// Sorted: when calls were over that are not forgotten.
    pub(super) over: String,
    /// By conversation: its live call.
    pub(super) conversations: String,
    /// Sorted by name: `user:call`, who holds a place where.
    pub(super) places: String,
    /// Sorted by name: `call:version:index`, outputs in the order of each call.
    pub(super) outputs: String,
    /// By an output's name: its conversation and what it is.
    pub(super) bodies: String,
    /// By an output's name: how often it was leased.
    pub(super) attempts: String,
    /// Sorted: when the first output of a call may be leased.
    pub(super) queue: String,
    /// By call: what is left of it.
    pub(super) records: String,
    /// Sorted: when calls were over whose records are kept.
    pub(super) ages: String,
    /// By user: up to which call they have seen their history.
    pub(super) seen: String,
    /// By call: which process serves it.
    pub(super) owners: String,
    /// Sorted by name: `process:call`, the same the other way round.
    pub(super) owned: String,
    /// Sorted: when the leases of processes run out.
    pub(super) nodes: String,
    /// Which processes have told their histories to this Redis since it was empty.
    pub(super) told: String,
    /// The channel of new versions.
    pub(super) versions: String,
}

impl Keys {
    pub(super) fn new(redis: Redis) -> Self {
        let of = |kind| redis.key(kind, TAG);
        Self {
            due: of("due"),
            live: of("live"),
            over: of("over"),
            conversations: of("conversations"),
            places: of("places"),
            outputs: of("outputs"),
            bodies: of("bodies"),
            attempts: of("attempts"),
            queue: of("queue"),
            records: of("records"),
            ages: of("ages"),
            seen: of("seen"),
            owners: of("owners"),
            owned: of("owned"),
            nodes: of("nodes"),
            told: of("told"),
            versions: of("versions"),
            redis,
        }
    }

    /// A call's unit: a hash of its state, version, end, places, and who started it by which id.
    pub(super) fn unit(&self, call: CallId) -> String {
        self.of_one("call", call)
    }

    /// The call that a user started with this client id.
    pub(super) fn started(&self, user: UserId, client_id: ClientId) -> String {
        self.of_one("started", format_args!("{user}.{client_id}"))
    }

    /// Sorted by name: the calls that a user has behind them.
    pub(super) fn history(&self, user: UserId) -> String {
        self.of_one("history", user)
    }

    /// Sorted by name: those of them that they missed.
    pub(super) fn missed(&self, user: UserId) -> String {
        self.of_one("missed", user)
    }

    fn of_one(&self, kind: &str, name: impl std::fmt::Display) -> String {
        self.redis.key(&format!("{kind}.{name}"), TAG)
    }
}
