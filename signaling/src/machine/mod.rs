//! The call machine: `(call, now, input) -> outputs`, without sockets, clocks or tasks.
//!
//! One call is one value. Every change of it goes through [`Machine::handle`], which either refuses and leaves the value as it was, or
//! makes the next version and says what follows from it. The service around it keeps the value in a store and changes it by
//! compare-and-set on the version, so whatever happens to two devices at once happens here one after the other.
//!
//! Rules that everything else rests on:
//! - A participant has at most one leg. A join makes a new one with a higher epoch (the version that it made) and so fences off the
//!   device that held the last one.
//! - Nothing rings without a deadline, nobody is awaited without one, nobody is alone without one, and no call lasts longer than a
//!   day: so every call ends.
//! - What is over stays over: an ended call refuses everything.
//! - Removed means out: whoever was removed comes back only after an admit.
//!
//! Reading order: [`state`] (the value), [`input`] (what can happen), [`output`] (what follows), `start`, `join`, `leave`, `host`,
//! `deadlines`, `finish` (the end), `merge` (two versions that knew nothing of each other), `view` (what devices are told).

mod deadlines;
mod finish;
mod host;
mod input;
mod join;
mod leave;
mod merge;
mod output;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub use input::{Device, Input};
pub use output::{Notice, Outcome, Output, Step};
pub use start::{Callee, Start};
pub use state::{CallState, Leg, Part, Rules};

use protocol::calls::CallFailure;
use protocol::{ErrorCode, Millis};

/// A call at work: the next version in the making.
pub struct Machine {
    call: CallState,
    now: Millis,
    next: u64,
    outcome: Outcome,
}

impl Machine {
    /// What becomes of a call when something happens to it at `now`.
    ///
    /// Where nothing changed the version is the one before, and there is nothing to store or to tell.
    ///
    /// # Errors
    /// Why it is refused; then nothing happened.
    pub fn handle(call: &CallState, now: Millis, input: Input) -> Result<(CallState, Outcome), ErrorCode> {
        let mut machine = Self::at(call.clone(), now);
        if machine.call.status.is_over() {
            return match input {
                // Nobody asks for these: what they are about is over anyway.
                Input::Lost { .. } | Input::Gone { .. } | Input::Revoked { .. } | Input::Restarted | Input::Due => {
                    Ok((machine.call, machine.outcome))
                }
                // A leg whose place was not kept long enough hears why it has none.
                Input::Join { epoch: Some(_), .. } if machine.call.failure == Some(CallFailure::ConnectionLost) => {
                    Err(ErrorCode::CallExpired)
                }
                _ => Err(ErrorCode::CallOver),
            };
        }
        machine.take(input)?;
        machine.settle();
        if machine.call == *call {
            // Such as a second restart in the same millisecond: nothing follows from nothing.
            machine.outcome = Outcome { epoch: machine.outcome.epoch, ..Outcome::default() };
        } else {
            machine.call.version = machine.next;
        }
        Ok((machine.call, machine.outcome))
    }

    fn at(call: CallState, now: Millis) -> Self {
        // A clock that a failover turned back never gives a number that was given before.
        let next = now.max(call.version + 1);
        Self { call, now, next, outcome: Outcome::default() }
    }

    fn take(&mut self, input: Input) -> Result<(), ErrorCode> {
        match input {
            Input::Ring { user } => self.ring(user),
            Input::Join { user, device, epoch: None, media } => self.join(user, device, media),
            Input::Join { user, device, epoch: Some(epoch), media } => self.come_back(user, device, epoch, media),
            Input::Media { user, epoch, media } => self.set_media(user, epoch, media),
            Input::Decline { user } => self.decline(user),
            Input::Leave { user, epoch } => self.leave(user, epoch),
            Input::End { by } => self.end(by),
            Input::Admit { by, user } => self.admit(by, user),
            Input::Mute { by, user } => self.mute(by, user),
            Input::Remove { by, user } => self.remove(by, user),
            Input::Lost { connection } => {
                self.lose(connection);
                Ok(())
            }
            Input::Gone { user } => {
                self.gone(user);
                Ok(())
            }
            Input::Revoked { session } => {
                self.revoke(session);
                Ok(())
            }
            Input::Restarted => {
                self.restart();
                Ok(())
            }
            Input::Due => {
                self.due();
                Ok(())
            }
        }
    }

    /// What follows from the participants as they stand now.
    fn settle(&mut self) {
        self.end_if_nobody_is_left();
        if self.call.status.is_over() {
            return;
        }
        self.move_host();
        self.watch_the_lonely();
        self.recovered();
    }

    fn step(&mut self, step: Step) {
        self.outcome.steps.push(step);
    }
}
