//! Presence.

use std::sync::Arc;

use link::Refusal;
use protocol::UserId;
use protocol::accounts::Done;
use protocol::chat::{Presence, PresenceOf, PresenceState, Presences, SetPresence};
use protocol::limits::{PRESENCE_WATCH_MAX, USERS_PER_REQUEST_MAX};

use super::Command;
use crate::origin::Origin;
use crate::presence::audience;
use crate::refuse::invalid;

impl Command<'_> {
    pub(super) async fn presence(self) -> Result<Presences, Refusal> {
        let users = self.named(USERS_PER_REQUEST_MAX)?;
        let presences = self.seen(users).await?;
        Ok(Presences { presences })
    }

    pub(super) fn set_presence(self) -> Result<Done, Refusal> {
        let SetPresence { state } = self.call.parse()?;
        if state == PresenceState::Offline {
            return Err(invalid("state: online or away; who is offline closes the socket"));
        }
        let Origin { user, session, connection, .. } = *self.origin;
        self.chat.shared.presences.set(self.chat.shared.now(), user, session, connection, state);
        Ok(Done {})
    }

    /// Replaces the device's list by those of the named whom the caller may see.
    pub(super) async fn watch_presence(self) -> Result<Presences, Refusal> {
        let users = self.named(PRESENCE_WATCH_MAX)?;
        let presences = self.seen(users).await?;
        let watched = presences.iter().map(|presence| presence.user).collect();
        let Origin { user, session, connection, .. } = *self.origin;
        self.chat.shared.presences.watch(user, session, connection, watched)?;
        Ok(Presences { presences })
    }

    fn named(&self, at_most: usize) -> Result<Vec<UserId>, Refusal> {
        let mut users = self.call.parse::<PresenceOf>()?.users;
        if users.len() > at_most {
            return Err(invalid(format!("users: at most {at_most}")));
        }
        users.sort_unstable();
        users.dedup();
        Ok(users)
    }

    /// The states of those of the users who share a conversation with the caller.
    async fn seen(&self, users: Vec<UserId>) -> Result<Vec<Presence>, Refusal> {
        let presences = Arc::clone(&self.chat.shared.presences);
        let (caller, now) = (self.origin.user, self.chat.shared.now());
        self.chat
            .shared
            .read("presence/get", move |connection| {
                let mut seen = Vec::new();
                for user in users {
                    if audience::share(connection, caller, user)? {
                        let told = presences.state(connection, user, now)?;
                        let never = Presence { user, state: PresenceState::Offline, last_seen_at: None };
                        seen.push(told.map_or(never, |told| told.presence));
                    }
                }
                Ok(seen)
            })
            .await
    }
}
