//! Who may not be in the conversation is not in its call: memberships and logins that end take their legs with them.

use std::time::Duration;

use harness::calls::{candidate, status};
use harness::people::PASSWORD;
use harness::{Person, Phone, Topology, World, on_every_topology};
use protocol::calls::{Call, ParticipantStatus};
use protocol::{CallId, ConversationId, ErrorCode, UserId};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Pair, epoch, group};

on_every_topology![
    a_membership_that_ends_takes_the_leg_with_it,
    a_login_that_ends_takes_its_leg_with_it,
    for_who_has_no_part_in_it_a_call_does_not_exist,
];

/// What is promised: a leg whose membership or login has ended is gone within a second.
const SOON: Duration = Duration::from_secs(1);

/// Awaits somebody's end and says how long it took.
async fn goes(phone: &mut Phone, call: CallId, user: UserId, to: ParticipantStatus) -> Call {
    let began = Instant::now();
    let told = phone.sees(call, "their end", |call| {
        status(call, user).is_some_and(|status| !status.is_in() && !status.is_called())
    });
    let told = told.await;
    assert_eq!(status(&told, user), Some(to));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    told
}

async fn a_membership_that_ends_takes_the_leg_with_it(topology: Topology) {
    let world = World::start(topology).await;
    let handles = ["ann", "bob", "carl", "dora"];
    let (conversation, [ann, bob, carl, dora], [mut a, mut b, mut c, mut d]) = group(&world, handles).await;
    let call = a.call(conversation).await.call.id;
    let legs = [epoch(&b.join(call).await), epoch(&c.join(call).await), epoch(&d.join(call).await)];
    ann.done::<Value>(conversation, "members.kick", json!({ "user": bob.id })).await;
    goes(&mut a, call, bob.id, ParticipantStatus::Removed).await;
    ann.done::<Value>(conversation, "members.ban", json!({ "user": carl.id })).await;
    goes(&mut a, call, carl.id, ParticipantStatus::Removed).await;
    dora.done::<Value>(conversation, "members.leave", json!({})).await;
    goes(&mut a, call, dora.id, ParticipantStatus::Removed).await;
    for (phone, leg) in [&mut b, &mut c, &mut d].into_iter().zip(legs) {
        assert_eq!(phone.try_join(call).await.unwrap_err(), ErrorCode::NotFound, "nor do they come in again");
        assert!(phone.come_back(call, leg, 0).await.is_err());
        assert!(phone.on(call, "call.ice", json!({ "epoch": leg })).await.is_err());
    }
    world.end().await;
}

async fn a_login_that_ends_takes_its_leg_with_it(topology: Topology) {
    let world = World::start(topology).await;
    let handles = ["ann", "bob", "carl", "dora"];
    let (conversation, [_, bob, carl, dora], [mut a, mut b, mut c, mut d]) = group(&world, handles).await;
    let call = a.call(conversation).await.call.id;
    for phone in [&mut b, &mut c, &mut d] {
        phone.join(call).await;
    }
    bob.call("auth.logout", None, json!({ "refresh_token": bob.refresh })).await;
    goes(&mut a, call, bob.id, ParticipantStatus::Left).await;
    let phone = carl.login("phone").await;
    let answer = phone.call("sessions.revoke", None, json!({ "session": carl.session })).await;
    assert_eq!(answer.status, 200, "{answer}");
    goes(&mut a, call, carl.id, ParticipantStatus::Left).await;
    let change = json!({ "current": PASSWORD, "new": "another passphrase that is long" });
    let answer = dora.login("phone").await.call("me.password", None, change).await;
    assert_eq!(answer.status, 200, "{answer}");
    goes(&mut a, call, dora.id, ParticipantStatus::Left).await;
    world.end().await;
}

/// Every command on a call that an id makes reachable.
fn commands(someone: &Person) -> Vec<(&'static str, Value)> {
    let to = json!({ "user": someone.id, "epoch": 1 });
    let member = json!({ "user": someone.id });
    vec![
        ("call.join", json!({})),
        ("call.join", json!({ "epoch": 1 })),
        ("call.ring", json!({})),
        ("call.decline", json!({})),
        ("call.leave", json!({ "epoch": 1 })),
        ("call.end", json!({})),
        ("call.media", json!({ "epoch": 1, "media": {} })),
        ("call.signal", json!({ "epoch": 1, "to": to, "candidates": [candidate(1)] })),
        ("call.ice", json!({ "epoch": 1 })),
        ("call.admit", member.clone()),
        ("call.mute", member.clone()),
        ("call.remove", member),
        ("call.quality", json!({ "epoch": 1, "peers": [] })),
        ("call.get", json!({})),
    ]
}

async fn for_who_has_no_part_in_it_a_call_does_not_exist(topology: Topology) {
    let world = World::start(topology).await;
    let Pair { ann, conversation, mut a, .. } = Pair::of(&world).await;
    let eve = world.person("eve").await;
    let mut e = Phone::of(&eve).await;
    let call = a.call(conversation).await.call.id;
    let version = a.get(call).await.version;
    for (command, body) in commands(&ann) {
        let refused = e.socket.command(command, Some(&call.to_string()), &body).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotFound, "{command}");
        let unknown = e.socket.command(command, Some(&CallId::now().to_string()), &body).await.unwrap_err();
        assert_eq!(
            (unknown.code, unknown.message),
            (refused.code, refused.message),
            "{command}: nothing tells them apart"
        );
    }
    for to in [conversation, ConversationId::now()] {
        assert_eq!(e.start(to, &harness::calls::audio()).await.unwrap_err(), ErrorCode::NotFound);
    }
    assert_eq!(a.get(call).await.version, version, "and nothing has happened");
    let theirs = e.socket.take_events();
    assert!(!theirs.iter().any(|event| event.name.starts_with("call.")), "{theirs:?}");
    assert_eq!(eve.calls().await.calls, []);
    world.end().await;
}
