//! Which type each command takes and answers, and which each event carries.
//!
//! The command table itself holds only data, so that the gateway can route without knowing a schema. The types stand here,
//! beside the names; tests hold both lists together.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::{accounts, calls, chat, envelope, frames};

/// A command's types by their schema names; `None` where a body is empty or belongs to another standard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandTypes {
    /// The command.
    pub name: &'static str,
    /// What it takes besides `to`.
    pub request: Option<String>,
    /// What it answers.
    pub answer: Option<String>,
}

/// How an event reaches its reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// An entry of a conversation's log.
    Conversation,
    /// An entry of a user's log.
    User,
    /// A versioned register.
    Register,
    /// Worth something for a moment only.
    Ephemeral,
    /// Of the socket itself.
    Socket,
}

impl EventKind {
    /// The word in the generated files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::User => "user",
            Self::Register => "register",
            Self::Ephemeral => "ephemeral",
            Self::Socket => "socket",
        }
    }
}

/// An event's type by its schema name; `None` where the body is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventType {
    /// The event.
    pub name: &'static str,
    /// How it reaches its reader.
    pub kind: EventKind,
    /// Its body.
    pub body: Option<String>,
}

/// All types with their schemas.
#[derive(Clone, Debug)]
pub struct Bodies {
    /// By command, in the order of the table.
    pub commands: Vec<CommandTypes>,
    /// By event.
    pub events: Vec<EventType>,
    /// Every schema by its name, as JSON Schema 2020-12.
    pub schemas: Map<String, Value>,
}

/// Gathers them all.
#[must_use]
pub fn collect() -> Bodies {
    let mut types = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let commands = commands(&mut types);
    let events = events(&mut types);
    // What travels beside commands and events.
    for add in [
        name_of::<frames::Hello>,
        name_of::<frames::Welcome>,
        name_of::<frames::Sync>,
        name_of::<frames::Synced>,
        name_of::<frames::Ack>,
        name_of::<frames::Renew>,
        name_of::<frames::Renewed>,
        name_of::<frames::From>,
        name_of::<envelope::Failure>,
        name_of::<envelope::Meta>,
    ] {
        add(&mut types);
    }
    Bodies { commands, events, schemas: types.take_definitions(true) }
}

fn name_of<T: JsonSchema>(types: &mut SchemaGenerator) -> String {
    types.subschema_for::<T>();
    T::schema_name().into_owned()
}

/// One line a command: `"name": Request => Answer`, with `()` for none.
macro_rules! command_types {
    ($types:ident, $($name:literal: $request:tt $(:: $request_path:ident)* => $answer:tt $(:: $answer_path:ident)*;)*) => {
        vec![$(CommandTypes {
            name: $name,
            request: command_types!(@one $types, $request $(:: $request_path)*),
            answer: command_types!(@one $types, $answer $(:: $answer_path)*),
        },)*]
    };
    (@one $types:ident, ()) => { None };
    (@one $types:ident, $($path:tt)*) => { Some(name_of::<$($path)*>($types)) };
}

#[rustfmt::skip]
fn commands(types: &mut SchemaGenerator) -> Vec<CommandTypes> {
    command_types![types,
        "auth.register": accounts::Register => accounts::Grant;
        "auth.login": accounts::Login => accounts::Grant;
        "auth.refresh": accounts::RefreshToken => accounts::Grant;
        "auth.logout": accounts::RefreshToken => accounts::Done;
        "auth.logout_all": () => accounts::Done;
        "auth.jwks": () => ();
        "me.get": () => accounts::Account;
        "me.update": accounts::UpdateAccount => accounts::Account;
        "me.password": accounts::ChangePassword => accounts::Done;
        "sessions.list": () => accounts::Sessions;
        "sessions.revoke": accounts::RevokeSession => accounts::Done;
        "users.find": accounts::FindUsers => accounts::Profiles;
        "users.role": accounts::SetRole => accounts::Done;
        "users.suspend": accounts::Suspend => accounts::Done;
        "users.unsuspend": () => accounts::Done;
        "conversations.create": chat::CreateConversation => chat::Conversation;
        "conversations.list": chat::ListConversations => chat::Conversations;
        "conversations.get": () => chat::Conversation;
        "conversations.update": chat::UpdateConversation => chat::Appended;
        "members.list": chat::ListMembers => chat::Members;
        "members.invite": chat::Invite => chat::Appended;
        "members.kick": chat::MemberTarget => chat::Appended;
        "members.role": chat::SetMemberRole => chat::Appended;
        "members.leave": () => chat::Appended;
        "members.ban": chat::MemberTarget => chat::Appended;
        "members.unban": chat::MemberTarget => chat::Appended;
        "channels.find": chat::FindChannels => chat::Channels;
        "channels.join": () => chat::Appended;
        "messages.send": chat::SendMessage => chat::Sent;
        "messages.edit": chat::EditMessage => chat::Appended;
        "messages.delete": chat::MessageTarget => chat::Appended;
        "messages.list": chat::ListMessages => chat::Messages;
        "messages.revisions": chat::MessageTarget => chat::Revisions;
        "read.mark": chat::MarkRead => chat::ReadState;
        "typing.set": () => accounts::Done;
        "presence.get": chat::PresenceOf => chat::Presences;
        "presence.set": chat::SetPresence => accounts::Done;
        "presence.watch": chat::PresenceOf => chat::Presences;
        "call.start": calls::StartCall => calls::Joined;
        "call.join": calls::JoinCall => calls::Joined;
        "call.ring": () => accounts::Done;
        "call.decline": () => calls::Call;
        "call.leave": calls::Leg => calls::Call;
        "call.end": () => calls::Call;
        "call.media": calls::SetMedia => calls::Call;
        "call.signal": calls::SendSignal => accounts::Done;
        "call.ice": calls::Leg => calls::Ice;
        "call.admit": calls::CallMember => calls::Call;
        "call.mute": calls::CallMember => calls::Call;
        "call.remove": calls::CallMember => calls::Call;
        "call.quality": calls::ReportQuality => accounts::Done;
        "call.get": () => calls::Call;
        "calls.list": calls::ListCalls => calls::Calls;
        "calls.seen": calls::SeenCalls => accounts::Done;
    ]
}

fn events(types: &mut SchemaGenerator) -> Vec<EventType> {
    use EventKind::{Conversation, Ephemeral, Register, Socket, User};
    let mut event = |name, kind, body: Option<fn(&mut SchemaGenerator) -> String>| EventType {
        name,
        kind,
        body: body.map(|body| body(types)),
    };
    vec![
        event(chat::CONVERSATION_CREATED, Conversation, Some(name_of::<chat::ConversationCreated>)),
        event(chat::CONVERSATION_UPDATED, Conversation, Some(name_of::<chat::ConversationUpdated>)),
        event(chat::MEMBER_JOINED, Conversation, Some(name_of::<chat::MemberJoined>)),
        event(chat::MEMBER_LEFT, Conversation, Some(name_of::<chat::MemberLeft>)),
        event(chat::MEMBER_ROLE, Conversation, Some(name_of::<chat::MemberRoleChanged>)),
        event(chat::MEMBER_BANNED, Conversation, Some(name_of::<chat::MemberBan>)),
        event(chat::MEMBER_UNBANNED, Conversation, Some(name_of::<chat::MemberBan>)),
        event(chat::MESSAGE_NEW, Conversation, Some(name_of::<chat::Message>)),
        event(chat::MESSAGE_EDITED, Conversation, Some(name_of::<chat::MessageEdited>)),
        event(chat::MESSAGE_DELETED, Conversation, Some(name_of::<chat::MessageDeleted>)),
        event(chat::CONVERSATION_JOINED, User, Some(name_of::<chat::ConversationJoined>)),
        event(chat::CONVERSATION_LEFT, User, Some(name_of::<chat::ConversationLeft>)),
        event(chat::READ_MOVED, User, Some(name_of::<chat::ReadMoved>)),
        event(chat::PRESENCE_CHANGED, Register, Some(name_of::<chat::Presence>)),
        event(chat::MARKER_CHANGED, Register, Some(name_of::<chat::MarkerChanged>)),
        event(chat::MARKERS_COUNTED, Register, Some(name_of::<chat::MarkersCounted>)),
        event(chat::TYPING, Ephemeral, Some(name_of::<chat::Typing>)),
        event(calls::CALL_RECORD, Conversation, Some(name_of::<calls::CallRecord>)),
        event(calls::CALL_STATE, Register, Some(name_of::<calls::Call>)),
        event(calls::CALLS_INDEX, Register, Some(name_of::<calls::CallIndex>)),
        event(calls::CALL_SIGNAL, Ephemeral, Some(name_of::<calls::Signal>)),
        event(calls::CALL_RECOVERING, Ephemeral, Some(name_of::<calls::CallNotice>)),
        event(calls::CALL_RECOVERED, Ephemeral, Some(name_of::<calls::CallNotice>)),
        event(frames::EVENT_WITHHELD, Socket, Some(name_of::<frames::Withheld>)),
        event(frames::EVENT_TOKEN_EXPIRING, Socket, Some(name_of::<frames::Expiring>)),
        event(frames::EVENT_LIVE, Socket, None),
        event(frames::EVENT_RESET, Socket, Some(name_of::<frames::Reset>)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;

    #[test]
    fn every_command_of_the_table_has_its_types_in_the_same_order() {
        let typed: Vec<_> = collect().commands.iter().map(|c| c.name).collect();
        let table: Vec<_> = COMMANDS.iter().map(|c| c.name).collect();
        assert_eq!(typed, table);
    }

    #[test]
    fn every_type_that_is_named_has_a_schema() {
        let bodies = collect();
        let named = bodies
            .commands
            .iter()
            .flat_map(|c| [&c.request, &c.answer])
            .chain(bodies.events.iter().map(|e| &e.body))
            .flatten();
        for name in named {
            assert!(bodies.schemas.contains_key(name), "{name}");
        }
    }
}
