//! What devices have acknowledged, gathered until it is written: many acknowledgements of one reader become one row's change.

use std::collections::HashMap;

use link::Acknowledged;
use parking_lot::Mutex;
use protocol::{Seq, StreamId, StreamKind, UserId};
use rusqlite::{Connection, params};

use super::UNTOLD_DELIVERED;

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

/// Moves the delivery markers forward; never beyond the head, and only of members.
pub(crate) fn write(connection: &Connection, acknowledged: &[Acknowledged]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE memberships SET delivered_seq = min(?1, streams.head_seq), untold = untold | ?2
         FROM streams
         WHERE streams.key = ?3 AND memberships.stream = streams.no AND user = ?4 AND left_seq IS NULL
             AND delivered_seq < min(?1, streams.head_seq)",
    )?;
    for ack in acknowledged {
        let seq = i64::try_from(ack.seq).unwrap_or(i64::MAX);
        statement.execute(params![seq, UNTOLD_DELIVERED, ack.stream.to_key(), ack.user.as_bytes()])?;
    }
    Ok(())
}
