//! A call between two nodes, with Redis and without, and over its end and its return.

use harness::calls::candidate;
use harness::{Person, Phone, wait};
use protocol::calls::{CALL_SIGNAL, Call, CallStatus, LegRef, ParticipantStatus, SendSignal};
use protocol::{CallId, ConversationId};
use serde_json::json;

use super::{A, B, person_on, redis_dies, redis_returns, two};

/// A call, and who is in it by which leg.
struct Talk {
    people: [Person; 2],
    phones: [Phone; 2],
    conversation: ConversationId,
    call: CallId,
    epochs: [u64; 2],
}

impl Talk {
    /// The first one calls, the other one's device rings and answers.
    async fn between(people: [Person; 2]) -> Self {
        let conversation = people[0].direct(&people[1]).await;
        let mut phones = [Phone::of(&people[0]).await, Phone::of(&people[1]).await];
        let started = phones[0].call(conversation).await;
        let call = started.call.id;
        assert_eq!(phones[1].rings().await.id, call);
        phones[1].on(call, "call.ring", json!({})).await.unwrap();
        phones[0].sees_user(call, people[1].id, ParticipantStatus::Ringing).await;
        let joined = phones[1].join(call).await;
        for phone in &mut phones {
            phone.sees_user(call, people[1].id, ParticipantStatus::Joined).await;
        }
        let epochs = [started.epoch.unwrap(), joined.epoch.unwrap()];
        Self { people, phones, conversation, call, epochs }
    }

    /// A signal each way arrives, and what is shown on one is seen on the other.
    async fn goes_on(&mut self) {
        for (from, to) in [(0, 1), (1, 0)] {
            let leg = LegRef { user: self.people[to].id, epoch: self.epochs[to] };
            let candidates = vec![candidate(9)];
            let signal = SendSignal { epoch: self.epochs[from], to: leg, description: None, candidates };
            self.phones[from].signal(self.call, &signal).await.unwrap();
            let heard = self.phones[to]
                .socket
                .event_where("a signal", |event| event.name == CALL_SIGNAL && event.body["to"]["epoch"] == leg.epoch);
            assert_eq!(heard.await.body["from"]["user"], self.people[from].id.to_string());
            for hand in [true, false] {
                let body = json!({ "epoch": self.epochs[from], "media": { "audio": true, "hand": hand } });
                self.phones[from].done(self.call, "call.media", body).await;
                let user = self.people[from].id;
                let shown = |call: &Call| call.participant(user).is_some_and(|part| part.media.hand == hand);
                self.phones[to].sees(self.call, "a hand", shown).await;
            }
        }
    }

    /// The second one leaves, both see the end, and there is one record.
    async fn ends(mut self) {
        self.phones[1].leave(self.call, self.epochs[1]).await;
        for phone in &mut self.phones {
            phone.sees_end(self.call, CallStatus::Ended).await;
        }
        let records = wait::until("the record", async || {
            let records = self.people[0].records(self.conversation).await;
            (!records.is_empty()).then_some(records)
        })
        .await;
        let [record] = records.as_slice() else { panic!("one record: {records:?}") };
        assert_eq!((record.call, record.status), (self.call, CallStatus::Ended));
    }
}

#[tokio::test]
async fn a_call_between_two_nodes_outlives_redis_and_is_still_one_call_when_it_is_back() {
    let (mut world, ann, bob) = two().await;
    let mut talk = Talk::between([ann, bob]).await;
    talk.goes_on().await;
    redis_dies(&mut world).await;
    talk.goes_on().await;
    redis_returns(&mut world).await;
    talk.goes_on().await;
    let calls = [talk.phones[0].get(talk.call).await, talk.phones[1].get(talk.call).await];
    for call in &calls {
        let joined = call.participants.iter().filter(|part| part.status == ParticipantStatus::Joined).count();
        assert_eq!((call.status, joined, call.participants.len()), (CallStatus::Active, 2, 2), "{call:?}");
    }
    assert_eq!(calls[0].version, calls[1].version);
    // Nobody was called a second time.
    for phone in &mut talk.phones {
        let again = phone.start(talk.conversation, &harness::calls::audio()).await.unwrap();
        assert_eq!(again.call.id, talk.call);
    }
    talk.epochs = [talk.phones[0].get(talk.call).await, talk.phones[1].get(talk.call).await]
        .each_ref()
        .map(|call| harness::calls::leg(call, talk.people[1].id).epoch);
    talk.ends().await;
    world.end().await;
}

#[tokio::test]
async fn calls_between_two_nodes_are_answered_while_redis_is_gone() {
    let (mut world, ann, bob) = two().await;
    redis_dies(&mut world).await;
    // Each conversation has its calls at a node of its own choice.
    for number in 0..4 {
        let handles = [format!("carl{number}"), format!("dora{number}")];
        let places = if number % 2 == 0 { [A, B] } else { [B, A] };
        let carl = person_on(&mut world, places[0], &handles[0]).await;
        let dora = person_on(&mut world, places[1], &handles[1]).await;
        let mut talk = Talk::between([carl, dora]).await;
        talk.goes_on().await;
        comes_back(&mut talk).await;
        talk.goes_on().await;
        talk.ends().await;
    }
    let mut talk = Talk::between([ann, bob]).await;
    redis_returns(&mut world).await;
    talk.goes_on().await;
    talk.ends().await;
    world.end().await;
}

/// A device that comes back on a new connection learns of the call that goes on, and is in it again.
async fn comes_back(talk: &mut Talk) {
    let mut again = Phone::of(&talk.people[1]).await;
    let call = talk.call;
    again.index("the call that goes on", |index| index.live == [call]).await;
    assert_eq!(again.come_back(call, talk.epochs[1], 2).await.unwrap().epoch, Some(talk.epochs[1]));
    talk.phones[1] = again;
}
