//! The workers: one forgets what has expired, one watches whether the store answers.

use std::sync::Arc;
use std::time::Duration;

use link::{Context, Refusal};
use protocol::Millis;
use runtime::audit;
use rusqlite::{Connection, params};

use crate::keys;
use crate::open::Host;
use crate::sql::number;
use crate::state::State;
use crate::stop::Stop;

/// How often what has expired is forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// How often the store is asked whether it answers.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// Rows of a table that one transaction deletes at most, so that it never holds up the writer.
const ROWS_MAX: u32 = 1_000;
/// For how long a registration's idempotency key is remembered.
pub(crate) const REGISTRATION_MS: Millis = 24 * 60 * 60 * 1_000;
const DAY_MS: Millis = 24 * 60 * 60 * 1_000;

/// Starts the workers; they end with the process's last phase, after what waits is written.
pub(crate) fn start(state: &Arc<State>, host: &Host) {
    let (tidying, shutdown) = (Arc::clone(state), host.shutdown.clone());
    host.tasks.spawn("auth tidy", async move {
        let mut tick = tokio::time::interval(TIDY_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.stopped() => break,
                _ = tick.tick() => {
                    if let Err(refusal) = tidy(&tidying).await {
                        tracing::warn!(%refusal, "what has expired was not removed; tried again in a minute");
                    }
                }
            }
        }
        tidying.spool.drain().await;
        tidying.store.close().await;
    });
    let (probing, shutdown) = (Arc::clone(state), host.shutdown.clone());
    let store = host.readiness.dependency("store", true);
    host.tasks.spawn("auth probe", async move {
        let mut tick = tokio::time::interval(PROBE_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                _ = tick.tick() => match probing.read_own("accounts/probe", probe).await {
                    Ok(()) => store.up(),
                    Err(refusal) => store.down(refusal.to_string()),
                }
            }
        }
    });
}

fn probe(store: &Connection) -> Result<(), Stop> {
    Ok(store.prepare_cached("SELECT newest FROM revocation_head")?.query_row([], |_| Ok(()))?)
}

/// Forgets what has expired.
pub(crate) async fn tidy(state: &Arc<State>) -> Result<(), Refusal> {
    while state
        .write("sessions/expire", &Context::internal(), |desk| {
            let known_ms = Millis::from(desk.state.config.lockout.known_days) * DAY_MS;
            let now = desk.now;
            let mut most = 0;
            for (sql, before) in [
                ("DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE expires_at <= ?1 LIMIT ?2)", now),
                ("DELETE FROM revocations WHERE number IN (SELECT number FROM revocations WHERE until <= ?1 LIMIT ?2)", now),
                ("DELETE FROM tallies WHERE subject IN (SELECT subject FROM tallies WHERE forget_at <= ?1 LIMIT ?2)", now),
                ("DELETE FROM places WHERE (account, network) IN (SELECT account, network FROM places WHERE seen_at < ?1 LIMIT ?2)",
                    now.saturating_sub(known_ms)),
                ("DELETE FROM registrations WHERE key IN (SELECT key FROM registrations WHERE at <= ?1 LIMIT ?2)",
                    now.saturating_sub(REGISTRATION_MS)),
            ] {
                let gone = desk.tx.prepare_cached(sql)?.execute(params![number(before), ROWS_MAX])?;
                most = most.max(gone);
            }
            most = most.max(audit::expire(desk.tx, u64::from(desk.state.config.audit_days))?);
            Ok(most >= ROWS_MAX as usize)
        })
        .await?
    {}
    drop_spent_keys(state).await
}

async fn drop_spent_keys(state: &Arc<State>) -> Result<(), Refusal> {
    let spent = state.ring().spent(state.clock.now());
    if spent.is_empty() {
        return Ok(());
    }
    state
        .write("signing_keys/expire", &Context::internal(), move |desk| {
            keys::drop_spent(desk.tx, &spent)?;
            for kid in &spent {
                desk.audit("key.remove", format!("key:{kid}"), None)?;
            }
            desk.use_stored_keys()
        })
        .await
}
