//! What a lagging connection has read of a log with its user's rights.

use std::sync::Arc;

use link::{Head, Page, Refusal, Standing};
use protocol::{ErrorCode, Seq, StreamId};

use super::follow::Met;
use super::{Conn, Hub};
use crate::session::Paged;

/// When the connection reads on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// As soon as it may.
    Go,
    /// After a moment: asking at once would bring the same answer.
    Rest,
}

impl Hub {
    /// Hands a page to the connection that asked for the entries after `after`.
    pub(crate) fn paged(&self, conn: &Arc<Conn>, stream: StreamId, after: Seq, page: Result<Page, Refusal>) -> Pace {
        let page = match page {
            Ok(page) => page,
            Err(refusal) => {
                conn.session().page_failed();
                if refusal.code == ErrorCode::NotFound {
                    // It is not theirs to see, or is not at all.
                    self.end(conn, stream);
                }
                return Pace::Rest;
            }
        };
        let paged = conn.session().page(stream, after, &page);
        match paged {
            Paged::Stale => return Pace::Go,
            Paged::Ended => self.end(conn, stream),
            Paged::Taken => {
                let at_head = conn.session().reads_from(stream) == Some(page.head.seq + 1);
                let member = at_head && page.standing == Standing::Member;
                if self.meet(conn, stream) == Met::Stranger && member {
                    // The log knows of a membership that no hint has told of yet.
                    let fresh = self.subscribe(conn, &[Head { stream, position: page.head }]);
                    self.fill_all(&fresh);
                    self.meet(conn, stream);
                }
            }
        }
        // The log has nothing more and the cursor was not met: that resolves itself, but not by asking at once.
        let ended = page.items.is_empty() && page.standing != Standing::Reset;
        if ended && conn.session().reads_from(stream).is_some() { Pace::Rest } else { Pace::Go }
    }
}
