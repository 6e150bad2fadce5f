//! Markers as registers. Their versions are made of the state itself, so they hold over restarts without being stored.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use link::{Audience, Event, Identity};
use protocol::chat::{MARKER_CHANGED, MARKERS_COUNTED, MarkerChanged, MarkersCounted};
use protocol::{Millis, StreamId};
use serde::Serialize;

/// One member's markers, for the others.
pub(crate) fn named(body: &MarkerChanged, now: Millis) -> serde_json::Result<Event> {
    let key = format!("marker:{}:{}", body.conversation, body.user);
    // Both parts only move forward, so their sum does.
    let version = body.read_seq + body.delivered_seq;
    event(MARKER_CHANGED, key, version, StreamId::conversation(body.conversation), body, now)
}

/// How many have read and received the newest message.
pub(crate) fn counted(body: &MarkersCounted, now: Millis) -> serde_json::Result<Event> {
    // Two counts of at most 100,000 members each fit below a message's number. When somebody leaves the counts may go down:
    // that is told with the next message.
    const COUNT_BITS: u32 = 18;
    const _: () = assert!(2 * protocol::limits::MEMBERS_MAX < 1 << COUNT_BITS);
    let key = format!("markers:{}", body.conversation);
    let version = (body.seq << COUNT_BITS) | (body.read + body.delivered);
    event(MARKERS_COUNTED, key, version, StreamId::conversation(body.conversation), body, now)
}

fn event(
    name: &'static str,
    key: String,
    version: u64,
    stream: StreamId,
    body: &impl Serialize,
    at: Millis,
) -> serde_json::Result<Event> {
    Ok(Event {
        identity: Identity::Register { key: key.into(), version },
        audience: Audience::Stream(stream),
        name: Cow::Borrowed(name),
        at,
        body: Bytes::from(serde_json::to_vec(body)?),
        by_rights: false,
        effects: Arc::default(),
    })
}
