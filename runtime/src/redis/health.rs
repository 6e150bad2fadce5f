//! When a connection counts as broken, and what its users are told. Pure.

/// So many commands in a row without an answer break a connection: one may be chance, and a frozen Redis answers none.
const UNANSWERED_MAX: u32 = 3;

/// How Redis stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It can't be reached.
    Down,
    /// It can.
    Up {
        /// Grows whenever what was in it may be lost: with each connection, and when it was found emptied.
        generation: u64,
    },
}

impl Standing {
    /// Whether it can be asked.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up { .. })
    }
}

/// What the answers of one connection say.
#[derive(Default, Debug)]
pub(super) struct Health {
    unanswered: u32,
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Redis answered.
    Given,
    /// It did not in time.
    Late,
    /// The connection is broken, or the server can't serve.
    Broken,
}

impl Health {
    /// Takes note of an answer; answers whether the connection is to be given up.
    pub(super) fn note(&mut self, answer: Answer) -> bool {
        match answer {
            Answer::Given => self.unanswered = 0,
            Answer::Late => self.unanswered += 1,
            Answer::Broken => return true,
        }
        self.unanswered >= UNANSWERED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_chance_and_three_in_a_row_are_not() {
        let mut health = Health::default();
        let notes = [Answer::Late, Answer::Late, Answer::Given, Answer::Late, Answer::Late, Answer::Late];
        assert_eq!(notes.map(|answer| health.note(answer)), [false, false, false, false, false, true]);
        assert!(Health::default().note(Answer::Broken));
    }
}
