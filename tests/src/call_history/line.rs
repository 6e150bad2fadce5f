//! A device in calls on the client core, recorded: it reconnects by itself, and its leg comes back on every new connection, as an app's does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use client::core::Event;
use client::{Client, CommandError, Config, Events};
use parking_lot::Mutex;
use protocol::calls::{
    CALL_STATE, CALLS_INDEX, Call, CallIndex, DescriptionType, JoinCall, Joined, LegRef, ParticipantStatus, SendSignal,
};
use protocol::{CallId, ConversationId, ErrorCode, UserId};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::fact::{Asked, Device, Fact, Outcome, Verb, now};
use crate::calls::{audio, description, microphone};

/// What a device knows at a time.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The newest version of each call that it was told or answered.
    pub calls: BTreeMap<CallId, Call>,
    /// Of those that go on by these: which do not, by the index of what does.
    pub closed: BTreeSet<CallId>,
    /// How often it was connected.
    pub connections: u64,
    /// The leg that it holds.
    pub leg: Option<(CallId, u64)>,
}

/// A device.
#[derive(Clone)]
pub struct Line {
    client: Client,
    user: UserId,
    name: String,
    known: Arc<watch::Sender<Known>>,
    facts: Arc<Mutex<Vec<Fact>>>,
}

impl Line {
    /// Connects.
    #[must_use]
    pub fn connect(user: UserId, name: impl Into<String>, config: Config) -> Self {
        let (client, events) = Client::connect(config);
        let known = Arc::new(watch::Sender::default());
        let line = Self { client, user, name: name.into(), known, facts: Arc::default() };
        tokio::spawn(line.clone().hear(events));
        tokio::spawn(line.clone().come_back_again_and_again());
        line
    }

    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What it knows, now and later.
    #[must_use]
    pub fn known(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }

    /// The network drops, and comes back.
    pub async fn breaks(&self) {
        self.client.break_line().await;
    }

    /// What was recorded of it.
    #[must_use]
    pub fn recorded(&self) -> Device {
        Device { user: self.user, name: self.name.clone(), facts: self.facts.lock().clone() }
    }

    /// The end of the device; its leg is not held any more.
    pub async fn stop(self) {
        self.hold(None);
        self.client.stop().await;
    }

    /// `call.start`
    pub async fn start(&self, conversation: ConversationId) -> Outcome {
        let body = audio();
        let verb = Verb::Start { conversation, client_id: body.client_id };
        self.come_in(verb, "call.start", conversation.to_string(), &body).await
    }

    /// `call.join` with a new leg.
    pub async fn join(&self, call: CallId) -> Outcome {
        let join = JoinCall { media: microphone(), ..JoinCall::default() };
        self.come_in(Verb::Join { call }, "call.join", call.to_string(), &join).await
    }

    /// `call.decline`
    pub async fn decline(&self, call: CallId) -> Outcome {
        self.changes(Verb::Decline { call }, "call.decline", call, json!({})).await
    }

    /// `call.leave`
    pub async fn leave(&self, call: CallId, epoch: u64) -> Outcome {
        self.hold(None);
        self.changes(Verb::Leave { call, epoch }, "call.leave", call, json!({ "epoch": epoch })).await
    }

    /// `call.get`
    pub async fn get(&self, call: CallId) -> Outcome {
        self.changes(Verb::Get { call }, "call.get", call, json!({})).await
    }

    /// `call.signal`, an offer.
    pub async fn signal(&self, call: CallId, epoch: u64, to: LegRef) -> Outcome {
        let offer = Some(description(DescriptionType::Offer));
        let signal = SendSignal { epoch, to, description: offer, candidates: Vec::new() };
        let done = |_: Value| Outcome::Done;
        self.ask(Verb::Signal { call, epoch }, "call.signal", call.to_string(), &signal, done).await
    }

    async fn changes(&self, verb: Verb, name: &'static str, call: CallId, body: Value) -> Outcome {
        let stands = |call: Call| Outcome::Stands { call: Box::new(call), epoch: None };
        self.ask(verb, name, call.to_string(), &body, stands).await
    }

    async fn come_in(&self, verb: Verb, name: &'static str, to: String, body: &impl Serialize) -> Outcome {
        let stands = |joined: Joined| Outcome::Stands { call: Box::new(joined.call), epoch: joined.epoch };
        let outcome = self.ask(verb, name, to, body, stands).await;
        if let Outcome::Stands { call, epoch: Some(epoch) } = &outcome {
            self.hold(Some((call.id, *epoch)));
        }
        outcome
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        verb: Verb,
        name: &'static str,
        to: String,
        body: &impl Serialize,
        done: impl FnOnce(T) -> Outcome,
    ) -> Outcome {
        let began = now();
        let outcome = match self.client.call(name, Some(to), body).await {
            Ok(answer) => done(answer),
            Err(CommandError::Refused { error, uncertain: false }) if !is_unknown(error.code) => {
                Outcome::Refused(error.code)
            }
            Err(_) => Outcome::Unknown,
        };
        let asked = Asked { began, ended: now(), verb, outcome: outcome.clone() };
        self.facts.lock().push(Fact::Asked(asked));
        if let Outcome::Stands { call, .. } = &outcome {
            self.learn(call);
        }
        outcome
    }

    fn hold(&self, leg: Option<(CallId, u64)>) {
        self.known.send_modify(|known| known.leg = leg);
    }

    fn learn(&self, call: &Call) {
        self.known.send_modify(|known| {
            let newest = known.calls.entry(call.id).or_insert_with(|| call.clone());
            if newest.version < call.version {
                *newest = call.clone();
            }
            known.closed.remove(&call.id);
        });
    }

    async fn hear(self, mut events: Events) {
        while let Some(event) = events.recv().await {
            match event {
                Event::Connected(_) => self.known.send_modify(|known| known.connections += 1),
                Event::Register { name, body, .. } if name == CALL_STATE => {
                    let call: Call = serde_json::from_str(body.get()).expect("a call");
                    self.learn(&call);
                    self.facts.lock().push(Fact::Told { at: now(), call: Box::new(call) });
                }
                Event::Register { name, body, .. } if name == CALLS_INDEX => {
                    let index: CallIndex = serde_json::from_str(body.get()).expect("an index");
                    self.known.send_modify(|known| known.only_these(&index.live));
                }
                _ => {}
            }
        }
    }

    /// For as long as it holds a leg: on every new connection, and whenever it is told that it is awaited.
    async fn come_back_again_and_again(self) {
        let mut known = self.known();
        let (mut connections, mut held) = (0, None);
        while known.changed().await.is_ok() {
            let (now, leg, awaited) = {
                let known = known.borrow_and_update();
                (known.connections, known.leg, known.is_awaited(self.user))
            };
            let is_new = leg != held;
            held = leg;
            let again = std::mem::replace(&mut connections, now) != now;
            let Some((call, epoch)) = leg.filter(|_| !is_new && (again || awaited)) else { continue };
            let join = JoinCall { epoch: Some(epoch), heard: 0, media: microphone() };
            let verb = Verb::ComeBack { call, epoch };
            let stands = |joined: Joined| Outcome::Stands { call: Box::new(joined.call), epoch: joined.epoch };
            if let Outcome::Refused(_) = self.ask(verb, "call.join", call.to_string(), &join, stands).await {
                self.known.send_if_modified(|known| known.leg.take_if(|leg| *leg == (call, epoch)).is_some());
            }
        }
    }
}

impl Known {
    /// Whether a call goes on, as far as the device knows.
    #[must_use]
    pub fn goes_on(&self, call: CallId) -> bool {
        let told = self.calls.get(&call).is_some_and(|call| !call.status.is_over());
        told && !self.closed.contains(&call)
    }

    fn only_these(&mut self, live: &[CallId]) {
        let others = self.calls.keys().filter(|call| !live.contains(call));
        self.closed = others.copied().collect();
    }

    /// Whether the leg that is held is awaited.
    fn is_awaited(&self, user: UserId) -> bool {
        let call = self.leg.and_then(|(call, _)| self.calls.get(&call));
        let own = call.and_then(|call| call.participant(user));
        own.is_some_and(|own| own.status == ParticipantStatus::Reconnecting)
    }
}

/// With these codes a refusal is none.
fn is_unknown(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::OutcomeUnknown | ErrorCode::Timeout)
}
