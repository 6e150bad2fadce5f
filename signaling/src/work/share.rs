//! Living beside other signaling processes: this one's lease, the calls of those that died, and the versions that others write.
//!
//! Every process holds every live call, and may change it; who serves its legs stands in Redis. A process that starts finds its own calls again, and
//! when another one falls silent one of the others follows it: both are the same to the legs, which are awaited and come back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::CallId;
use runtime::lifecycle::Shutdown;

use super::heirs::keep_lease;
use crate::desk::Desk;
use crate::store::{SharedCalls, StoreError, Versions};

/// How long a process that starts waits for Redis: one that is there answers in a moment.
const MEET_WITHIN: Duration = Duration::from_secs(1);
/// How long to wait before listening again.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Calls that are read at once.
const PAGE: usize = 500;

/// Awaits that Redis answers, if it does: whoever began to serve a moment before would do so apart from the others, and know of no call.
pub(crate) async fn meet_redis(shared: &SharedCalls) {
    let mut standing = shared.redis().redis().watch();
    let up = standing.wait_for(|standing| standing.is_up());
    if tokio::time::timeout(MEET_WITHIN, up).await.is_err() {
        tracing::warn!("Redis does not answer: calls begin without it");
    }
}

/// Lives beside the others until the service stops.
/// Legs of the calls in `found` are awaited: what went on here while Redis was gone, when the process ended.
pub(crate) async fn run(desk: Arc<Desk>, shared: Arc<SharedCalls>, found: Vec<CallId>, shutdown: Shutdown) {
    tokio::select! {
        () = keep_lease(&desk, &shared, found) => {}
        () = listen(&desk, &shared) => {}
        () = keep_histories(&shared) => {}
        () = shutdown.stopped() => {}
    }
    if let Err(error) = shared.redis().give_lease_back().await {
        tracing::debug!(%error, "the others find out by themselves that this process is gone");
    }
}

/// Tells an emptied Redis what users have behind them.
async fn keep_histories(shared: &SharedCalls) {
    let mut standing = shared.redis().redis().watch();
    loop {
        let stands = *standing.borrow_and_update();
        if stands.is_up()
            && let Err(error) = shared.restore_histories().await
        {
            tracing::warn!(%error, "histories wait for the next time that Redis is back");
        }
        if standing.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Hears what others write, for good.
pub(crate) async fn listen(desk: &Desk, shared: &SharedCalls) {
    loop {
        match shared.redis().versions().await {
            Ok(versions) => hear(desk, shared, versions).await,
            Err(failure) => tracing::debug!(%failure, "versions can't be heard"),
        }
        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
    }
}

/// Hears versions until some may have been missed. What was written before is read once the channel is heard.
async fn hear(desk: &Desk, shared: &SharedCalls, mut versions: Versions) {
    if let Err(error) = catch_up(desk, shared).await {
        return tracing::warn!(%error, "live calls can't be read");
    }
    while let Some(told) = versions.next().await {
        desk.hear(shared, told).await;
    }
}

/// Reads all live calls, what became of those that are not live any more, and who serves those of this process by now.
pub(crate) async fn catch_up(desk: &Desk, shared: &SharedCalls) -> Result<(), StoreError> {
    let (mut after, mut there) = (None, HashSet::new());
    loop {
        let page = desk.store.live(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for call in page {
            there.insert(call.id);
            desk.heard(call);
        }
    }
    for call in desk.live.all().iter().filter(|call| !there.contains(&call.id)) {
        if let Some(call) = desk.store.load(call.id).await? {
            shared.heard_version(&call).await;
            desk.heard(call);
        }
    }
    shared.caught_up().await?;
    desk.count();
    Ok(())
}
