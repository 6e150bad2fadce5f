//! Messages, read markers and typing.

use link::Refusal;
use protocol::ErrorCode;
use protocol::accounts::Done;
use protocol::chat::{
    Appended, EditMessage, ListMessages, MarkRead, MessageTarget, Messages, ReadState, Revisions, SendMessage, Sent,
};
use runtime::audit::AuditResult;

use super::{Command, PAGE_DEFAULT, page_size};
use crate::members::seat;
use crate::messages::{checked_text, delete, edit, history, revisions, send};
use crate::refuse::invalid;
use crate::{markers, typing};

impl Command<'_> {
    pub(super) async fn send(self) -> Result<Sent, Refusal> {
        let conversation = self.conversation_id()?;
        let request: SendMessage = self.call.parse()?;
        checked_text(&request.text)?;
        self.chat.shared.meters.received();
        let sender = self.origin.user;
        let sent = self
            .chat
            .shared
            .write_judged_first("entries/send", move |change| send::send(change, sender, conversation, request))
            .await?;
        self.chat.shared.meters.sent();
        Ok(sent)
    }

    pub(super) async fn edit(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let request: EditMessage = self.call.parse()?;
        checked_text(&request.text)?;
        let caller = self.origin.user;
        self.chat.shared.write("entries/edit", move |change| edit::edit(change, caller, conversation, request)).await
    }

    pub(super) async fn delete(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let request: MessageTarget = self.call.parse()?;
        let origin = self.origin.clone();
        self.chat
            .shared
            .write("entries/delete", move |change| delete::delete(change, &origin, conversation, request.seq))
            .await
    }

    pub(super) async fn history(self) -> Result<Messages, Refusal> {
        let conversation = self.conversation_id()?;
        let request: ListMessages = self.call.parse()?;
        let anchors = [request.before, request.after, request.around];
        if anchors.iter().flatten().count() > 1 {
            return Err(invalid("before, after, around: at most one of them"));
        }
        let limit = page_size(request.limit, PAGE_DEFAULT)?;
        let caller = self.origin.user;
        self.chat
            .shared
            .read("entries/history", move |connection| history::list(connection, caller, conversation, request, limit))
            .await
    }

    pub(super) async fn revisions(self) -> Result<Revisions, Refusal> {
        let conversation = self.conversation_id()?;
        let request: MessageTarget = self.call.parse()?;
        let origin = self.origin.clone();
        let revisions = self
            .chat
            .shared
            .read("revisions/list", move |connection| {
                revisions::revisions(connection, &origin, conversation, request.seq)
            })
            .await?;
        // Reading what its author took back is a moderator's act like any other.
        let event = self.origin.audit("message.revisions", conversation, None, AuditResult::Allowed);
        self.chat.shared.spool.report(event);
        Ok(revisions)
    }

    pub(super) async fn mark_read(self) -> Result<ReadState, Refusal> {
        let conversation = self.conversation_id()?;
        let request: MarkRead = self.call.parse()?;
        let caller = self.origin.user;
        let (state, moved) = self
            .chat
            .shared
            .write("memberships/read", move |change| markers::mark(change, caller, conversation, request))
            .await?;
        if moved {
            self.chat.shared.nudge.nudge();
        }
        Ok(state)
    }

    pub(super) async fn typing(self) -> Result<Done, Refusal> {
        let conversation = self.conversation_id()?;
        let Done {} = self.call.parse()?;
        let (caller, now) = (self.origin.user, self.chat.shared.now());
        self.chat
            .shared
            .read("memberships/typing", move |connection| seat::enter(connection, conversation, caller))
            .await?;
        if self.chat.typing.allows(caller, conversation, now) {
            let event = typing::event(caller, conversation, now)
                .map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))?;
            self.chat.shared.publisher.publish(event);
        }
        Ok(Done {})
    }
}
