//! One task for each connection: it writes what waits, reads what comes, and runs what is in flight. A quiet one holds nothing
//! but its socket and the session's address.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use link::Caller;
use protocol::CloseCode;

use super::transport::{Incoming, Transport};
use super::work::{self, Work};
use crate::clock;
use crate::codec::Codec;
use crate::edge::{Edge, Origin};
use crate::hub::{Conn, Keep};
use crate::meters::TRANSPORT;
use crate::session::{Close, Job, Kind};

/// So much is written at once: a burst of 64 messages fits, and the room is given back when it is written.
const WRITE_AT_ONCE: usize = 64 * 1_024;

/// A welcomed client's connection.
pub(super) struct Connection {
    pub(super) edge: Arc<Edge>,
    pub(super) conn: Arc<Conn>,
    socket: u32,
    transport: Transport,
    pub(super) caller: Caller,
    pub(super) origin: Box<Origin>,
    /// How many frames in a row were over the limit.
    pub(super) refused: u32,
    work: Option<Box<Work>>,
    stalled: bool,
    /// Something came in that the session has not been told of.
    heard: bool,
}

/// What the session wants, and what it lets the connection do.
struct Turn {
    job: Option<(Job, Codec)>,
    /// Another turn is due as soon as this one's frames are written.
    more: bool,
    /// Another frame may be read.
    room: bool,
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
            refused: 0,
            work: None,
            stalled: false,
            heard: false,
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) {
        let polling = AssertUnwindSafe(poll_fn(|cx| self.poll(cx)));
        // Whatever breaks in here must not leave a session behind that counts as attached for good.
        let end = polling.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a socket's task panicked");
            End::Close(Close { code: CloseCode::Internal, after_ms: None })
        });
        Box::pin(self.end(end)).await;
    }

    /// What is in flight, made when it is needed.
    pub(super) fn work(&mut self) -> &mut Work {
        self.work.get_or_insert_default()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            // What a socket has in flight is not answered on the one that took over.
            if self.work.is_some() && !self.is_held() {
                return Poll::Ready(End::Close(Close { code: CloseCode::TakenOver, after_ms: None }));
            }
            self.poll_work(cx);
            let turn = match self.turn(cx.waker()) {
                Ok(turn) => turn,
                Err(end) => return Poll::Ready(end),
            };
            let begun = turn.job.map(|(job, codec)| self.begin(job, codec)).is_some();
            let written = match self.poll_flush(cx) {
                Ok(written) => written,
                Err(end) => return Poll::Ready(end),
            };
            let read = match turn.room.then(|| self.poll_read(cx)) {
                Some(Ok(read)) => read,
                Some(Err(end)) => return Poll::Ready(end),
                None => false,
            };
            // What was begun must be polled once, or nothing wakes this task when it is done.
            let again = begun || read || (written && turn.more);
            if !again {
                return Poll::Pending;
            }
        }
    }

    /// Whether the session is still this socket's.
    fn is_held(&self) -> bool {
        self.conn.session().socket() == self.socket
    }

    /// Takes what is done.
    fn poll_work(&mut self, cx: &mut Context<'_>) {
        while let Some(work) = &mut self.work {
            if work.is_idle() {
                self.work = None;
                break;
            }
            match work.poll(cx) {
                Poll::Ready(done) => self.take(done),
                Poll::Pending => break,
            }
        }
    }

    fn begin(&mut self, job: Job, codec: Codec) {
        let flight = work::begin(&self.edge, self.caller.user, codec, job);
        self.work().job(flight);
    }

    /// Everything that concerns the session, in one locking: whether it ends, what it wants done, and the next frames, which go
    /// to the transport's buffer and not to the kernel yet. What changes after it wakes the task, if the session is still this
    /// socket's: a task that was taken over must not stand in the place of the one that took over, which nothing would wake any
    /// more.
    fn turn(&mut self, task: &Waker) -> Result<Turn, End> {
        let settings = self.edge.hub.settings();
        let mut session = self.conn.session();
        if session.socket() != self.socket {
            return Err(End::Close(Close { code: CloseCode::TakenOver, after_ms: None }));
        }
        session.attend(task);
        if std::mem::take(&mut self.heard) {
            session.heard(clock::now());
        }
        let commands = self.work.as_ref().map_or(0, |work| work.commands());
        if let Some(close) = session.closing() {
            // A drain lets what is in flight be answered first, and the client take it, but not for ever.
            let busy = commands > 0 || !session.is_drained();
            if close.code != CloseCode::Reconnect || !busy || session.is_late(clock::now()) {
                return Err(End::Close(close));
            }
        }
        let (mut events, mut replies) = (0, 0);
        if !self.transport.is_unflushed() {
            let transport = &mut self.transport;
            session.take_out(WRITE_AT_ONCE, |queued| {
                match queued.kind {
                    Kind::Ephemeral(until) if until <= clock::wall() => return,
                    Kind::Kept => replies += 1,
                    Kind::Entries { count, .. } => events += u64::from(count),
                    Kind::Register | Kind::Ephemeral(_) => events += 1,
                }
                transport.feed(queued.frames);
            });
        }
        // Asked after the queue was emptied: a page that waited for room may be read now, and nothing else would ask for it.
        let resting = self.work.as_ref().is_some_and(|work| work.is_resting());
        let job = if resting { None } else { session.next_job(settings) };
        let job = job.map(|job| (job, session.codec()));
        // Another command is not taken with too many in flight, nor with too many answers that nobody reads.
        let holds = self.work.as_ref().is_some_and(|work| work.holds);
        let free = !holds && commands < self.edge.config.commands_in_flight;
        let room = free && session.closing().is_none() && session.takes_more(settings);
        // A socket that was asked to close ends in the turn after its last frame; answers that are awaited wake it themselves.
        let ends = session.closing().is_some() && commands == 0;
        let more = ends || !session.is_drained();
        drop(session);
        let meters = &self.edge.meters;
        if events > 0 {
            meters.events_sent.increment(events);
        }
        if replies > 0 {
            meters.replies_sent.increment(replies);
        }
        Ok(Turn { job, more, room })
    }

    /// Writes what was fed; answers whether all of it is out.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let before = self.transport.unflushed();
        if before > 0 {
            match self.transport.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(End::Lost),
                Poll::Pending => {
                    if self.transport.unflushed() < before {
                        // It takes, if slowly: the time it may take nothing begins anew.
                        self.set_stalled(false);
                    }
                    self.set_stalled(true);
                    return Ok(false);
                }
            }
        }
        // Also where reading has written what was left.
        self.set_stalled(false);
        Ok(true)
    }

    fn set_stalled(&mut self, stalled: bool) {
        if self.stalled != stalled {
            self.stalled = stalled;
            self.conn.session().stalls(clock::now(), stalled);
        }
    }

    /// Reads one frame if there is one; answers whether.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        match self.transport.poll_recv(cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Incoming::Text(text)) => {
                self.heard = true;
                if let Err(code) = self.frame(text) {
                    return Err(End::Close(Close { code, after_ms: None }));
                }
            }
            Poll::Ready(Incoming::Alive) => self.heard = true,
            Poll::Ready(Incoming::Closed(code)) => return Err(End::Client(code)),
            Poll::Ready(Incoming::Violation(code)) => return Err(End::Close(Close { code, after_ms: None })),
            Poll::Ready(Incoming::Lost) => return Err(End::Lost),
        }
        Ok(true)
    }

    async fn end(self, end: End) {
        let keep = match &end {
            End::Lost => Keep::Parked,
            // A client that says goodbye is not coming back with this session. Neither is a page that goes away (1001): what would
            // resume it was in its memory.
            End::Client(Some(1_000 | 1_001)) => Keep::Nothing,
            End::Client(_) => Keep::Parked,
            End::Close(close) if resumes(close.code) => Keep::Parked,
            End::Close(_) => Keep::Nothing,
        };
        self.edge.hub.detach(&self.conn, self.socket, keep);
        self.edge.devices.changed(self.conn.device());
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
