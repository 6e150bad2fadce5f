//! The commands that wait, fly, or wait again: each is answered exactly once.
//!
//! Every command of the table may be sent again: it is recognised by its client id, by its key, or does no harm. So a command
//! stays here until the server answers for good; a lost connection, a lost answer or a passing refusal only sends it again.
//! Changes of one conversation or call form a lane and are sent in the order they were given, `lane_depth` of them at a time (with
//! more than one, a refused one may be overtaken by its successors). Ephemeral commands and the signals of calls are worth nothing later and
//! are answered `unavailable` instead of being kept. The queue is bounded; over it a command is refused, not forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use protocol::commands::{self, CommandSpec, Cost, Repeat, Route};
use protocol::limits::FRAME_BYTES_MAX;
use protocol::{ErrorBody, ErrorCode, Millis};
use serde_json::value::RawValue;

use super::Settings;
use super::backoff;
use super::output::{Answer, Command, Ticket};
use super::random::Random;

pub(crate) struct Outbox {
    commands: BTreeMap<Ticket, Pending>,
    /// May be sent now, in the order they were given.
    ready: BTreeSet<Ticket>,
    lanes: HashMap<String, Lane>,
    in_flight: HashMap<u64, Ticket>,
    /// When a command must be looked at again.
    alarms: BTreeSet<(Millis, Ticket)>,
    next: Ticket,
    limits: Limits,
}

struct Limits {
    queue_max: usize,
    in_flight_max: usize,
    lane_depth: usize,
    answer_within_ms: u64,
}

struct Pending {
    command: Command,
    spec: &'static CommandSpec,
    state: State,
    attempts: usize,
    uncertain: bool,
    expires_at: Option<Millis>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Behind others of its lane.
    Queued,
    /// In `ready`.
    Ready,
    InFlight {
        frame: u64,
        until: Millis,
    },
    Resting {
        until: Millis,
    },
}

#[derive(Default)]
struct Lane {
    admitted: usize,
    queue: VecDeque<Ticket>,
}

/// What came of a reply.
pub(crate) enum Settled {
    /// The command is answered.
    Answered(Answer),
    /// It will be sent again; the code says why.
    Again(ErrorCode),
    /// No command of this frame flies (any more).
    Unknown,
}

impl Outbox {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            commands: BTreeMap::new(),
            ready: BTreeSet::new(),
            lanes: HashMap::new(),
            in_flight: HashMap::new(),
            alarms: BTreeSet::new(),
            next: 0,
            limits: Limits {
                queue_max: settings.queue_max,
                in_flight_max: settings.in_flight_max,
                lane_depth: settings.lane_depth.max(1),
                answer_within_ms: settings.answer_within_ms,
            },
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    /// Takes a command; `Err` is its answer where it can't be taken.
    pub(crate) fn submit(&mut self, now: Millis, command: Command, connected: bool) -> (Ticket, Result<(), Answer>) {
        self.next += 1;
        let ticket = self.next;
        let refused = |code, message: &str| (ticket, Err(Answer::refused(ticket, code, message)));
        let Some(spec) = commands::find(&command.name).filter(|spec| spec.socket) else {
            return refused(ErrorCode::UnknownCommand, "The socket takes no command of this name.");
        };
        if spec.repeat == Repeat::Key && command.key.is_none() {
            return refused(ErrorCode::IdempotencyKeyRequired, "This command needs a key: give it a UUID of its own.");
        }
        if command.size() > FRAME_BYTES_MAX {
            return refused(ErrorCode::PayloadTooLarge, "The command is over 64 KiB: send less at once.");
        }
        if passes_with_the_connection(spec.cost) && !connected {
            return refused(ErrorCode::Unavailable, "Not connected; this command is worth nothing later.");
        }
        if self.commands.len() >= self.limits.queue_max {
            return refused(
                ErrorCode::Overloaded,
                "Too many commands wait to be sent: wait for some of their answers.",
            );
        }
        let expires_at = command.expires_in_ms.map(|ms| now + ms);
        if let Some(at) = expires_at {
            self.alarms.insert((at, ticket));
        }
        let lane = lane_of(spec, &command).map(str::to_owned);
        let pending = Pending { command, spec, state: State::Ready, attempts: 0, uncertain: false, expires_at };
        self.commands.insert(ticket, pending);
        match lane {
            None => self.make_ready(ticket),
            Some(lane) => {
                let lane = self.lanes.entry(lane).or_default();
                if lane.admitted < self.limits.lane_depth {
                    lane.admitted += 1;
                    self.make_ready(ticket);
                } else {
                    lane.queue.push_back(ticket);
                    self.set_state(ticket, State::Queued);
                }
            }
        }
        (ticket, Ok(()))
    }

    /// The next command to send, as the frame `frame`.
    pub(crate) fn send(&mut self, now: Millis, frame: u64) -> Option<&Command> {
        if self.in_flight.len() >= self.limits.in_flight_max {
            return None;
        }
        let ticket = self.ready.pop_first()?;
        let until = now + self.limits.answer_within_ms;
        self.in_flight.insert(frame, ticket);
        self.alarms.insert((until, ticket));
        self.set_state(ticket, State::InFlight { frame, until });
        self.commands.get(&ticket).map(|pending| &pending.command)
    }

    /// A reply came.
    pub(crate) fn reply(
        &mut self,
        now: Millis,
        random: &mut Random,
        frame: u64,
        result: Result<Box<RawValue>, ErrorBody>,
    ) -> Settled {
        let Some(ticket) = self.in_flight.remove(&frame) else {
            return Settled::Unknown;
        };
        match result {
            Err(error) if passes(error.code) => {
                let unknown = matches!(error.code, ErrorCode::OutcomeUnknown | ErrorCode::Timeout);
                self.rest(now, random, ticket, error.retry_after_ms, unknown);
                Settled::Again(error.code)
            }
            result => match self.settle(ticket, result) {
                Some(answer) => Settled::Answered(answer),
                None => Settled::Unknown,
            },
        }
    }

    /// The connection is gone: what flew flies again on the next one.
    pub(crate) fn disconnected(&mut self) -> Vec<Answer> {
        let mut flown: Vec<_> = self.in_flight.drain().map(|(_, ticket)| ticket).collect();
        flown.sort_unstable();
        let mut answers = Vec::new();
        for ticket in flown {
            let Some(pending) = self.commands.get_mut(&ticket) else {
                continue;
            };
            pending.uncertain = true;
            if let State::InFlight { until, .. } = pending.state {
                self.alarms.remove(&(until, ticket));
            }
            if passes_with_the_connection(pending.spec.cost) {
                let gone = "The connection was lost; this command is worth nothing later.";
                let error = error(ErrorCode::Unavailable, gone);
                answers.extend(self.settle(ticket, Err(error)));
            } else {
                self.make_ready(ticket);
            }
        }
        answers
    }

    /// Looks at every command whose time has come: some are answered, some will be sent again.
    pub(crate) fn wake(&mut self, now: Millis, random: &mut Random) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(&(at, ticket)) = self.alarms.first() {
            if at > now {
                break;
            }
            self.alarms.pop_first();
            let Some(pending) = self.commands.get(&ticket) else {
                continue;
            };
            if pending.expires_at.is_some_and(|expires| expires <= now) {
                let late = "No answer within the time that this command was given.";
                answers.extend(self.settle(ticket, Err(error(ErrorCode::Timeout, late))));
                continue;
            }
            match pending.state {
                State::Resting { until } if until <= now => self.make_ready(ticket),
                State::InFlight { frame, until } if until <= now => {
                    self.in_flight.remove(&frame);
                    self.rest(now, random, ticket, None, true);
                }
                _ => {}
            }
        }
        answers
    }

    /// When [`Outbox::wake`] has something to do.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Answers everything: the client has stopped.
    pub(crate) fn stop(&mut self) -> Vec<Answer> {
        let tickets: Vec<_> = self.commands.keys().copied().collect();
        let flying = |pending: &Pending| pending.uncertain || matches!(pending.state, State::InFlight { .. });
        let mut answers = Vec::new();
        for ticket in tickets {
            let error = match self.commands.get(&ticket) {
                Some(pending) if flying(pending) => error(
                    ErrorCode::OutcomeUnknown,
                    "The client stopped before the answer came: look whether it was done.",
                ),
                _ => error(ErrorCode::Unavailable, "The client stopped before this was sent: nothing was changed."),
            };
            answers.extend(self.settle(ticket, Err(error)));
        }
        answers
    }

    fn rest(&mut self, now: Millis, random: &mut Random, ticket: Ticket, after_ms: Option<u64>, unknown: bool) {
        let Some(pending) = self.commands.get_mut(&ticket) else {
            return;
        };
        if let State::InFlight { until, .. } = pending.state {
            self.alarms.remove(&(until, ticket));
        }
        pending.uncertain |= unknown;
        let wait = after_ms.unwrap_or(0) + backoff::repeat(random, pending.attempts);
        pending.attempts += 1;
        let until = now + wait;
        pending.state = State::Resting { until };
        self.alarms.insert((until, ticket));
    }

    fn settle(&mut self, ticket: Ticket, result: Result<Box<RawValue>, ErrorBody>) -> Option<Answer> {
        let pending = self.commands.remove(&ticket)?;
        self.ready.remove(&ticket);
        if let Some(at) = pending.expires_at {
            self.alarms.remove(&(at, ticket));
        }
        let mut uncertain = pending.uncertain;
        match pending.state {
            State::InFlight { frame, until } => {
                uncertain |= self.in_flight.remove(&frame).is_some();
                self.alarms.remove(&(until, ticket));
            }
            State::Resting { until } => {
                self.alarms.remove(&(until, ticket));
            }
            State::Queued | State::Ready => {}
        }
        if let Some(lane) = lane_of(pending.spec, &pending.command) {
            self.leave_lane(lane, ticket, pending.state == State::Queued);
        }
        let uncertain = match &result {
            Ok(_) => false,
            Err(error) => uncertain || error.code == ErrorCode::Internal,
        };
        Some(Answer { ticket, result, uncertain })
    }

    fn leave_lane(&mut self, name: &str, ticket: Ticket, queued: bool) {
        let Some(lane) = self.lanes.get_mut(name) else {
            return;
        };
        if queued {
            lane.queue.retain(|other| *other != ticket);
            return;
        }
        match lane.queue.pop_front() {
            Some(next) => self.make_ready(next),
            None if lane.admitted > 1 => lane.admitted -= 1,
            None => {
                self.lanes.remove(name);
            }
        }
    }

    fn make_ready(&mut self, ticket: Ticket) {
        self.ready.insert(ticket);
        self.set_state(ticket, State::Ready);
    }

    fn set_state(&mut self, ticket: Ticket, state: State) {
        if let Some(pending) = self.commands.get_mut(&ticket) {
            pending.state = state;
        }
    }
}

/// Whether the refusal passes by itself, so that the same command may be sent again.
fn passes(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RateLimited
            | ErrorCode::Unavailable
            | ErrorCode::Overloaded
            | ErrorCode::OutcomeUnknown
            | ErrorCode::Timeout
            | ErrorCode::TokenExpired
    )
}

/// Whether it is worth nothing on another connection. What legs of a call say to each other is said anew by whoever still means it.
fn passes_with_the_connection(cost: Cost) -> bool {
    matches!(cost, Cost::Ephemeral | Cost::Signal)
}

/// The lane that a change of a conversation or a call belongs to; reads and ephemeral commands have none.
fn lane_of<'a>(spec: &CommandSpec, command: &'a Command) -> Option<&'a str> {
    if !matches!(spec.route, Route::Conversation | Route::Call)
        || spec.cost == Cost::Read
        || passes_with_the_connection(spec.cost)
    {
        return None;
    }
    command.to.as_deref()
}

fn error(code: ErrorCode, message: &str) -> ErrorBody {
    ErrorBody { code, message: message.to_owned(), request_id: String::new(), retry_after_ms: None }
}
