//! The way of denials into the trail: bounded, merged, batched, and never in the way of who reports them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::metrics::counter;
use protocol::UserId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{AuditResult, Event, table};
use crate::store::{Store, WriteError};
use crate::telemetry::metrics;

/// A denial waits at most this long before it is written.
const INTERVAL: Duration = Duration::from_secs(1);

/// Different denials in one batch; the rest of a flood waits in the bounded queue or is only counted.
const BATCH_MAX: usize = 256;

/// The pause after a full batch: with [`BATCH_MAX`] it bounds what a flood can write to 1,024 rows a second.
const FULL_BATCH_PAUSE: Duration = Duration::from_millis(250);

/// Where denials are reported. Clones share it.
#[derive(Debug, Clone)]
pub struct Spool {
    sender: mpsc::Sender<Input>,
    overflow: Arc<AtomicU64>,
    service: &'static str,
}

enum Input {
    Denial(Box<Event>),
    Drain(oneshot::Sender<()>),
}

/// Denials that agree in this are one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sameness {
    user_id: Option<UserId>,
    client_ip: Option<IpAddr>,
    action: Cow<'static, str>,
    resource: Cow<'static, str>,
    reason: Option<Cow<'static, str>>,
    result: AuditResult,
}

impl Sameness {
    fn of(event: &Event) -> Self {
        Self {
            user_id: event.user_id,
            client_ip: event.client_ip,
            action: event.action.clone(),
            resource: event.resource.clone(),
            reason: event.reason.clone(),
            result: event.result,
        }
    }
}

impl Spool {
    /// Starts the spool of a store whose schema has the audit table; at most `capacity` denials wait in it.
    pub fn start(store: Store, capacity: usize) -> Self {
        for result in ["allowed", "denied", "failed"] {
            metrics::declare(store.service(), "audit_events_total", &[("result", result)]);
        }
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let overflow = Arc::new(AtomicU64::new(0));
        let service = store.service().as_str();
        // Under overload, when most is refused, the trail is worth most.
        let store = store.for_own_work();
        let work = Work { store, receiver, overflow: Arc::clone(&overflow), pending: HashMap::new() };
        tokio::spawn(work.run());
        Self { sender, overflow, service }
    }

    /// Reports a denial. Never waits; if the queue is full, the denial is only counted.
    pub fn report(&self, event: Event) {
        if self.sender.try_send(Input::Denial(Box::new(event))).is_err() {
            self.overflow.fetch_add(1, Ordering::Relaxed);
            counter!("audit_dropped_total", "service" => self.service).increment(1);
        }
    }

    /// Writes out what waits; called when the service drains.
    pub async fn drain(&self) {
        let (done, wait) = oneshot::channel();
        if self.sender.send(Input::Drain(done)).await.is_ok() {
            // An error means that the spool has ended, and with it what it held was written.
            let _ = wait.await;
        }
    }
}

struct Work {
    store: Store,
    receiver: mpsc::Receiver<Input>,
    overflow: Arc<AtomicU64>,
    pending: HashMap<Sameness, (Event, u64)>,
}

impl Work {
    async fn run(mut self) {
        loop {
            // No timer runs while there is nothing to write.
            let Some(input) = self.receiver.recv().await else {
                break;
            };
            let mut ended = !self.take(input).await;
            let due = Instant::now() + INTERVAL;
            while !ended && self.pending.len() < BATCH_MAX {
                match tokio::time::timeout_at(due, self.receiver.recv()).await {
                    Ok(Some(input)) => ended |= !self.take(input).await,
                    Ok(None) => ended = true,
                    Err(_) => break,
                }
            }
            let full = self.pending.len() >= BATCH_MAX;
            self.flush().await;
            if full {
                tokio::time::sleep(FULL_BATCH_PAUSE).await;
            }
        }
        self.flush().await;
    }

    /// Adds a denial, or drains; `false` when a drain was asked for, which ends the batch.
    async fn take(&mut self, input: Input) -> bool {
        match input {
            Input::Denial(event) => {
                self.merge(*event);
                true
            }
            Input::Drain(done) => {
                self.flush().await;
                let _ = done.send(());
                false
            }
        }
    }

    fn merge(&mut self, event: Event) {
        self.pending.entry(Sameness::of(&event)).or_insert((event, 0)).1 += 1;
    }

    async fn flush(&mut self) {
        let lost = self.overflow.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let event = Event::new("audit.overflow", "audit", AuditResult::Denied)
                .with_reason("more denials than could be recorded one by one");
            self.pending.insert(Sameness::of(&event), (event, lost));
        }
        if self.pending.is_empty() {
            return;
        }
        let batch: Vec<(Event, u64)> = self.pending.drain().map(|(_, row)| row).collect();
        let service = self.store.service();
        let rows = Arc::new(batch);
        let written = Arc::clone(&rows);
        let outcome = self
            .store
            .write("audit/append", move |tx| {
                for (event, count) in written.iter() {
                    table::insert(tx, event, *count)?;
                }
                tx.on_commit(move || {
                    for (event, count) in written.iter() {
                        event.log(service, *count);
                    }
                });
                Ok(())
            })
            .await;
        if let Err(error) = outcome {
            self.count_lost(&rows, &error);
        }
    }

    /// The store said no: what it did not take is counted in the row of the next interval.
    fn count_lost(&self, rows: &[(Event, u64)], error: &WriteError<rusqlite::Error>) {
        tracing::warn!(service = self.store.service().as_str(), %error, rows = rows.len(), "denials could not be recorded; they are counted in the next row");
        let lost: u64 = rows.iter().map(|(_, count)| count).sum();
        self.overflow.fetch_add(lost, Ordering::Relaxed);
        counter!("audit_dropped_total", "service" => self.store.service().as_str()).increment(lost);
    }
}
