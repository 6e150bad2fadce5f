//! Living beside other signaling processes: this one's lease, the calls of those that died, and the versions that others write.
//!
//! Every process holds every live call, and may change it; who serves its legs stands in Redis. A process that starts finds its own calls again, and
//! when another one falls silent one of the others follows it: both are the same to the legs, which are awaited and come back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::{CallId, ErrorCode};
use runtime::lifecycle::Shutdown;
use runtime::redis::Standing;
use tokio::time::{Instant, MissedTickBehavior};

use crate::desk::Desk;
use crate::machine::Input;
use crate::store::{LEASE_MS, RedisCalls, SharedCalls, StoreError, Versions};

/// How often the lease is renewed, and silent processes are looked for.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before listening again.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Calls that are read at once.
const PAGE: usize = 500;

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

async fn keep_lease(desk: &Desk, shared: &SharedCalls, found: Vec<CallId>) {
    let mut standing = shared.redis().redis().watch();
    let mut turn = tokio::time::interval(RENEW_EVERY);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heirs = Heirs { owed: found, ..Heirs::default() };
    loop {
        let stands = *standing.borrow_and_update();
        if let Err(error) = heirs.round(desk, shared, stands).await {
            tracing::warn!(%error, "the calls of other processes wait for the store");
        }
        // Who should have done what is due may be gone.
        desk.deadlines.notify_one();
        desk.outputs.notify_one();
        tokio::select! {
            _ = turn.tick() => {}
            changed = standing.changed() => if changed.is_err() { return },
        }
    }
}

/// Which calls' legs have to come back here.
#[derive(Default)]
struct Heirs {
    /// The calls of this process' life before are found.
    found_own: bool,
    /// Since when Redis stands as it does: nobody could renew a lease before.
    since: Option<(Standing, Instant)>,
    /// Taken over, and not yet told.
    owed: Vec<CallId>,
    /// How Redis stood when everything was written back to it.
    settled: Option<Standing>,
}

impl Heirs {
    async fn round(&mut self, desk: &Desk, shared: &SharedCalls, stands: Standing) -> Result<(), StoreError> {
        let redis = shared.redis();
        if !stands.is_up() {
            return self.go_on_alone(desk, shared).await;
        }
        redis.renew_lease().await?;
        if self.settled != Some(stands) {
            for call in shared.write_back().await? {
                desk.came_back(call).await;
            }
            self.settled = Some(stands);
        }
        if !self.found_own {
            self.owed.extend(served(redis).await?);
            self.owed.sort_unstable();
            self.owed.dedup();
            self.found_own = true;
        }
        let since = match self.since {
            Some((before, since)) if before == stands => since,
            _ => self.since.insert((stands, Instant::now())).1,
        };
        if since.elapsed() >= Duration::from_millis(LEASE_MS) {
            self.owed.extend(redis.adopt().await?);
        }
        self.owed = await_legs(desk, std::mem::take(&mut self.owed)).await;
        Ok(())
    }

    /// Redis is gone.
    async fn go_on_alone(&mut self, desk: &Desk, shared: &SharedCalls) -> Result<(), StoreError> {
        if shared.redis().redis().falls_back() {
            shared.fall_back().await?;
            shared.tell_others_again().await?;
            self.owed = await_legs(desk, std::mem::take(&mut self.owed)).await;
        }
        Ok(())
    }
}

/// The calls that this process has served before it was started.
pub(crate) async fn served(shared: &RedisCalls) -> Result<Vec<CallId>, StoreError> {
    let mut all = Vec::new();
    loop {
        let page = shared.served(all.last().copied()).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// The legs of these calls have to come back; answers the calls in which that could not be noted.
pub(crate) async fn await_legs(desk: &Desk, calls: Vec<CallId>) -> Vec<CallId> {
    let (mut failed, count) = (Vec::new(), calls.len());
    for call in calls {
        match desk.change(call, Input::Restarted).await {
            Ok(_) => desk.meters.found(),
            Err(refusal) if refusal.code == ErrorCode::NotFound => {}
            Err(refusal) => {
                tracing::warn!(%call, %refusal, "a call was not taken over");
                failed.push(call);
            }
        }
    }
    if count > failed.len() {
        tracing::info!(calls = count - failed.len(), "calls were taken over");
    }
    failed
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

async fn listen(desk: &Desk, shared: &SharedCalls) {
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
    if let Err(error) = catch_up(desk).await {
        return tracing::warn!(%error, "live calls can't be read");
    }
    while let Some(call) = versions.next().await {
        shared.heard(&call).await;
        desk.heard(call);
    }
}

/// Reads all live calls, and what became of those that are not live any more.
pub(crate) async fn catch_up(desk: &Desk) -> Result<(), StoreError> {
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
            desk.heard(call);
        }
    }
    Ok(())
}
