//! A connection's life: back-off, opening, greeting, syncing, up; and how it ends.

use protocol::frames::{Hello, Renewed, Sync, Synced, Welcome};
use protocol::limits::POSITIONS_PER_SYNC_MAX;
use protocol::{CloseCode, ErrorBody, ErrorCode, Millis, Retry, StreamId};
use serde_json::value::RawValue;

use super::event::{Event, Lost, Stop};
use super::output::Output;
use super::{Core, backoff, raw};

/// Opening a transport, and each answer of the greeting, must not take longer.
const STEP_WITHIN_MS: u64 = 15_000;
/// A connection that held this long was a good one: the back-off begins anew. It only has to tell a server that restarts from one
/// that closes whatever it has just accepted.
const GOOD_AFTER_MS: u64 = 1_000;
/// Where the server asks for patience without a time, the first wait is up to 1 s, not 0.
const PATIENT_ATTEMPT: usize = 2;
/// What a browser reports where no close frame came; it never is in one.
const CLOSED_WITHOUT_FRAME: u16 = 1006;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Not started, or given up.
    Stopped,
    /// Connects when a token is there, not before `not_before`.
    AwaitingToken { not_before: Millis },
    /// Connects at `until`.
    Waiting { until: Millis },
    /// The shell opens a transport.
    Opening { until: Millis },
    /// `hello` was sent.
    Greeting { hello: u64, until: Millis },
    /// The `sync` frames up to `last` were sent; `answered` was the last one with an answer.
    Syncing { answered: u64, last: u64, until: Millis },
    /// Commands flow.
    Up,
}

impl Phase {
    pub(crate) fn is_up(self) -> bool {
        self == Self::Up
    }

    pub(crate) fn is_connected(self) -> bool {
        matches!(self, Self::Greeting { .. } | Self::Syncing { .. } | Self::Up)
    }

    fn until(self) -> Option<Millis> {
        match self {
            Self::Waiting { until }
            | Self::Opening { until }
            | Self::Greeting { until, .. }
            | Self::Syncing { until, .. } => Some(until),
            Self::Stopped | Self::AwaitingToken { .. } | Self::Up => None,
        }
    }
}

impl Core {
    /// Begins to connect. A client that has stopped begins anew.
    pub fn handle_start(&mut self, now: Millis) {
        if self.phase == Phase::Stopped {
            self.attempt = 0;
            self.connect_at(now, now);
        }
    }

    /// The app wants no more: all commands are answered.
    pub fn handle_stop(&mut self) {
        if self.phase != Phase::Stopped {
            self.close_transport(1000, "");
            self.stop(Stop::Asked);
        }
    }

    /// The network is back: don't wait any longer.
    pub fn handle_online(&mut self, now: Millis) {
        if let Phase::Waiting { .. } = self.phase {
            self.attempt = 0;
            self.connect_at(now, now);
        }
    }

    /// The transport is open.
    pub fn handle_opened(&mut self, now: Millis) {
        if !matches!(self.phase, Phase::Opening { .. }) {
            return;
        }
        let hello = Hello {
            token: self.token.token.clone(),
            epoch: self.epoch,
            resume: self.resume.clone(),
            client: self.client.clone(),
        };
        let hello = self.send_numbered("hello", raw(&hello));
        let until = now + STEP_WITHIN_MS;
        self.phase = Phase::Greeting { hello, until };
        self.heard_at = now;
    }

    /// The transport is closed, or could not be opened; with the close frame's code and reason where one came.
    pub fn handle_closed(&mut self, now: Millis, code: Option<u16>, reason: &str) {
        if !self.phase.is_connected() && !matches!(self.phase, Phase::Opening { .. }) {
            return;
        }
        let Some(code) = code.filter(|code| *code != CLOSED_WITHOUT_FRAME) else {
            return self.reconnect(now, Lost::Transport, 0, None);
        };
        if code == CloseCode::TokenExpired.number() {
            self.token.token = None;
        }
        if code == CloseCode::Resync.number() {
            self.resume = None;
        }
        match CloseCode::retry_of(code) {
            Retry::Now => self.reconnect(now, Lost::Closed { code }, 0, None),
            Retry::After => {
                let asked = (code == CloseCode::Reconnect.number()).then(|| reason.trim().parse().ok()).flatten();
                self.reconnect(now, Lost::Closed { code }, PATIENT_ATTEMPT, asked);
            }
            Retry::Never => {
                let reason = reason.to_owned();
                self.stop(Stop::Closed { code, reason });
            }
        }
    }

    pub(crate) fn session_timeout(&mut self, now: Millis) {
        if self.phase_until().is_none_or(|until| until > now) {
            return;
        }
        match self.phase {
            Phase::Waiting { .. } => self.connect_at(now, now),
            Phase::Opening { .. } | Phase::Greeting { .. } | Phase::Syncing { .. } => {
                self.drop_connection(now, Lost::Silent);
            }
            Phase::Stopped | Phase::AwaitingToken { .. } | Phase::Up => {}
        }
    }

    /// When the present phase ends. A client whose app takes no events makes no new connection, which bounds their number.
    pub(crate) fn phase_until(&self) -> Option<Millis> {
        match self.phase {
            Phase::Waiting { .. } if self.is_full() => None,
            phase => phase.until(),
        }
    }

    /// The reply to a frame that the gateway itself serves; false where it is none of those.
    pub(crate) fn session_reply(&mut self, now: Millis, id: u64, result: &Result<&RawValue, ErrorBody>) -> bool {
        match self.phase {
            Phase::Greeting { hello, .. } if id == hello => match result {
                Ok(body) => match serde_json::from_str(body.get()) {
                    Ok(welcome) => self.welcome(now, welcome),
                    Err(_) => self.drop_connection(now, Lost::Malformed),
                },
                Err(error) => self.refused(now, error),
            },
            Phase::Syncing { answered, last, .. } if id > answered && id <= last => match result {
                Ok(body) => match serde_json::from_str(body.get()) {
                    Ok(synced) => self.synced(now, id, last, synced),
                    Err(_) => self.drop_connection(now, Lost::Malformed),
                },
                Err(error) => self.refused(now, error),
            },
            _ if self.token.renewal == Some(id) => {
                self.token.renewal = None;
                let renewed = result.as_ref().ok();
                match renewed.and_then(|body| serde_json::from_str::<Renewed>(body.get()).ok()) {
                    Some(renewed) => self.token.expires_at = Some(renewed.expires_at),
                    // The next connection fetches another one; until then the old one may hold.
                    None => self.token.token = None,
                }
            }
            _ => return false,
        }
        true
    }

    fn welcome(&mut self, now: Millis, welcome: Welcome) {
        self.user = Some(welcome.user);
        self.resume = Some(welcome.connection.clone());
        self.ahead_ms = welcome.time.cast_signed() - now.cast_signed();
        self.welcomed_at = Some(now);
        self.token.expires_at = Some(welcome.expires_at);
        self.heartbeat_ms = welcome.heartbeat_ms.clamp(1, 1_000_000);
        self.beat_at = Some(now + self.random.below(self.heartbeat_ms));
        self.acks.pace(welcome.ack_every_events, welcome.ack_every_ms);
        let (resumed, epoch) = (welcome.resumed, welcome.epoch);
        self.events.push_back(Event::Connected(Box::new(welcome)));
        let replaced = self.epoch.is_some_and(|known| known != epoch);
        self.epoch = Some(epoch);
        if replaced {
            self.streams.clear();
            self.registers.clear();
            self.acks.clear();
            self.events.retain(|event| event.stream().is_none());
            self.events.push_back(Event::ResetAll { epoch });
        }
        if resumed && !replaced {
            self.phase = Phase::Up;
            self.send_commands(now);
        } else {
            self.sync(now);
        }
    }

    fn sync(&mut self, now: Millis) {
        let positions: Vec<_> = self.streams.positions().collect();
        let answered = self.next_frame;
        let mut pages = positions.chunks(POSITIONS_PER_SYNC_MAX).peekable();
        if pages.peek().is_none() {
            let positions = Vec::new();
            let done = true;
            self.send_numbered("sync", raw(&Sync { positions, done }));
        }
        while let Some(page) = pages.next() {
            let positions = page.to_vec();
            let done = pages.peek().is_none();
            self.send_numbered("sync", raw(&Sync { positions, done }));
        }
        self.phase = Phase::Syncing { answered, last: self.next_frame, until: now + STEP_WITHIN_MS };
    }

    /// What is known of the stream is void, also what still waits for the app.
    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.streams.forget(stream);
        self.acks.forget(stream);
        self.events.retain(|event| event.stream() != Some(stream));
    }

    fn synced(&mut self, now: Millis, id: u64, last: u64, synced: Synced) {
        for stream in &synced.reset {
            self.forget(*stream);
            let head = synced.started.iter().find(|s| s.stream == *stream);
            let head = head.map(|started| started.position);
            let stream = *stream;
            self.events.push_back(Event::Reset { stream, head });
        }
        for started in synced.started {
            let (stream, head) = (started.stream, started.position);
            if self.streams.start(stream, head) && !synced.reset.contains(&stream) {
                self.events.push_back(Event::Started { stream, head });
            }
        }
        if id == last {
            self.phase = Phase::Up;
            self.send_commands(now);
        } else {
            let until = now + STEP_WITHIN_MS;
            let answered = id;
            self.phase = Phase::Syncing { answered, last, until };
        }
    }

    fn refused(&mut self, now: Millis, error: &ErrorBody) {
        let why = Lost::Refused(error.clone());
        let code = CloseCode::Internal.number();
        if error.code == ErrorCode::TokenExpired {
            self.token.token = None;
            self.close_transport(1000, "");
            self.reconnect(now, why, 0, None);
        } else if error.code.retry() == Retry::Never {
            self.close_transport(1000, "");
            self.stop(Stop::Refused(error.clone()));
        } else {
            self.close_transport(code, "");
            self.reconnect(now, why, PATIENT_ATTEMPT, error.retry_after_ms);
        }
    }

    /// Ends the connection from our side and makes another one.
    pub(crate) fn drop_connection(&mut self, now: Millis, why: Lost) {
        let (code, reason, attempt) = match &why {
            Lost::Gap { .. } | Lost::Forked { .. } => {
                self.resume = None;
                (CloseCode::Resync.number(), "resync", 0)
            }
            Lost::Malformed => {
                self.resume = None;
                (CloseCode::ProtocolViolation.number(), "malformed", PATIENT_ATTEMPT)
            }
            _ => (CloseCode::HeartbeatMissed.number(), "silent", 0),
        };
        self.close_transport(code, reason);
        self.reconnect(now, why, attempt, None);
    }

    pub(crate) fn close_transport(&mut self, code: u16, reason: &'static str) {
        if self.phase.is_connected() || matches!(self.phase, Phase::Opening { .. }) {
            // What was not sent yet must not be sent on the next connection.
            self.outputs.retain(|output| !matches!(output, Output::Send(_)));
            self.outputs.push_back(Output::Close(code, reason));
        }
    }

    /// Plans the next connection, at least as late as reconnect number `attempt` would be.
    fn reconnect(&mut self, now: Millis, why: Lost, attempt: usize, asked_ms: Option<u64>) {
        self.disconnected();
        let held = self.welcomed_at.take();
        if held.is_some_and(|since| now - since >= GOOD_AFTER_MS) {
            self.attempt = 0;
        }
        self.attempt = self.attempt.max(attempt);
        let wait = match asked_ms {
            Some(ms) => ms,
            None => backoff::reconnect(&mut self.random, self.attempt).min(self.reconnect_within_ms),
        };
        self.attempt += 1;
        self.connect_at(now, now + wait);
        let retry_in_ms = self.token.token.is_some().then_some(wait);
        self.events.push_back(Event::Disconnected { why, retry_in_ms });
    }

    pub(crate) fn connect_at(&mut self, now: Millis, at: Millis) {
        let expired = |expires: Millis| expires.cast_signed() <= at.cast_signed() + self.ahead_ms;
        if self.token.expires_at.is_some_and(expired) {
            self.token.token = None;
        }
        if self.token.token.is_none() {
            self.phase = Phase::AwaitingToken { not_before: at };
            self.request_token();
        } else if at > now || self.is_full() {
            self.phase = Phase::Waiting { until: at };
        } else {
            let until = now + STEP_WITHIN_MS;
            self.phase = Phase::Opening { until };
            self.outputs.push_back(Output::Connect);
        }
    }

    fn disconnected(&mut self) {
        self.outputs.retain(|output| !matches!(output, Output::Send(_)));
        self.beat_at = None;
        self.token.renewal = None;
        for answer in self.outbox.disconnected() {
            self.outputs.push_back(Output::Answer(answer));
        }
    }

    pub(crate) fn stop(&mut self, why: Stop) {
        self.disconnected();
        self.resume = None;
        self.welcomed_at = None;
        self.token.forget_request();
        self.phase = Phase::Stopped;
        self.answer_all();
        self.events.push_back(Event::Stopped(why));
    }
}
