//! A connection's task on a real socket.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use link::{Audience, Call, Caller, Event, Head, Identity, Refusal, Reply, Service};
use protocol::accounts::Role;
use protocol::frames::ServerFrame;
use protocol::{CloseCode, ErrorCode, Position, Seq, ServiceName, SessionId, StreamId, Tag, UserId};
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::redis::Redis;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::connection::Connection;
use super::handshake::Handshake;
use super::transport::Transport;
use crate::clock;
use crate::codec::{Codec, Told};
use crate::edge::{Edge, Origin};
use crate::gateway::{Gateway, Parts, Services};
use crate::hub::Conn;
use crate::identities::ConnectionIdentity;
use crate::session::{Close, Session, Token};

mod order;
mod storm;

/// A service that knows no registers and nothing else.
struct Quiet;

#[async_trait::async_trait]
impl Service for Quiet {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, _call: Call) -> Reply {
        Refusal::of(ErrorCode::Unsupported).into()
    }

    async fn registers(&self, _user: UserId) -> Result<Vec<Event>, Refusal> {
        Ok(Vec::new())
    }
}

fn edge(tasks: Tasks, shutdown: Shutdown) -> Arc<Edge> {
    edge_of(Arc::new(Quiet), None, tasks, shutdown)
}

/// An edge whose services are all this one.
fn edge_of(service: Arc<dyn Service>, redis: Option<Redis>, tasks: Tasks, shutdown: Shutdown) -> Arc<Edge> {
    let services = Services {
        auth: Arc::clone(&service),
        chat: Arc::clone(&service),
        signaling: Arc::clone(&service),
        storage: service,
    };
    let readiness = runtime::ops::Readiness::new(shutdown.clone());
    let parts = Parts { services, limits: Default::default(), redis, audit: None, shutdown, readiness, tasks };
    Gateway::build(crate::Config::default(), parts).edge()
}

/// Serves one socket, which is welcomed already.
async fn serve(edge: Arc<Edge>, conn: Arc<Conn>, caller: Caller) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let open = move |request: Request| {
        let (edge, conn) = (Arc::clone(&edge), Arc::clone(&conn));
        async move {
            let (mut parts, _) = request.into_parts();
            let (origin, handshake) = (Origin::of(&parts), Handshake::of(&mut parts).unwrap());
            let response = handshake.answer::<axum::body::Body>("test");
            tokio::spawn(async move {
                let transport = Transport::new(handshake.stream.await.unwrap());
                Connection::new(edge, conn, 0, transport, caller, origin).run().await;
            });
            response
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(open))).await });
    address
}

/// A client on a socket whose session is open and in step with its user's own stream.
struct Opened {
    conn: Arc<Conn>,
    own: StreamId,
    client: WebSocketStream<tokio::net::TcpStream>,
}

async fn opened() -> Opened {
    opened_on(edge(Tasks::new(ServiceName::Gateway), Shutdown::new())).await
}

async fn opened_on(edge: Arc<Edge>) -> Opened {
    let caller = Caller { user: UserId::now(), session: SessionId::now(), connection: None, role: Role::User };
    let own = StreamId::user(caller.user);
    let token = Token { made_at: 0, expires_at: u64::MAX };
    let mut session = Session::new(edge.hub.settings(), Codec::Json, own, token, clock::now());
    let welcome = session.codec().pong();
    session.welcome(vec![Head { stream: own, position: Position::default() }], welcome);
    session.synced();
    let proven = link::Page { items: Vec::new(), head: Position::default(), standing: link::Standing::Member };
    session.page(own, 0, &proven);
    assert!(session.meet(own, 0));
    let conn = edge.hub.register(caller.user, caller.session, ConnectionIdentity::new(), session);
    let address = serve(Arc::clone(&edge), Arc::clone(&conn), caller).await;

    let mut request = format!("ws://{address}/").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("test"));
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let (client, _) = tokio_tungstenite::client_async(request, tcp).await.unwrap();
    Opened { conn, own, client }
}

fn entry(stream: StreamId, seq: Seq) -> Event {
    let identity = Identity::Entry { stream, seq, tag: Tag(1) };
    let body = Bytes::from_static(b"{}");
    let name = Cow::Borrowed("test");
    let audience = Audience::Stream(stream);
    Event { identity, audience, name, at: 0, body, by_rights: false, effects: Arc::from([]) }
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let Opened { mut client, .. } = opened().await;
    client.close(None).await.unwrap();
    let answered = async {
        while let Some(heard) = client.next().await {
            if matches!(heard.unwrap(), Message::Close(_)) {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), answered).await.expect("the socket hangs"));
}

#[tokio::test]
async fn a_ping_is_answered_and_what_is_told_meanwhile_arrives_too() {
    let Opened { conn, own, mut client } = opened().await;
    let heard = async {
        let (mut pongs, mut last) = (0, 0);
        for seq in 1..=20 {
            client.send(Message::Ping("here?".into())).await.unwrap();
            conn.with(|session| session.deliver(own, seq, &Told::one(&entry(own, seq))));
            while pongs < seq || last < seq {
                match client.next().await.unwrap().unwrap() {
                    Message::Pong(_) => pongs += 1,
                    Message::Text(text) => {
                        let frame: ServerFrame<'_> = serde_json::from_str(text.as_str()).unwrap();
                        last = frame.from.map_or(last, |from| from.seq);
                    }
                    _ => {}
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("the socket hangs");
}

#[tokio::test]
async fn a_drain_ends_a_socket_with_a_full_queue_while_events_go_on_flowing() {
    let Opened { conn, own, mut client } = opened().await;
    let mut seq: Seq = 0;
    let mut flow = |count: u64| {
        for _ in 0..count {
            seq += 1;
            let event = entry(own, seq);
            conn.with(|session| session.deliver(own, seq, &Told::one(&event)));
        }
    };
    flow(50);
    let mut seen = 0;
    let reading = async {
        loop {
            if seen == 50 && conn.session().closing().is_none() {
                // What flows before the close is queued when the task sees both.
                flow(20);
                conn.with(|session| session.close_with(Close { code: CloseCode::Reconnect, after_ms: Some(7) }));
            }
            flow(1);
            match client.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    let frame: ServerFrame<'_> = serde_json::from_str(text.as_str()).unwrap();
                    if let Some(from) = frame.from {
                        assert_eq!(from.seq, seen + 1);
                        seen = from.seq;
                    }
                }
                Message::Close(frame) => return frame.unwrap(),
                _ => {}
            }
        }
    };
    let close = tokio::time::timeout(Duration::from_secs(20), reading).await.expect("the socket hangs");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (CloseCode::Reconnect.number(), "7"));
    assert!(seen >= 70, "what was queued before is written: {seen}");
    assert_eq!(conn.session().reads_from(own), Some(1), "nothing was acknowledged");
}
