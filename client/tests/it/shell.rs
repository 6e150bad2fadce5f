//! The shell over real sockets, against the lossy server's logic on a listener of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::server::{Luck, Server};
use client::core::{Event, TokenAnswer};
use client::{Client, CommandError, Config, Events};
use futures_util::{SinkExt, StreamExt};
use protocol::frames::SUBPROTOCOL_JSON;
use protocol::{ConversationId, ErrorCode, Seq, StreamId, UserId};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use uuid::Uuid;

fn conversation() -> ConversationId {
    ConversationId(Uuid::from_u128(0x1000))
}

/// A listener that serves one connection at a time.
async fn serve() -> (SocketAddr, Arc<Mutex<Server>>) {
    let mut logs = Server::default();
    logs.append(StreamId::user(UserId(Uuid::from_u128(1))), None, false);
    logs.append(StreamId::conversation(conversation()), None, false);
    let server = Arc::new(Mutex::new(logs));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::clone(&server);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            serve_one(stream, &shared).await;
            shared.lock().unwrap().line_lost(false);
        }
    });
    (address, server)
}

#[expect(clippy::result_large_err, reason = "the form that tungstenite asks for")]
async fn serve_one(stream: TcpStream, server: &Mutex<Server>) {
    let protocol = |request: &Request, mut response: Response| {
        assert_eq!(request.uri().path(), "/v1/ws");
        assert!(request.uri().query().is_none());
        response.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL_JSON.parse().unwrap());
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, protocol).await else { return };
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let frames = {
            let mut server = server.lock().unwrap();
            let mut frames = server.receive(0, text.as_str(), Luck::Good);
            frames.extend(server.pump(false));
            frames
        };
        for frame in frames {
            if socket.send(Message::text(frame)).await.is_err() {
                return;
            }
        }
    }
}

fn connect(address: SocketAddr, events_max: usize) -> (Client, Events) {
    let mut config = Config::new(format!("http://{address}"), "token".to_owned());
    config.events_max = events_max;
    config.bind = Some("127.0.0.1".parse().unwrap());
    Client::connect(config)
}

async fn next_entry(events: &mut Events) -> Seq {
    loop {
        match events.recv().await {
            Some(Event::Entry(entry)) if entry.from.stream.id == conversation().0 => return entry.from.seq,
            Some(_) => {}
            None => panic!("the client has ended"),
        }
    }
}

#[tokio::test]
async fn every_message_is_answered_and_heard_once_over_lines_that_break() {
    let (address, _server) = serve().await;
    let (client, mut events) = connect(address, 8);
    let heard = tokio::spawn(async move {
        for seq in 2..=41 {
            assert_eq!(next_entry(&mut events).await, seq);
        }
    });
    for number in 0..40 {
        let sent = client.send_message(conversation(), "text", None).await.unwrap();
        assert_eq!(sent.position.seq, number + 2);
        if number % 8 == 7 {
            client.break_line().await;
        }
    }
    heard.await.unwrap();
    client.stop().await;
}

#[tokio::test]
async fn an_app_that_reads_slowly_makes_the_server_wait_and_loses_nothing() {
    const ENTRIES: Seq = 5_000;
    let (address, server) = serve().await;
    let (client, mut events) = connect(address, 1);
    client.send_message(conversation(), "first", None).await.unwrap();
    for _ in 0..ENTRIES {
        let stream = StreamId::conversation(conversation());
        server.lock().unwrap().append(stream, None, false);
    }
    let last = client.send_message(conversation(), "last", None);
    let read = async {
        for seq in 2..=ENTRIES + 3 {
            assert_eq!(next_entry(&mut events).await, seq);
        }
    };
    let (sent, ()) = tokio::join!(last, read);
    assert_eq!(sent.unwrap().position.seq, ENTRIES + 3);
}

#[tokio::test]
async fn a_stopped_client_answers_and_tells() {
    let (address, _server) = serve().await;
    let (client, mut events) = connect(address, 8);
    assert_eq!(client.positions().await.unwrap().1.len(), 0);
    client.clone().stop().await;
    let refused = client.send_message(conversation(), "late", None).await.unwrap_err();
    assert!(matches!(refused, CommandError::Stopped));
    let mut stopped = false;
    while let Some(event) = events.recv().await {
        stopped = matches!(event, Event::Stopped(_));
    }
    assert!(stopped, "the last event says so");
}

#[tokio::test]
async fn a_client_without_a_login_stops_and_says_why() {
    struct NoLogin;
    impl client::TokenSource for NoLogin {
        fn token(&self) -> std::pin::Pin<Box<dyn Future<Output = TokenAnswer> + Send + '_>> {
            Box::pin(async {
                TokenAnswer::Denied(protocol::ErrorBody {
                    code: ErrorCode::RefreshTokenInvalid,
                    message: String::new(),
                    request_id: String::new(),
                    retry_after_ms: None,
                })
            })
        }
    }
    let (_client, mut events) = Client::connect(Config::new("http://127.0.0.1:1", NoLogin));
    assert!(matches!(events.recv().await, Some(Event::Stopped(_))));
    assert!(events.recv().await.is_none());
}
