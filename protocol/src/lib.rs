//! What clients see: ids, positions, frames, bodies, limits, commands, error and close codes.
//!
//! This crate is the one place that knows the wire format. It holds types and tables, no sockets, no clock and no
//! runtime, so that the server, the Rust client, the TypeScript SDK (generated from here) and the documents say the same.
//!
//! Reading order:
//! - [`ids`]: who and what is named on the wire.
//! - [`position`]: where a reader stands in a stream: `(seq, tag)` under a store's epoch.
//! - [`envelope`]: the one shape of every REST answer.
//! - [`codes`]: the registry of error and close codes with their retry rules.
//! - [`services`]: the services, their names and ports.
//! - [`commands`]: the static table of everything a client can ask for.
//! - [`frames`]: what travels on the socket.
//! - [`limits`]: sizes and budgets.
//! - [`accounts`], [`chat`], [`calls`]: the bodies of commands and events.
//! - [`generate`]: the TypeScript declarations and the tables in the documents, made from all of the above.

pub mod accounts;
pub mod calls;
pub mod chat;
pub mod codes;
pub mod commands;
pub mod envelope;
pub mod frames;
pub mod generate;
pub mod ids;
pub mod limits;
pub mod position;
pub mod services;

pub use codes::{CloseCode, ErrorCode, Retry};
pub use envelope::ErrorBody;
pub use ids::{CallId, ClientId, ConnectionId, ConversationId, ID_END_BYTES, RequestId, SessionId, UserId};
pub use position::{Epoch, Position, SEQ_MAX, Seq, StreamId, StreamKind, Tag};
pub use services::ServiceName;

/// Unix time in milliseconds, the one unit of time on the wire.
pub type Millis = u64;
