//! What legs negotiate with each other: relayed in order, kept until it is superseded, replayed to a leg that comes back.

mod mailbox;
mod relay;
mod sdp;

pub(crate) use mailbox::Mailboxes;
pub use sdp::check as check_sdp;
