//! A plain socket: it sends what it is told, also what is wrong, and shows every frame.
//!
//! It does the least that the protocol asks of a client: it matches replies to commands and acknowledges what it has received. It
//! neither reconnects nor reorders nor forgets, so that a test sees what the server really did.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use protocol::frames::{
    Ack, AckPosition, EVENT_LIVE, From, Hello, SUBPROTOCOL_JSON, ServerFrame, StreamPosition, Sync, Synced, Welcome,
};
use protocol::limits::ACK_EVERY_EVENTS;
use protocol::{ErrorBody, Millis, Seq, StreamId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::tls::Trust;
use crate::wait;
use crate::witness::{Asked, Desk};

/// How to open a socket; the default opens it as a browser page of the server would, without a token.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Headers beside those of the upgrade.
    pub headers: Vec<(&'static str, String)>,
    /// Subprotocols; the JSON one when empty.
    pub subprotocols: Vec<String>,
    /// What stands after the path, such as `?a=b`.
    pub query: String,
    /// The address of this machine to connect from.
    pub source: Option<IpAddr>,
    /// The size of the kernel's receive buffer; small ones fill soon when nobody reads.
    pub receive_buffer: Option<u32>,
    /// What a proxy says before anything else on the connection.
    pub preface: Vec<u8>,
    /// The certificate of a server that speaks TLS.
    pub trust: Option<Trust>,
}

/// A connection, plain or over TLS.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Wire>>,
    next_id: u64,
    events: VecDeque<Event>,
    replies: HashMap<u64, Result<Value, ErrorBody>>,
    seen: HashMap<StreamId, Seq>,
    unacknowledged: u32,
    desk: Option<Desk>,
    asked: HashMap<u64, Asked>,
    /// Whether received entries are acknowledged by themselves; on by default.
    pub acknowledges: bool,
}

/// A frame from the server, or the end.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The answer of a command.
    Reply(u64, Result<Value, ErrorBody>),
    /// An event.
    Event(Event),
    /// The answer of a ping.
    Pong,
    /// The socket ended.
    Closed(Closed),
}

/// An event as it came.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Which entry it is.
    pub from: Option<From>,
    /// Which register, and its version.
    pub register: Option<(String, u64)>,
    /// When it stops to mean anything.
    pub until: Option<Millis>,
    /// When it happened.
    pub at: Option<Millis>,
    /// Its body.
    pub body: Value,
}

/// How a socket ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// The close frame's number; 1006 where there was none.
    pub code: u16,
    /// The close frame's reason.
    pub reason: String,
}

impl Event {
    /// The body as its type.
    ///
    /// # Panics
    /// When it is not of that type.
    #[must_use]
    pub fn body<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.body.clone()).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Socket {
    /// Opens a socket; nothing is sent yet.
    ///
    /// # Errors
    /// The HTTP answer, when the upgrade was refused.
    pub async fn open(server: SocketAddr, opening: Opening) -> Result<Self, Response<Option<Vec<u8>>>> {
        let tcp = TcpSocket::new_v4().expect("a TCP socket");
        if let Some(source) = opening.source {
            tcp.bind(SocketAddr::new(source, 0)).expect("a source address");
        }
        if let Some(size) = opening.receive_buffer {
            tcp.set_recv_buffer_size(size).expect("a receive buffer");
        }
        let mut tcp = wait::within("a connection", tcp.connect(server)).await.expect("a connection");
        tcp.set_nodelay(true).expect("nodelay");
        tcp.write_all(&opening.preface).await.expect("room for the preface");
        let wire: Box<dyn Wire> = match &opening.trust {
            Some(trust) => Box::new(trust.handshake(tcp, server.ip()).await.expect("a TLS handshake")),
            None => Box::new(tcp),
        };
        let mut request = format!("ws://{server}/v1/ws{}", opening.query).into_client_request().expect("a request");
        let subprotocols =
            if opening.subprotocols.is_empty() { SUBPROTOCOL_JSON.to_owned() } else { opening.subprotocols.join(", ") };
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", subprotocols.parse().expect("a header"));
        for (name, value) in opening.headers {
            headers.insert(name, value.parse().expect("a header"));
        }
        let upgrade = tokio_tungstenite::client_async_with_config(request, wire, None);
        match wait::within("an upgrade", upgrade).await {
            Ok((stream, _)) => Ok(Self {
                stream,
                next_id: 1,
                events: VecDeque::new(),
                replies: HashMap::new(),
                seen: HashMap::new(),
                unacknowledged: 0,
                desk: None,
                asked: HashMap::new(),
                acknowledges: true,
            }),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("no upgrade: {error}"),
        }
    }

    /// Opens a socket, says hello with this token and asks for everything from now on. The desk records all of it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn live(server: SocketAddr, opening: Opening, token: &str, desk: Option<Desk>) -> (Self, Welcome) {
        let mut socket = Self::open(server, opening).await.expect("an upgrade");
        socket.desk = desk;
        let welcome = socket.hello(token).await;
        socket.sync(Vec::new()).await;
        socket.event(EVENT_LIVE).await;
        (socket, welcome)
    }

    /// Says hello as a client that was never here: another connection of the login begins.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn hello(&mut self, token: &str) -> Welcome {
        let hello = Hello { token: Some(token.to_owned()), ..Hello::default() };
        let welcome = self.command("hello", None, &hello).await.expect("a welcome");
        serde_json::from_value(welcome).expect("a welcome")
    }

    /// Says hello as a device that was here before.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn hello_again(&mut self, token: &str, last: &Welcome) -> Welcome {
        let hello = Hello {
            token: Some(token.to_owned()),
            epoch: Some(last.epoch),
            resume: Some(last.connection.clone()),
            client: None,
        };
        let welcome = self.command("hello", None, &hello).await.expect("a welcome");
        serde_json::from_value(welcome).expect("a welcome")
    }

    /// Names all positions in one frame.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn sync(&mut self, positions: Vec<StreamPosition>) -> Synced {
        let sync = Sync { positions, done: true };
        let synced = self.command("sync", None, &sync).await.expect("synced");
        let synced: Synced = serde_json::from_value(synced).expect("synced");
        if let Some(desk) = &self.desk {
            synced.started.iter().for_each(|started| desk.started(started));
        }
        synced
    }

    /// Sends a command and awaits its answer; events that come before it are kept.
    ///
    /// # Errors
    /// The refusal.
    pub async fn command(&mut self, name: &str, to: Option<&str>, body: &impl Serialize) -> Result<Value, ErrorBody> {
        let id = self.start(name, to, body).await;
        self.reply(id).await
    }

    /// Sends a command and doesn't wait.
    pub async fn start(&mut self, name: &str, to: Option<&str>, body: &impl Serialize) -> u64 {
        self.start_with(name, to, None, body).await
    }

    /// Sends a command under an idempotency key and doesn't wait.
    pub async fn start_with(
        &mut self,
        name: &str,
        to: Option<&str>,
        key: Option<uuid::Uuid>,
        body: &impl Serialize,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let mut frame = json!({ "id": id, "type": name, "body": body });
        if let Some(to) = to {
            frame["to"] = to.into();
        }
        if let Some(key) = key {
            frame["key"] = key.to_string().into();
        }
        if let Some(desk) = &self.desk {
            self.asked.insert(id, desk.asks(name, to, &frame["body"]));
        }
        self.send_text(frame.to_string()).await;
        id
    }

    /// Awaits the answer of a command that was started.
    ///
    /// # Errors
    /// The refusal.
    ///
    /// # Panics
    /// When the socket closes instead.
    pub async fn reply(&mut self, id: u64) -> Result<Value, ErrorBody> {
        loop {
            if let Some(reply) = self.replies.remove(&id) {
                return reply;
            }
            match self.next().await {
                Incoming::Reply(id, reply) => {
                    self.replies.insert(id, reply);
                }
                Incoming::Event(event) => self.events.push_back(event),
                Incoming::Pong => {}
                Incoming::Closed(closed) => panic!("closed instead of a reply: {closed:?}"),
            }
        }
    }

    /// The next event of this name; others that came before it are kept.
    ///
    /// # Panics
    /// When the socket closes instead.
    pub async fn event(&mut self, name: &str) -> Event {
        self.event_where(name, |event| event.name == name).await
    }

    /// The next event that the test wants; others that came before it are kept.
    ///
    /// # Panics
    /// When the socket closes instead.
    pub async fn event_where(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        if let Some(at) = self.events.iter().position(&wanted) {
            return self.events.remove(at).expect("an event");
        }
        let deadline = tokio::time::Instant::now() + wait::PATIENCE;
        loop {
            let next = tokio::time::timeout_at(deadline, self.next()).await;
            let Ok(incoming) = next else {
                panic!("no {what} came; kept: {:?}", self.events);
            };
            match incoming {
                Incoming::Event(event) if wanted(&event) => return event,
                Incoming::Event(event) => self.events.push_back(event),
                Incoming::Reply(id, reply) => {
                    self.replies.insert(id, reply);
                }
                Incoming::Pong => {}
                Incoming::Closed(closed) => panic!("closed instead of {what}: {closed:?}"),
            }
        }
    }

    /// All events that came and were not asked for, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// Reads until the socket ends, keeping events.
    pub async fn closed(&mut self) -> Closed {
        loop {
            match self.next().await {
                Incoming::Closed(closed) => return closed,
                Incoming::Event(event) => self.events.push_back(event),
                Incoming::Reply(id, reply) => {
                    self.replies.insert(id, reply);
                }
                Incoming::Pong => {}
            }
        }
    }

    /// The next frame, whatever it is.
    ///
    /// # Panics
    /// When nothing comes, or a frame that is not of the protocol.
    pub async fn next(&mut self) -> Incoming {
        loop {
            let message = wait::within("a frame", self.stream.next()).await;
            match message {
                Some(Ok(Message::Text(text))) => return self.understand(text.as_str()).await,
                Some(Ok(Message::Close(frame))) => {
                    let closed = frame.map_or_else(Closed::without_frame, |frame| Closed {
                        code: frame.code.into(),
                        reason: frame.reason.as_str().to_owned(),
                    });
                    return Incoming::Closed(closed);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Incoming::Closed(Closed::without_frame()),
            }
        }
    }

    async fn understand(&mut self, text: &str) -> Incoming {
        let frame: ServerFrame<'_> =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in frame {text}"));
        if let Some(id) = frame.id {
            let reply = match (frame.ok, frame.error) {
                (Some(ok), None) => Ok(serde_json::from_str(ok.get()).expect("JSON")),
                (None, Some(error)) => Err(error),
                _ => panic!("a reply is either: {text}"),
            };
            if let (Some(desk), Some(asked)) = (&self.desk, self.asked.remove(&id)) {
                desk.answered(&asked, reply.as_ref().map_err(|error| error.code));
            }
            return Incoming::Reply(id, reply);
        }
        let name = frame.name.unwrap_or_else(|| panic!("neither reply nor event: {text}"));
        if name == "pong" {
            return Incoming::Pong;
        }
        let event = Event {
            name: name.into_owned(),
            from: frame.from,
            register: frame.register.map(|r| (r.key.into_owned(), r.version)),
            until: frame.until,
            at: frame.at,
            body: frame.body.map_or(Value::Null, |body| serde_json::from_str(body.get()).expect("JSON")),
        };
        self.note(&event).await;
        Incoming::Event(event)
    }

    async fn note(&mut self, event: &Event) {
        let Some(from) = event.from else { return };
        if let Some(desk) = &self.desk {
            desk.heard(event);
        }
        self.seen.insert(from.stream, from.seq);
        self.unacknowledged += 1;
        if self.acknowledges && self.unacknowledged >= ACK_EVERY_EVENTS {
            self.acknowledge().await;
        }
    }

    /// Acknowledges everything that was received.
    pub async fn acknowledge(&mut self) {
        self.unacknowledged = 0;
        let seen = std::mem::take(&mut self.seen);
        let positions = seen.into_iter().map(|(stream, seq)| AckPosition { stream, seq }).collect();
        let frame = json!({ "type": "ack", "body": Ack { positions } });
        let _ = self.stream.send(Message::text(frame.to_string())).await;
    }

    /// Sends a text frame as it is.
    ///
    /// # Panics
    /// When the socket is gone.
    pub async fn send_text(&mut self, text: String) {
        self.try_send(Message::text(text)).await.expect("an open socket");
    }

    /// Sends any message.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        wait::within("room to send", self.stream.send(message)).await
    }

    /// Ends the connection without a close frame, as a lost network does.
    pub fn cut(self) {
        drop(self);
    }
}

impl Closed {
    fn without_frame() -> Self {
        Self { code: 1006, reason: String::new() }
    }
}
