//! Open sockets, and how they go when the server does (RS4).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::Rng;
use tokio::sync::Notify;

use crate::edge::Edge;
use crate::meters::Meters;

/// How many clients a server takes back each second without trouble.
const COMING_BACK_PER_SECOND: u64 = 500;
/// Between two looks for sockets that were still in their hello when the drain began.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long sockets that are told to go may take once everything stops.
const AFTER_STOP: Duration = Duration::from_secs(2);

/// Counts open sockets.
#[derive(Default)]
pub(crate) struct Sockets {
    open: Arc<Open>,
}

#[derive(Default)]
struct Open {
    count: AtomicUsize,
    none: Notify,
}

/// One open socket.
pub(crate) struct OpenSocket {
    open: Arc<Open>,
    gauge: metrics::Gauge,
}

impl Sockets {
    pub(crate) fn enter(&self, meters: &Meters) -> OpenSocket {
        self.open.count.fetch_add(1, Ordering::AcqRel);
        meters.sockets.increment(1.0);
        OpenSocket { open: Arc::clone(&self.open), gauge: meters.sockets.clone() }
    }

    pub(crate) fn count(&self) -> usize {
        self.open.count.load(Ordering::Acquire)
    }

    async fn none_left(&self) {
        loop {
            let woken = self.open.none.notified();
            if self.count() == 0 {
                return;
            }
            woken.await;
        }
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.gauge.decrement(1.0);
        if self.open.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.open.none.notify_waiters();
        }
    }
}

/// Over how long clients are spread: longer the more of them there are.
fn spread_ms(sockets: usize, least_ms: u64) -> u64 {
    least_ms.max(sockets as u64 * 1_000 / COMING_BACK_PER_SECOND)
}

/// When the drain begins, tells every client to come back, each after a time of its own. Ends when no socket is left, or soon
/// after everything else has stopped.
pub(crate) async fn drain(edge: &Edge) {
    edge.shutdown.draining().await;
    let spread = spread_ms(edge.sockets.count(), edge.config.reconnect_spread_ms);
    let close = || edge.hub.close_all(|| rand::rng().random_range(0..=spread));
    close();
    let stopped = async {
        edge.shutdown.stopped().await;
        tokio::time::sleep(AFTER_STOP).await;
    };
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = edge.sockets.none_left() => break,
            () = &mut stopped => break,
            () = tokio::time::sleep(LOOK_AGAIN) => close(),
        }
    }
    edge.denials.drain().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_clients_do_not_come_back_at_once() {
        assert_eq!(spread_ms(3, 10_000), 10_000);
        assert_eq!(spread_ms(100_000, 10_000), 200_000);
    }
}
