//! Explicit lists of users whose presence a device wants to be told, for conversations that are too large to push it.

use std::collections::HashMap;

use protocol::{SessionId, UserId};

/// All lists together name at most this many users; beyond that a new list is refused.
const NAMED_MAX: usize = 500_000;

/// Who watches whom.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    lists: HashMap<(UserId, SessionId), Vec<UserId>>,
    watchers: HashMap<UserId, Vec<(UserId, SessionId)>>,
    named: usize,
}

impl Watches {
    /// Replaces a device's list; `false` when there is no room for it.
    pub(crate) fn replace(&mut self, device: (UserId, SessionId), list: Vec<UserId>) -> bool {
        self.forget(device);
        if self.named + list.len() > NAMED_MAX {
            return false;
        }
        if !list.is_empty() {
            for watched in &list {
                self.watchers.entry(*watched).or_default().push(device);
            }
            self.named += list.len();
            self.lists.insert(device, list);
        }
        true
    }

    /// Forgets a device's list.
    pub(crate) fn forget(&mut self, device: (UserId, SessionId)) {
        let Some(list) = self.lists.remove(&device) else { return };
        self.named -= list.len();
        for watched in list {
            if let Some(watchers) = self.watchers.get_mut(&watched) {
                watchers.retain(|watcher| *watcher != device);
                if watchers.is_empty() {
                    self.watchers.remove(&watched);
                }
            }
        }
    }

    /// Forgets the lists of all devices of a user.
    pub(crate) fn forget_user(&mut self, user: UserId) {
        // A user who watches nobody is the usual case; the scan is over devices that do watch.
        let devices: Vec<_> = self.lists.keys().filter(|(watcher, _)| *watcher == user).copied().collect();
        for device in devices {
            self.forget(device);
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
        let (watcher, device) = (UserId::now(), SessionId::now());
        let (first, second) = (UserId::now(), UserId::now());
        assert!(watches.replace((watcher, device), vec![first, second]));
        assert!(watches.replace((watcher, SessionId::now()), vec![second]));
        assert_eq!(watches.watchers(second), [watcher]);
        assert!(watches.replace((watcher, device), vec![second]));
        assert_eq!(watches.watchers(first), []);
        watches.forget_user(watcher);
        assert_eq!((watches.named, watches.watchers.len(), watches.lists.len()), (0, 0, 0));
    }
}
