//! The rows. A new feature adds its row here and its code in its service, nothing in the gateway.

use super::{Access, CommandSpec, Cost, Method, Param, ParamKind, Repeat, Rest, Route};
use crate::accounts::Role;
use crate::services::ServiceName::{self, Auth, Chat, Signaling};

const fn rest(method: Method, path: &'static str) -> Option<Rest> {
    Some(Rest { method, path, query: &[] })
}

const fn rest_query(method: Method, path: &'static str, query: &'static [Param]) -> Option<Rest> {
    Some(Rest { method, path, query })
}

const fn text(name: &'static str) -> Param {
    Param { name, kind: ParamKind::Text }
}

const fn integer(name: &'static str) -> Param {
    Param { name, kind: ParamKind::Integer }
}

const fn list(name: &'static str) -> Param {
    Param { name, kind: ParamKind::List }
}

/// A row with the most common values; the rows below name what differs.
const fn row(name: &'static str, service: ServiceName, summary: &'static str) -> CommandSpec {
    CommandSpec {
        name,
        service,
        access: Access::User,
        cost: Cost::Write,
        route: Route::Any,
        repeat: Repeat::Harmless,
        rest: None,
        socket: false,
        summary,
    }
}

use Method::{Delete, Get, Patch, Post, Put};

/// Everything a client can ask for.
#[rustfmt::skip]
pub const COMMANDS: &[CommandSpec] = &[
    // Accounts and sessions.
    CommandSpec { access: Access::Anonymous, cost: Cost::Register, repeat: Repeat::Key, rest: rest(Post, "/v1/auth/register"),
        ..row("auth.register", Auth, "Makes an account and logs it in.") },
    CommandSpec { access: Access::Anonymous, cost: Cost::Login, rest: rest(Post, "/v1/auth/login"),
        ..row("auth.login", Auth, "Logs in with handle and password.") },
    CommandSpec { access: Access::Anonymous, rest: rest(Post, "/v1/auth/refresh"),
        ..row("auth.refresh", Auth, "Takes a refresh token (body or cookie) and gives its successor with a new access token.") },
    CommandSpec { access: Access::Anonymous, rest: rest(Post, "/v1/auth/logout"),
        ..row("auth.logout", Auth, "Ends the session of the refresh token, the cookie or the access token.") },
    CommandSpec { route: Route::Caller, rest: rest(Post, "/v1/auth/logout-all"),
        ..row("auth.logout_all", Auth, "Ends all sessions of the caller.") },
    CommandSpec { access: Access::Anonymous, cost: Cost::Read, rest: rest(Get, "/.well-known/jwks.json"),
        ..row("auth.jwks", Auth, "The public keys that verify access tokens (RFC 7517).") },
    CommandSpec { route: Route::Caller, cost: Cost::Read, socket: true, rest: rest(Get, "/v1/me"),
        ..row("me.get", Auth, "The caller's own account.") },
    CommandSpec { route: Route::Caller, socket: true, rest: rest(Patch, "/v1/me"),
        ..row("me.update", Auth, "Changes name, avatar or handle.") },
    CommandSpec { route: Route::Caller, rest: rest(Put, "/v1/me/password"),
        ..row("me.password", Auth, "Changes the password; all other sessions end.") },
    CommandSpec { route: Route::Caller, cost: Cost::Read, rest: rest(Get, "/v1/me/sessions"),
        ..row("sessions.list", Auth, "The caller's sessions with device name, last seen and address.") },
    CommandSpec { route: Route::Caller, rest: rest(Delete, "/v1/me/sessions/{session}"),
        ..row("sessions.revoke", Auth, "Ends one session of the caller.") },
    CommandSpec { cost: Cost::Read, socket: true, rest: rest_query(Get, "/v1/users", &[text("handle"), list("ids")]),
        ..row("users.find", Auth, "Profiles by exact handle, or by ids that the caller knows.") },
    CommandSpec { access: Access::Role(Role::Admin), route: Route::User, rest: rest(Put, "/v1/users/{user}/role"),
        ..row("users.role", Auth, "Gives a user a role.") },
    CommandSpec { access: Access::Role(Role::Admin), route: Route::User, rest: rest(Put, "/v1/users/{user}/suspension"),
        ..row("users.suspend", Auth, "Suspends an account: its sessions end and no new one begins.") },
    CommandSpec { access: Access::Role(Role::Admin), route: Route::User, rest: rest(Delete, "/v1/users/{user}/suspension"),
        ..row("users.unsuspend", Auth, "Lifts a suspension.") },

    // Conversations and their members.
    CommandSpec { repeat: Repeat::Key, socket: true, rest: rest(Post, "/v1/conversations"),
        ..row("conversations.create", Chat, "Makes a group or a channel, or opens the 1-1 conversation with a user.") },
    CommandSpec { cost: Cost::Read, route: Route::Caller, socket: true, rest: rest_query(Get, "/v1/conversations", &[text("after"), integer("limit")]),
        ..row("conversations.list", Chat, "The caller's conversations with head, last message and unread count.") },
    CommandSpec { cost: Cost::Read, route: Route::Conversation, socket: true, rest: rest(Get, "/v1/conversations/{conversation}"),
        ..row("conversations.get", Chat, "One conversation.") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Patch, "/v1/conversations/{conversation}"),
        ..row("conversations.update", Chat, "Changes the title (owner, admin).") },
    CommandSpec { cost: Cost::Read, route: Route::Conversation, socket: true, rest: rest_query(Get, "/v1/conversations/{conversation}/members", &[text("after"), integer("limit")]),
        ..row("members.list", Chat, "Who is in it, with roles and markers.") },
    CommandSpec { cost: Cost::Join, route: Route::Conversation, socket: true, rest: rest(Post, "/v1/conversations/{conversation}/members"),
        ..row("members.invite", Chat, "Adds users to a group (owner, admin).") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Delete, "/v1/conversations/{conversation}/members/{user}"),
        ..row("members.kick", Chat, "Removes a member (owner, admin).") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Put, "/v1/conversations/{conversation}/members/{user}/role"),
        ..row("members.role", Chat, "Makes a member owner, admin or member (owner).") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Post, "/v1/conversations/{conversation}/leave"),
        ..row("members.leave", Chat, "Leaves a group or channel.") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Put, "/v1/conversations/{conversation}/bans/{user}"),
        ..row("members.ban", Chat, "Removes a user and keeps them out (owner, admin).") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Delete, "/v1/conversations/{conversation}/bans/{user}"),
        ..row("members.unban", Chat, "Lifts a ban (owner, admin).") },
    CommandSpec { cost: Cost::Read, socket: true, rest: rest_query(Get, "/v1/channels", &[text("title"), text("after"), integer("limit")]),
        ..row("channels.find", Chat, "Public channels whose title begins with the given text.") },
    CommandSpec { cost: Cost::Join, route: Route::Conversation, socket: true, rest: rest(Post, "/v1/conversations/{conversation}/join"),
        ..row("channels.join", Chat, "Enters a public channel.") },

    // Messages.
    CommandSpec { cost: Cost::Send, route: Route::Conversation, repeat: Repeat::ClientId, socket: true, rest: rest(Post, "/v1/conversations/{conversation}/messages"),
        ..row("messages.send", Chat, "Sends a message; durable before it is answered.") },
    CommandSpec { cost: Cost::Send, route: Route::Conversation, socket: true, rest: rest(Patch, "/v1/conversations/{conversation}/messages/{seq}"),
        ..row("messages.edit", Chat, "Changes the text of an own message.") },
    CommandSpec { cost: Cost::Send, route: Route::Conversation, socket: true, rest: rest(Delete, "/v1/conversations/{conversation}/messages/{seq}"),
        ..row("messages.delete", Chat, "Deletes a message for all (its author, owner, admin, moderator).") },
    CommandSpec { cost: Cost::Read, route: Route::Conversation, socket: true, rest: rest_query(Get, "/v1/conversations/{conversation}/messages", &[integer("before"), integer("after"), integer("around"), integer("limit")]),
        ..row("messages.list", Chat, "History: before, after or around an entry's number.") },
    CommandSpec { cost: Cost::Read, route: Route::Conversation, access: Access::Role(Role::Moderator), rest: rest(Get, "/v1/conversations/{conversation}/messages/{seq}/revisions"),
        ..row("messages.revisions", Chat, "Former texts of an edited or deleted message (moderators).") },
    CommandSpec { route: Route::Conversation, socket: true, rest: rest(Put, "/v1/conversations/{conversation}/read"),
        ..row("read.mark", Chat, "Moves the caller's read marker forward.") },
    CommandSpec { cost: Cost::Ephemeral, route: Route::Conversation, socket: true,
        ..row("typing.set", Chat, "Says that the caller types; expires by itself.") },

    // Presence.
    CommandSpec { cost: Cost::Read, socket: true, rest: rest_query(Get, "/v1/presence", &[list("users")]),
        ..row("presence.get", Chat, "Presence of users who share a conversation with the caller.") },
    CommandSpec { cost: Cost::Ephemeral, route: Route::Caller, socket: true,
        ..row("presence.set", Chat, "Says whether this device is in use (online or away).") },
    CommandSpec { cost: Cost::Read, route: Route::Caller, socket: true,
        ..row("presence.watch", Chat, "Names the users in larger conversations whose presence this device wants to be told.") },

    // Calls.
    CommandSpec { cost: Cost::Call, route: Route::Conversation, repeat: Repeat::ClientId, socket: true,
        ..row("call.start", Signaling, "Calls the members of a conversation, or joins the call that goes on there.") },
    CommandSpec { cost: Cost::Call, route: Route::Call, socket: true,
        ..row("call.join", Signaling, "Answers, joins, takes over from another device, or comes back to an own leg.") },
    CommandSpec { route: Route::Call, socket: true,
        ..row("call.ring", Signaling, "Says that this device rings.") },
    CommandSpec { route: Route::Call, socket: true, rest: rest(Post, "/v1/calls/{call}/decline"),
        ..row("call.decline", Signaling, "Says no; all own devices stop ringing.") },
    CommandSpec { route: Route::Call, socket: true, rest: rest(Post, "/v1/calls/{call}/leave"),
        ..row("call.leave", Signaling, "Leaves with this leg; the caller who leaves before an answer cancels.") },
    CommandSpec { route: Route::Call, socket: true, rest: rest(Post, "/v1/calls/{call}/end"),
        ..row("call.end", Signaling, "Ends the call for all (host).") },
    CommandSpec { route: Route::Call, socket: true,
        ..row("call.media", Signaling, "Tells what this leg sends: microphone, camera, screen, raised hand.") },
    CommandSpec { cost: Cost::Signal, route: Route::Call, socket: true,
        ..row("call.signal", Signaling, "Passes a session description or candidates to another leg.") },
    CommandSpec { route: Route::Call, socket: true,
        ..row("call.ice", Signaling, "New TURN credentials for this leg.") },
    CommandSpec { route: Route::Call, socket: true, rest: rest(Post, "/v1/calls/{call}/admissions/{user}"),
        ..row("call.admit", Signaling, "Lets someone in from the waiting room (host).") },
    CommandSpec { route: Route::Call, socket: true, rest: rest(Post, "/v1/calls/{call}/participants/{user}/mute"),
        ..row("call.mute", Signaling, "Mutes someone's microphone (host); they may turn it on again.") },
    CommandSpec { route: Route::Call, socket: true, rest: rest(Delete, "/v1/calls/{call}/participants/{user}"),
        ..row("call.remove", Signaling, "Removes someone (host); they join again only when they are admitted.") },
    CommandSpec { cost: Cost::Ephemeral, route: Route::Call, socket: true,
        ..row("call.quality", Signaling, "Reports how this leg's peer connections do.") },
    CommandSpec { cost: Cost::Read, route: Route::Call, socket: true, rest: rest(Get, "/v1/calls/{call}"),
        ..row("call.get", Signaling, "A call that goes on or was over less than a day ago.") },
    CommandSpec { cost: Cost::Read, route: Route::Caller, socket: true, rest: rest_query(Get, "/v1/calls", &[text("before"), integer("limit")]),
        ..row("calls.list", Signaling, "The caller's calls that are over, the latest first, and how many they missed.") },
    CommandSpec { route: Route::Caller, socket: true, rest: rest(Put, "/v1/calls/seen"),
        ..row("calls.seen", Signaling, "The history was looked at: what was missed up to a call counts no more.") },
];
