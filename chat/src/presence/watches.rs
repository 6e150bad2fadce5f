//! Explicit lists of users whose presence a device wants to be told, for conversations that are too large to push it.

use std::collections::HashMap;

use protocol::limits::CONNECTIONS_PER_LOGIN_MAX;
use protocol::{ConnectionId, SessionId, UserId};

/// All lists together name at most this many users; beyond that a new list is refused.
const NAMED_MAX: usize = 500_000;

/// Who watches whom.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    lists: HashMap<(UserId, SessionId), Vec<List>>,
    /// Each login once for every list of it that names the user.
    watchers: HashMap<UserId, Vec<(UserId, SessionId)>>,
    named: usize,
}

/// The list of one connection of a login, or of what it asked for over REST.
#[derive(Debug)]
struct List {
    connection: Option<ConnectionId>,
    users: Vec<UserId>,
}

impl Watches {
    /// Replaces a connection's list; `false` when there is no room for it. A login keeps as many lists as it may have connections:
    /// nobody tells which of them are gone for good, so the oldest goes.
    pub(crate) fn replace(
        &mut self,
        login: (UserId, SessionId),
        connection: Option<ConnectionId>,
        users: Vec<UserId>,
    ) -> bool {
        let mut lists = self.lists.remove(&login).unwrap_or_default();
        if let Some(at) = lists.iter().position(|list| list.connection == connection) {
            self.unlist(login, lists.remove(at));
        }
        let has_room = self.named + users.len() <= NAMED_MAX;
        if has_room && !users.is_empty() {
            if lists.len() >= CONNECTIONS_PER_LOGIN_MAX {
                self.unlist(login, lists.remove(0));
            }
            for watched in &users {
                self.watchers.entry(*watched).or_default().push(login);
            }
            self.named += users.len();
            lists.push(List { connection, users });
        }
        if !lists.is_empty() {
            self.lists.insert(login, lists);
        }
        has_room
    }

    fn unlist(&mut self, login: (UserId, SessionId), list: List) {
        self.named -= list.users.len();
        for watched in list.users {
            if let Some(watchers) = self.watchers.get_mut(&watched) {
                if let Some(at) = watchers.iter().position(|watcher| *watcher == login) {
                    watchers.swap_remove(at);
                }
                if watchers.is_empty() {
                    self.watchers.remove(&watched);
                }
            }
        }
    }

    /// Forgets the lists of all devices of a user.
    pub(crate) fn forget_user(&mut self, user: UserId) {
        // A user who watches nobody is the usual case; the scan is over logins that do watch.
        let logins: Vec<_> = self.lists.keys().filter(|(watcher, _)| *watcher == user).copied().collect();
        for login in logins {
            for list in self.lists.remove(&login).unwrap_or_default() {
                self.unlist(login, list);
            }
        }
    }

    /// Who watches this user, each once.
    pub(crate) fn watchers(&self, user: UserId) -> Vec<UserId> {
        let mut users: Vec<_> = self.watchers.get(&user).into_iter().flatten().map(|(watcher, _)| *watcher).collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_list_replaces_the_old_one_and_a_forgotten_one_leaves_nothing() {
        let mut watches = Watches::default();
        let (watcher, session) = (UserId::now(), SessionId::now());
        let [tab, other_tab] = [ConnectionId::now(), ConnectionId::now()].map(Some);
        let (first, second) = (UserId::now(), UserId::now());
        assert!(watches.replace((watcher, session), tab, vec![first, second]));
        assert!(watches.replace((watcher, session), other_tab, vec![first]));
        assert!(watches.replace((watcher, SessionId::now()), tab, vec![second]));
        assert_eq!(watches.watchers(second), [watcher]);
        assert!(watches.replace((watcher, session), tab, vec![second]));
        assert_eq!(watches.watchers(first), [watcher], "the other tab still watches");
        assert!(watches.replace((watcher, session), other_tab, Vec::new()));
        assert_eq!(watches.watchers(first), []);
        watches.forget_user(watcher);
        assert_eq!((watches.named, watches.watchers.len(), watches.lists.len()), (0, 0, 0));
    }

    #[test]
    fn a_login_keeps_no_more_lists_than_it_may_have_connections() {
        let mut watches = Watches::default();
        let login = (UserId::now(), SessionId::now());
        let watched: Vec<_> = (0..=CONNECTIONS_PER_LOGIN_MAX).map(|_| UserId::now()).collect();
        for user in &watched {
            assert!(watches.replace(login, Some(ConnectionId::now()), vec![*user]));
        }
        assert_eq!(watches.watchers(watched[0]), []);
        assert_eq!(watches.named, CONNECTIONS_PER_LOGIN_MAX);
    }
}
