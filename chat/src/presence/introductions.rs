//! Who comes into a small conversation is told who of the others is there, and the others are told of them: a change of presence is
//! told to those who share a conversation at that time, and a device that connects reads the whole, but neither covers people who
//! were there before they came to share one.
//!
//! Only what the commit of somebody's coming in has noted is told, once, and never to those who were in together before. It is
//! paid for from the same budget of deliveries as changes are, after them.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::limits::PRESENCE_PUSH_MEMBERS_MAX;
use protocol::{ConversationId, ErrorCode, Millis, UserId};
use rusqlite::Connection;

use super::shell::{Presences, register};
use crate::conversations::Conversation;
use crate::log::row::id;
use crate::refuse::{Stop, refuse};
use link::Event;

/// So many who came in wait at most; beyond that nobody is introduced, and who shows them asks.
const WAITING_MAX: usize = 10_000;

/// Who came in and was not introduced yet.
#[derive(Debug, Default)]
pub(crate) struct Newcomers {
    waiting: BTreeMap<ConversationId, Vec<UserId>>,
    held: usize,
}

impl Newcomers {
    /// Takes note of somebody who came in.
    pub(super) fn note(&mut self, conversation: ConversationId, user: UserId) {
        if self.held >= WAITING_MAX {
            return;
        }
        let users = self.waiting.entry(conversation).or_default();
        if !users.contains(&user) && users.len() < PRESENCE_PUSH_MEMBERS_MAX {
            users.push(user);
            self.held += 1;
        }
    }

    /// The next conversation with those who came into it.
    pub(super) fn take(&mut self) -> Option<(ConversationId, Vec<UserId>)> {
        let next = self.waiting.pop_first();
        self.held -= next.as_ref().map_or(0, |(_, users)| users.len());
        next
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// The registers that introduce newcomers and members to each other, each with how many of its audience are known to be there.
pub(super) fn introduce(
    connection: &Connection,
    presences: &Presences,
    conversation: ConversationId,
    newcomers: &[UserId],
    now: Millis,
) -> Result<Vec<(Event, usize)>, Stop> {
    let is_small = |conversation: &Conversation| conversation.members <= PRESENCE_PUSH_MEMBERS_MAX as u64;
    let Some(conversation) = Conversation::find(connection, conversation)?.filter(is_small) else {
        return Ok(Vec::new());
    };
    let members = connection
        .prepare_cached("SELECT user FROM memberships WHERE stream = ? AND left_seq IS NULL")?
        .query_map([conversation.stream.no], |row| id(row, 0).map(UserId::from))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut events = Vec::new();
    for member in &members {
        let is_new = newcomers.contains(member);
        let hears = |other: &&UserId| *other != member && (is_new || newcomers.contains(other));
        let audience: Arc<[UserId]> = members.iter().filter(hears).copied().collect();
        if audience.is_empty() {
            continue;
        }
        if let Some(told) = presences.state(connection, *member, now)? {
            let connected = presences.connected(&audience);
            let event =
                register(&told, audience, now).map_err(|error| refuse(ErrorCode::Internal, error.to_string()))?;
            events.push((event, connected));
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_once_and_what_waits_is_bounded() {
        let mut newcomers = Newcomers::default();
        let (conversation, user) = (ConversationId::now(), UserId::now());
        newcomers.note(conversation, user);
        newcomers.note(conversation, user);
        assert_eq!(newcomers.take(), Some((conversation, vec![user])));
        assert!(newcomers.is_empty());
        for _ in 0..2 * WAITING_MAX {
            newcomers.note(ConversationId::now(), user);
        }
        assert_eq!((newcomers.waiting.len(), newcomers.held), (WAITING_MAX, WAITING_MAX));
        for _ in 0..WAITING_MAX {
            assert!(newcomers.take().is_some());
        }
        assert_eq!((newcomers.take(), newcomers.held), (None, 0));
    }
}
