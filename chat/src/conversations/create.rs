//! `conversations.create`.

use protocol::chat::{ConversationKind, CreateConversation, MemberRole};
use protocol::limits::MEMBERS_PER_REQUEST_MAX;
use protocol::{ConversationId, ErrorCode, UserId};
use rusqlite::{OptionalExtension, params};

use super::{Conversation, title};
use crate::log::{Change, Content};
use crate::members::passage::{Entrance, come_in};
use crate::refuse::{Stop, invalid, refuse};
use link::Refusal;

/// What is to be made, checked as far as it can be without the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: ConversationKind,
    pub(crate) title: Option<String>,
    /// The first members besides the caller, each once.
    pub(crate) members: Vec<UserId>,
}

impl Plan {
    /// Checks the request's form.
    pub(crate) fn new(request: CreateConversation, caller: UserId) -> Result<Self, Refusal> {
        let CreateConversation { kind, title, mut members } = request;
        if members.len() > MEMBERS_PER_REQUEST_MAX {
            return Err(invalid(format!("members: at most {MEMBERS_PER_REQUEST_MAX}")));
        }
        members.sort_unstable();
        members.dedup();
        match kind {
            ConversationKind::Direct => {
                if title.is_some() {
                    return Err(invalid("title: a 1-1 conversation has none"));
                }
                if members.len() != 1 || members.contains(&caller) {
                    return Err(invalid("members: name the one other person"));
                }
                Ok(Self { kind, title: None, members })
            }
            ConversationKind::Group | ConversationKind::Channel => {
                if kind == ConversationKind::Channel && !members.is_empty() {
                    return Err(invalid("members: a channel starts with its owner; others join it"));
                }
                members.retain(|member| *member != caller);
                let title = title.ok_or_else(|| invalid("title: missing"))?;
                Ok(Self { kind, title: Some(title::checked(title)?), members })
            }
        }
    }
}

/// Makes the conversation, or finds the 1-1 conversation that the two have already; answers its id.
pub(crate) fn create(change: &mut Change<'_, '_>, caller: UserId, plan: &Plan) -> Result<ConversationId, Stop> {
    match plan.kind {
        ConversationKind::Direct => direct(change, caller, plan),
        ConversationKind::Group | ConversationKind::Channel => {
            let owner = (caller, MemberRole::Owner);
            let members = plan.members.iter().map(|member| (*member, MemberRole::Member));
            let members: Vec<_> = std::iter::once(owner).chain(members).collect();
            begin(change, caller, plan.kind, plan.title.clone(), &members).map(|conversation| conversation.id())
        }
    }
}

/// Makes a conversation with its first members, all of whom see it from its first entry.
pub(crate) fn begin(
    change: &mut Change<'_, '_>,
    by: UserId,
    kind: ConversationKind,
    title: Option<String>,
    members: &[(UserId, MemberRole)],
) -> Result<Conversation, Stop> {
    let id = ConversationId::now();
    let mut conversation = Conversation::insert(change.connection(), id, kind, title.clone(), change.now)?;
    change.append(&mut conversation.stream, Content::Created { kind, title, by })?;
    for (user, role) in members {
        let peer = match kind {
            ConversationKind::Direct => members.iter().map(|(other, _)| *other).find(|other| other != user),
            ConversationKind::Group | ConversationKind::Channel => None,
        };
        let entrance = Entrance { user: *user, role: *role, by, first_seq: Some(1), peer };
        come_in(change, &mut conversation, entrance)?;
    }
    Ok(conversation)
}

fn direct(change: &mut Change<'_, '_>, caller: UserId, plan: &Plan) -> Result<ConversationId, Stop> {
    let Some(other) = plan.members.first().copied() else {
        return Err(refuse(ErrorCode::InvalidRequest, "members: name the one other person"));
    };
    if let Some(stream_no) = pair(change, caller, other)? {
        return id_of(change, stream_no);
    }
    begin_direct(change, caller, other).map(|conversation| conversation.id())
}

/// Makes the 1-1 conversation of two who have none yet.
pub(crate) fn begin_direct(change: &mut Change<'_, '_>, by: UserId, other: UserId) -> Result<Conversation, Stop> {
    let members = [(by, MemberRole::Member), (other, MemberRole::Member)];
    let conversation = begin(change, by, ConversationKind::Direct, None, &members)?;
    let (low, high) = (by.min(other), by.max(other));
    change
        .connection()
        .prepare_cached("INSERT INTO direct_pairs (low, high, stream) VALUES (?, ?, ?)")?
        .execute(params![low.as_bytes(), high.as_bytes(), conversation.stream.no])?;
    Ok(conversation)
}

/// The stream of the two's 1-1 conversation.
pub(crate) fn pair(change: &Change<'_, '_>, one: UserId, other: UserId) -> rusqlite::Result<Option<i64>> {
    let (low, high) = (one.min(other), one.max(other));
    change
        .connection()
        .prepare_cached("SELECT stream FROM direct_pairs WHERE low = ? AND high = ?")?
        .query_row(params![low.as_bytes(), high.as_bytes()], |row| row.get(0))
        .optional()
}

/// The id of the conversation with this stream.
pub(crate) fn id_of(change: &Change<'_, '_>, stream_no: i64) -> Result<ConversationId, Stop> {
    let id = change
        .connection()
        .prepare_cached("SELECT id FROM conversations WHERE no = ?")?
        .query_row([stream_no], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(id.into())
}
