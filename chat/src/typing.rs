//! Typing: told to who follows the conversation, worth nothing after some seconds, and the first to be dropped.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use link::{Audience, Event, Identity};
use parking_lot::Mutex;
use protocol::chat::{TYPING, Typing};
use protocol::limits::{TYPING_EVERY_MS, TYPING_TTL_MS};
use protocol::{ConversationId, Millis, StreamId, UserId};

/// How many who type are remembered; when all of them type right now, one more is not told.
const REMEMBERED_MAX: usize = 20_000;

/// A little less than clients wait, so that one whose clock runs fast is not dropped every other time.
const THROTTLE_MS: Millis = TYPING_EVERY_MS - 250;

/// Who was told to type, and when.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    told: Mutex<HashMap<(UserId, ConversationId), Millis>>,
}

impl Throttle {
    /// Whether it is time to tell it again.
    pub(crate) fn allows(&self, user: UserId, conversation: ConversationId, now: Millis) -> bool {
        let mut told = self.told.lock();
        if let Some(at) = told.get_mut(&(user, conversation)) {
            let allowed = now.saturating_sub(*at) >= THROTTLE_MS;
            if allowed {
                *at = now;
            }
            return allowed;
        }
        if told.len() >= REMEMBERED_MAX {
            told.retain(|_, at| now.saturating_sub(*at) < THROTTLE_MS);
        }
        let room = told.len() < REMEMBERED_MAX;
        if room {
            told.insert((user, conversation), now);
        }
        room
    }
}

/// The event.
pub(crate) fn event(user: UserId, conversation: ConversationId, now: Millis) -> serde_json::Result<Event> {
    Ok(Event {
        identity: Identity::Ephemeral { until: now + TYPING_TTL_MS },
        audience: Audience::Stream(StreamId::conversation(conversation)),
        name: Cow::Borrowed(TYPING),
        at: now,
        body: Bytes::from(serde_json::to_vec(&Typing { conversation, user })?),
        by_rights: false,
        effects: Arc::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_to_type_once_in_a_while_and_the_memory_is_bounded() {
        let throttle = Throttle::default();
        let (user, conversation) = (UserId::now(), ConversationId::now());
        assert!(throttle.allows(user, conversation, 1_000));
        assert!(!throttle.allows(user, conversation, 1_000 + THROTTLE_MS - 1));
        assert!(throttle.allows(user, conversation, 1_000 + THROTTLE_MS));
        assert!(throttle.allows(user, ConversationId::now(), 1_000));
        for _ in 0..2 * REMEMBERED_MAX {
            throttle.allows(UserId::now(), conversation, 5_000);
        }
        assert_eq!(throttle.told.lock().len(), REMEMBERED_MAX);
    }
}
