//! Who is there and who types: told among those who share a conversation, to nobody else.

use harness::{Event, Topology, World, on_every_topology, wait};
use protocol::chat::{PRESENCE_CHANGED, PresenceState, Presences, TYPING};
use protocol::{ServiceName, UserId};
use serde_json::{Value, json};

on_every_topology![
    who_comes_and_goes_is_told_to_those_who_share_a_conversation,
    who_is_there_already_is_told_to_who_comes_in_and_the_other_way_round,
    several_devices_are_one_presence,
    a_tab_in_use_and_a_hidden_one_are_online_until_the_first_is_closed,
    strangers_see_nobody,
    typing_is_told_and_expires,
    a_crash_of_the_service_that_keeps_it_is_no_news,
];

/// Asked of Redis: whether the lease of some device says so.
const SOMEBODY_IS_AWAY: &str = r"
    for _, key in ipairs(redis.call('KEYS', '*:presence:*')) do
        if redis.call('TYPE', key).ok == 'hash' then
            for _, lease in ipairs(redis.call('HVALS', key)) do
                if lease:byte(-1) == 0 then return 'yes' end
            end
        end
    end
    return 'no'";

fn presence_of(user: UserId, state: &'static str) -> impl Fn(&Event) -> bool {
    move |event| {
        event.name == PRESENCE_CHANGED && event.body["user"] == user.to_string() && event.body["state"] == state
    }
}

async fn who_comes_and_goes_is_told_to_those_who_share_a_conversation(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    ann.direct(&bob).await;
    let mut a = ann.device().await;
    let b = bob.device().await;
    a.socket.event_where("bob online", presence_of(bob.id, "online")).await;
    b.socket.cut();
    let offline = a.socket.event_where("bob offline", presence_of(bob.id, "offline")).await;
    assert!(offline.body["last_seen_at"].as_u64().is_some());
    let _back = bob.device().await;
    a.socket.event_where("bob back", presence_of(bob.id, "online")).await;
    world.end().await;
}

async fn who_is_there_already_is_told_to_who_comes_in_and_the_other_way_round(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, cleo] = world.people(["ann", "bob", "cleo"]).await;
    let (mut a, mut b, mut c) = (ann.device().await, bob.device().await, cleo.device().await);
    ann.direct(&bob).await;
    a.socket.event_where("bob is there", presence_of(bob.id, "online")).await;
    b.socket.event_where("ann is there", presence_of(ann.id, "online")).await;
    let group = ann.group("three", &[&bob]).await;
    ann.done::<Value>(group, "members.invite", json!({ "users": [cleo.id] })).await;
    for other in [ann.id, bob.id] {
        c.socket.event_where("who is there", presence_of(other, "online")).await;
    }
    for device in [&mut a, &mut b] {
        device.socket.event_where("cleo is there", presence_of(cleo.id, "online")).await;
    }
    world.end().await;
}

async fn several_devices_are_one_presence(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let phone = bob.login("phone").await;
    ann.direct(&bob).await;
    let mut a = ann.device().await;
    let (mut here, mut there) = (bob.device().await, phone.device().await);
    a.socket.event_where("bob online", presence_of(bob.id, "online")).await;
    let away = json!({ "state": "away" });
    here.socket.command("presence.set", None, &away).await.unwrap();
    let state = async || {
        let answer = ann.call("presence.get", None, json!({ "users": [bob.id] })).await;
        answer.data::<Presences>().presences[0].state
    };
    assert_eq!(state().await, PresenceState::Online, "the other device is in use");
    there.socket.command("presence.set", None, &away).await.unwrap();
    a.socket.event_where("bob away", presence_of(bob.id, "away")).await;
    assert_eq!(state().await, PresenceState::Away);
    world.end().await;
}

async fn a_tab_in_use_and_a_hidden_one_are_online_until_the_first_is_closed(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    ann.direct(&bob).await;
    let mut a = ann.device().await;
    let (used, mut hidden) = (bob.device().await, bob.device().await);
    a.socket.event_where("bob online", presence_of(bob.id, "online")).await;
    // At once, as a page does that is opened in the background.
    hidden.socket.command("presence.set", None, &json!({ "state": "away" })).await.unwrap();
    let answer = ann.call("presence.get", None, json!({ "users": [bob.id] })).await;
    assert_eq!(answer.data::<Presences>().presences[0].state, PresenceState::Online);
    used.socket.cut();
    a.socket.event_where("bob away", presence_of(bob.id, "away")).await;
    world.end().await;
}

async fn strangers_see_nobody(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, eve] = world.people(["ann", "bob", "eve"]).await;
    ann.direct(&bob).await;
    let _b = bob.device().await;
    let mut e = eve.device().await;
    let asked: Presences = eve.call("presence.get", None, json!({ "users": [bob.id, ann.id] })).await.data();
    assert!(asked.presences.is_empty());
    let watch = json!({ "users": [bob.id] });
    let watched = e.socket.command("presence.watch", None, &watch).await.unwrap();
    assert_eq!(watched["presences"], json!([]));
    let own = eve.group("own", &[]).await;
    eve.say(own, "a sign").await;
    e.hears("a sign").await;
    let of_bob = |event: &Event| event.body["user"] == bob.id.to_string();
    assert!(!e.socket.take_events().iter().any(of_bob));
    world.end().await;
}

async fn typing_is_told_and_expires(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, eve] = world.people(["ann", "bob", "eve"]).await;
    let conversation = ann.direct(&bob).await;
    let (mut a, mut b) = (ann.device().await, bob.device().await);
    let mut e = eve.device().await;
    b.done(conversation, "typing.set", json!({})).await;
    let typing = a.event(TYPING).await;
    assert_eq!(typing.body["user"], bob.id.to_string());
    assert!(typing.until.expect("it expires") > 0);
    assert!(typing.from.is_none(), "typing is no entry of a log");
    let to = conversation.to_string();
    let refused = e.socket.command("typing.set", Some(&to), &json!({})).await.unwrap_err();
    assert_eq!(refused.code, protocol::ErrorCode::NotFound);
    world.end().await;
}

async fn a_crash_of_the_service_that_keeps_it_is_no_news(topology: Topology) {
    if !topology.has_redis() {
        return;
    }
    let mut world = World::start(topology).await;
    // The sockets are to outlive it.
    let gateway = topology.parts_of(ServiceName::Gateway).find(|part| *part != topology.chat_part());
    world.clients_use(gateway.expect("a gateway elsewhere"));
    let [ann, bob, cleo] = world.people(["ann", "bob", "cleo"]).await;
    let conversation = ann.direct(&bob).await;
    ann.direct(&cleo).await;
    let mut a = ann.device().await;
    let mut b = bob.device().await;
    a.socket.event_where("bob online", presence_of(bob.id, "online")).await;
    b.socket.command("presence.set", None, &json!({ "state": "away" })).await.unwrap();
    a.socket.event_where("bob away", presence_of(bob.id, "away")).await;
    wait::until("it to be noted", async || {
        (world.redis()?.ask(&["EVAL", SOMEBODY_IS_AWAY, "0"]).await == "yes").then_some(())
    })
    .await;
    world.crash(topology.chat_part()).await;
    let stands = async || {
        let answer = ann.call("presence.get", None, json!({ "users": [bob.id] })).await;
        answer.data::<Presences>().presences[0].state
    };
    wait::until("it to be known again", async || (stands().await == PresenceState::Away).then_some(())).await;
    ann.say(conversation, "hints flow again").await;
    a.hears("hints flow again").await;
    // Whatever the gateway reports of bob it has reported when it reports who came after that.
    let _c = cleo.device().await;
    a.socket.event_where("cleo online", presence_of(cleo.id, "online")).await;
    let of_bob = |event: &Event| event.name == PRESENCE_CHANGED && event.body["user"] == bob.id.to_string();
    assert!(a.socket.take_events().into_iter().filter(of_bob).all(|event| event.body["state"] == "away"));
    assert_eq!(stands().await, PresenceState::Away);
    world.end().await;
}
