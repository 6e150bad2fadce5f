//! What the crowd says, at an even pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::ConversationId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::history::Tracked;
use crate::wait;

/// Everybody who talks.
pub(crate) struct Talk {
    said: Arc<AtomicU64>,
    over: watch::Sender<bool>,
    talkers: Vec<JoinHandle<()>>,
}

impl Default for Talk {
    fn default() -> Self {
        Self { said: Arc::default(), over: watch::channel(false).0, talkers: Vec::new() }
    }
}

impl Talk {
    /// One more talks, in one of these conversations after the other.
    pub(crate) fn begin(&mut self, talker: Tracked, conversations: Vec<ConversationId>, every: Duration) {
        // Not all at the same moment.
        let offset = every.mul_f64(rand::random_range(0.0..1.0));
        let talking = talk(talker, conversations, offset, every, Arc::clone(&self.said), self.over.subscribe());
        self.talkers.push(tokio::spawn(talking));
    }

    pub(crate) fn said(&self) -> u64 {
        self.said.load(Ordering::Relaxed)
    }

    /// Awaits the last answers.
    pub(crate) async fn end(&self) {
        self.over.send_replace(true);
        wait::until("every message to be answered", async || {
            self.talkers.iter().all(JoinHandle::is_finished).then_some(())
        })
        .await;
    }
}

async fn talk(
    talker: Tracked,
    conversations: Vec<ConversationId>,
    offset: Duration,
    every: Duration,
    said: Arc<AtomicU64>,
    mut over: watch::Receiver<bool>,
) {
    let mut next = Instant::now() + offset;
    for (number, conversation) in conversations.iter().cycle().enumerate() {
        tokio::select! {
            () = wait::for_the_moment(next) => {}
            _ = over.wait_for(|over| *over) => return,
        }
        // Whoever waited for an answer does not make up for it.
        next = next.max(Instant::now() - every) + every;
        let text = format!("message {number}");
        talker.send(*conversation, &text).await.expect("a message of a member is taken");
        said.fetch_add(1, Ordering::Relaxed);
    }
}
