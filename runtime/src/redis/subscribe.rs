//! Hearing a channel, on a connection of its own: a burst there does not hold up commands.
//!
//! Pub/sub promises nothing. What is published while the connection is gone, or faster than the reader reads, is lost; so whatever is published carries its own
//! numbers. A subscription ends when the connection may have missed something, and never silently goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use tokio::sync::{Notify, mpsc, watch};

use super::failure::{self, Failure};
use super::handle::{Redis, Shared};
use super::health::Standing;

/// A channel that is heard.
pub struct Subscription {
    messages: mpsc::Receiver<Bytes>,
    lost: Arc<AtomicU64>,
    ended: Arc<Notify>,
    standing: watch::Receiver<Standing>,
    since: Standing,
    shared: Arc<Shared>,
    /// Dropping it ends the subscription.
    _connection: MultiplexedConnection,
}

impl Redis {
    /// Hears a channel, up to `capacity` messages ahead of the reader; what is beyond is lost.
    ///
    /// # Errors
    /// When it can't be heard.
    pub async fn subscribe(&self, channel: &str, capacity: usize) -> Result<Subscription, Failure> {
        let standing = self.watch();
        let since = *standing.borrow();
        if !since.is_up() {
            return Err(Failure::Gone);
        }
        let (sender, messages) = mpsc::channel(capacity.max(1));
        let (ended, lost) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
        let pushed = {
            let (ended, lost) = (Arc::clone(&ended), Arc::clone(&lost));
            move |push: PushInfo| -> Result<(), std::convert::Infallible> {
                match push.kind {
                    // A full line loses the message; its number tells.
                    PushKind::Message => {
                        if let Some(Err(_)) = payload(push).map(|payload| sender.try_send(payload)) {
                            lost.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    PushKind::Disconnection => ended.notify_one(),
                    _ => {}
                }
                Ok(())
            }
        };
        let mut connection = self.shared.connector.connect(Some(pushed)).await.map_err(|error| failure::of(&error))?;
        match tokio::time::timeout(self.shared.answer_within, connection.subscribe(channel)).await {
            Ok(subscribed) => subscribed.map_err(|error| failure::of(&error))?,
            Err(_) => return Err(Failure::Lost("no answer to a subscription".to_owned())),
        }
        self.shared.meters.connected(1.0);
        let shared = Arc::clone(&self.shared);
        Ok(Subscription { messages, lost, ended, standing, since, shared, _connection: connection })
    }

    /// Tells a channel; answers how many heard it.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn publish(&self, channel: &str, message: &[u8]) -> Result<u64, Failure> {
        self.run("publish", redis::cmd("PUBLISH").arg(channel).arg(message)).await
    }
}

impl Subscription {
    /// The next message; none when the connection is gone or Redis was found to be.
    pub async fn next(&mut self) -> Option<Bytes> {
        let since = self.since;
        tokio::select! {
            biased;
            message = self.messages.recv() => message,
            () = self.ended.notified() => None,
            _ = self.standing.wait_for(|standing| *standing != since) => None,
        }
    }
}

impl Subscription {
    /// How many messages found no room.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.meters.connected(-1.0);
    }
}

/// Of `message`: the channel and what was said.
fn payload(push: PushInfo) -> Option<Bytes> {
    match push.data.into_iter().nth(1) {
        Some(Value::BulkString(payload)) => Some(payload.into()),
        _ => None,
    }
}
