//! What the writer remembers of conversations between two commands, so that a send reads nothing.
//!
//! Only the writer thread uses it, inside a command. A command changes it as its very last step, after all statements have
//! succeeded; a refused one leaves it alone. A batch that fails moves the store's generation on, and everything is forgotten.
//! It is bounded by two halves: when the young one is full it becomes the old one, and what was not used since is dropped.

use std::collections::HashMap;

use protocol::{ConversationId, Seq, UserId};

use super::Stream;

/// How many seats and conversations each half holds; some 100 bytes each.
const HALF_MAX: usize = 50_000;

/// A conversation's head and the seats of those who sent lately.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) stream: Stream,
    /// Who is a member, and by which entry they came in. Who isn't here may still be one.
    pub(crate) seats: HashMap<UserId, Seq>,
}

/// The folds of the conversations in use.
#[derive(Debug, Default)]
pub(crate) struct Folds {
    generation: u64,
    young: HashMap<ConversationId, Fold>,
    old: HashMap<ConversationId, Fold>,
    held: usize,
}

impl Folds {
    /// Forgets everything if the store's generation has moved on.
    pub(crate) fn enter(&mut self, generation: u64) {
        if self.generation != generation {
            *self = Self { generation, ..Self::default() };
        }
    }

    /// What is known of a conversation.
    pub(crate) fn get(&mut self, conversation: ConversationId) -> Option<&mut Fold> {
        if let Some(fold) = self.old.remove(&conversation) {
            self.put(conversation, fold);
        }
        self.young.get_mut(&conversation)
    }

    /// Remembers a conversation.
    pub(crate) fn put(&mut self, conversation: ConversationId, fold: Fold) {
        if self.held >= HALF_MAX {
            self.old = std::mem::take(&mut self.young);
            self.held = 0;
        }
        self.held += 1 + fold.seats.len();
        self.young.insert(conversation, fold);
    }

    /// Remembers the outcome of a send: the new head, and the seat of the sender.
    pub(crate) fn sent(&mut self, conversation: ConversationId, stream: Stream, sender: UserId, joined_seq: Seq) {
        match self.get(conversation) {
            Some(fold) => {
                fold.stream = stream;
                if fold.seats.insert(sender, joined_seq).is_none() {
                    self.held += 1;
                }
            }
            None => self.put(conversation, Fold { stream, seats: HashMap::from([(sender, joined_seq)]) }),
        }
    }

    /// Forgets a conversation.
    pub(crate) fn forget(&mut self, conversation: ConversationId) {
        let dropped = self.young.remove(&conversation);
        self.held = self.held.saturating_sub(dropped.map_or(0, |fold| 1 + fold.seats.len()));
        self.old.remove(&conversation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Position, StreamId};

    fn fold(conversation: ConversationId) -> Fold {
        let id = StreamId::conversation(conversation);
        Fold {
            stream: Stream { id, no: 1, head: Position::default(), number: 0, last_message: 0 },
            seats: HashMap::new(),
        }
    }

    #[test]
    fn it_forgets_everything_when_the_generation_moves_on() {
        let mut folds = Folds::default();
        let conversation = ConversationId::now();
        folds.enter(1);
        folds.put(conversation, fold(conversation));
        folds.enter(1);
        assert!(folds.get(conversation).is_some());
        folds.enter(2);
        assert!(folds.get(conversation).is_none());
    }

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let mut folds = Folds::default();
        let used = ConversationId::now();
        folds.put(used, fold(used));
        for _ in 0..3 * HALF_MAX {
            let other = ConversationId::now();
            folds.put(other, fold(other));
            assert!(folds.get(used).is_some());
        }
        assert!(folds.young.len() + folds.old.len() <= 2 * HALF_MAX + 2);
    }
}
