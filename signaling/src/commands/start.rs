//! `call.start`. One call goes on in a conversation: starting a second one joins the first.

use std::sync::Arc;

use link::Refusal;
use protocol::calls::{Joined, ParticipantStatus, StartCall};
use protocol::limits::CALL_RING_MEMBERS_MAX;
use protocol::{CallId, ConversationId, ErrorCode, UserId};

use super::Command;
use super::join::over;
use crate::desk::Changed;
use crate::machine::{Callee, Input, Machine, Start};
use crate::refuse;

/// So often a start that finds a call which is over a moment later is tried again.
const TRIES: usize = 4;

impl Command<'_> {
    pub(super) async fn start(self) -> Result<Joined, Refusal> {
        let request: StartCall = self.call.parse()?;
        let conversation = self.call.to.as_deref().and_then(|to| to.parse().ok()).ok_or_else(refuse::not_found)?;
        let store = &self.desk.store;
        if let Some(before) = store.started(self.caller.user, request.client_id).await.map_err(refuse::of_store)? {
            return self.started_before(before, &request).await;
        }
        for _ in 0..TRIES {
            let going_on = store.live_in(conversation).await.map_err(refuse::of_store)?;
            let joined = match going_on {
                Some(call) => self.join_call(call, request.media).await,
                None => match self.start_new(conversation, &request).await? {
                    Ok(changed) => return self.joined_now(&changed).await,
                    Err(other) => self.join_call(other, request.media).await,
                },
            };
            match joined {
                // It was over when its turn came: the way is free for a new one.
                Err(refusal) if refusal.code == ErrorCode::CallOver => {}
                other => return other,
            }
        }
        Err(Refusal::of(ErrorCode::Overloaded).after(1_000))
    }

    /// The client repeats a start whose answer it has not heard: its leg is found again.
    async fn started_before(&self, id: CallId, request: &StartCall) -> Result<Joined, Refusal> {
        let call = self.desk.load(id).await?;
        if call.status.is_over() {
            return Ok(over(call.view()));
        }
        let leg = call.parts.get(&self.caller.user).and_then(|part| part.leg);
        match leg.filter(|leg| leg.session == self.caller.session) {
            Some(leg) => self.come_back_to(id, leg.epoch, 0, request.media).await,
            None => self.join_call(id, request.media).await,
        }
    }

    async fn start_new(
        &self,
        conversation: ConversationId,
        request: &StartCall,
    ) -> Result<Result<Changed, CallId>, Refusal> {
        let (desk, user) = (self.desk, self.caller.user);
        let device = self.device()?;
        if desk.live.len() >= desk.config.calls_max {
            return Err(Refusal::of(ErrorCode::Overloaded).after(5_000));
        }
        let audience = desk.ask_audience(conversation, vec![user], CALL_RING_MEMBERS_MAX).await?;
        if !audience.of_those.contains(&user) {
            return Err(refuse::not_found());
        }
        if let Err(refusal) = self.must_be_free(None).await {
            return self.begun_meanwhile(conversation).await?.map(Err).ok_or(refusal);
        }
        let others: Vec<UserId> = audience.members.into_iter().filter(|member| *member != user).collect();
        let busy = desk.store.busy(&others, None).await.map_err(refuse::of_store)?;
        let start = Start {
            id: CallId::now_in(conversation),
            client_id: request.client_id,
            conversation,
            direct: audience.direct,
            kind: request.kind,
            by: user,
            device,
            media: request.media,
            callees: others.into_iter().map(|user| Callee { user, busy: busy.contains(&user) }).collect(),
            rules: desk.config.rules(request.waiting_room),
        };
        let now = desk.store.now().await.map_err(refuse::of_store)?;
        let (call, outcome) = Machine::start(start, now);
        if call.status.is_over()
            && let Some(other) = self.begun_meanwhile(conversation).await?
        {
            return Ok(Err(other));
        }
        desk.create(call, outcome).await
    }

    /// The call of the conversation, where it has one by now: who is busy may be so in that one, and is no reason against it.
    async fn begun_meanwhile(&self, conversation: ConversationId) -> Result<Option<CallId>, Refusal> {
        self.desk.store.live_in(conversation).await.map_err(refuse::of_store)
    }

    /// Nobody is in two calls at once. A place that is only kept for someone whose socket dropped is given up: they are here now.
    pub(super) async fn must_be_free(&self, except: Option<CallId>) -> Result<(), Refusal> {
        let (desk, user) = (self.desk, self.caller.user);
        let busy = desk.store.busy(&[user], except).await.map_err(refuse::of_store)?;
        if busy.is_empty() {
            return Ok(());
        }
        for call in desk.live.of_user(user).iter().filter(|call| Some(call.id) != except) {
            let kept = call.parts.get(&user).filter(|part| part.status == ParticipantStatus::Reconnecting);
            if let Some(leg) = kept.and_then(|part| part.leg) {
                desk.change(call.id, Input::Leave { user, epoch: leg.epoch }).await?;
            }
        }
        let busy = desk.store.busy(&[user], except).await.map_err(refuse::of_store)?;
        if busy.is_empty() { Ok(()) } else { Err(Refusal::of(ErrorCode::InAnotherCall)) }
    }

    async fn joined_now(&self, changed: &Changed) -> Result<Joined, Refusal> {
        self.watch_connection().await;
        self.look_again(&changed.call).await?;
        Ok(self.answer(Arc::clone(&changed.call), changed.outcome.epoch).await)
    }
}
