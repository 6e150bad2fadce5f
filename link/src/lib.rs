//! What services promise each other, and the two ways across: a direct call, or gRPC.
//!
//! A service is one trait, [`Service`]. The gateway and other services hold an `Arc<dyn Service>` and can't tell whether it is
//! the service itself in the same process or a client of another process; that is decided once, at start, by `server/`.
//!
//! Invariants:
//! - The link carries envelopes; bodies pass through unread.
//! - Every event is only a hint. Hints are numbered per publisher and the newest number is restated ([`bus`]), so that a reader
//!   knows when it missed one, also the last one, and reads the log instead.
//! - The link is never unauthenticated ([`grpc`]).
//!
//! Reading order: [`call`] (a command and its answer), [`event`] (what is told), [`stream`] (what is read), [`device`] (what the
//! gateway reports), [`token`] and [`tail`] (what auth signs and revokes), [`calls`] (what services ask of each other about calls), [`trace`] and [`scope`] (under which names work is
//! done), [`service`] (the trait), [`named`] (a service whose work bears names), [`bus`] and [`heard`] (hints and what was missed), [`grpc`],
//! [`balanced`] (several instances as one).

pub mod balanced;
pub mod bus;
pub mod call;
pub mod calls;
pub mod device;
pub mod event;
pub mod grpc;
pub mod heard;
pub mod named;
pub mod scope;
pub mod service;
pub mod stream;
pub mod tail;
pub mod token;
pub mod trace;

pub use balanced::Balanced;
pub use bus::{Hint, Hints, Publisher};
pub use call::{Actor, Call, Caller, Context, CookieChange, Refusal, Reply};
pub use device::{Acknowledged, Device, DeviceAnswer, DeviceReport};
pub use event::{Audience, Change, Effect, Event, Identity};
pub use heard::{Heard, Proof};
pub use named::Named;
pub use scope::Scope;
pub use service::Service;
pub use stream::{Head, Item, Page, ReadRequest, Reader, Standing, Subscriptions};
pub use tail::RevocationTail;
pub use token::{AccessClaims, Revocation, Revocations, Revoked};
pub use trace::TraceContext;
