//! Calls: who rings, who is in, what devices negotiate, and what is left when it is over.

mod drain;
mod drops;
mod endings;
mod glare;
mod group;
mod hostile;
mod membership;
mod metrics;
mod outage;
mod relayed;
mod repeats;
mod ringing;
mod signals;

use harness::{Person, Phone, World};
use protocol::calls::{Call, Joined, ParticipantStatus};
use protocol::{CallId, ConversationId};

/// Two people with a device each, and the conversation between them.
struct Pair {
    ann: Person,
    bob: Person,
    conversation: ConversationId,
    a: Phone,
    b: Phone,
}

impl Pair {
    async fn of(world: &World) -> Self {
        let [ann, bob] = world.people(["ann", "bob"]).await;
        let conversation = ann.direct(&bob).await;
        let (a, b) = (Phone::of(&ann).await, Phone::of(&bob).await);
        Self { ann, bob, conversation, a, b }
    }

    /// Ann calls and Bob answers.
    async fn talk(&mut self) -> Talk {
        let a = self.a.call(self.conversation).await;
        let call = a.call.id;
        let b = self.b.join(call).await;
        self.a.sees_user(call, self.bob.id, ParticipantStatus::Joined).await;
        Talk { call, a: epoch(&a), b: epoch(&b) }
    }
}

/// A call that two are in, and their legs.
#[derive(Clone, Copy)]
struct Talk {
    call: CallId,
    a: u64,
    b: u64,
}

/// The leg that a join gave.
fn epoch(joined: &Joined) -> u64 {
    joined.epoch.unwrap_or_else(|| panic!("no leg: {joined:?}"))
}

/// The people of a group, each with a device, the first one its owner.
async fn group<const N: usize>(world: &World, handles: [&str; N]) -> (ConversationId, [Person; N], [Phone; N]) {
    let people = world.people(handles).await;
    let others: Vec<&Person> = people.iter().skip(1).collect();
    let conversation = people[0].group("calls", &others).await;
    let mut phones = Vec::new();
    for person in &people {
        phones.push(Phone::of(person).await);
    }
    let phones = phones.try_into().unwrap_or_else(|_| unreachable!("as many as people"));
    (conversation, people, phones)
}

/// How many are in.
fn present(call: &Call) -> usize {
    call.participants.iter().filter(|participant| participant.status == ParticipantStatus::Joined).count()
}
