//! Who leaves a conversation leaves its call: chat's hints tell it, and where a hint may have been missed chat is asked.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use link::calls::{AskAudience, CALLS_AUDIENCE, CallAudience};
use link::{Call, Change, Effect, Hint, Hints, Refusal};
use protocol::{ConversationId, StreamKind, UserId};
use runtime::lifecycle::Shutdown;
use uuid::Uuid;

use crate::desk::Desk;
use crate::machine::{CallState, Input};

/// How long to wait before watching again after chat was lost.
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// A publisher restates its newest number every second: one that says nothing for so long is lost.
const SILENT_FOR: Duration = Duration::from_secs(3);
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
    let mut heard: Option<(Uuid, u64)> = None;
    while let Ok(Some(hint)) = tokio::time::timeout(SILENT_FOR, hints.next()).await {
        match hint {
            Hint::Newest { publisher, number } => {
                if heard != Some((publisher, number)) {
                    heard = Some((publisher, number));
                    desk.look_at_all().await;
                }
            }
            Hint::Event { number, event } => {
                let whole = heard.as_mut().is_some_and(|(_, last)| {
                    let follows = number == *last + 1;
                    *last = number;
                    follows
                });
                if whole {
                    desk.left(&event.effects).await;
                } else {
                    desk.look_at_all().await;
                }
            }
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

    async fn gone(&self, call: protocol::CallId, user: UserId) {
        if let Err(refusal) = self.change(call, Input::Gone { user }).await {
            tracing::warn!(%call, %user, %refusal, "the end of a membership could not be noted");
        }
    }

    /// Asks chat about everyone in every call.
    async fn look_at_all(&self) {
        for call in self.live.all() {
            match self.members_of(&call).await {
                Ok(members) => {
                    for user in call.parts.keys().filter(|user| !members.contains(user)) {
                        self.gone(call.id, *user).await;
                    }
                }
                Err(refusal) => tracing::warn!(call = %call.id, %refusal, "members could not be asked for"),
            }
        }
    }

    async fn members_of(&self, call: &CallState) -> Result<Vec<UserId>, Refusal> {
        let users = call.parts.keys().copied().collect();
        Ok(self.ask_audience(call.conversation, users, 0).await?.of_those)
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
