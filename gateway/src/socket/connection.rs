//! One task for each connection: it writes what waits, reads what comes, and runs what is in flight. A quiet one holds nothing
//! but its socket, the session's address and the frames' limiter.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use link::{Caller, Device};
use protocol::CloseCode;
use runtime::limits::Gcra;

use super::transport::{Incoming, Transport};
use super::work::{self, Work};
use crate::clock;
use crate::edge::{Edge, Origin};
use crate::hub::{Conn, Keep};
use crate::meters::TRANSPORT;
use crate::session::{Close, Kind};

/// So much is written at once: larger writes cost the kernel no less per byte, and buffers that grew stay grown.
const WRITE_AT_ONCE: usize = 16 * 1_024;

/// A welcomed client's connection.
pub(super) struct Connection {
    pub(super) edge: Arc<Edge>,
    pub(super) conn: Arc<Conn>,
    socket: u32,
    transport: Transport,
    pub(super) caller: Caller,
    pub(super) origin: Box<Origin>,
    pub(super) frames: Gcra,
    /// How many frames in a row were over the limit.
    pub(super) refused: u32,
    work: Option<Box<Work>>,
    stalled: bool,
}

/// How it ends.
pub(super) enum End {
    /// We close it.
    Close(Close),
    /// The client closes it.
    Client(Option<u16>),
    /// It is gone.
    Lost,
}

impl Connection {
    pub(super) fn new(
        edge: Arc<Edge>,
        conn: Arc<Conn>,
        socket: u32,
        transport: Transport,
        caller: Caller,
        origin: Origin,
    ) -> Self {
        Self {
            edge,
            conn,
            socket,
            transport,
            caller,
            origin: Box::new(origin),
            frames: Gcra::default(),
            refused: 0,
            work: None,
            stalled: false,
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) {
        let end = poll_fn(|cx| self.poll(cx)).await;
        Box::pin(self.end(end)).await;
    }

    /// What is in flight, made when it is needed.
    pub(super) fn work(&mut self) -> &mut Work {
        self.work.get_or_insert_default()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.conn.waker().register(cx.waker());
        loop {
            let worked = self.poll_work(cx);
            let begun = self.begin_jobs();
            if let Some(end) = self.poll_closing() {
                return Poll::Ready(end);
            }
            if let Err(end) = self.poll_write(cx) {
                return Poll::Ready(end);
            }
            let read = match self.poll_read(cx) {
                Ok(read) => read,
                Err(end) => return Poll::Ready(end),
            };
            // What was begun must be polled once, or nothing wakes this task when it is done.
            if !worked && !begun && !read {
                return Poll::Pending;
            }
        }
    }

    /// Takes what is done; answers whether anything was.
    fn poll_work(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while let Some(work) = &mut self.work {
            if work.is_idle() {
                self.work = None;
                break;
            }
            match work.poll(cx) {
                Poll::Ready(done) => self.take(done),
                Poll::Pending => break,
            }
            any = true;
        }
        any
    }

    /// Begins what the session wants done; answers whether there was anything.
    fn begin_jobs(&mut self) -> bool {
        let mut any = false;
        while !self.work.as_ref().is_some_and(|work| work.is_resting()) {
            let (job, codec) = {
                let mut session = self.conn.session();
                (session.next_job(self.edge.hub.settings()), session.codec())
            };
            let Some(job) = job else { break };
            let flight = work::begin(&self.edge, self.caller.user, codec, job);
            self.work().job(flight);
            any = true;
        }
        any
    }

    fn poll_closing(&self) -> Option<End> {
        let session = self.conn.session();
        if session.socket() != self.socket {
            return Some(End::Close(Close { code: CloseCode::TakenOver, after_ms: None }));
        }
        let close = session.closing()?;
        // A drain lets what is in flight be answered first.
        let busy = self.work.as_ref().is_some_and(|work| work.commands() > 0) || !session.is_drained();
        (close.code != CloseCode::Reconnect || !busy).then_some(End::Close(close))
    }

    /// Writes until nothing waits or the socket takes no more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            if self.transport.is_unflushed() {
                match self.transport.poll_flush(cx) {
                    Poll::Ready(Ok(())) => self.set_stalled(false),
                    Poll::Ready(Err(_)) => return Err(End::Lost),
                    Poll::Pending => {
                        self.set_stalled(true);
                        return Ok(());
                    }
                }
            }
            if !self.feed()? {
                return Ok(());
            }
        }
    }

    /// Hands the next frames to the transport; answers whether there were any.
    fn feed(&mut self) -> Result<bool, End> {
        let mut batch = Vec::new();
        {
            let mut session = self.conn.session();
            if session.socket() != self.socket {
                return Ok(false);
            }
            let mut bytes = 0;
            while bytes < WRITE_AT_ONCE
                && let Some(queued) = session.pop()
            {
                bytes += queued.frame.len();
                batch.push(queued);
            }
        }
        let any = !batch.is_empty();
        let meters = &self.edge.meters;
        let (mut events, mut replies) = (0, 0);
        for queued in batch {
            match queued.kind {
                Kind::Ephemeral(until) if until <= clock::wall() => continue,
                Kind::Kept => replies += 1,
                Kind::Entry(..) | Kind::Register | Kind::Ephemeral(_) => events += 1,
            }
            self.transport.feed(&queued.frame);
        }
        if events > 0 {
            meters.events_sent.increment(events);
        }
        if replies > 0 {
            meters.replies_sent.increment(replies);
        }
        Ok(any)
    }

    fn set_stalled(&mut self, stalled: bool) {
        if self.stalled != stalled {
            self.stalled = stalled;
            self.conn.session().stalls(clock::now(), stalled);
        }
    }

    /// Reads one frame if there is one and it can be taken; answers whether.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        if !self.has_room() {
            return Ok(false);
        }
        match self.transport.poll_recv(cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Incoming::Text(text)) => {
                self.conn.session().heard(clock::now());
                if let Err(code) = self.frame(text) {
                    return Err(End::Close(Close { code, after_ms: None }));
                }
            }
            Poll::Ready(Incoming::Alive) => self.conn.session().heard(clock::now()),
            Poll::Ready(Incoming::Closed(code)) => return Err(End::Client(code)),
            Poll::Ready(Incoming::Violation(code)) => return Err(End::Close(Close { code, after_ms: None })),
            Poll::Ready(Incoming::Lost) => return Err(End::Lost),
        }
        Ok(true)
    }

    /// Whether another command can be taken: not with too many in flight, nor with too many answers that nobody reads.
    fn has_room(&self) -> bool {
        let free = self
            .work
            .as_ref()
            .is_none_or(|work| !work.syncing && work.commands() < self.edge.config.commands_in_flight);
        let session = self.conn.session();
        free && session.closing().is_none() && session.takes_more(self.edge.hub.settings())
    }

    async fn end(self, end: End) {
        let keep = match &end {
            End::Lost => Keep::Parked,
            // A client that says goodbye is not coming back with this session.
            End::Client(Some(1_000)) => Keep::Nothing,
            End::Client(_) => Keep::Parked,
            End::Close(close) if resumes(close.code) => Keep::Parked,
            End::Close(_) => Keep::Nothing,
        };
        self.edge.hub.detach(&self.conn, self.socket, keep);
        let Caller { user, session, .. } = self.caller;
        let device = Device { user, session };
        if !self.edge.hub.is_here(device) {
            self.edge.devices.closed(device);
        }
        match end {
            End::Close(Close { code, after_ms }) => {
                if code != CloseCode::Reconnect {
                    self.edge.meters.error(code.as_str());
                }
                let reason = after_ms.map_or(code.as_str().to_owned(), |ms| ms.to_string());
                self.transport.close(code, reason).await;
            }
            End::Client(_) => self.transport.finish().await,
            End::Lost => self.edge.meters.error(TRANSPORT),
        }
    }
}

/// Whether a session goes on after its socket was closed with this code.
fn resumes(code: CloseCode) -> bool {
    matches!(
        code,
        CloseCode::Slow
            | CloseCode::HeartbeatMissed
            | CloseCode::TokenExpired
            | CloseCode::Reconnect
            | CloseCode::RateLimited
    )
}
