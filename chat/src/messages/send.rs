//! `messages.send`: the path that everything else is measured by.
//!
//! Four rows: the claim of the client id, the entry with its index, the head, the sender's marker. What has to be read, the head
//! and the sender's seat, the writer remembers from the send before. Everything is judged before the first row is written, so that
//! the store needs no savepoint for it.

use protocol::chat::{SendMessage, Sent};
use protocol::{ConversationId, ErrorCode, Seq, StreamId, UserId};
use rusqlite::params;

use super::{claim, claimed, message};
use crate::log::{Change, Content, Entry, Stream, Text};
use crate::members::seat;
use crate::refuse::{Stop, not_found, refuse};

/// Sends a message; a resend gets the answer of the first.
pub(crate) fn send(
    change: &mut Change<'_, '_>,
    sender: UserId,
    conversation: ConversationId,
    request: SendMessage,
) -> Result<Sent, Stop> {
    let connection = change.connection();
    let (mut stream, seat) = match change.folds().get(conversation) {
        Some(fold) => (fold.stream, fold.seats.get(&sender).copied()),
        None => {
            let stream = Stream::find(connection, StreamId::conversation(conversation))?.ok_or_else(not_found)?;
            (stream, None)
        }
    };
    let joined_seq = match seat {
        Some(joined_seq) => joined_seq,
        None => match seat::find(connection, stream.no, sender)? {
            Some(seat) => seat.joined_seq,
            // Who is no member any more still learns what became of a message from before.
            None => return sent_before(change, &stream, sender, &request)?.ok_or_else(not_found),
        },
    };
    if let Some(reply_to) = request.reply_to
        && !is_visible_message(change, &stream, sender, reply_to)?
    {
        return sent_before(change, &stream, sender, &request)?
            .ok_or_else(|| refuse(ErrorCode::NotFound, "reply_to: there is no such message."));
    }
    // From here on nothing is refused: the claim is the first change.
    if !claim(connection, stream.no, sender, request.client_id, stream.head.seq + 1)? {
        return sent_before(change, &stream, sender, &request)?.ok_or_else(not_found);
    }
    let text = Text {
        by: sender,
        client_id: request.client_id,
        text: request.text,
        reply_to: request.reply_to,
        edited_at: None,
        revision: 0,
        deleted: false,
    };
    let position = change.append_remembered(&mut stream, Content::Message(text))?;
    own_marker(change, &stream, sender, joined_seq)?;
    change.folds().sent(conversation, stream, sender, joined_seq);
    Ok(Sent { position, number: stream.number, at: change.now })
}

/// The answer that this message got before.
fn sent_before(
    change: &Change<'_, '_>,
    stream: &Stream,
    sender: UserId,
    request: &SendMessage,
) -> Result<Option<Sent>, Stop> {
    match claimed(change.connection(), stream, sender, request.client_id)? {
        None => Ok(None),
        Some(Entry { content: Content::Message(_), position, number, at, .. }) => {
            Ok(Some(Sent { position, number, at }))
        }
        Some(_) => {
            Err(refuse(ErrorCode::Conflict, "client_id: it was used for an edit; make a new one for each message."))
        }
    }
}

fn is_visible_message(change: &Change<'_, '_>, stream: &Stream, sender: UserId, seq: Seq) -> Result<bool, Stop> {
    let visible = seat::visibility(change.connection(), stream.no, sender)?.sees(seq);
    if !visible {
        return Ok(false);
    }
    match message(change.connection(), stream, seq) {
        Ok(_) => Ok(true),
        Err(Stop::Refused(_)) => Ok(false),
        Err(failed) => Err(failed),
    }
}

/// Who writes with nothing of others unread has read up to the message itself: the marker moves there. Otherwise it stays, for the
/// message may have been written before what came meanwhile. Neither is told: the marker passes own messages only, and those
/// nobody counts.
fn own_marker(change: &Change<'_, '_>, stream: &Stream, sender: UserId, joined_seq: Seq) -> Result<(), Stop> {
    change
        .connection()
        .prepare_cached(
            "UPDATE memberships SET own_number = own_number + 1,
                 read_seq = iif(?2 - 1 - read_number = own_number - read_own, ?1, read_seq),
                 read_number = iif(?2 - 1 - read_number = own_number - read_own, ?2, read_number),
                 read_own = iif(?2 - 1 - read_number = own_number - read_own, own_number + 1, read_own),
                 delivered_seq = iif(?2 - 1 - read_number = own_number - read_own, ?1, delivered_seq)
             WHERE stream = ?3 AND user = ?4 AND joined_seq = ?5",
        )?
        .execute(params![
            stream.head.seq as i64,
            stream.number as i64,
            stream.no,
            sender.as_bytes(),
            joined_seq as i64
        ])?;
    Ok(())
}
