//! Turns events, replies and the gateway's own words into frames, without reading bodies.
//!
//! The codec is chosen per connection by the subprotocol and handed to whatever makes frames; an event is encoded once per codec
//! and the bytes are shared by all who hear it ([`told`]). So far there is one codec, JSON; a body is JSON already and is copied
//! as it is.

mod frame;
mod told;

use std::fmt::Write as _;

use bytes::Bytes;
use link::{Event, Identity, Refusal};
use protocol::frames::{EVENT_LIVE, EVENT_RESET, EVENT_TOKEN_EXPIRING, EVENT_WITHHELD};
use protocol::frames::{Expiring, Reset, Withheld};
use protocol::{Millis, Position, RequestId, Seq, StreamId};
use serde::Serialize;

pub(crate) use frame::Frames;
pub(crate) use told::{Told, fit_block};

/// About so many bytes of an event's frame are not its body: name, stream, position, time and the WebSocket's header.
const EVENT_BYTES_BESIDE_BODY: usize = 192;

/// How a connection's frames are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Codec {
    /// JSON text frames.
    #[default]
    Json,
}

impl Codec {
    /// An event's frame.
    pub(crate) fn event(self, event: &Event) -> Frames {
        Frames::text(&self.text_of(event))
    }

    fn text_of(self, event: &Event) -> String {
        let mut text = String::with_capacity(event.body.len() + EVENT_BYTES_BESIDE_BODY);
        text.push_str(r#"{"type":"#);
        push_string(&mut text, &event.name);
        // Writing to a string can't fail.
        let _ = match &event.identity {
            Identity::Entry { stream, seq, tag } => {
                write!(text, r#","from":{{"stream":"{stream}","seq":{seq},"tag":"{tag}"}}"#)
            }
            Identity::Register { key, version } => {
                text.push_str(r#","register":{"key":"#);
                push_string(&mut text, key);
                write!(text, r#","version":{version}}}"#)
            }
            Identity::Ephemeral { until } => write!(text, r#","until":{until}"#),
        };
        let _ = write!(text, r#","at":{},"body":"#, event.at);
        push_json(&mut text, &event.body);
        text.push('}');
        text
    }

    /// The frame of a range that the reader may not see.
    pub(crate) fn withheld(self, stream: StreamId, first: Seq, last: Position) -> Frames {
        let body = to_json(&Withheld { first, last: last.seq });
        let Position { seq, tag } = last;
        Frames::text(&format!(
            r#"{{"type":"{EVENT_WITHHELD}","from":{{"stream":"{stream}","seq":{seq},"tag":"{tag}"}},"body":{body}}}"#
        ))
    }

    /// A stream begins anew.
    pub(crate) fn reset(self, stream: StreamId, head: Position) -> Frames {
        self.own(EVENT_RESET, &Reset { stream, head })
    }

    /// The token expires soon.
    pub(crate) fn expiring(self, expires_at: Millis) -> Frames {
        self.own(EVENT_TOKEN_EXPIRING, &Expiring { expires_at })
    }

    /// The connection is in step.
    pub(crate) fn live(self) -> Frames {
        Frames::text(&format!(r#"{{"type":"{EVENT_LIVE}"}}"#))
    }

    /// The answer to `ping`.
    pub(crate) fn pong(self) -> Frames {
        Frames::text(r#"{"type":"pong"}"#)
    }

    /// The answer of a command.
    pub(crate) fn reply(self, id: u64, request: RequestId, result: &Result<Bytes, Refusal>) -> Frames {
        match result {
            Ok(body) => {
                let mut text = String::with_capacity(body.len() + 32);
                let _ = write!(text, r#"{{"id":{id},"ok":"#);
                push_json(&mut text, body);
                text.push('}');
                Frames::text(&text)
            }
            Err(refusal) => {
                let error = to_json(&crate::edge::error_body(refusal, request));
                Frames::text(&format!(r#"{{"id":{id},"error":{error}}}"#))
            }
        }
    }

    fn own(self, name: &str, body: &impl Serialize) -> Frames {
        let body = to_json(body);
        Frames::text(&format!(r#"{{"type":"{name}","body":{body}}}"#))
    }
}

/// A body as it is. A service that hands over what is not UTF-8 breaks its promise; nobody's socket may break of it.
fn push_json(text: &mut String, body: &[u8]) {
    match std::str::from_utf8(body) {
        Ok("") | Err(_) => text.push_str("{}"),
        Ok(body) => text.push_str(body),
    }
}

fn push_string(text: &mut String, value: &str) {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if value.bytes().all(plain) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&to_json(&value));
    }
}

fn to_json(value: &impl Serialize) -> String {
    // Our own types have string keys and no maps that could fail.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
