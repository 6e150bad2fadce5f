//! The calls that go on, in memory: what a relayed signal is judged by, and who is concerned when a socket, a login or a membership ends.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use protocol::{CallId, ConnectionId, ConversationId, Millis, SessionId, UserId};

use crate::machine::{CallState, Part};

/// How long it is remembered that a call is over; a version is its time in milliseconds, or later.
const OVER_LATELY_MS: Millis = 60_000;

/// Live calls by everything they are looked for by. It holds only what the store holds too.
#[derive(Default)]
pub(crate) struct Live(RwLock<Tables>);

#[derive(Default)]
struct Tables {
    calls: HashMap<CallId, Arc<CallState>>,
    conversations: HashMap<ConversationId, CallId>,
    users: HashMap<UserId, Vec<CallId>>,
    connections: HashMap<ConnectionId, CallId>,
    sessions: HashMap<SessionId, Vec<CallId>>,
    /// The last versions of calls that were over lately: what another process wrote may be heard before the own one that it followed.
    over: HashMap<CallId, u64>,
}

impl Live {
    /// Takes note of a version: a newer one replaces an older one, one that is over takes the call out.
    pub(crate) fn put(&self, call: &Arc<CallState>) {
        let mut tables = self.0.write();
        let newer = |known: u64| known > call.version;
        let known =
            tables.calls.get(&call.id).map(|known| known.version).or_else(|| tables.over.get(&call.id).copied());
        if known.is_some_and(newer) {
            return;
        }
        tables.forget(call.id);
        if call.status.is_over() {
            tables.over.insert(call.id, call.version);
        } else {
            tables.remember(call);
        }
    }

    /// Forgets what was over for longer than any version is on its way.
    pub(crate) fn tidy(&self, now: Millis) {
        self.0.write().over.retain(|_, version| *version + OVER_LATELY_MS > now);
    }

    pub(crate) fn get(&self, call: CallId) -> Option<Arc<CallState>> {
        self.0.read().calls.get(&call).cloned()
    }

    /// The version with which a call was over, where that was lately; 0 otherwise.
    pub(crate) fn was_over_at(&self, call: CallId) -> u64 {
        self.0.read().over.get(&call).copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.read().calls.len()
    }

    pub(crate) fn all(&self) -> Vec<Arc<CallState>> {
        self.0.read().calls.values().cloned().collect()
    }

    pub(crate) fn in_conversation(&self, conversation: ConversationId) -> Option<CallId> {
        self.0.read().conversations.get(&conversation).copied()
    }

    /// The calls that a user is in, was in, or is called to.
    pub(crate) fn of_user(&self, user: UserId) -> Vec<Arc<CallState>> {
        let tables = self.0.read();
        let ids = tables.users.get(&user).into_iter().flatten();
        ids.filter_map(|id| tables.calls.get(id).cloned()).collect()
    }

    /// The call that a connection carries a leg of.
    pub(crate) fn of_connection(&self, connection: ConnectionId) -> Option<CallId> {
        self.0.read().connections.get(&connection).copied()
    }

    /// The calls that a login has a leg in.
    pub(crate) fn of_session(&self, session: SessionId) -> Vec<CallId> {
        self.0.read().sessions.get(&session).cloned().unwrap_or_default()
    }
}

impl Tables {
    fn remember(&mut self, call: &Arc<CallState>) {
        self.conversations.insert(call.conversation, call.id);
        for (user, part) in &call.parts {
            self.users.entry(*user).or_default().push(call.id);
            if let Some(leg) = part.leg {
                self.connections.insert(leg.connection, call.id);
                self.sessions.entry(leg.session).or_default().push(call.id);
            }
        }
        self.calls.insert(call.id, Arc::clone(call));
    }

    fn forget(&mut self, id: CallId) {
        let Some(call) = self.calls.remove(&id) else { return };
        if self.conversations.get(&call.conversation) == Some(&id) {
            self.conversations.remove(&call.conversation);
        }
        for (user, part) in &call.parts {
            take(&mut self.users, user, id);
            self.forget_leg(part, id);
        }
    }

    fn forget_leg(&mut self, part: &Part, id: CallId) {
        let Some(leg) = part.leg else { return };
        if self.connections.get(&leg.connection) == Some(&id) {
            self.connections.remove(&leg.connection);
        }
        take(&mut self.sessions, &leg.session, id);
    }
}

/// Takes one call off somebody's list.
fn take<K: std::hash::Hash + Eq>(lists: &mut HashMap<K, Vec<CallId>>, key: &K, id: CallId) {
    if let Some(list) = lists.get_mut(key) {
        list.retain(|other| *other != id);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}
