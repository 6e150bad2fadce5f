//! What legs negotiate reaches the leg it is for, in order, and nobody else; who comes back gets what it has missed.

use harness::calls::{candidate, description};
use harness::{Phone, Topology, World, on_every_topology};
use protocol::calls::{CALL_SIGNAL, DescriptionType, LegRef, SendSignal};
use protocol::{CallId, UserId};

use super::{Pair, Talk, epoch, group};

on_every_topology![
    a_negotiation_reaches_the_other_leg_in_order_and_nobody_else,
    a_leg_that_comes_back_gets_exactly_what_it_has_missed,
    an_offer_supersedes_what_its_sender_said_before,
];

fn to(user: UserId, epoch: u64) -> LegRef {
    LegRef { user, epoch }
}

fn says(kind: DescriptionType, from: u64, to: LegRef) -> SendSignal {
    SendSignal { epoch: from, to, description: Some(description(kind)), candidates: Vec::new() }
}

fn trickles(port: u16, from: u64, to: LegRef) -> SendSignal {
    SendSignal { epoch: from, to, description: None, candidates: vec![candidate(port)] }
}

async fn send(phone: &mut Phone, call: CallId, signal: &SendSignal) {
    phone.signal(call, signal).await.unwrap_or_else(|code| panic!("{signal:?}: {code:?}"));
}

async fn a_negotiation_reaches_the_other_leg_in_order_and_nobody_else(topology: Topology) {
    const CANDIDATES: u16 = 100;
    let world = World::start(topology).await;
    let (conversation, people, [mut a, mut b, mut c]) = group(&world, ["ann", "bob", "carl"]).await;
    let started = a.call(conversation).await;
    let (call, ann) = (started.call.id, to(people[0].id, epoch(&started)));
    let bob = to(people[1].id, epoch(&b.join(call).await));
    let carl = to(people[2].id, epoch(&c.join(call).await));

    send(&mut b, call, &says(DescriptionType::Offer, bob.epoch, ann)).await;
    let offer = a.hears(call, ann.epoch).await;
    assert_eq!((offer.from, offer.description.unwrap().kind), (bob, DescriptionType::Offer));
    send(&mut a, call, &says(DescriptionType::Answer, ann.epoch, bob)).await;
    // All at once, as a browser gathers them.
    let mut sent = Vec::new();
    for port in 1..=CANDIDATES {
        let id = a.socket.start("call.signal", Some(&call.to_string()), &trickles(port, ann.epoch, bob)).await;
        sent.push(id);
    }
    for id in sent {
        a.socket.reply(id).await.unwrap();
    }
    let answer = b.hears(call, bob.epoch).await;
    assert_eq!((answer.from, answer.description.unwrap().kind), (ann, DescriptionType::Answer));
    for port in 1..=CANDIDATES {
        assert_eq!(b.hears(call, bob.epoch).await.candidates, [candidate(port)]);
    }
    // What comes after all of it comes alone.
    send(&mut a, call, &trickles(1, ann.epoch, carl)).await;
    c.hears(call, carl.epoch).await;
    for phone in [&mut a, &mut b, &mut c] {
        assert!(!phone.socket.take_events().iter().any(|event| event.name == CALL_SIGNAL));
    }
    world.end().await;
}

async fn a_leg_that_comes_back_gets_exactly_what_it_has_missed(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let Talk { call, a, b } = pair.talk().await;
    let bob = to(pair.bob.id, b);
    for port in 1..=3 {
        send(&mut pair.a, call, &trickles(port, a, bob)).await;
        pair.b.hears(call, b).await;
    }
    pair.b.cut();
    for port in 4..=8 {
        send(&mut pair.a, call, &trickles(port, a, bob)).await;
    }
    let mut again = Phone::of(&pair.bob).await;
    let joined = again.come_back(call, b, 3).await.unwrap();
    assert_eq!((joined.epoch, joined.renegotiate), (Some(b), false));
    let numbers: Vec<_> = joined.signals.iter().map(|signal| signal.number).collect();
    assert_eq!(numbers, [4, 5, 6, 7, 8]);
    let ports: Vec<_> = joined.signals.iter().map(|signal| signal.candidates[0].clone()).collect();
    assert_eq!(ports, [4, 5, 6, 7, 8].map(candidate));
    // Once more, as after a lost answer; what it says that it has heard is not told again.
    assert_eq!(again.come_back(call, b, 3).await.unwrap().signals.len(), 5);
    let none = again.come_back(call, b, 8).await.unwrap();
    assert_eq!((none.signals.len(), none.renegotiate), (0, false));
    send(&mut pair.a, call, &trickles(9, a, bob)).await;
    let next = again.socket.event(CALL_SIGNAL).await;
    assert_eq!(next.body["number"], 9);
    let never = again.come_back(call, b, 100).await.unwrap();
    assert!(never.renegotiate, "who has heard what was never said negotiates anew");
    world.end().await;
}

async fn an_offer_supersedes_what_its_sender_said_before(topology: Topology) {
    let world = World::start(topology).await;
    let (conversation, people, [mut a, mut b, c]) = group(&world, ["ann", "bob", "carl"]).await;
    let mut c = c;
    let started = a.call(conversation).await;
    let (call, ann) = (started.call.id, epoch(&started));
    let bob = epoch(&b.join(call).await);
    let carl = to(people[2].id, epoch(&c.join(call).await));
    c.cut();
    send(&mut a, call, &says(DescriptionType::Offer, ann, carl)).await;
    send(&mut a, call, &trickles(1, ann, carl)).await;
    send(&mut b, call, &says(DescriptionType::Offer, bob, carl)).await;
    send(&mut a, call, &says(DescriptionType::Offer, ann, carl)).await;
    send(&mut a, call, &trickles(2, ann, carl)).await;
    let mut again = Phone::of(&people[2]).await;
    let joined = again.come_back(call, carl.epoch, 0).await.unwrap();
    let numbers: Vec<_> = joined.signals.iter().map(|signal| (signal.number, signal.from.epoch)).collect();
    assert_eq!((numbers, joined.renegotiate), (vec![(3, bob), (4, ann), (5, ann)], false));
    world.end().await;
}
