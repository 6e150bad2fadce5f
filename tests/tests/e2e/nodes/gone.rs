//! The node that has the stores is gone: the other one refuses and keeps its sockets, which are live again by themselves.

use protocol::chat::MESSAGE_NEW;
use protocol::{ErrorCode, Retry};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{A, B, two};

#[tokio::test]
async fn without_the_stores_commands_are_refused_and_sockets_stay_and_go_on_by_themselves() {
    let (mut world, ann, bob) = two().await;
    let conversation = ann.direct(&bob).await;
    let mut device = bob.device().await;
    for n in 0..20 {
        ann.say(conversation, &format!("before {n}")).await;
    }
    let rest = world.rest_at(B);
    world.kill(A).await;

    // Whatever is asked: a clear refusal, which says when to come back.
    for _ in 0..3 {
        let refused = bob.on(conversation, "messages.send", question()).await;
        assert_eq!((refused.status, refused.refused()), (503, ErrorCode::Unavailable), "{refused}");
        assert!(refused.header("retry-after").is_some(), "{refused}");
        let login = json!({ "handle": "bob", "password": harness::people::PASSWORD });
        let refused = rest.command("auth.login", None, None, login).await;
        assert_eq!((refused.status, refused.refused()), (503, ErrorCode::Unavailable), "{refused}");
        let body = json!({ "client_id": Uuid::new_v4(), "text": "and here?" });
        let asked = device.socket.command("messages.send", Some(&conversation.to_string()), &body).await.unwrap_err();
        assert_eq!((asked.code, asked.code.retry()), (ErrorCode::Unavailable, Retry::After));
        assert!(asked.retry_after_ms.is_some());
    }
    assert_eq!(rest.get("/healthz").await.status, 200);

    world.restart(A).await;
    ann.say(conversation, "after").await;
    // The same socket, without a gap: what was said before and what is said now.
    for n in 0..20 {
        device.hears(&format!("before {n}")).await;
    }
    device.hears("after").await;
    device.say(conversation, "thank you").await;
    assert_eq!(bob.on(conversation, "messages.send", question()).await.status, 200);
    device.hears("thank you").await;
    device.hears("is anybody there?").await;
    assert!(device.socket.take_events().iter().all(|event| event.name != MESSAGE_NEW));
    world.end().await;
}

/// A message.
fn question() -> Value {
    json!({ "client_id": Uuid::new_v4(), "text": "is anybody there?" })
}
