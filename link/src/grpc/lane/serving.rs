//! The serving end of a lane.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use protocol::ErrorCode;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::{IN_FLIGHT_MAX, PER_MESSAGE};
use crate::call::{Call, Refusal, Reply};
use crate::grpc::wire::{Malformed, proto};
use crate::service::Service;

type Work = Pin<Box<dyn Future<Output = proto::NumberedReply> + Send>>;

/// Serves one lane until the caller ends it, or `shutdown`: then calls in flight are finished.
pub(in crate::grpc) async fn serve(
    service: Arc<dyn Service>,
    mut calls: Streaming<proto::Calls>,
    replies: mpsc::Sender<Result<proto::Replies, Status>>,
    shutdown: CancellationToken,
) {
    let mut working = FuturesUnordered::new();
    let mut done = Vec::new();
    let mut open = true;
    while open || !working.is_empty() || !done.is_empty() {
        tokio::select! {
            permit = replies.reserve(), if !done.is_empty() => match permit {
                Ok(permit) => permit.send(Ok(proto::Replies { replies: std::mem::take(&mut done) })),
                // Nobody is there to answer; what was begun is abandoned, what it has committed stays.
                Err(_) => return,
            },
            Some(reply) = working.next(), if done.len() < PER_MESSAGE => done.push(reply),
            received = calls.message(), if open && working.len() < IN_FLIGHT_MAX => match received {
                Ok(Some(calls)) => {
                    for call in calls.calls {
                        begin(&service, call, &mut working, &mut done);
                    }
                }
                Ok(None) => open = false,
                Err(_) => return,
            },
            () = shutdown.cancelled(), if open => open = false,
        }
    }
}

/// Begins a call here and now, so that it stands before those that come after it.
fn begin(
    service: &Arc<dyn Service>,
    call: proto::NumberedCall,
    working: &mut FuturesUnordered<Work>,
    done: &mut Vec<proto::NumberedReply>,
) {
    let mut work: Work = Box::pin(execute(Arc::clone(service), call));
    match work.as_mut().now_or_never() {
        Some(reply) => done.push(reply),
        None => working.push(work),
    }
}

async fn execute(service: Arc<dyn Service>, call: proto::NumberedCall) -> proto::NumberedReply {
    let number = call.number;
    let reply = match call.call.ok_or(Malformed("call")).and_then(Call::try_from) {
        // A panic ends its own call, not the lane that others share.
        Ok(call) => match AssertUnwindSafe(service.execute(call)).catch_unwind().await {
            Ok(reply) => reply,
            Err(_) => Refusal::of(ErrorCode::Internal).into(),
        },
        Err(malformed) => Reply::from(Refusal::new(ErrorCode::InvalidRequest, malformed.to_string())),
    };
    proto::NumberedReply { number, reply: Some(reply.into()) }
}
