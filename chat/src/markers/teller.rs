//! The worker that tells moved markers, about once a second.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::chat::{MarkerChanged, ReadMarker, ReadMoved};
use protocol::limits::MARKERS_NAMED_MEMBERS_MAX;
use protocol::{ConversationId, UserId};
use rusqlite::params;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{UNTOLD_READ, counted, delivered, register};
use crate::log::row::{id, unsigned};
use crate::log::{Change, Content};
use crate::refuse::{Stop, refuse};
use crate::shared::Shared;

/// Markers that are told in one transaction: some milliseconds of the writer.
const CHUNK: usize = 256;
/// Acknowledgements that are written in one transaction.
const ACKS_CHUNK: usize = 1_000;
/// Conversations that are counted in one read.
const COUNTS_CHUNK: usize = 16;

/// Counts go to all members of large conversations, so they are told at every second round only.
const COUNTED_EVERY: u32 = 2;

/// Wakes the teller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nudge(Arc<Notify>);

impl Nudge {
    pub(crate) fn nudge(&self) {
        self.0.notify_one();
    }
}

/// A marker that moved and has not been told.
struct Untold {
    stream_no: i64,
    conversation: ConversationId,
    members: u64,
    user: UserId,
    joined_seq: i64,
    read: ReadMarker,
    delivered_seq: u64,
    what: i64,
}

/// Tells until the service stops; what was left by a crash first.
pub(crate) async fn run(shared: Shared, every: Duration) {
    let mut large = BTreeSet::new();
    let mut counted_at = None::<Instant>;
    loop {
        round(&shared, &mut large).await;
        let is_due = counted_at.is_none_or(|at| at.elapsed() >= every * COUNTED_EVERY);
        if is_due && !large.is_empty() {
            counted_at = Some(Instant::now());
            count(&shared, std::mem::take(&mut large)).await;
        }
        tokio::select! {
            () = shared.nudge.0.notified() => {}
            () = std::future::ready(()), if !large.is_empty() => {}
            () = shared.shutdown.stopped() => return round(&shared, &mut large).await,
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = shared.shutdown.stopped() => {}
        }
    }
}

/// Tells all that waits; conversations whose markers are told as counts are only gathered.
async fn round(shared: &Shared, large: &mut BTreeSet<ConversationId>) {
    loop {
        let acks = shared.delivered.take(ACKS_CHUNK);
        if acks.is_empty() {
            break;
        }
        let write =
            shared.write("memberships/deliver", move |change| Ok(delivered::write(change.connection(), &acks)?));
        match write.await {
            Ok(moved) => large.extend(moved),
            Err(refusal) => {
                // The next acknowledgement of each reader says the same.
                tracing::warn!(%refusal, "delivery markers were not written");
                break;
            }
        }
    }
    loop {
        match shared.write("memberships/tell", tell).await {
            Ok((told, moved)) => {
                large.extend(moved);
                if told < CHUNK {
                    break;
                }
            }
            Err(refusal) => {
                tracing::warn!(%refusal, "moved markers wait to be told");
                shared.nudge.nudge();
                break;
            }
        }
    }
}

/// Tells one chunk; answers how many there were, and the conversations that are told as counts.
fn tell(change: &mut Change<'_, '_>) -> Result<(usize, BTreeSet<ConversationId>), Stop> {
    let untold = untold(change)?;
    let mut large = BTreeSet::new();
    for marker in &untold {
        let Untold { conversation, user, .. } = *marker;
        if marker.what & UNTOLD_READ != 0 {
            let ReadMarker { seq, number, own_number } = marker.read;
            let body = ReadMoved { conversation, seq, number, own_number };
            change.append_to_user(user, Content::ReadMoved(body))?;
        }
        if marker.members > MARKERS_NAMED_MEMBERS_MAX as u64 {
            large.insert(conversation);
        } else {
            let body =
                MarkerChanged { conversation, user, read_seq: marker.read.seq, delivered_seq: marker.delivered_seq };
            let event = register::named(&body, change.now)
                .map_err(|error| refuse(protocol::ErrorCode::Internal, error.to_string()))?;
            change.tell(event);
        }
        change
            .connection()
            .prepare_cached("UPDATE memberships SET untold = 0 WHERE stream = ? AND user = ? AND joined_seq = ?")?
            .execute(params![marker.stream_no, user.as_bytes(), marker.joined_seq])?;
    }
    Ok((untold.len(), large))
}

fn untold(change: &Change<'_, '_>) -> rusqlite::Result<Vec<Untold>> {
    let mut statement = change.connection().prepare_cached(
        "SELECT stream, conversations.id, members, user, joined_seq, read_seq, read_number, read_own, delivered_seq, untold
         FROM memberships CROSS JOIN conversations ON conversations.no = stream
         WHERE untold > 0 LIMIT ?",
    )?;
    statement
        .query_map([CHUNK as i64], |row| {
            Ok(Untold {
                stream_no: row.get(0)?,
                conversation: id(row, 1)?.into(),
                members: unsigned(row, 2)?,
                user: id(row, 3)?.into(),
                joined_seq: row.get(4)?,
                read: ReadMarker { seq: unsigned(row, 5)?, number: unsigned(row, 6)?, own_number: unsigned(row, 7)? },
                delivered_seq: unsigned(row, 8)?,
                what: row.get(9)?,
            })
        })?
        .collect()
}

async fn count(shared: &Shared, conversations: BTreeSet<ConversationId>) {
    let now = shared.now();
    let conversations: Vec<_> = conversations.into_iter().collect();
    for chunk in conversations.chunks(COUNTS_CHUNK) {
        let chunk = chunk.to_vec();
        let counted = shared.read("memberships/count", move |connection| counted::count(connection, &chunk, now)).await;
        match counted {
            Ok(events) => {
                for (conversation, event) in events {
                    shared.counts.remember(conversation, event.clone());
                    shared.publisher.publish(event);
                }
            }
            Err(refusal) => tracing::warn!(%refusal, "markers were not counted"),
        }
    }
}
