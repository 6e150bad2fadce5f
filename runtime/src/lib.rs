//! What the services of SecureConnect share below them. It knows no account, no conversation and no call.
//!
//! Invariants:
//! - Nothing here is global except what the process has only once: the metrics recorder, the log, the panic hook.
//!   Everything else is a value that is handed on, so tests run many services in one process.
//! - Whatever decides by time is a pure machine that gets its time passed in ([`limits`]); one thin
//!   layer around it owns the clock.
//! - Every queue, map and table is bounded, and says so when it is full.
//! - Input from outside is parsed at this edge into types ([`listen::ClientAddr`], [`link::TraceContext`], [`config::ConfigError`] names the
//!   key) and not looked at again.
//!
//! A tour, in the order in which a process meets them:
//! - [`config`]: defaults < file < environment < secret files; unknown keys refused.
//! - [`telemetry`]: logs, one metrics exposition per service.
//! - [`store`]: SQLite with one writer, group commit and honest answers; migrations; the lock of the data directory.
//! - [`audit`]: the append-only trail, in the transaction of what it records.
//! - [`listen`]: the accept loop: limits on slow clients, proxies, TLS with reload.
//! - [`http`]: request ids, trace context and metrics around every request.
//! - [`ops`]: `/metrics`, `/healthz`, `/readyz` for operators only.
//! - [`limits`]: exact windows and paced budgets per key.
//! - [`redis`]: what several processes share; deadlines, a breaker, and the word when it comes back.
//! - [`bus`]: hints by a channel of Redis, and by the link where there is none.
//! - [`turn_credentials`]: what signaling makes and TURN checks.
//! - [`lifecycle`]: phases of a shutdown, tracked tasks, signals.

pub mod audit;
pub mod bus;
pub mod config;
pub mod http;
pub mod lifecycle;
pub mod limits;
pub mod listen;
pub mod ops;
pub mod redis;
pub mod store;
pub mod telemetry;
pub mod turn_credentials;
