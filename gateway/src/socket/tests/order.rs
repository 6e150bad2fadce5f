//! Commands whose budgets are asked of Redis begin in the order in which they came, whatever came behind them.

use parking_lot::Mutex;
use rig::{RedisServer, wait};
use runtime::redis::{Config, Standing};

use super::*;

/// Notes in which order commands begin.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Service for Recorder {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, call: Call) -> Reply {
        self.0.lock().push(call.command);
        Reply::ok(&serde_json::json!({}))
    }

    async fn registers(&self, _user: UserId) -> Result<Vec<Event>, Refusal> {
        Ok(Vec::new())
    }
}

/// Joins, whose budgets are exact, between messages and reads, whose are not.
const NAMES: [&str; 8] = [
    "messages.send",
    "channels.join",
    "messages.send",
    "conversations.get",
    "channels.join",
    "channels.join",
    "messages.delete",
    "messages.send",
];

/// Sends all of them at once and awaits as many replies.
async fn all_answered(client: &mut WebSocketStream<tokio::net::TcpStream>, to: &str) {
    for (id, name) in NAMES.iter().enumerate() {
        let frame = serde_json::json!({ "id": id, "type": name, "to": to });
        client.feed(Message::text(frame.to_string())).await.unwrap();
    }
    client.flush().await.unwrap();
    let mut answered = 0;
    while answered < NAMES.len() {
        if let Message::Text(text) = client.next().await.unwrap().unwrap() {
            let frame: ServerFrame<'_> = serde_json::from_str(text.as_str()).unwrap();
            assert!(frame.error.is_none(), "{text}");
            answered += usize::from(frame.id.is_some());
        }
    }
}

#[tokio::test]
async fn commands_begin_in_the_order_in_which_they_came_also_while_redis_is_asked() {
    let mut server = RedisServer::start().await;
    let (tasks, shutdown) = (Tasks::new(ServiceName::Gateway), Shutdown::new());
    let config = Config { url: server.url(), ..Config::default() };
    let redis = Redis::start(&config, ServiceName::Gateway, &tasks, shutdown.clone()).unwrap();
    let mut standing = redis.watch();
    drop(wait::within("Redis", standing.wait_for(|standing| Standing::is_up(*standing))).await.unwrap());

    let recorder = Arc::new(Recorder::default());
    let edge = edge_of(Arc::clone(&recorder) as Arc<dyn Service>, Some(redis), tasks, shutdown);
    let mut opened = opened_on(edge).await;
    let to = UserId::now().to_string();
    wait::within("answers", all_answered(&mut opened.client, &to)).await;
    // Frozen, each question takes its whole deadline: what came behind has all the time to overtake.
    server.freeze();
    wait::within("answers", all_answered(&mut opened.client, &to)).await;
    assert_eq!(*recorder.0.lock(), [NAMES, NAMES].concat());
}
