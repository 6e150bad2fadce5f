//! Outputs: what a version caused outside of its call, performed at least once under the key (call, version, index).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use link::calls::{CALLS_RECORD, Recorded};
use link::{Call, Refusal};
use protocol::calls::CallRecord;
use protocol::{ErrorCode, Millis};
use runtime::lifecycle::Shutdown;

use super::deadlines::sleep;
use crate::desk::Desk;
use crate::machine::Output;
use crate::store::{Pending, StoreError};

/// So long a claim lasts.
const LEASE_MS: Millis = 10_000;
/// Outputs that are claimed at once.
const CLAIM_MAX: usize = 64;
/// How long to wait after the store has failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Chat must not take longer to write a record.
const RECORD_WITHIN: Duration = Duration::from_secs(5);
/// The first pause after an output could not be performed; it doubles with every attempt up to the last one.
const POSTPONE_MS: Millis = 500;
const POSTPONE_MS_MAX: Millis = 60_000;

/// Performs outputs until the service stops.
pub(crate) async fn run(desk: Arc<Desk>, shutdown: Shutdown) {
    loop {
        let wait = match round(&desk).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "outputs wait for the store");
                Some(PAUSE)
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = desk.outputs.notified() => {}
            () = shutdown.stopped() => return,
        }
    }
}

async fn round(desk: &Desk) -> Result<Option<Duration>, StoreError> {
    while perform_some(desk).await? > 0 {}
    let next = desk.store.next_output().await?;
    let now = desk.store.now().await?;
    Ok(next.map(|at| Duration::from_millis(at.saturating_sub(now).max(1))))
}

/// Performs what can be claimed at once; answers how many it were.
pub(crate) async fn perform_some(desk: &Desk) -> Result<usize, StoreError> {
    let claimed = desk.store.claim_outputs(LEASE_MS, CLAIM_MAX).await?;
    // They are of different calls: done together, they share commits.
    let done = claimed.iter().map(|pending| take_care(desk, pending));
    for result in join_all(done).await {
        result?;
    }
    Ok(claimed.len())
}

async fn take_care(desk: &Desk, pending: &Pending) -> Result<(), StoreError> {
    match perform(desk, pending).await {
        Ok(()) => desk.store.performed(pending.key).await,
        Err(refusal) => {
            tracing::warn!(call = %pending.key.call, version = pending.key.version, %refusal, "an output waits");
            let pause = POSTPONE_MS << pending.attempts.min(16);
            desk.store.postpone(pending.key, pause.min(POSTPONE_MS_MAX)).await
        }
    }
}

pub(crate) async fn perform(desk: &Desk, pending: &Pending) -> Result<(), Refusal> {
    match &pending.output {
        // Devices that are connected hear of it by the call's register. Whom to wake by push is for a consumer that does not exist yet.
        Output::Ring { .. } | Output::Cancel { .. } | Output::Missed { .. } => Ok(()),
        Output::Record { record } => {
            write_record(desk, record).await?;
            for participant in &record.participants {
                desk.tell_index(participant.user).await;
            }
            Ok(())
        }
    }
}

/// Chat knows the record by its call: writing it twice is writing it once.
async fn write_record(desk: &Desk, record: &CallRecord) -> Result<(), Refusal> {
    let call = Call::internal(CALLS_RECORD, Some(record.conversation.to_string()), record)?;
    match tokio::time::timeout(RECORD_WITHIN, desk.chat.execute(call)).await {
        Ok(reply) => reply.parse::<Recorded>().map(|_| ()),
        Err(_) => Err(Refusal::of(ErrorCode::Timeout)),
    }
}
