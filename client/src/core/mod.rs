//! The client as a pure state machine: no socket, no clock, no task, no chance that a seed doesn't determine.
//!
//! A shell hands in what happened (`handle_*`, each with the present time in milliseconds on any clock that doesn't go back)
//! and does what comes out: [`Core::poll_output`] until it is empty, then [`Core::poll_event`] as fast as the app takes
//! events, and [`Core::handle_timeout`] at [`Core::poll_timeout`]. That is all there is to a shell, so the same behaviour is
//! held in TypeScript by the recorded vectors in `protocol/vectors`, and tested here on virtual time.
//!
//! Invariants:
//! - Every entry of a log reaches the app once, in the order of the log. A gap is never delivered over: the connection is
//!   dropped and the positions are synced.
//! - Only what the app was handed is acknowledged.
//! - Every command is answered once. It is sent until the server answers, under the same client id or key.
//! - Changes of one conversation are sent in the order they were given.
//!
//! Modules, in reading order: `output` and `event` (what comes out), `session` and `token` (a connection's life), `incoming` (frames),
//! `streams`, `registers`, `acks`, `outbox` (one subject each), `view` (a conversation as the app shows it).

mod acks;
mod backoff;
mod event;
mod incoming;
mod outbox;
mod output;
mod random;
mod registers;
mod session;
mod settings;
mod streams;
mod token;
mod view;

use std::collections::VecDeque;

use protocol::frames::{ClientFrame, StreamPosition};
use protocol::limits::DEAD_AFTER_MS;
use protocol::{Epoch, Millis, UserId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub use event::{Entry, Event, Lost, Stop};
pub use output::{Answer, Command, Output, Ticket, TokenAnswer};
pub use settings::Settings;
pub use view::{ConversationView, PendingSend};

use acks::Acks;
use outbox::Outbox;
use random::Random;
use registers::Registers;
use session::Phase;
use streams::Streams;
use token::TokenState;

/// The client's state.
pub struct Core {
    client: Option<String>,
    events_waiting_max: usize,
    reconnect_within_ms: u64,
    phase: Phase,
    token: TokenState,
    /// Names the last connection, to resume it.
    resume: Option<String>,
    user: Option<UserId>,
    epoch: Option<Epoch>,
    /// Reconnects since a connection last held.
    attempt: usize,
    /// When the present connection was welcomed.
    welcomed_at: Option<Millis>,
    /// Server time minus our time.
    ahead_ms: i64,
    heartbeat_ms: u64,
    beat_at: Option<Millis>,
    heard_at: Millis,
    streams: Streams,
    registers: Registers,
    acks: Acks,
    outbox: Outbox,
    random: Random,
    next_frame: u64,
    outputs: VecDeque<Output>,
    events: VecDeque<Event>,
}

impl Core {
    /// A client that has not been started.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            outbox: Outbox::new(&settings),
            client: settings.client,
            events_waiting_max: settings.events_waiting_max.max(1),
            reconnect_within_ms: settings.reconnect_within_ms,
            phase: Phase::Stopped,
            token: TokenState::new(settings.token),
            resume: None,
            user: None,
            epoch: settings.epoch,
            attempt: 0,
            welcomed_at: None,
            ahead_ms: 0,
            heartbeat_ms: protocol::limits::HEARTBEAT_MS,
            beat_at: None,
            heard_at: 0,
            streams: Streams::restore(settings.positions),
            registers: Registers::default(),
            acks: Acks::default(),
            random: Random::new(settings.seed),
            next_frame: 0,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// What to do next; `None` when everything is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next event, which thereby counts as handed to the app.
    pub fn poll_event(&mut self, now: Millis) -> Option<Event> {
        let was_full = self.is_full();
        let event = self.events.pop_front()?;
        if was_full && !self.is_full() {
            // The silence was ours.
            self.heard_at = now;
            self.session_timeout(now);
        }
        match &event {
            Event::Entry(Entry { from, .. }) | Event::Withheld { from, .. } => {
                self.streams.hand(from.stream, from.seq);
                self.acks.handed(now, from.stream, from.seq);
                self.send_due_ack(now);
            }
            _ => {}
        }
        Some(event)
    }

    /// Whether frames should be read from the transport. While the app doesn't take its events, the server has to wait; only the
    /// answers of the greeting are always read.
    #[must_use]
    pub fn wants_frames(&self) -> bool {
        !(self.phase.is_up() && self.is_full())
    }

    /// When to call [`Core::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        let up = self.phase.is_up();
        [
            self.phase_until(),
            self.token.retry_at(),
            self.dead_at(),
            self.beat_at.filter(|_| up),
            self.acks.due().filter(|_| up),
            self.outbox.due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Millis) {
        for answer in self.outbox.wake(now, &mut self.random) {
            self.outputs.push_back(Output::Answer(answer));
        }
        if self.token.take_retry(now) {
            self.outputs.push_back(Output::RefreshToken);
        }
        self.session_timeout(now);
        if self.dead_at().is_some_and(|at| at <= now) {
            self.drop_connection(now, Lost::Silent);
        }
        if self.phase.is_up() {
            if self.beat_at.is_some_and(|at| at <= now) {
                self.beat_at = Some(now + self.heartbeat_ms);
                self.send(None, "ping", None);
            }
            self.send_due_ack(now);
            self.send_commands(now);
        }
    }

    /// The app gives a command; its [`Answer`] carries the ticket.
    pub fn handle_command(&mut self, now: Millis, command: Command) -> Ticket {
        let stopped = self.phase == Phase::Stopped;
        let (ticket, taken) = self.outbox.submit(now, command, self.phase.is_up());
        if let Err(answer) = taken {
            self.outputs.push_back(Output::Answer(answer));
        } else if stopped {
            self.answer_all();
        }
        self.send_commands(now);
        ticket
    }

    /// Where the client stands in each log, and of which epoch that is. Includes events that still wait for the app.
    #[must_use]
    pub fn positions(&self) -> (Option<Epoch>, Vec<StreamPosition>) {
        (self.epoch, self.streams.positions().collect())
    }

    /// How many commands wait for their answers.
    #[must_use]
    pub fn commands_waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Whether a transport is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.phase.is_connected()
    }

    /// Whether the client has given up, or was not started.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// Whether events wait for the app.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    fn dead_at(&self) -> Option<Millis> {
        (self.phase.is_connected() && self.wants_frames()).then_some(self.heard_at + DEAD_AFTER_MS)
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.events_waiting_max
    }

    fn send_commands(&mut self, now: Millis) {
        if !self.phase.is_up() {
            return;
        }
        loop {
            let id = self.next_frame + 1;
            let Some(command) = self.outbox.send(now, id) else {
                return;
            };
            self.next_frame = id;
            let frame = ClientFrame {
                id: Some(id),
                name: command.name.as_ref().into(),
                to: command.to.as_deref().map(Into::into),
                key: command.key,
                traceparent: None,
                body: command.body.as_deref(),
            };
            push_frame(&mut self.outputs, &frame);
        }
    }

    fn send_due_ack(&mut self, now: Millis) {
        if !self.phase.is_up() {
            return;
        }
        while let Some(ack) = self.acks.take(now) {
            self.send(None, "ack", raw(&ack));
        }
    }

    /// Sends a frame that is served by the gateway itself, and returns its id.
    fn send_numbered(&mut self, name: &'static str, body: Option<Box<RawValue>>) -> u64 {
        self.next_frame += 1;
        self.send(Some(self.next_frame), name, body);
        self.next_frame
    }

    fn send(&mut self, id: Option<u64>, name: &'static str, body: Option<Box<RawValue>>) {
        let frame =
            ClientFrame { id, name: name.into(), to: None, key: None, traceparent: None, body: body.as_deref() };
        push_frame(&mut self.outputs, &frame);
    }

    fn answer_all(&mut self) {
        for answer in self.outbox.stop() {
            self.outputs.push_back(Output::Answer(answer));
        }
    }
}

fn push_frame(outputs: &mut VecDeque<Output>, frame: &ClientFrame<'_>) {
    // Strings, numbers and raw JSON always serialise.
    if let Ok(text) = serde_json::to_string(frame) {
        outputs.push_back(Output::Send(text));
    }
}

/// The body as JSON; our own bodies always serialise.
fn raw(body: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(body).ok()
}
