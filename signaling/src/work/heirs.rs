//! The lease by which others know that this process lives, and the calls of those that don't any more: who follows in them awaits their legs.

use std::time::Duration;

use protocol::{CallId, ErrorCode, Millis};
use runtime::redis::Standing;
use tokio::time::{Instant, MissedTickBehavior};

use crate::desk::Desk;
use crate::machine::Input;
use crate::store::{LEASE_MS, SharedCalls, StoreError};

/// How often the lease is renewed, and silent processes are looked for.
const RENEW_EVERY: Duration = Duration::from_millis(500);
/// How far back what a silent process ended may not have been told: for longer than it takes to be followed, however busy the heir is.
const UNTOLD_MS: Millis = 30_000;

pub(super) async fn keep_lease(desk: &Desk, shared: &SharedCalls, found: Vec<CallId>) {
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
    /// Whether calls were taken over when nobody answered which.
    unanswered: bool,
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
            self.owed.extend(redis.all_served().await?);
            self.owed.sort_unstable();
            self.owed.dedup();
            self.found_own = true;
        }
        let since = match self.since {
            Some((before, since)) if before == stands => since,
            _ => self.since.insert((stands, Instant::now())).1,
        };
        if self.unanswered {
            self.owed.extend(shared.given_unheard().await?);
            self.unanswered = false;
        }
        if since.elapsed() >= Duration::from_millis(LEASE_MS) {
            let followed = follow_the_silent(desk, shared).await;
            self.unanswered = followed.is_err();
            self.owed.extend(followed?);
        }
        self.owed = await_legs(desk, shared, std::mem::take(&mut self.owed)).await;
        Ok(())
    }

    /// Redis is gone.
    async fn go_on_alone(&mut self, desk: &Desk, shared: &SharedCalls) -> Result<(), StoreError> {
        if shared.redis().redis().falls_back() {
            shared.fall_back().await?;
            shared.tell_others_again().await?;
            self.owed = await_legs(desk, shared, std::mem::take(&mut self.owed)).await;
        }
        Ok(())
    }
}

/// Takes over calls of processes that have fallen silent, some at once. What such a process wrote last it may not have told any more: devices hear all of
/// it again, and first, because afterwards nothing says that the process was there.
pub(crate) async fn follow_the_silent(desk: &Desk, shared: &SharedCalls) -> Result<Vec<CallId>, StoreError> {
    let silent = shared.redis().silent().await?;
    if silent.is_empty() {
        return Ok(Vec::new());
    }
    desk.restate_all(UNTOLD_MS).await?;
    shared.redis().adopt(&silent).await
}

/// The legs of these calls have to come back; answers the calls in which that could not be noted.
pub(crate) async fn await_legs(desk: &Desk, shared: &SharedCalls, calls: Vec<CallId>) -> Vec<CallId> {
    let (mut failed, count) = (Vec::new(), calls.len());
    for call in calls {
        match desk.change(call, Input::Restarted).await {
            Ok(changed) if changed.call.status.is_over() => {}
            Ok(_) => shared.took_over(call),
            Err(refusal) if refusal.code == ErrorCode::NotFound => {}
            Err(refusal) => {
                tracing::warn!(%call, %refusal, "a call was not taken over");
                failed.push(call);
            }
        }
    }
    desk.count();
    if count > failed.len() {
        tracing::info!(calls = count - failed.len(), "calls were taken over");
    }
    failed
}
