//! Hints by Redis: a publisher tells a channel of its own too, and a reader in another process hears the channel instead of a watch stream.
//!
//! With N gateways the link carries every hint N times; to a channel it is told once. The link stays the way that is always there: a watch begins with
//! it, which tells whose channel to hear, leaves it when the channel is proven to be in step, and takes it up again as soon as the
//! channel ends or is silent for longer than restatements are apart. Both ways carry the same numbers, so whoever goes over from one to the
//! other drops what it has heard, and sees what it has not ([`link::Heard`]).
//!
//! - [`tell`]: the publisher's side. [`Channelled`]: the reader's side, a service like the one that it stands for.
//! - [`step`]: which way is listened to, pure.

mod channelled;
mod step;
mod tell;
#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use channelled::Channelled;
pub use tell::tell;

use crate::redis::Redis;

/// The channel of a publisher's hints.
fn channel(redis: &Redis, publisher: Uuid) -> String {
    redis.key("hints", publisher)
}
