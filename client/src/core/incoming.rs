//! Frames from the server: replies, log entries, registers, ephemeral news.

use protocol::chat::{MEMBER_LEFT, MemberLeft};
use protocol::frames::{
    EVENT_LIVE, EVENT_RESET, EVENT_TOKEN_EXPIRING, EVENT_WITHHELD, From, Reset, ServerFrame, Withheld,
};
use protocol::{ErrorBody, ErrorCode, Millis};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Entry, Event, Lost};
use super::outbox::Settled;
use super::output::Output;
use super::streams::Verdict;
use super::{Core, Phase};

/// The name of the answer to `ping`.
const PONG: &str = "pong";

impl Core {
    /// A text frame of the present transport came.
    pub fn handle_frame(&mut self, now: Millis, text: &str) {
        if !self.phase.is_connected() {
            return;
        }
        self.heard_at = now;
        let Some(frame) = parse(text) else {
            return self.drop_connection(now, Lost::Malformed);
        };
        let known = match frame.id {
            Some(id) => {
                self.reply(now, id, frame);
                true
            }
            None => self.event(now, frame),
        };
        if !known {
            self.drop_connection(now, Lost::Malformed);
        }
    }

    fn reply(&mut self, now: Millis, id: u64, frame: ServerFrame<'_>) {
        let result = match frame.error {
            Some(error) => Err(error),
            None => Ok(frame.ok.unwrap_or(RawValue::NULL)),
        };
        if self.session_reply(now, id, &result) {
            return;
        }
        let result = result.map(ToOwned::to_owned);
        match self.outbox.reply(now, &mut self.random, id, result) {
            Settled::Answered(answer) => self.outputs.push_back(Output::Answer(answer)),
            Settled::Again(ErrorCode::TokenExpired) => self.request_token(),
            Settled::Again(_) | Settled::Unknown => {}
        }
        self.send_commands(now);
    }

    /// False where the frame is not of the protocol's form.
    fn event(&mut self, now: Millis, frame: ServerFrame<'_>) -> bool {
        let Some(name) = frame.name.as_deref() else {
            return false;
        };
        if matches!(self.phase, Phase::Greeting { .. }) {
            // Nothing but the welcome comes first.
            return false;
        }
        match name {
            PONG => true,
            EVENT_LIVE => {
                self.events.push_back(Event::InStep);
                true
            }
            EVENT_TOKEN_EXPIRING => {
                self.request_token();
                true
            }
            EVENT_RESET => body(&frame).is_some_and(|reset| {
                self.reset(reset);
                true
            }),
            EVENT_WITHHELD => match (frame.from, body::<Withheld>(&frame)) {
                (Some(from), Some(range)) if range.first <= range.last => {
                    self.withheld(now, from, range);
                    true
                }
                _ => false,
            },
            _ => {
                self.news(now, frame);
                true
            }
        }
    }

    fn news(&mut self, now: Millis, frame: ServerFrame<'_>) {
        let name = frame.name.unwrap_or_default().into_owned();
        let body = frame.body.unwrap_or(RawValue::NULL).to_owned();
        if let Some(from) = frame.from {
            let at = frame.at;
            if self.arrived(now, from.seq, from) {
                self.follow_membership(from, &name, &body);
                self.events.push_back(Event::Entry(Entry { from, name, at, body }));
            }
        } else if let Some(register) = frame.register {
            if self.registers.arrive(&register.key, register.version) {
                self.events.push_back(Event::Register {
                    key: register.key.into_owned(),
                    version: register.version,
                    name,
                    body,
                });
            }
        } else if let Some(until) = frame.until
            && until.cast_signed() > now.cast_signed() + self.ahead_ms
        {
            self.events.push_back(Event::Ephemeral { name, until, body });
        }
    }

    fn withheld(&mut self, now: Millis, from: From, range: Withheld) {
        if self.arrived(now, range.first, from) {
            let first = range.first;
            self.events.push_back(Event::Withheld { from, first });
        }
    }

    /// Whether the entries `first..=from.seq` are new; a fault in the order ends the connection.
    fn arrived(&mut self, now: Millis, first: u64, from: From) -> bool {
        let stream = from.stream;
        let fault = match self.streams.arrive(first, from) {
            Verdict::New => return true,
            Verdict::Known => {
                let handed = self.streams.handed(stream);
                if handed >= from.seq {
                    // The acknowledgement was lost.
                    self.acks.handed(now, stream, handed);
                }
                return false;
            }
            Verdict::Gap { expected } => Lost::Gap { stream, expected, got: first },
            Verdict::Forked => Lost::Forked { stream },
            Verdict::TooMany => Lost::Malformed,
        };
        self.drop_connection(now, fault);
        false
    }

    /// Takes note of where the client's own memberships end.
    fn follow_membership(&mut self, from: From, name: &str, body: &RawValue) {
        if name == MEMBER_LEFT
            && let Ok(left) = serde_json::from_str::<MemberLeft>(body.get())
            && Some(left.user) == self.user
        {
            self.streams.leave(from.stream);
        }
    }

    fn reset(&mut self, reset: Reset) {
        let Reset { stream, head } = reset;
        self.forget(stream);
        self.streams.start(stream, head);
        let head = Some(head);
        self.events.push_back(Event::Reset { stream, head });
    }
}

fn body<'a, T: Deserialize<'a>>(frame: &ServerFrame<'a>) -> Option<T> {
    serde_json::from_str(frame.body?.get()).ok()
}

/// Reads a frame. An error code that this build doesn't know is taken as `internal`, so that a newer server is understood.
fn parse(text: &str) -> Option<ServerFrame<'_>> {
    #[derive(Deserialize)]
    struct Refusal {
        id: u64,
        error: Refused,
    }
    #[derive(Deserialize)]
    struct Refused {
        message: String,
    }
    if let Ok(frame) = serde_json::from_str(text) {
        return Some(frame);
    }
    let refusal: Refusal = serde_json::from_str(text).ok()?;
    Some(ServerFrame {
        id: Some(refusal.id),
        error: Some(ErrorBody {
            code: ErrorCode::Internal,
            message: refusal.error.message,
            request_id: String::new(),
            retry_after_ms: None,
        }),
        ..ServerFrame::default()
    })
}
