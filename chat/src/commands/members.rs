//! Members of a conversation.

use link::Refusal;
use protocol::chat::{Appended, Invite, ListMembers, MemberTarget, Members, SetMemberRole};
use protocol::limits::PAGE_MAX;
use protocol::{ConversationId, UserId};

use super::{Command, page_size};
use crate::log::Change;
use crate::members::{invite, list, removal, role};
use crate::origin::Origin;
use crate::people;
use crate::refuse::Stop;

impl Command<'_> {
    pub(super) async fn members(self) -> Result<Members, Refusal> {
        let conversation = self.conversation_id()?;
        let request: ListMembers = self.call.parse()?;
        let limit = page_size(request.limit, PAGE_MAX)?;
        let caller = self.origin.user;
        self.chat
            .shared
            .read("memberships/list", move |connection| {
                list::list(connection, caller, conversation, request.after, limit)
            })
            .await
    }

    pub(super) async fn invite(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let users = invite::named(self.call.parse::<Invite>()?)?;
        let unknown = people::unknown(&self.chat.shared, &users).await?;
        let origin = self.origin.clone();
        self.chat
            .shared
            .write("memberships/invite", move |change| invite::invite(change, &origin, conversation, &users, &unknown))
            .await
    }

    pub(super) async fn leave(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let origin = self.origin.clone();
        self.chat.shared.write("memberships/leave", move |change| removal::leave(change, &origin, conversation)).await
    }

    pub(super) async fn kick(self) -> Result<Appended, Refusal> {
        self.on_target("memberships/kick", removal::kick).await
    }

    pub(super) async fn unban(self) -> Result<Appended, Refusal> {
        self.on_target("bans/lift", removal::unban).await
    }

    pub(super) async fn ban(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let MemberTarget { user } = self.call.parse()?;
        let unknown = !people::unknown(&self.chat.shared, &[user]).await?.is_empty();
        let origin = self.origin.clone();
        self.chat
            .shared
            .write("bans/ban", move |change| removal::ban(change, &origin, conversation, user, unknown))
            .await
    }

    pub(super) async fn role(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let request: SetMemberRole = self.call.parse()?;
        let origin = self.origin.clone();
        self.chat
            .shared
            .write("memberships/role", move |change| role::set(change, &origin, conversation, &request))
            .await
    }

    async fn on_target(
        self,
        label: &'static str,
        work: fn(&mut Change<'_, '_>, &Origin, ConversationId, UserId) -> Result<Appended, Stop>,
    ) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let MemberTarget { user } = self.call.parse()?;
        let origin = self.origin.clone();
        self.chat.shared.write(label, move |change| work(change, &origin, conversation, user)).await
    }
}
