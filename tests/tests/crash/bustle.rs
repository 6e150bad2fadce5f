//! People who call each other, answer and hang up, all the time and whatever dies meanwhile: a process is killed between any two steps of a call.
//!
//! They repeat what was not answered, as clients do. Each call that they begin rings, is over for both, and leaves one record.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use harness::calls::{audio, status};
use harness::{Person, Phone, World, wait};
use protocol::calls::{CallStatus, Joined};
use protocol::{CallId, ConversationId, ErrorCode};
use serde_json::json;
use tokio::time::Instant;

const PAIRS: usize = 3;
/// Between two steps of a call: a kill comes in the middle of one.
const STEP: Duration = Duration::from_millis(50);

/// All of them.
pub(super) struct Bustle(Vec<Pair>);

/// Two people, and the calls that they had.
struct Pair {
    people: [Person; 2],
    conversation: ConversationId,
    calls: Vec<CallId>,
}

impl Bustle {
    pub(super) async fn of_people_in(world: &World) -> Self {
        let mut pairs = Vec::new();
        for number in 0..PAIRS {
            let people = world.people([&*format!("kim{number}"), &*format!("lea{number}")]).await;
            let conversation = people[0].direct(&people[1]).await;
            pairs.push(Pair { people, conversation, calls: Vec::new() });
        }
        Self(pairs)
    }

    /// They call each other while something else is done.
    pub(super) async fn while_done<T>(&mut self, done: impl Future<Output = T>) -> T {
        let enough = Cell::new(false);
        let done = async {
            let result = done.await;
            enough.set(true);
            result
        };
        let calls = join_all(self.0.iter_mut().map(|pair| pair.call_until(&enough)));
        tokio::join!(done, calls).0
    }

    /// Nothing is left of their calls but the records; answers how many they were.
    pub(super) async fn left_its_records(&self) -> usize {
        for pair in &self.0 {
            pair.left_its_records().await;
        }
        self.0.iter().map(|pair| pair.calls.len()).sum()
    }
}

impl Pair {
    async fn call_until(&mut self, enough: &Cell<bool>) {
        let mut phones = [Phone::of(&self.people[0]).await, Phone::of(&self.people[1]).await];
        while !enough.get() {
            let call = self.call_once(&mut phones).await;
            self.calls.push(call);
        }
    }

    async fn call_once(&self, [caller, callee]: &mut [Phone; 2]) -> CallId {
        let start = audio();
        let started: Joined = persistently(async || caller.start(self.conversation, &start).await).await;
        let (call, user) = (started.call.id, self.people[1].id);
        callee.sees(call, "a ring", |call| status(call, user).is_some_and(|status| status.is_called())).await;
        step().await;
        persistently(async || callee.try_join(call).await).await;
        step().await;
        let leave = json!({ "epoch": started.epoch });
        persistently(async || match caller.on(call, "call.leave", leave.clone()).await {
            // The first answer was lost.
            Err(ErrorCode::CallOver) => Ok(()),
            answer => answer.map(|_| ()),
        })
        .await;
        for phone in [caller, callee] {
            phone.sees_end(call, CallStatus::Ended).await;
        }
        step().await;
        call
    }

    async fn left_its_records(&self) {
        let [caller, callee] = &self.people;
        let recorded = wait::until("a record of each call", async || {
            let recorded: Vec<CallId> =
                caller.records(self.conversation).await.iter().map(|record| record.call).collect();
            (recorded.len() >= self.calls.len()).then_some(recorded)
        })
        .await;
        let mut sorted = recorded;
        sorted.sort_unstable();
        assert_eq!(sorted, self.calls, "each has one");
        assert_eq!(callee.calls().await.missed, 0);
    }
}

async fn step() {
    wait::for_the_moment(Instant::now() + STEP).await;
}

/// Repeats what is refused because a process is gone.
async fn persistently<T>(mut ask: impl AsyncFnMut() -> Result<T, ErrorCode>) -> T {
    wait::until("an answer", async || match ask().await {
        Ok(answer) => Some(answer),
        Err(ErrorCode::Unavailable | ErrorCode::OutcomeUnknown | ErrorCode::Timeout | ErrorCode::Overloaded) => None,
        Err(code) => panic!("{code:?}"),
    })
    .await
}
