//! What devices have acknowledged, gathered until it is written: many acknowledgements of one reader become one row's change.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use link::Acknowledged;
use parking_lot::Mutex;
use protocol::limits::MARKERS_NAMED_MEMBERS_MAX;
use protocol::{ConversationId, Seq, StreamId, StreamKind, UserId};
use rusqlite::{Connection, params};

use super::UNTOLD_DELIVERED;
use crate::conversations::Conversation;

/// Readers times conversations that wait at most. Beyond it an acknowledgement is dropped: the reader's next one says the same.
const WAITING_MAX: usize = 100_000;

/// Acknowledgements that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    waiting: Mutex<HashMap<(UserId, StreamId), Seq>>,
}

impl Delivered {
    /// Takes note; answers whether anything waits now.
    pub(crate) fn note(&self, acknowledged: &[Acknowledged]) -> bool {
        let mut waiting = self.waiting.lock();
        for ack in acknowledged.iter().filter(|ack| ack.stream.kind == StreamKind::Conversation) {
            let full = waiting.len() >= WAITING_MAX;
            match waiting.get_mut(&(ack.user, ack.stream)) {
                Some(seq) => *seq = ack.seq.max(*seq),
                None if full => {}
                None => {
                    waiting.insert((ack.user, ack.stream), ack.seq);
                }
            }
        }
        !waiting.is_empty()
    }

    /// Takes some of what waits.
    pub(crate) fn take(&self, at_most: usize) -> Vec<Acknowledged> {
        let mut waiting = self.waiting.lock();
        let keys: Vec<_> = waiting.keys().copied().take(at_most).collect();
        let taken = keys
            .into_iter()
            .filter_map(|(user, stream)| waiting.remove(&(user, stream)).map(|seq| Acknowledged { user, stream, seq }))
            .collect();
        if waiting.is_empty() {
            waiting.shrink_to(1_024);
        }
        taken
    }
}

/// Moves the delivery markers forward; never beyond the head, and only of members. Answers the large conversations in which one
/// moved: they are told as counts, so that no membership in them needs to be flagged.
pub(crate) fn write(
    connection: &Connection,
    acknowledged: &[Acknowledged],
) -> rusqlite::Result<BTreeSet<ConversationId>> {
    let mut statement = connection.prepare_cached(
        "UPDATE memberships SET delivered_seq = ?1, untold = untold | ?2
         WHERE stream = ?3 AND user = ?4 AND left_seq IS NULL AND delivered_seq < ?1",
    )?;
    let mut conversations = HashMap::new();
    let mut large = BTreeSet::new();
    for ack in acknowledged {
        let id = ConversationId(ack.stream.id);
        let conversation = match conversations.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Conversation::find(connection, id)?),
        };
        let Some(conversation) = conversation else { continue };
        let is_large = conversation.members > MARKERS_NAMED_MEMBERS_MAX as u64;
        let seq = ack.seq.min(conversation.stream.head.seq);
        let flag = if is_large { 0 } else { UNTOLD_DELIVERED };
        let moved = statement.execute(params![seq as i64, flag, conversation.stream.no, ack.user.as_bytes()])?;
        if moved > 0 && is_large {
            large.insert(id);
        }
    }
    Ok(large)
}
