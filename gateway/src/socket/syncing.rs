//! Where the client stands, and what is done: replies, pages, registers.

use bytes::Bytes;
use link::Refusal;
use protocol::frames::{Sync, Synced};
use protocol::limits::POSITIONS_PER_SYNC_MAX;
use protocol::{CloseCode, ErrorCode, RequestId, Seq};

use super::connection::Connection;
use super::work::{self, Done, Found};
use crate::hub::Pace;
use crate::session::Phase;

/// The largest number that every client can hold; no log ever gets there.
const SEQ_MAX: Seq = 1 << 53;

impl Connection {
    /// The client names where it stands.
    pub(super) fn sync(&mut self, id: u64, sync: Sync) -> Result<(), CloseCode> {
        let request = RequestId::now();
        if sync.positions.len() > POSITIONS_PER_SYNC_MAX {
            let message = format!("Name at most {POSITIONS_PER_SYNC_MAX} positions in one sync.");
            let refusal = Refusal::new(ErrorCode::InvalidRequest, message);
            self.reply(id, request, &Err(refusal));
            return Ok(());
        }
        if sync.positions.iter().any(|named| named.position.seq > SEQ_MAX) {
            let message = "No log has so many entries: name positions that the server told you.";
            let refusal = Refusal::new(ErrorCode::InvalidRequest, message);
            self.reply(id, request, &Err(refusal));
            return Ok(());
        }
        if self.conn.session().phase() != Phase::Syncing {
            let message = "The connection is in step already; sync comes right after hello.";
            let refusal = Refusal::new(ErrorCode::Conflict, message);
            self.reply(id, request, &Err(refusal));
            return Ok(());
        }
        let named = self.conn.session().name(&sync.positions);
        if named.unknown.is_empty() {
            self.answer_sync((id, request), Found { reset: named.reset, ..Found::default() }, sync.done);
            return Ok(());
        }
        let user = self.caller.user;
        let look = work::look(&self.edge, user, (id, request), named.unknown, named.reset, sync.done);
        let work = self.work();
        work.holds = true;
        work.command(look);
        Ok(())
    }

    fn answer_sync(&mut self, (id, request): (u64, RequestId), found: Found, last: bool) {
        let Found { reset, readable, outside } = found;
        let mut session = self.conn.session();
        readable.into_iter().for_each(|position| session.read_out(position));
        outside.into_iter().for_each(|position| session.stands_outside(position));
        let started = if last { session.synced() } else { Vec::new() };
        let answer = serde_json::to_vec(&Synced { started, reset })
            .map(Bytes::from)
            .map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()));
        // The answer is queued under the same lock that opens the session: nothing comes before it.
        let reply = session.codec().reply(id, request, &answer);
        session.say(reply);
        let lagging = if last { session.lagging() } else { Vec::new() };
        drop(session);
        for stream in lagging {
            self.edge.hub.meet(&self.conn, stream);
        }
    }

    /// Something in flight is done.
    pub(super) fn take(&mut self, done: Done) {
        match done {
            Done::Weighed { id, spec, call, counted } => self.weighed(id, spec, *call, counted),
            Done::Reply { id, request, result } => {
                if let Some(id) = id {
                    self.reply(id, request, &result);
                }
            }
            Done::Looked { id, request, found, last } => {
                self.work().holds = false;
                self.answer_sync((id, request), found, last);
            }
            Done::Page { stream, after, page } => {
                if self.edge.hub.paged(&self.conn, stream, after, page) == Pace::Rest {
                    self.work().pause();
                }
            }
            Done::Registers(values) => {
                let failed = values.is_none();
                self.conn.session().registers(values);
                if failed {
                    self.work().pause();
                }
            }
            Done::Rested => {}
        }
    }
}
