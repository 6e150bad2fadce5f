//! The calling end of the lanes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use protocol::ErrorCode;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{IN_FLIGHT_MAX, LANES, PER_MESSAGE};
use crate::call::{Call, Refusal};
use crate::grpc::client::Client;
use crate::grpc::failure::Failure;
use crate::grpc::wire::proto;

/// Calls that wait for their turn on one lane; more are refused.
const WAITING_MAX: usize = 4_096;
/// Opening a lane needs a connection and one answer.
const OPEN_WITHIN: Duration = Duration::from_millis(1_500);

type Answer = Result<proto::Reply, Failure>;

/// The lanes to one service. They end with it.
pub(in crate::grpc) struct Lanes {
    inboxes: Vec<mpsc::Sender<Waiting>>,
}

/// A call on its way.
struct Waiting {
    call: proto::Call,
    answer: oneshot::Sender<Answer>,
}

impl Lanes {
    /// Starts the lanes' tasks; each opens its stream with the first call.
    pub(in crate::grpc) fn start(client: &Client) -> Self {
        let lane = |_| {
            let (inbox, waiting) = mpsc::channel(WAITING_MAX);
            tokio::spawn(run(client.clone(), waiting));
            inbox
        };
        Self { inboxes: (0..LANES).map(lane).collect() }
    }

    /// The lane that a call belongs to.
    pub(in crate::grpc) fn of(call: &Call) -> usize {
        let mut hasher = DefaultHasher::new();
        call.route_key().hash(&mut hasher);
        (hasher.finish() % LANES as u64) as usize
    }

    /// Sends a call on its lane and awaits its answer. The call takes its place at the first poll.
    pub(in crate::grpc) async fn call(&self, lane: usize, call: proto::Call) -> Answer {
        let gone = || Failure::NotSent("the lane has ended".to_owned());
        let (answer, answered) = oneshot::channel();
        let inbox = self.inboxes.get(lane).ok_or_else(gone)?;
        match inbox.try_send(Waiting { call, answer }) {
            Ok(()) => answered.await.unwrap_or_else(|_| Err(gone())),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Failure::Refused(Refusal::of(ErrorCode::Overloaded))),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
        }
    }
}

/// One lane: a stream after another, for as long as there are calls.
async fn run(mut client: Client, mut inbox: mpsc::Receiver<Waiting>) {
    while let Some(first) = inbox.recv().await {
        // Room for one message: what waits here counts as sent.
        let (outgoing, calls) = mpsc::channel(1);
        let opening = client.execute(ReceiverStream::new(calls));
        let failure = match tokio::time::timeout(OPEN_WITHIN, opening).await {
            Ok(Ok(opened)) => {
                Stream::new(first, outgoing, opened.into_inner()).carry(&mut inbox).await;
                continue;
            }
            Ok(Err(status)) => Failure::from(status).before_sending(),
            Err(_) => Failure::NotSent("no connection in time".to_owned()),
        };
        // All who wait hear it at once, instead of one after another for as long as opening takes.
        let _ = first.answer.send(Err(failure.clone()));
        while let Ok(waiting) = inbox.try_recv() {
            let _ = waiting.answer.send(Err(failure.clone()));
        }
    }
}

/// An open stream.
struct Stream {
    outgoing: mpsc::Sender<proto::Calls>,
    incoming: Streaming<proto::Replies>,
    /// Not sent yet, in order.
    batch: Vec<Waiting>,
    /// Sent and not answered.
    pending: HashMap<u64, oneshot::Sender<Answer>>,
    next: u64,
}

impl Stream {
    fn new(first: Waiting, outgoing: mpsc::Sender<proto::Calls>, incoming: Streaming<proto::Replies>) -> Self {
        Self { outgoing, incoming, batch: vec![first], pending: HashMap::new(), next: 0 }
    }

    /// Carries calls and answers until the stream breaks, or the inbox is closed and all is answered.
    async fn carry(mut self, inbox: &mut mpsc::Receiver<Waiting>) {
        let outgoing = self.outgoing.clone();
        let mut open = true;
        let reason = loop {
            if !open && self.batch.is_empty() && self.pending.is_empty() {
                return;
            }
            let has_room = self.has_room();
            tokio::select! {
                permit = outgoing.reserve(), if !self.batch.is_empty() => match permit {
                    Ok(permit) => permit.send(self.number()),
                    Err(_) => break "the lane broke".to_owned(),
                },
                replies = self.incoming.message() => match replies {
                    Ok(Some(replies)) => self.answer(replies),
                    Ok(None) => break "the other process ended the lane".to_owned(),
                    Err(status) => break format!("{:?}: {}", status.code(), status.message()),
                },
                taken = inbox.recv_many(&mut self.batch, PER_MESSAGE), if open && has_room => open = taken > 0,
            }
        };
        self.end(&reason);
    }

    /// Whether another call may be taken. Who has given up waiting takes no room.
    fn has_room(&mut self) -> bool {
        if self.pending.len() >= IN_FLIGHT_MAX {
            self.pending.retain(|_, answer| !answer.is_closed());
        }
        self.batch.is_empty() && self.pending.len() < IN_FLIGHT_MAX
    }

    fn answer(&mut self, replies: proto::Replies) {
        for reply in replies.replies {
            if let (Some(answer), Some(reply)) = (self.pending.remove(&reply.number), reply.reply) {
                // The caller may have stopped waiting.
                let _ = answer.send(Ok(reply));
            }
        }
    }

    fn end(self, reason: &str) {
        for waiting in self.batch {
            let _ = waiting.answer.send(Err(Failure::NotSent(reason.to_owned())));
        }
        for (_, answer) in self.pending {
            let _ = answer.send(Err(Failure::Lost(reason.to_owned())));
        }
    }

    /// Numbers the waiting calls and notes who waits for them. What nobody waits for any more is not sent.
    fn number(&mut self) -> proto::Calls {
        let waiting = self.batch.drain(..).filter(|waiting| !waiting.answer.is_closed());
        let calls = waiting.map(|Waiting { call, answer }| {
            self.next += 1;
            self.pending.insert(self.next, answer);
            proto::NumberedCall { number: self.next, call: Some(call) }
        });
        proto::Calls { calls: calls.collect() }
    }
}
