//! What a worker does next: drawn by seed, so that a failing run can be repeated as far as a race can.

use std::collections::VecDeque;

use protocol::{ConversationId, Seq, UserId};
use rand::Rng;
use rand::rngs::StdRng;

/// Own messages that an edit or a delete may choose from.
const OWN_MAX: usize = 200;

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Send(String),
    Edit(Seq, String),
    Delete(Seq),
    Read(Seq),
    Join,
    Leave,
    Kick(UserId),
    Invite(UserId),
    Page,
    Look,
}

/// What a worker knows of one conversation.
pub(crate) struct Ground {
    pub(crate) conversation: ConversationId,
    /// Whether anyone may join it.
    pub(crate) is_open: bool,
    /// Whether this worker's user owns it; owners stay.
    pub(crate) is_own: bool,
    pub(crate) others: Vec<UserId>,
    sent: VecDeque<Seq>,
    head: Seq,
}

impl Ground {
    pub(crate) fn new(conversation: ConversationId, is_open: bool, is_own: bool, others: Vec<UserId>) -> Self {
        Self { conversation, is_open, is_own, others, sent: VecDeque::new(), head: 0 }
    }

    /// The next step here.
    pub(crate) fn step(&self, random: &mut StdRng, number: u64) -> Step {
        let text = || format!("message {number}");
        let own = |random: &mut StdRng| self.sent.get(random.random_range(0..self.sent.len().max(1))).copied();
        let other = |random: &mut StdRng| self.others[random.random_range(0..self.others.len())];
        let step = match (random.random_range(0..100), self.is_own, self.is_open) {
            (0..12, ..) => own(random).map(|seq| Step::Edit(seq, text())),
            (12..18, ..) => own(random).map(Step::Delete),
            (18..26, ..) => (self.head > 0).then_some(Step::Read(self.head)),
            (26..29, ..) => Some(Step::Page),
            (29..31, ..) => Some(Step::Look),
            (31, true, _) => Some(Step::Kick(other(random))),
            (31, false, _) => Some(Step::Leave),
            (32..40, true, false) => Some(Step::Invite(other(random))),
            (32..40, false, true) => Some(Step::Join),
            _ => None,
        };
        step.unwrap_or_else(|| Step::Send(text()))
    }

    /// An entry of one's own was acknowledged.
    pub(crate) fn note(&mut self, step: &Step, seq: Seq) {
        self.head = self.head.max(seq);
        if matches!(step, Step::Send(_)) {
            self.sent.push_back(seq);
            if self.sent.len() > OWN_MAX {
                self.sent.pop_front();
            }
        }
    }
}

impl Step {
    /// Whether it writes.
    pub(crate) fn is_write(&self) -> bool {
        !matches!(self, Self::Page | Self::Look)
    }
}
