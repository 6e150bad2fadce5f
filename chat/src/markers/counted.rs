//! Markers of conversations of more than 50: how many have read and received the newest message.

use std::collections::HashMap;

use link::Event;
use parking_lot::Mutex;
use protocol::chat::MarkersCounted;
use protocol::{ConversationId, Millis};
use rusqlite::{Connection, params};

use super::register;
use crate::conversations::Conversation;
use crate::refuse::{Stop, refuse};

/// Conversations whose last count is remembered, for those who connect later.
const REMEMBERED_MAX: usize = 10_000;

/// The counts that were told last.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    told: Mutex<HashMap<ConversationId, Event>>,
}

impl Counts {
    pub(crate) fn remember(&self, conversation: ConversationId, event: Event) {
        let mut told = self.told.lock();
        if told.len() >= REMEMBERED_MAX && !told.contains_key(&conversation) {
            // Which one goes does not matter: its next count is told again.
            let dropped = told.keys().next().copied();
            dropped.and_then(|dropped| told.remove(&dropped));
        }
        told.insert(conversation, event);
    }

    pub(crate) fn get(&self, conversation: ConversationId) -> Option<Event> {
        self.told.lock().get(&conversation).cloned()
    }
}

/// Counts for these conversations. The sender of the newest message counts as one who has read it.
pub(crate) fn count(
    connection: &Connection,
    conversations: &[ConversationId],
    now: Millis,
) -> Result<Vec<(ConversationId, Event)>, Stop> {
    let mut events = Vec::new();
    for id in conversations {
        let Some(conversation) = Conversation::find(connection, *id)? else { continue };
        let newest = conversation.stream.last_message;
        if newest == 0 {
            continue;
        }
        let (read, delivered): (i64, i64) = connection
            .prepare_cached(
                "SELECT coalesce(sum(read_seq >= ?2 OR user = author), 0),
                     coalesce(sum(delivered_seq >= ?2 OR user = author), 0)
                 FROM memberships, (SELECT actor AS author FROM entries WHERE stream = ?1 AND seq = ?2)
                 WHERE stream = ?1 AND left_seq IS NULL",
            )?
            .query_row(params![conversation.stream.no, newest as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let body = MarkersCounted { conversation: *id, seq: newest, read: read as u64, delivered: delivered as u64 };
        let event =
            register::counted(&body, now).map_err(|error| refuse(protocol::ErrorCode::Internal, error.to_string()))?;
        events.push((*id, event));
    }
    Ok(events)
}
