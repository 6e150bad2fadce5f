//! What signaling asks of conversations: who belongs to one, and that a call's record be kept in its log.
//!
//! These are internal commands. A record is known by its call, so signaling may write it as often as it likes.

use link::calls::{AskAudience, CALLS_AUDIENCE, CALLS_RECORD, CallAudience, Recorded};
use link::{Call, Refusal, Reply};
use protocol::calls::CallRecord;
use protocol::chat::ConversationKind;
use protocol::{ClientId, ErrorCode, StreamId, UserId};
use rusqlite::{Connection, params};

use crate::conversations::Conversation;
use crate::log::row::id;
use crate::log::{Change, Content, Stream};
use crate::members::seat;
use crate::messages::claim;
use crate::refuse::{Stop, not_found};
use crate::shared::Shared;

/// Serves an internal command; nothing for one that is not about calls.
pub(crate) async fn execute(shared: &Shared, call: &Call) -> Option<Reply> {
    match call.command.as_str() {
        CALLS_AUDIENCE => Some(ask(shared, call).await.into()),
        CALLS_RECORD => Some(keep(shared, call).await.into()),
        _ => None,
    }
}

async fn ask(shared: &Shared, call: &Call) -> Result<CallAudience, Refusal> {
    let ask: AskAudience = call.parse()?;
    shared.read("memberships/audience", move |connection| Ok(audience(connection, &ask)?)).await
}

fn audience(connection: &Connection, ask: &AskAudience) -> rusqlite::Result<CallAudience> {
    let Some(conversation) = Conversation::find(connection, ask.conversation)? else {
        return Ok(CallAudience::default());
    };
    let stream_no = conversation.stream.no;
    let mut of_those = Vec::new();
    for user in &ask.users {
        if seat::find(connection, stream_no, *user)?.is_some() {
            of_those.push(*user);
        }
    }
    let named = conversation.members <= ask.name_up_to as u64;
    let members = if named { members(connection, stream_no)? } else { Vec::new() };
    Ok(CallAudience { direct: conversation.kind == ConversationKind::Direct, of_those, members })
}

fn members(connection: &Connection, stream_no: i64) -> rusqlite::Result<Vec<UserId>> {
    connection
        .prepare_cached("SELECT user FROM memberships WHERE stream = ? AND left_seq IS NULL")?
        .query_map(params![stream_no], |row| id(row, 0).map(UserId::from))?
        .collect()
}

async fn keep(shared: &Shared, call: &Call) -> Result<Recorded, Refusal> {
    let record: CallRecord = call.parse()?;
    shared.for_own_work().write("entries/record", move |change| append(change, record)).await
}

fn append(change: &mut Change<'_, '_>, record: CallRecord) -> Result<Recorded, Stop> {
    let connection = change.connection();
    let id = StreamId::conversation(record.conversation);
    let mut stream = Stream::find(connection, id)?.ok_or_else(not_found)?;
    // Under nobody's name: no user can have taken the id before.
    let nobody = UserId(record.call.0);
    if !claim(connection, stream.no, nobody, ClientId(record.call.0), stream.head.seq + 1)? {
        return Ok(Recorded { appended: false });
    }
    change.append(&mut stream, Content::Called(Box::new(record)))?;
    Ok(Recorded { appended: true })
}

/// An internal command that nobody serves.
pub(crate) fn unknown() -> Reply {
    Refusal::of(ErrorCode::UnknownCommand).into()
}
