//! Random use of a store and of the model side by side: after every act both say the same about everything.

use std::cell::Cell;

use proptest::prelude::*;
use protocol::Millis;
use protocol::calls::Media;
use protocol::limits::CALL_TTL_MS;

use super::super::{CallStore, OutputKey, Swapped};
use super::examples::{Example, call_id, client_id, conversation, device, joins, user};
use super::model::InMemory;
use super::{Home, T0};
use crate::machine::{CallState, Input, Machine};

const USERS: u128 = 5;
const CONVERSATIONS: u128 = 3;
const MANY: usize = 1_000;

/// Something that is done to both.
#[derive(Clone, Debug)]
enum Act {
    Create(Example),
    Swap { call: usize, what: What, stale: bool },
    ClaimDue(Millis, usize),
    ClaimOutputs(Millis, usize),
    Performed(usize),
    Postpone(usize, Millis),
    Seen(u128, u128),
    Forget(Millis, usize),
    Advance(Millis),
    Reopen,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug)]
enum What {
    Join(u128),
    Decline(u128),
    Leave(u128),
    Media(u128, bool),
    Lost(u128),
    End,
    Due,
}

fn what() -> impl Strategy<Value = What> {
    let who = || 0..USERS;
    prop_oneof![
        4 => who().prop_map(What::Join),
        2 => who().prop_map(What::Decline),
        3 => who().prop_map(What::Leave),
        1 => (who(), any::<bool>()).prop_map(|(n, on)| What::Media(n, on)),
        2 => who().prop_map(What::Lost),
        1 => Just(What::End),
        3 => Just(What::Due),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let create =
        (0_u128..40, 0..CONVERSATIONS, 0_u128..30, 0..USERS, 0..USERS, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(n, conversation, client_id, by, calls, direct, busy)| {
                Act::Create(Example { n, conversation, client_id, by, calls, direct, busy })
            });
    let time = || prop_oneof![0_u64..100, Just(1_000), Just(30_000), Just(45_000), Just(300_000)];
    prop_oneof![
        6 => create,
        12 => (any::<usize>(), what(), prop::bool::weighted(0.1)).prop_map(|(call, what, stale)| Act::Swap { call, what, stale }),
        3 => (time(), 1_usize..4).prop_map(|(lease, limit)| Act::ClaimDue(lease, limit)),
        4 => (time(), 1_usize..4).prop_map(|(lease, limit)| Act::ClaimOutputs(lease, limit)),
        4 => any::<usize>().prop_map(Act::Performed),
        1 => (any::<usize>(), time()).prop_map(|(nth, by)| Act::Postpone(nth, by)),
        3 => (0..USERS, 0_u128..40).prop_map(|(n, call)| Act::Seen(n, call)),
        1 => (time(), 0_usize..4).prop_map(|(age, limit)| Act::Forget(age, limit)),
        5 => time().prop_map(Act::Advance),
        1 => Just(Act::Advance(CALL_TTL_MS)),
        1 => Just(Act::Reopen),
    ]
}

/// The store and the model.
struct Both<H> {
    home: H,
    model: InMemory,
    /// Every call that was created.
    calls: Vec<u128>,
    /// Every output that was ever leased.
    leased: Vec<OutputKey>,
}

impl<H: Home> Both<H> {
    async fn new(last: Option<H>) -> Self {
        let home = match last {
            Some(last) => last.anew().await,
            None => H::new().await,
        };
        Self { home, model: InMemory::new().await, calls: Vec::new(), leased: Vec::new() }
    }

    async fn act(mut self, act: Act) -> Self {
        let (real, model) = (self.home.store(), self.model.store());
        match act {
            // The server never gives an id twice.
            Act::Create(example) if self.calls.contains(&example.n) => {}
            Act::Create(example) => {
                let (call, outputs) = example.at(model.now().await.unwrap());
                assert_eq!(real.create(&call, &outputs).await, model.create(&call, &outputs).await);
                self.calls.push(example.n);
            }
            Act::Swap { call, what, stale } => self.swap(call, what, stale).await,
            Act::ClaimDue(lease, limit) => {
                assert_eq!(real.claim_due(lease, limit).await, model.claim_due(lease, limit).await);
            }
            Act::ClaimOutputs(lease, limit) => {
                let claimed = real.claim_outputs(lease, limit).await;
                assert_eq!(claimed, model.claim_outputs(lease, limit).await);
                self.leased.extend(claimed.unwrap().iter().map(|pending| pending.key));
            }
            Act::Performed(nth) => {
                if let Some(key) = pick(&self.leased, nth) {
                    assert_eq!(real.performed(key).await, model.performed(key).await);
                }
            }
            Act::Postpone(nth, by) => {
                if let Some(key) = pick(&self.leased, nth) {
                    assert_eq!(real.postpone(key, by).await, model.postpone(key, by).await);
                }
            }
            Act::Seen(n, call) => {
                let (user, call) = (user(n), call_id(call));
                assert_eq!(real.seen(user, call).await, model.seen(user, call).await);
            }
            Act::Forget(age, limit) => {
                let before = model.now().await.unwrap() - age;
                assert_eq!(real.forget(before, limit).await, model.forget(before, limit).await);
            }
            Act::Advance(ms) => {
                self.home.advance(ms);
                self.model.advance(ms);
            }
            Act::Reopen => self.home = self.home.reopen().await,
        }
        self
    }

    async fn swap(&self, nth: usize, what: What, stale: bool) {
        let (real, model) = (self.home.store(), self.model.store());
        let Some(call) = pick(&self.calls, nth) else { return };
        let Some(call) = model.load(call_id(call)).await.unwrap() else { return };
        let Some(input) = what.input(&call) else { return };
        let Ok((next, outcome)) = Machine::handle(&call, model.now().await.unwrap(), input) else { return };
        if next.version == call.version {
            return;
        }
        let expected = if stale { call.version - 1 } else { call.version };
        let swapped = real.swap(expected, &next, &outcome.outputs).await;
        assert_eq!(swapped, model.swap(expected, &next, &outcome.outputs).await);
        assert_eq!(swapped, Ok(if stale { Swapped::Changed } else { Swapped::Done }));
    }

    async fn say_the_same(&self) {
        let (real, model) = (self.home.store(), self.model.store());
        let now = model.now().await;
        assert_eq!(real.now().await, now);
        assert_eq!(real.next_due().await, model.next_due().await);
        assert_eq!(real.next_output().await, model.next_output().await);
        assert_eq!(real.live(None, MANY).await, model.live(None, MANY).await);
        assert_eq!(real.over_since(T0, MANY).await, model.over_since(T0, MANY).await);
        let lately = now.unwrap() - 10_000;
        assert_eq!(real.over_since(lately, 2).await, model.over_since(lately, 2).await);
        for n in 0..CONVERSATIONS {
            assert_eq!(real.live_in(conversation(n)).await, model.live_in(conversation(n)).await);
        }
        let users: Vec<_> = (0..=USERS).map(user).collect();
        for except in [None, self.calls.last().copied().map(call_id)] {
            assert_eq!(real.busy(&users, except).await, model.busy(&users, except).await);
        }
        for user in users {
            let all = real.history(user, None, MANY).await;
            assert_eq!(all, model.history(user, None, MANY).await);
            let before = all.unwrap().records.first().map(|record| record.call);
            assert_eq!(real.history(user, before, 1).await, model.history(user, before, 1).await);
            assert_eq!(real.missed(user).await, model.missed(user).await);
        }
    }

    /// What live and over calls don't show: those that were forgotten, and what names them.
    async fn remember_the_same(&self) {
        let (real, model) = (self.home.store(), self.model.store());
        for n in &self.calls {
            assert_eq!(real.load(call_id(*n)).await, model.load(call_id(*n)).await);
        }
        for n in 0..USERS {
            for id in 0..30 {
                let (user, client_id) = (user(n), client_id(id));
                assert_eq!(real.started(user, client_id).await, model.started(user, client_id).await);
            }
        }
    }
}

impl What {
    fn input(self, call: &CallState) -> Option<Input> {
        let epoch = |n| call.parts.get(&user(n)).and_then(|part| part.leg).map(|leg| leg.epoch);
        Some(match self {
            Self::Join(n) => joins(n),
            Self::Decline(n) => Input::Decline { user: user(n) },
            Self::Leave(n) => Input::Leave { user: user(n), epoch: epoch(n)? },
            Self::Media(n, audio) => {
                Input::Media { user: user(n), epoch: epoch(n)?, media: Media { audio, ..Media::default() } }
            }
            Self::Lost(n) => Input::Lost { connection: device(n).connection },
            Self::End => Input::End { by: call.host },
            Self::Due => Input::Due,
        })
    }
}

fn pick<T: Copy>(all: &[T], nth: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[nth % all.len()])
}

/// Runs random acts.
pub(crate) fn it_does_what_the_model_does<H: Home>() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    let last = Cell::new(None);
    proptest!(config, |(acts in prop::collection::vec(act(), 1..60))| {
        runtime.block_on(async {
            let mut both = Both::<H>::new(last.take()).await;
            for act in acts {
                both = both.act(act).await;
                both.say_the_same().await;
            }
            both.remember_the_same().await;
            last.set(Some(both.home));
        });
    });
}
