//! What takes rights away takes effect within a second of its answer, on REST and on live sockets (AU6).

use std::time::Duration;

use harness::people::{Device, PASSWORD};
use harness::{Answer, Person, Topology, World, on_every_topology, wait};
use protocol::chat::{Appended, CONVERSATION_LEFT, MESSAGE_NEW, TYPING};
use protocol::{CloseCode, ErrorCode};
use serde_json::{Value, json};
use tokio::time::Instant;

on_every_topology![
    a_logout_ends_its_own_login,
    logging_out_everywhere_ends_every_login,
    a_new_password_ends_all_other_logins,
    a_revoked_session_is_out,
    a_suspension_ends_every_login_and_lets_no_new_one_begin,
    who_is_kicked_or_banned_hears_nothing_more,
];

/// From the answer of the command on.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A login that something is to end.
struct Login {
    person: Person,
    device: Device,
}

impl Login {
    async fn of(person: &Person, device: &str) -> Self {
        let person = person.login(device).await;
        let device = person.device().await;
        Self { person, device }
    }

    /// Its socket is closed and its requests are refused, both in time; afterwards it can't be refreshed either.
    async fn ends(mut self, answered: Instant) {
        let rest = wait::until("REST to refuse the token", async || {
            let answer = self.person.call("me.get", None, json!({})).await;
            (answer.status != 200).then(|| (answer.refused(), answered.elapsed()))
        });
        let socket = async { (self.device.socket.closed().await.code, answered.elapsed()) };
        let ((refused, by_rest), (closed, by_socket)) = tokio::join!(rest, socket);
        assert_eq!((refused, closed), (ErrorCode::TokenRevoked, CloseCode::Revoked.number()));
        assert!(by_rest.max(by_socket) <= AT_ONCE, "REST after {by_rest:?}, the socket after {by_socket:?}");
        let body = json!({ "refresh_token": self.person.refresh });
        let refresh = self.person.rest.command("auth.refresh", None, None, body).await;
        assert_eq!(refresh.refused(), ErrorCode::RefreshTokenInvalid);
    }

    /// It is as before.
    async fn goes_on(mut self) {
        assert_eq!(self.person.call("me.get", None, json!({})).await.status, 200);
        self.device.socket.command("me.get", None, &json!({})).await.unwrap();
    }
}

/// The command was served; when that was answered.
fn answered(answer: &Answer) -> Instant {
    assert_eq!(answer.status, 200, "{answer}");
    Instant::now()
}

async fn a_logout_ends_its_own_login(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let (phone, desk) = (Login::of(&ann, "phone").await, Login::of(&ann, "desk").await);
    let body = json!({ "refresh_token": phone.person.refresh });
    let at = answered(&phone.person.call("auth.logout", None, body).await);
    phone.ends(at).await;
    desk.goes_on().await;
    world.end().await;
}

async fn logging_out_everywhere_ends_every_login(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let (phone, desk) = (Login::of(&ann, "phone").await, Login::of(&ann, "desk").await);
    let other = Login::of(&bob, "phone").await;
    let at = answered(&ann.call("auth.logout_all", None, json!({})).await);
    tokio::join!(phone.ends(at), desk.ends(at));
    other.goes_on().await;
    world.end().await;
}

async fn a_new_password_ends_all_other_logins(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let (phone, desk) = (Login::of(&ann, "phone").await, Login::of(&ann, "desk").await);
    let body = json!({ "current": PASSWORD, "new": "another long passphrase" });
    let at = answered(&desk.person.call("me.password", None, body).await);
    phone.ends(at).await;
    desk.goes_on().await;
}

async fn a_revoked_session_is_out(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let (phone, desk) = (Login::of(&ann, "phone").await, Login::of(&ann, "desk").await);
    let body = json!({ "session": phone.person.session });
    let at = answered(&ann.call("sessions.revoke", None, body).await);
    phone.ends(at).await;
    desk.goes_on().await;
    world.end().await;
}

async fn a_suspension_ends_every_login_and_lets_no_new_one_begin(topology: Topology) {
    let world = World::start(topology).await;
    let [root, ann] = world.people(["root", "ann"]).await;
    world.command_line(&["users", "role", "root", "admin"]).await;
    let root = root.login("desk").await;
    let (phone, desk) = (Login::of(&ann, "phone").await, Login::of(&ann, "desk").await);
    let to = ann.id.to_string();
    let at = answered(&root.call("users.suspend", Some(&to), json!({ "reason": "spam" })).await);
    tokio::join!(phone.ends(at), desk.ends(at));
    let body = json!({ "handle": "ann", "password": PASSWORD });
    let login = ann.rest.command("auth.login", None, None, body).await;
    assert_eq!(login.refused(), ErrorCode::Suspended);
}

async fn who_is_kicked_or_banned_hears_nothing_more(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let own = bob.group("own", &[]).await;
    let mut speaker = ann.device().await;
    for command in ["members.kick", "members.ban"] {
        let group = ann.group(command, &[&bob]).await;
        let to = group.to_string();
        let mut device = bob.device().await;
        let say = |text: &str| json!({ "client_id": uuid::Uuid::new_v4(), "text": text });
        for _ in 0..20 {
            speaker.socket.start("messages.send", Some(&to), &say("before or after")).await;
        }
        let end: Appended = ann.done(group, command, json!({ "user": bob.id })).await;
        let at = Instant::now();
        for _ in 0..20 {
            speaker.socket.start("messages.send", Some(&to), &say("after")).await;
        }
        speaker.socket.command("typing.set", Some(&to), &json!({})).await.unwrap();

        // What is asked now is refused at once: the log itself judges it.
        let asked = [
            ("conversations.get", json!({})),
            ("messages.list", json!({})),
            ("members.list", json!({})),
            ("messages.send", say("still here?")),
            ("typing.set", json!({})),
        ];
        for (name, body) in asked {
            let refused = device.socket.command(name, Some(&to), &body).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::NotFound, "{name}");
            if name != "typing.set" {
                assert_eq!(bob.refused(group, name, body).await, ErrorCode::NotFound, "{name}");
            }
        }
        device.event(CONVERSATION_LEFT).await;
        assert!(at.elapsed() <= AT_ONCE, "{command}: {:?}", at.elapsed());

        bob.say(own, "a sign that all came").await;
        device.socket.event_where("the sign", |event| event.body["text"] == "a sign that all came").await;
        for event in device.socket.take_events() {
            let from = event.from.filter(|from| from.stream == protocol::StreamId::conversation(group));
            assert!(from.is_none_or(|from| from.seq <= end.position.seq), "{event:?}");
            assert!(event.name != MESSAGE_NEW || event.body["text"] != "after", "{event:?}");
            assert_ne!(event.name, TYPING);
        }
        speaker.done(group, "messages.send", say("the last")).await;
    }
    let _: Value = bob.done(own, "conversations.get", json!({})).await;
    world.end().await;
}
