//! What is in flight for one connection: commands, a page, the registers. It exists only while something is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Stream};
use link::{Call, Page, ReadRequest, Reader, Refusal, Standing};
use protocol::commands::CommandSpec;
use protocol::frames::StreamPosition;
use protocol::limits::PAGE_MAX;
use protocol::{ErrorCode, RequestId, Seq, StreamId, UserId};
use tokio::time::Sleep;

use crate::codec::{Codec, Frames};
use crate::edge::Edge;
use crate::session::Job;

/// Between two tries of what could not be read.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// Something that was in flight and is done.
pub(super) enum Done {
    /// The exact budgets of a command were asked.
    Weighed { id: Option<u64>, spec: &'static CommandSpec, call: Box<Call>, counted: Result<(), Refusal> },
    /// A command was answered.
    Reply { id: Option<u64>, request: RequestId, result: Result<Bytes, Refusal> },
    /// The streams that a client named without being subscribed were looked at.
    Looked { id: u64, request: RequestId, found: Found, last: bool },
    /// A page was read, after this entry.
    Page { stream: StreamId, after: Seq, page: Result<Page, Refusal> },
    /// The registers were read.
    Registers(Option<Vec<Frames>>),
    /// A pause is over.
    Rested,
}

/// What a look at the streams found that a client named without being subscribed.
#[derive(Default)]
pub(super) struct Found {
    /// The position is not of this log.
    pub(super) reset: Vec<StreamId>,
    /// There may be more to read.
    pub(super) readable: Vec<StreamPosition>,
    /// The user is gone from it, and their client has all of theirs.
    pub(super) outside: Vec<StreamPosition>,
}

pub(super) type Flight = BoxFuture<'static, Done>;

/// All of it.
#[derive(Default)]
pub(super) struct Work {
    commands: FuturesUnordered<Flight>,
    jobs: FuturesUnordered<Flight>,
    rest: Option<Pin<Box<Sleep>>>,
    /// A sync is looked at, or a command's budgets are asked: what the client says next must wait for it.
    pub(super) holds: bool,
}

impl Work {
    /// Begins a command. Those of one connection begin in the order in which they are handed in.
    pub(super) fn command(&mut self, flight: Flight) {
        self.commands.push(flight);
    }

    pub(super) fn job(&mut self, flight: Flight) {
        self.jobs.push(flight);
    }

    /// Reads nothing more for a moment.
    pub(super) fn pause(&mut self) {
        self.rest = Some(Box::pin(tokio::time::sleep(RETRY_AFTER)));
    }

    pub(super) fn is_resting(&self) -> bool {
        self.rest.is_some()
    }

    pub(super) fn commands(&self) -> usize {
        self.commands.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.commands.is_empty() && self.jobs.is_empty() && self.rest.is_none() && !self.holds
    }

    /// The next thing that is done.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Done> {
        if let Poll::Ready(Some(done)) = Pin::new(&mut self.commands).poll_next(cx) {
            return Poll::Ready(done);
        }
        if let Poll::Ready(Some(done)) = Pin::new(&mut self.jobs).poll_next(cx) {
            return Poll::Ready(done);
        }
        if let Some(rest) = &mut self.rest
            && rest.poll_unpin(cx).is_ready()
        {
            self.rest = None;
            return Poll::Ready(Done::Rested);
        }
        Poll::Pending
    }
}

/// Begins what a session wants done, in its turn: so many come at once when a gateway or a service was gone that each would be late.
pub(super) fn begin(edge: &Arc<Edge>, user: UserId, codec: Codec, job: Job) -> Flight {
    let edge = Arc::clone(edge);
    match job {
        Job::Read { stream, after, tag } => Box::pin(async move {
            let request = ReadRequest { stream, reader: Reader::User(user), after, tag, limit: PAGE_MAX as u32 };
            let page = read(&edge, request).await;
            Done::Page { stream, after, page }
        }),
        Job::Registers => Box::pin(async move {
            let _turn = edge.reads.acquire().await;
            let chat = within(&edge, edge.services.chat.registers(user));
            let calls = within(&edge, edge.services.signaling.registers(user));
            let (chat, calls) = tokio::join!(chat, calls);
            // Without signaling there is still all the rest; when it comes back it tells what goes on.
            let calls = calls.unwrap_or_default();
            let frames =
                |values: Vec<link::Event>| values.iter().chain(&calls).map(|event| codec.event(event)).collect();
            Done::Registers(chat.ok().map(frames))
        }),
        Job::MissedRegisters => Box::pin(async move {
            let _turn = edge.reads.acquire().await;
            let values = within(&edge, edge.services.chat.registers(user)).await;
            let frames = |values: Vec<link::Event>| values.iter().map(|event| codec.event(event)).collect();
            Done::Registers(values.ok().map(frames))
        }),
    }
}

/// Looks whether a user may still read streams that they are not subscribed to.
pub(super) fn look(
    edge: &Arc<Edge>,
    user: UserId,
    (id, request): (u64, RequestId),
    unknown: Vec<StreamPosition>,
    reset: Vec<StreamId>,
    last: bool,
) -> Flight {
    let edge = Arc::clone(edge);
    Box::pin(async move {
        let mut found = Found { reset, ..Found::default() };
        for named in unknown {
            let position = named.position;
            let request = ReadRequest {
                stream: named.stream,
                reader: Reader::User(user),
                after: position.seq,
                tag: (position.seq > 0).then_some(position.tag),
                limit: 1,
            };
            match read(&edge, request).await {
                Ok(page) if page.standing == Standing::Gone && page.items.is_empty() => found.outside.push(named),
                Ok(page) if page.standing != Standing::Reset => found.readable.push(named),
                // It can't be read now: reading it later will tell.
                Err(refusal) if refusal.code != ErrorCode::NotFound => found.readable.push(named),
                _ => found.reset.push(named.stream),
            }
        }
        Done::Looked { id, request, found, last }
    })
}

async fn read(edge: &Edge, request: ReadRequest) -> Result<Page, Refusal> {
    // The semaphore is never closed.
    let _turn = edge.reads.acquire().await;
    within(edge, edge.services.chat.read(request)).await
}

async fn within<T>(edge: &Edge, question: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let limit = Duration::from_millis(edge.config.read_within_ms);
    tokio::time::timeout(limit, question).await.unwrap_or_else(|_| Err(Refusal::of(ErrorCode::Timeout)))
}
