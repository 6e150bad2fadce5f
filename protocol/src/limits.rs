//! Sizes and times that both ends agree on. Rate limits are configuration; their defaults stand in [`RATE_LIMITS`].

/// The largest frame a client may send, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// The largest REST body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest message text, in Unicode scalar values.
pub const TEXT_CHARS_MAX: usize = 4_000;
/// The longest title of a conversation, in Unicode scalar values.
pub const TITLE_CHARS_MAX: usize = 100;
/// The longest display name, in Unicode scalar values.
pub const NAME_CHARS_MAX: usize = 64;
/// The shortest and longest handle, in characters of `a-z`, `0-9`, `_`, `.`; it starts with a letter.
pub const HANDLE_CHARS: std::ops::RangeInclusive<usize> = 3..=32;
/// The shortest and longest password, in Unicode scalar values.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 10..=256;
/// The most members a group starts with, or one invitation names.
pub const MEMBERS_PER_REQUEST_MAX: usize = 200;
/// The most members a conversation has.
pub const MEMBERS_MAX: usize = 100_000;
/// The most ids in one question for profiles or presence.
pub const USERS_PER_REQUEST_MAX: usize = 100;
/// The most entries in one page of a log or a history.
pub const PAGE_MAX: usize = 100;
/// The most positions in one `sync` frame.
pub const POSITIONS_PER_SYNC_MAX: usize = 500;
/// Beyond this many members presence is read, not pushed.
pub const PRESENCE_PUSH_MEMBERS_MAX: usize = 100;
/// Beyond this many members read and delivery markers are told as counts.
pub const MARKERS_NAMED_MEMBERS_MAX: usize = 50;
/// The most users a device watches by an explicit list.
pub const PRESENCE_WATCH_MAX: usize = 200;

/// The most connections of one login, such as a browser's tabs; one more ends the one that waits longest for its client, or the
/// oldest.
pub const CONNECTIONS_PER_LOGIN_MAX: usize = 8;

/// The longest session description, in bytes.
pub const SDP_BYTES_MAX: usize = 32 * 1024;
/// The longest candidate attribute, in bytes.
pub const CANDIDATE_BYTES_MAX: usize = 1024;
/// The most candidates in one signal.
pub const CANDIDATES_PER_SIGNAL_MAX: usize = 32;
/// The most people that a call can be configured for.
pub const CALL_PARTICIPANTS_MAX: usize = 16;
/// A call rings in conversations of up to so many members; in larger ones it is only there to be joined.
pub const CALL_RING_MEMBERS_MAX: usize = 32;
/// The longest that a call lasts, and for how long its state is kept, in milliseconds.
pub const CALL_TTL_MS: u64 = 24 * 60 * 60 * 1000;

/// A client beats once in this many milliseconds; the first beat comes after a random part of it.
pub const HEARTBEAT_MS: u64 = 25_000;
/// A socket that was silent for this many milliseconds is dead.
pub const DEAD_AFTER_MS: u64 = 35_000;
/// The first frame of a socket comes within this many milliseconds.
pub const HELLO_WITHIN_MS: u64 = 10_000;
/// A dropped session resumes silently within this many milliseconds.
pub const RESUME_WINDOW_MS: u64 = 120_000;
/// A client acknowledges at least once in this many events,
pub const ACK_EVERY_EVENTS: u32 = 50;
/// and at least once in this many milliseconds while something is unacknowledged.
pub const ACK_EVERY_MS: u64 = 5_000;
/// How long before its token expires a live socket is told, in milliseconds.
pub const EXPIRY_NOTICE_MS: u64 = 60_000;
/// A client says at most once in this many milliseconds that its user types.
pub const TYPING_EVERY_MS: u64 = 3_000;
/// What a typing event is worth, in milliseconds.
pub const TYPING_TTL_MS: u64 = 6_000;

const _: () = assert!(HEARTBEAT_MS < DEAD_AFTER_MS);
const _: () = assert!(TYPING_EVERY_MS < TYPING_TTL_MS);

/// Whose budget a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LimitKey {
    /// The user, or the client address while there is no user.
    Caller,
    /// The client address.
    Address,
    /// The account that is named, whoever asks.
    Account,
    /// The user within one conversation.
    CallerInConversation,
    /// One login: all its sockets together.
    Login,
}

/// How a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LimitKind {
    /// Never more than `count` in any window of `window_ms`, also of several gateways that count over Redis: it is asked before anything is admitted.
    SlidingWindow,
    /// `count` per `window_ms` on average (GCRA), with `burst` at once. Several gateways tell Redis ten times a second what they admitted: what they admit too
    /// much in between is at most a burst each, and is owed from then on, so that the average holds.
    Gcra {
        /// How many may come at once after a rest.
        burst: u32,
    },
}

/// One row of the table of rate limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// The row's name: its key under `[limits]` in the config.
    pub name: &'static str,
    /// Whose budget.
    pub key: LimitKey,
    /// How it counts.
    pub kind: LimitKind,
    /// How many.
    pub count: u32,
    /// In how many milliseconds.
    pub window_ms: u64,
}

const MINUTE_MS: u64 = 60_000;

/// All rate limits in one readable table; each row's `count` is configurable under `[limits]` by its name. Without Redis, or while it is gone, each process
/// counts by itself: then a row allows so much on each gateway.
pub const RATE_LIMITS: &[RateLimit] = &[
    RateLimit {
        name: "general",
        key: LimitKey::Caller,
        kind: LimitKind::SlidingWindow,
        count: 100,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "login_account",
        key: LimitKey::Account,
        kind: LimitKind::SlidingWindow,
        count: 5,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "login_address",
        key: LimitKey::Address,
        kind: LimitKind::SlidingWindow,
        count: 10,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "register_address",
        key: LimitKey::Address,
        kind: LimitKind::SlidingWindow,
        count: 5,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "join_user",
        key: LimitKey::Caller,
        kind: LimitKind::SlidingWindow,
        count: 10,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "join_address",
        key: LimitKey::Address,
        kind: LimitKind::SlidingWindow,
        count: 100,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "conversation_messages",
        key: LimitKey::CallerInConversation,
        kind: LimitKind::Gcra { burst: 30 },
        count: 120,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "calls_user",
        key: LimitKey::Caller,
        kind: LimitKind::SlidingWindow,
        count: 60,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "call_signals",
        key: LimitKey::Caller,
        kind: LimitKind::Gcra { burst: 200 },
        count: 600,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "socket_frames",
        key: LimitKey::Login,
        kind: LimitKind::Gcra { burst: 120 },
        count: 600,
        window_ms: MINUTE_MS,
    },
    RateLimit {
        name: "socket_opens",
        key: LimitKey::Address,
        kind: LimitKind::Gcra { burst: 60 },
        count: 120,
        window_ms: MINUTE_MS,
    },
];
