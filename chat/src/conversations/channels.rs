//! Public channels: finding and joining them.

use protocol::chat::{Appended, Channel, Channels, ConversationKind, MemberRole};
use protocol::{ConversationId, ErrorCode, UserId};
use rusqlite::{Connection, params};

use super::{Conversation, folded};
use crate::log::Change;
use crate::log::row::{id, unsigned};
use crate::members::passage::{Entrance, come_in};
use crate::members::seat;
use crate::origin::Origin;
use crate::refuse::{Stop, not_found, refuse};

/// One page of the channels whose title begins with `title`, by id. A channel that everybody left is not shown.
pub(crate) fn find(
    connection: &Connection,
    caller: UserId,
    title: Option<&str>,
    after: Option<ConversationId>,
    limit: usize,
) -> Result<Channels, Stop> {
    let beginning = folded(title.unwrap_or_default().trim());
    let range = match beginning.is_empty() {
        true => "",
        // Everything that begins with the text lies between it and it with the highest character behind.
        false => "AND title_folded >= ?4 AND title_folded < ?4 || char(1114111)",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, title, members, EXISTS (SELECT 1 FROM memberships
             WHERE stream = conversations.no AND user = ?1 AND left_seq IS NULL)
         FROM conversations WHERE kind = 2 AND members > 0 AND id > ?2 {range} ORDER BY id LIMIT ?3"
    ))?;
    let after = after.map_or([0; 16], |after| *after.as_bytes());
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Channel { id: id(row, 0)?.into(), title: row.get(1)?, members: unsigned(row, 2)?, joined: row.get(3)? })
    };
    let page = limit as i64 + 1;
    let mut channels = match beginning.is_empty() {
        true => statement.query_map(params![caller.as_bytes(), after, page], read)?.collect::<Result<Vec<_>, _>>()?,
        false => statement
            .query_map(params![caller.as_bytes(), after, page, beginning], read)?
            .collect::<Result<Vec<_>, _>>()?,
    };
    let more = channels.len() > limit;
    channels.truncate(limit);
    Ok(Channels { channels, more })
}

/// Enters a channel; who is in already stays where they are.
pub(crate) fn join(change: &mut Change<'_, '_>, origin: &Origin, channel: ConversationId) -> Result<Appended, Stop> {
    let mut conversation = Conversation::find(change.connection(), channel)?
        .filter(|conversation| conversation.kind == ConversationKind::Channel)
        .ok_or_else(not_found)?;
    let caller = origin.user;
    if seat::is_banned(change.connection(), conversation.stream.no, caller)? {
        return Err(refuse(ErrorCode::Banned, ErrorCode::Banned.meaning()));
    }
    if seat::find(change.connection(), conversation.stream.no, caller)?.is_some() {
        return Ok(Appended { position: conversation.stream.head });
    }
    if conversation.members == 0 {
        return Err(not_found());
    }
    let entrance = Entrance { user: caller, role: MemberRole::Member, by: caller, first_seq: None, peer: None };
    let position = come_in(change, &mut conversation, entrance)?;
    change.audit(origin, "member.join", channel, None)?;
    Ok(Appended { position })
}
