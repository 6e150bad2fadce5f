//! Looks after the connection: makes it, looks whether it lives, makes it again.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::handle::{Live, Shared};
use super::health::Standing;
use super::lua::Lua;
use crate::lifecycle::Shutdown;

/// How often a quiet connection is looked at: a frozen Redis is found by its users at once and by this otherwise.
const PROBE_EVERY: Duration = Duration::from_millis(500);
/// The first wait before another try, and the longest. Each process waits for a random part more, so that they don't come back at once.
const WAIT_FIRST: Duration = Duration::from_millis(50);
const WAIT_MAX: Duration = Duration::from_millis(800);

/// Whose life it is: another answer than before means that Redis was emptied.
static LIFE: Lua = crate::lua!("life", "life.lua");

/// Nothing is pushed on the connection of the commands.
type NoPush = fn(redis::PushInfo) -> Result<(), std::convert::Infallible>;

/// Runs until the service stops.
pub(super) async fn supervise(shared: Arc<Shared>, shutdown: Shutdown) {
    tokio::select! {
        () = keep(&shared) => {}
        () = shutdown.stopped() => {}
    }
}

async fn keep(shared: &Arc<Shared>) {
    let mut generation = 0;
    let mut wait = WAIT_FIRST;
    loop {
        match shared.connector.connect(None::<NoPush>).await {
            Ok(connection) => {
                shared.meters.connected(1.0);
                let live = Live::new(connection);
                if let Some(life) = ask_life(shared, &live).await {
                    wait = WAIT_FIRST;
                    shared.live.store(Some(Arc::clone(&live)));
                    look_after(shared, &live, life, &mut generation).await;
                }
                shared.meters.connected(-1.0);
            }
            Err(error) => tracing::debug!(%error, "no connection to Redis"),
        }
        let longer = wait.mul_f64(rand::random_range(0.0..1.0));
        tokio::time::sleep(wait + longer).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}

/// Returns when the connection was given up.
async fn look_after(shared: &Arc<Shared>, live: &Arc<Live>, mut life: String, generation: &mut u64) {
    *generation += 1;
    shared.stands(Standing::Up { generation: *generation });
    tracing::info!("Redis answers");
    loop {
        tokio::select! {
            () = shared.broken.notified() => {}
            () = tokio::time::sleep(PROBE_EVERY) => {}
        }
        let is_present = |present: &Arc<Live>| Arc::ptr_eq(present, live);
        if !shared.live.load().as_ref().is_some_and(is_present) {
            return tracing::warn!("Redis does not answer; the service goes on by itself");
        }
        if let Some(now) = ask_life(shared, live).await
            && now != life
        {
            tracing::warn!("Redis was emptied; what is held of it is written back");
            life = now;
            *generation += 1;
            shared.stands(Standing::Up { generation: *generation });
        }
    }
}

async fn ask_life(shared: &Arc<Shared>, live: &Arc<Live>) -> Option<String> {
    let mut invocation = LIFE.script.prepare_invoke();
    invocation.key(&shared.life_key).arg(Uuid::new_v4().to_string());
    shared.ask(live, LIFE.name, async |mut connection| invocation.invoke_async(&mut connection).await).await.ok()
}
