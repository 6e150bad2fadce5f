//! Who leaves a conversation leaves its call: chat's hints tell it, and where a hint may have been missed chat is asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use link::bus::SILENT_FOR;
use link::calls::{AskAudience, CALLS_AUDIENCE, CallAudience};
use link::{Call, Change, Effect, Heard, Hint, Hints, Proof, Refusal};
use protocol::{CallId, ConversationId, StreamKind, UserId};
use runtime::lifecycle::Shutdown;

use crate::desk::Desk;
use crate::machine::{CallState, Input};

/// How long to wait before watching again after chat was lost.
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// A question must not take longer.
const ASK_WITHIN: Duration = Duration::from_millis(1_500);

/// Watches until the service stops.
pub(crate) async fn watch(desk: Arc<Desk>, shutdown: Shutdown) {
    tokio::select! {
        () = follow(&desk) => {}
        () = shutdown.stopped() => {}
    }
}

async fn follow(desk: &Desk) {
    loop {
        match desk.chat.watch().await {
            Ok(hints) => listen(desk, hints).await,
            Err(refusal) => tracing::warn!(%refusal, "chat can't be watched"),
        }
        tokio::time::sleep(WATCH_AGAIN_AFTER).await;
    }
}

async fn listen(desk: &Desk, mut hints: Hints) {
    // Nothing is known of what happened before: everyone is looked at once the watch is confirmed.
    let mut heard = Heard::default();
    while let Ok(Some(hint)) = tokio::time::timeout(SILENT_FOR, hints.next()).await {
        let missed = heard.prove(&hint) != Proof::Whole;
        match hint {
            Hint::Newest { .. } if desk.unsure.swap(false, Ordering::Relaxed) || missed => desk.look_at_all().await,
            Hint::Event { .. } if missed => desk.look_at_all().await,
            Hint::Event { event, .. } => desk.left(&event.effects).await,
            Hint::Newest { .. } => {}
        }
    }
}

impl Desk {
    async fn left(&self, effects: &[Effect]) {
        for effect in effects {
            let conversation = effect.stream.kind == StreamKind::Conversation && effect.change == Change::Left;
            let Some(call) =
                conversation.then(|| self.live.in_conversation(ConversationId(effect.stream.id))).flatten()
            else {
                continue;
            };
            self.gone(call, effect.user).await;
        }
    }

    async fn gone(&self, call: CallId, user: UserId) {
        if let Err(refusal) = self.change(call, Input::Gone { user }).await {
            tracing::warn!(%call, %user, %refusal, "the end of a membership could not be noted");
            self.unsure.store(true, Ordering::Relaxed);
        }
    }

    /// Asks chat about everyone in every call.
    async fn look_at_all(&self) {
        for call in self.live.all() {
            self.look_at(&call).await;
        }
    }

    /// Asks chat about everyone in a call; answers who does not belong there, and is out. Who came in by an answer that was true before
    /// has to be looked at afterwards: what was told in between found them not there yet.
    pub(crate) async fn look_at(&self, call: &CallState) -> Vec<UserId> {
        let users = call.parts.keys().copied().collect();
        let members = match self.ask_audience(call.conversation, users, 0).await {
            Ok(audience) => audience.of_those,
            Err(refusal) => {
                tracing::warn!(call = %call.id, %refusal, "members could not be asked for");
                self.unsure.store(true, Ordering::Relaxed);
                return Vec::new();
            }
        };
        let strangers: Vec<_> = call.parts.keys().copied().filter(|user| !members.contains(user)).collect();
        for user in &strangers {
            self.gone(call.id, *user).await;
        }
        strangers
    }

    /// Who belongs to a conversation.
    pub(crate) async fn ask_audience(
        &self,
        conversation: ConversationId,
        users: Vec<UserId>,
        name_up_to: usize,
    ) -> Result<CallAudience, Refusal> {
        let ask = AskAudience { conversation, users, name_up_to };
        let call = Call::internal(CALLS_AUDIENCE, Some(conversation.to_string()), &ask)?;
        match tokio::time::timeout(ASK_WITHIN, self.chat.execute(call)).await {
            Ok(reply) => reply.parse(),
            Err(_) => Err(Refusal::of(protocol::ErrorCode::Unavailable).after(1_000)),
        }
    }
}
