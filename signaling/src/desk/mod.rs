//! The one path of every change: load, ask the machine, swap, tell.
//!
//! Changes of one call are made one after another in this process, so that its versions are told in their order; against other processes
//! the store's compare-and-set decides. Whoever loses reads what won and asks the machine again.

mod live;
mod share;
pub(crate) mod tell;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use link::{Publisher, Refusal, Service};
use protocol::calls::Ice;
use protocol::{CallId, ErrorCode, ID_END_BYTES, Millis, UserId};
use tokio::sync::{Mutex, MutexGuard, Notify};

pub(crate) use live::Live;

use crate::config::Config;
use crate::ice::Relay;
use crate::machine::{CallState, Input, Machine, Outcome};
use crate::meters::Meters;
use crate::refuse;
use crate::signals::Mailboxes;
use crate::store::{CallStore, Created, SharedCalls, Swapped};
use crate::watch::Connections;

/// How many locks the calls are spread over.
const LOCKS: usize = 64;
/// So often a change that was overtaken is judged again before the client is told to repeat it.
const TRIES: usize = 16;

/// Everything that a change of a call touches.
pub(crate) struct Desk {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn CallStore>,
    /// Where other processes know of the same calls.
    pub(crate) shared: Option<Arc<SharedCalls>>,
    pub(crate) chat: Arc<dyn Service>,
    pub(crate) relay: Option<Relay>,
    pub(crate) live: Arc<Live>,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) connections: Connections,
    pub(crate) publisher: Publisher,
    pub(crate) meters: Meters,
    /// A deadline may have come nearer.
    pub(crate) deadlines: Notify,
    /// Outputs wait.
    pub(crate) outputs: Notify,
    /// Somebody's membership could not be asked for or its end not be noted: everyone is looked at once more.
    pub(crate) unsure: AtomicBool,
    /// The newest version of any `calls:<user>`.
    index_version: std::sync::atomic::AtomicU64,
    turns: Box<[Mutex<()>]>,
    /// Those to pass a signal on: no signal waits for a change.
    turns_to_signal: Box<[Mutex<()>]>,
}

/// What the desk is made from.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn CallStore>,
    pub(crate) shared: Option<Arc<SharedCalls>>,
    pub(crate) live: Arc<Live>,
    pub(crate) chat: Arc<dyn Service>,
    pub(crate) relay: Option<Relay>,
}

/// What became of a change.
#[derive(Debug)]
pub(crate) struct Changed {
    /// The call as it stands now.
    pub(crate) call: Arc<CallState>,
    /// What followed.
    pub(crate) outcome: Outcome,
}

impl Desk {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { config, store, shared, live, chat, relay } = parts;
        Self {
            publisher: Publisher::new(config.hints_max),
            config,
            store,
            shared,
            chat,
            relay,
            live,
            mailboxes: Mailboxes::default(),
            connections: Connections::default(),
            meters: Meters::new(),
            deadlines: Notify::new(),
            outputs: Notify::new(),
            unsure: AtomicBool::new(false),
            index_version: std::sync::atomic::AtomicU64::new(0),
            turns: locks(),
            turns_to_signal: locks(),
        }
    }

    /// The turn to change a call.
    async fn turn(&self, call: CallId) -> MutexGuard<'_, ()> {
        self.turns[lock_of(call)].lock().await
    }

    /// The turn to pass a signal of a call on: whoever asks first has it first, also where many ask at once, so nobody is sent away for having asked
    /// much.
    pub(crate) async fn turn_to_signal(&self, call: CallId) -> MutexGuard<'_, ()> {
        tokio::task::unconstrained(self.turns_to_signal[lock_of(call)].lock()).await
    }

    /// A call, from memory while it goes on.
    pub(crate) async fn load(&self, id: CallId) -> Result<Arc<CallState>, Refusal> {
        if let Some(call) = self.live.get(id) {
            return Ok(call);
        }
        let call = self.store.load(id).await.map_err(refuse::of_store)?;
        call.map(Arc::new).ok_or_else(|| self.unknown())
    }

    /// Something happens to a call.
    pub(crate) async fn change(&self, id: CallId, input: Input) -> Result<Changed, Refusal> {
        let _turn = self.turn(id).await;
        let mut before = self.load(id).await?;
        // Where others write too, what memory refuses may be right by now, and what it has behind it may have to be done.
        let mut sure = self.shared.is_none();
        for _ in 0..TRIES {
            let now = self.store.now().await.map_err(refuse::of_store)?;
            // After the store was asked: by then it is known whether it is the shared one.
            if input.happens_by_itself() && !self.decides(id).await {
                return Ok(Changed { call: before, outcome: Outcome::default() });
            }
            let judged = Machine::handle(&before, now, input);
            let changes = judged.as_ref().is_ok_and(|(after, _)| after.version != before.version);
            if !changes && !std::mem::replace(&mut sure, true) {
                before = self.read_again(id).await?;
                continue;
            }
            let (after, outcome) = judged.map_err(refuse::of_machine)?;
            if !changes {
                return Ok(Changed { call: before, outcome });
            }
            match self.store.swap(before.version, &after, &outcome.outputs).await {
                Ok(Swapped::Done) => return Ok(self.settle(Some(&before), after, outcome)),
                Ok(Swapped::Changed) => before = self.read_again(id).await?,
                Err(error) => {
                    if error.code == ErrorCode::OutcomeUnknown {
                        self.find_out(&before).await;
                    }
                    return Err(refuse::of_store(error));
                }
            }
        }
        Err(Refusal::of(ErrorCode::Overloaded).after(1_000))
    }

    /// What is asked of a call, of memory first. Where others write too, what memory denies is asked of the store.
    pub(crate) async fn ask<T>(
        &self,
        id: CallId,
        ask: impl Fn(&Arc<CallState>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let call = self.load(id).await?;
        let denied = match ask(&call) {
            Err(denied) if self.shared.is_some() => denied,
            answer => return answer,
        };
        let newer = self.read_again(id).await?;
        if newer.version == call.version { Err(denied) } else { ask(&newer) }
    }

    /// What another process made of it.
    async fn read_again(&self, id: CallId) -> Result<Arc<CallState>, Refusal> {
        let call = self.store.load(id).await.map_err(refuse::of_store)?;
        let call = call.map(Arc::new).ok_or_else(|| self.unknown())?;
        self.live.put(&call);
        Ok(call)
    }

    /// Nobody knows whether a version was written: if it was, it is told like any other.
    async fn find_out(&self, before: &CallState) {
        if let Ok(Some(call)) = self.store.load(before.id).await
            && call.version > before.version
        {
            self.settle(Some(before), call, Outcome::default());
        }
    }

    /// A new call, unless its conversation has one or the client has started it before: then that one's id.
    pub(crate) async fn create(&self, call: CallState, outcome: Outcome) -> Result<Result<Changed, CallId>, Refusal> {
        let _turn = self.turn(call.id).await;
        match self.store.create(&call, &outcome.outputs).await.map_err(refuse::of_store)? {
            Created::Done => Ok(Ok(self.settle(None, call, outcome))),
            Created::Before(other) | Created::Taken(other) => Ok(Err(other)),
        }
    }

    /// A version is in the store: everyone hears of it.
    fn settle(&self, before: Option<&CallState>, after: CallState, outcome: Outcome) -> Changed {
        let call = Arc::new(after);
        self.live.put(&call);
        if let Some(before) = before {
            self.end_legs(before, &call);
        }
        self.tell(&call, &outcome);
        self.meters.version(before, &call, &outcome);
        self.count();
        if call.deadline() != before.and_then(CallState::deadline) {
            self.deadlines.notify_one();
        }
        if !outcome.outputs.is_empty() {
            self.outputs.notify_one();
        }
        Changed { call, outcome }
    }

    /// What legs held that are not there any more: their mailboxes and their TURN credentials.
    fn end_legs(&self, before: &CallState, after: &CallState) {
        for (user, part) in before.parts.iter().filter(|(_, part)| part.status.is_in()) {
            let Some(leg) = part.leg else { continue };
            let now = after.parts.get(user);
            let is_in = now.is_some_and(|part| part.status.is_in());
            if is_in && now.and_then(|part| part.leg).is_some_and(|now| now.epoch == leg.epoch) {
                continue;
            }
            if !is_in {
                self.mailboxes.close(after.id, *user);
            }
            if let Some(relay) = &self.relay {
                relay.end(after.id, *user, leg.epoch);
            }
        }
    }

    /// What a leg's peer connections are given.
    pub(crate) fn ice(&self, call: CallId, user: UserId, epoch: u64, now: Millis) -> Ice {
        self.relay.as_ref().map_or_else(Ice::default, |relay| relay.grant(call, user, epoch, now))
    }

    /// A version for a register of a user.
    fn next_index_version(&self, now: u64) -> u64 {
        use std::sync::atomic::Ordering::Relaxed;
        let next = |last: u64| now.max(last + 1);
        let last = self.index_version.fetch_update(Relaxed, Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_default())
    }
}

fn locks() -> Box<[Mutex<()>]> {
    (0..LOCKS).map(|_| Mutex::default()).collect()
}

/// Ids of calls end as those of their conversations do, and many of them here may end alike: what is random stands before.
fn lock_of(call: CallId) -> usize {
    (call.0.as_u128() >> (8 * ID_END_BYTES)) as usize % LOCKS
}
