//! One of the crowd: its client, and the task that hears what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::core::Event;
use parking_lot::Mutex;
use protocol::{ConversationId, Seq, StreamId};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::history::{Hearing, Tracked};
use crate::wait;

type Heads = BTreeMap<ConversationId, Seq>;

/// A client that is heard to the end.
pub(crate) struct Listener {
    pub(crate) tracked: Tracked,
    standing: Arc<Mutex<Standing>>,
    heads: oneshot::Sender<Heads>,
    ear: JoinHandle<()>,
}

/// Since it is counted.
#[derive(Default)]
struct Standing {
    /// Whether it has lost a connection.
    lost: bool,
    /// When it was live for the last time that it came to be.
    live_at: Option<Instant>,
}

impl Listener {
    pub(crate) fn new(tracked: Tracked, hearing: Hearing) -> Self {
        let standing: Arc<Mutex<Standing>> = Arc::default();
        let (heads, told) = oneshot::channel();
        let ear = tokio::spawn(hear(hearing, Arc::clone(&standing), told));
        Self { tracked, standing, heads, ear }
    }

    /// Awaits that it is live.
    pub(crate) async fn is_live(&self) {
        wait::until("a client to be live", async || self.standing.lock().live_at).await;
    }

    pub(crate) fn count_anew(&self) {
        *self.standing.lock() = Standing::default();
    }

    /// When it was live again; nothing where it is not yet, or was never gone.
    pub(crate) fn back_at(&self) -> Option<Instant> {
        let standing = self.standing.lock();
        standing.live_at.filter(|_| standing.lost)
    }

    /// Nobody says anything any more: awaits that it has heard all, and ends it.
    pub(crate) async fn leave_at(self, heads: Heads) {
        let recorded = self.tracked.recorded().clone();
        let expected = heads.clone();
        self.heads.send(heads).expect("its ear");
        let in_step = tokio::time::timeout(wait::PATIENCE, self.ear).await;
        let stands =
            || -> Vec<_> { expected.keys().map(|group| recorded.last_heard(StreamId::conversation(*group))).collect() };
        in_step.unwrap_or_else(|_| panic!("it stands at {:?} of {expected:?}", stands())).expect("its ear");
        self.tracked.client.stop().await;
    }
}

async fn hear(mut hearing: Hearing, standing: Arc<Mutex<Standing>>, mut told: oneshot::Receiver<Heads>) {
    let heads = loop {
        tokio::select! {
            heads = &mut told => break heads.expect("the heads"),
            event = hearing.next() => note(&event.expect("a client stopped"), &standing),
        }
    };
    hearing.until(&heads).await;
}

fn note(event: &Event, standing: &Mutex<Standing>) {
    match event {
        Event::Disconnected { .. } => {
            let mut standing = standing.lock();
            standing.lost = true;
            standing.live_at = None;
        }
        Event::InStep => standing.lock().live_at = Some(Instant::now()),
        _ => {}
    }
}
