//! `messages.list`: history by the numbers of entries, so that pages never overlap or miss one.

use protocol::chat::{CallEntry, ListMessages, Message, Messages};
use protocol::{ConversationId, Seq, UserId};
use rusqlite::{Connection, params};

use crate::log::row::{self, COLUMNS};
use crate::log::visibility::Visibility;
use crate::log::{Content, Entry, Stream, codes};
use crate::members::seat;
use crate::refuse::Stop;

/// The most calls in a page.
const CALLS_MAX: usize = 100;

/// One page of the messages that the caller may see.
pub(crate) fn list(
    connection: &Connection,
    caller: UserId,
    conversation: ConversationId,
    request: ListMessages,
    limit: usize,
) -> Result<Messages, Stop> {
    let (conversation, _) = seat::enter(connection, conversation, caller)?;
    let visibility = seat::visibility(connection, conversation.stream.no, caller)?;
    let history = History { connection, stream: &conversation.stream, visibility };
    let head = conversation.stream.head;
    let (messages, more_before, more_after) = match request {
        ListMessages { after: Some(after), .. } => {
            let (messages, more) = history.upwards(after, limit)?;
            (messages, history.any_before(after.saturating_add(1))?, more)
        }
        ListMessages { around: Some(around), .. } => {
            let (mut messages, more_before) = history.downwards(around, limit / 2)?;
            let (above, more_after) = history.upwards(around.saturating_sub(1), limit - messages.len())?;
            messages.extend(above);
            (messages, more_before, more_after)
        }
        ListMessages { before, .. } => {
            let before = before.unwrap_or(head.seq.saturating_add(1));
            let (messages, more) = history.downwards(before, limit)?;
            (messages, more, history.any_after(before.saturating_sub(1))?)
        }
    };
    let first = messages.first().filter(|_| more_before).map_or(0, |message| message.seq);
    let last = messages.last().filter(|_| more_after).map_or(Seq::MAX, |message| message.seq);
    let calls = history.calls(first, last)?;
    Ok(Messages { messages, calls, more_before, more_after, head })
}

struct History<'a> {
    connection: &'a Connection,
    stream: &'a Stream,
    visibility: Visibility,
}

impl History<'_> {
    /// The oldest messages after `after`, and whether there are more.
    fn upwards(&self, after: Seq, limit: usize) -> Result<(Vec<Message>, bool), Stop> {
        let mut entries = Vec::new();
        for (first, last) in self.visibility.ranges(self.stream.head.seq) {
            self.scan(codes::MESSAGE, "", first.max(after.saturating_add(1)), last, limit + 1, &mut entries)?;
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok((messages(&entries), more))
    }

    /// The newest messages before `before`, in the order of the log, and whether there are more.
    fn downwards(&self, before: Seq, limit: usize) -> Result<(Vec<Message>, bool), Stop> {
        let mut entries = Vec::new();
        for (first, last) in self.visibility.ranges(self.stream.head.seq).rev() {
            self.scan(codes::MESSAGE, "DESC", first, last.min(before.saturating_sub(1)), limit + 1, &mut entries)?;
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        entries.reverse();
        Ok((messages(&entries), more))
    }

    /// The latest calls from entry `first` to `last`, in the order of the log.
    fn calls(&self, first: Seq, last: Seq) -> Result<Vec<CallEntry>, Stop> {
        let mut entries = Vec::new();
        for (from, to) in self.visibility.ranges(self.stream.head.seq).rev() {
            self.scan(codes::CALLED, "DESC", first.max(from), last.min(to), CALLS_MAX, &mut entries)?;
        }
        entries.reverse();
        let calls = entries.into_iter().filter_map(|entry| match entry.content {
            Content::Called(record) => Some(CallEntry { seq: entry.position.seq, record: *record }),
            _ => None,
        });
        Ok(calls.collect())
    }

    fn any_before(&self, seq: Seq) -> Result<bool, Stop> {
        Ok(self.downwards(seq, 0)?.1)
    }

    fn any_after(&self, seq: Seq) -> Result<bool, Stop> {
        Ok(self.upwards(seq, 0)?.1)
    }

    /// Adds entries of a kind until there are so many.
    fn scan(
        &self,
        kind: i64,
        order: &'static str,
        first: Seq,
        last: Seq,
        until: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Stop> {
        if first > last || entries.len() >= until {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM entries WHERE stream = ? AND seq BETWEEN ? AND ? AND kind = {kind}
             ORDER BY seq {order} LIMIT ?"
        ))?;
        let left = (until - entries.len()) as i64;
        let mut rows = statement.query(params![self.stream.no, clamp(first), clamp(last), left])?;
        while let Some(row) = rows.next()? {
            entries.push(row::read(self.stream.id, row)?);
        }
        Ok(())
    }
}

fn messages(entries: &[Entry]) -> Vec<Message> {
    entries.iter().filter_map(Entry::message).collect()
}

/// Numbers come from clients: beyond what the store can hold there is nothing anyway.
fn clamp(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
