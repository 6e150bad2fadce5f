//! Subscribing, and meeting the cursor after reading the log.

use std::sync::Arc;

use link::Head;
use protocol::StreamId;

use super::deliver::release;
use super::stream::Stream;
use super::{Conn, Hub};

/// What the hub says to a connection that has read some of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Met {
    /// It is in step, or reads on.
    Goes,
    /// It is not subscribed.
    Stranger,
}

impl Hub {
    /// Subscribes a connection to streams whose heads were just read; answers those that were not followed before, whose heads
    /// must be looked at once more.
    pub(crate) fn subscribe(&self, conn: &Arc<Conn>, heads: &[Head]) -> Vec<StreamId> {
        let mut fresh = Vec::new();
        conn.session().streams.reserve_exact(heads.len());
        for head in heads {
            let mut shard = self.shard(head.stream);
            let stream = shard.streams.entry(head.stream).or_insert_with(|| {
                fresh.push(head.stream);
                Stream::at(head.position)
            });
            stream.subscribe(head.stream, conn);
            drop(shard);
            self.head(head.stream, head.position);
        }
        fresh
    }

    /// A connection stands somewhere in the stream: if that is at the cursor, it is in step from now on.
    pub(crate) fn meet(&self, conn: &Arc<Conn>, id: StreamId) -> Met {
        let mut shard = self.shard(id);
        let mut session = conn.session();
        let (Some(stream), true) = (shard.streams.get_mut(&id), session.streams.contains(&id)) else {
            return Met::Stranger;
        };
        session.meet(id, stream.cursor.seq);
        if let Some(next) = session.reads_from(id)
            && next > stream.cursor.seq + 1
        {
            // It has read what the hub has not heard of.
            stream.newest = stream.newest.max(next - 1);
            self.fill_soon(id, stream);
        }
        Met::Goes
    }

    /// Nothing follows for this user, says the log: unless the hub has heard that they came back, the connection no longer hears
    /// the stream.
    pub(crate) fn end(&self, conn: &Arc<Conn>, id: StreamId) {
        let mut shard = self.shard(id);
        let mut session = conn.session();
        if session.comes_back(id) {
            return;
        }
        session.finish(id);
        drop(session);
        if let Some(stream) = shard.streams.get_mut(&id) {
            stream.unsubscribe(id, conn);
        }
        release(&mut shard, id);
    }

    /// Takes a connection off all its streams.
    pub(super) fn unsubscribe_all(&self, conn: &Arc<Conn>) {
        let streams = {
            let mut session = conn.session();
            session.gone = true;
            std::mem::take(&mut session.streams)
        };
        for id in streams {
            let mut shard = self.shard(id);
            if let Some(stream) = shard.streams.get_mut(&id) {
                stream.forget(conn);
            }
            release(&mut shard, id);
        }
    }
}
