//! A server as far as a client can tell: logs, idempotent commands, parked connections, sync.

use std::collections::{BTreeMap, HashMap};

use protocol::chat::MESSAGE_NEW;
use protocol::frames::{EVENT_LIVE, EVENT_WITHHELD, From, StreamPosition};
use protocol::{ClientId, Position, Seq, StreamId, Tag};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct LogEntry {
    pub(crate) tag: Tag,
    pub(crate) client_id: Option<ClientId>,
    pub(crate) withheld: bool,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) logs: BTreeMap<StreamId, Vec<LogEntry>>,
    pub(crate) sync_pages: Vec<usize>,
    by_client_id: HashMap<ClientId, (StreamId, Seq)>,
    connection: Option<Connection>,
    parked: Option<Connection>,
    connections: u64,
    tags: u32,
}

#[derive(Clone, Default)]
struct Connection {
    name: String,
    sent: BTreeMap<StreamId, Seq>,
    acked: BTreeMap<StreamId, Seq>,
    in_step: bool,
}

/// What befalls one command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    Good,
    Refused,
    DoneButUnknown,
    Unanswered,
}

impl Server {
    pub(crate) fn append(&mut self, stream: StreamId, id: Option<ClientId>, hide: bool) -> Seq {
        self.tags += 1;
        let log = self.logs.entry(stream).or_default();
        log.push(LogEntry { tag: Tag(self.tags), client_id: id, withheld: hide });
        log.len() as Seq
    }

    pub(crate) fn head(&self, stream: StreamId) -> Position {
        let log = &self.logs[&stream];
        Position { seq: log.len() as Seq, tag: log.last().map_or(Tag(0), |entry| entry.tag) }
    }

    /// What the client has acknowledged on its present connection.
    pub(crate) fn acked(&self) -> BTreeMap<StreamId, Seq> {
        self.connection.as_ref().map(|connection| connection.acked.clone()).unwrap_or_default()
    }

    pub(crate) fn line_lost(&mut self, forget: bool) {
        if let Some(connection) = self.connection.take()
            && connection.in_step
            && !forget
        {
            self.parked = Some(connection);
        }
        if forget {
            self.parked = None;
        }
    }

    /// Takes a frame, gives the replies.
    pub(crate) fn receive(&mut self, now: u64, text: &str, luck: Luck) -> Vec<String> {
        let frame: Value = serde_json::from_str(text).unwrap();
        let reply = |ok: Value| vec![json!({ "id": frame["id"], "ok": ok }).to_string()];
        match frame["type"].as_str().unwrap() {
            "ping" => vec![json!({ "type": "pong" }).to_string()],
            "hello" => reply(self.hello(now, &frame["body"])),
            "sync" => reply(self.sync(&frame["body"])),
            "ack" => {
                let connection = self.connection.as_mut().unwrap();
                for ack in frame["body"]["positions"].as_array().unwrap() {
                    let stream = ack["stream"].as_str().unwrap().parse().unwrap();
                    let seq = ack["seq"].as_u64().unwrap();
                    assert!(seq <= connection.sent[&stream], "acknowledged unsent");
                    connection.acked.insert(stream, seq);
                }
                Vec::new()
            }
            "renew" => reply(json!({ "expires_at": now + 1_000_000 })),
            "messages.send" => {
                assert!(self.connection.as_ref().is_some_and(|c| c.in_step));
                let error = |code: &str| {
                    let error = json!({ "code": code, "message": "", "retry_after_ms": 50 });
                    vec![json!({ "id": frame["id"], "error": error }).to_string()]
                };
                if luck == Luck::Refused {
                    return error("overloaded");
                }
                let sent = self.send(&frame);
                match luck {
                    Luck::DoneButUnknown => error("outcome_unknown"),
                    Luck::Unanswered => Vec::new(),
                    _ => reply(sent),
                }
            }
            other => panic!("no command is called {other}"),
        }
    }

    fn hello(&mut self, now: u64, body: &Value) -> Value {
        self.connections += 1;
        let name = format!("connection-{}", self.connections);
        let parked = self
            .parked
            .take()
            .filter(|parked| body["epoch"].is_string() && body["resume"].as_str() == Some(&parked.name));
        let resumed = parked.is_some();
        let mut connection = parked.unwrap_or_default();
        connection.name = name.clone();
        connection.sent = connection.acked.clone();
        self.connection = Some(connection);
        json!({
            "user": uuid::Uuid::from_u128(1), "session": uuid::Uuid::from_u128(2),
            "connection": name, "connection_id": uuid::Uuid::from_u128(self.connections.into()),
            "resumed": resumed, "epoch": uuid::Uuid::from_u128(3),
            "time": now + 1_000_000_000, "expires_at": now + 2_000_000_000, "heartbeat_ms": 25_000,
            "ack_every_events": 5, "ack_every_ms": 5_000, "frame_bytes_max": 65_536,
        })
    }

    fn sync(&mut self, body: &Value) -> Value {
        let positions: Vec<StreamPosition> = serde_json::from_value(body["positions"].clone()).unwrap();
        self.sync_pages.push(positions.len());
        let connection = self.connection.as_mut().unwrap();
        for StreamPosition { stream, position } in positions {
            let log = &self.logs[&stream];
            if position.seq > 0 {
                assert_eq!(log[position.seq as usize - 1].tag, position.tag);
            }
            connection.acked.insert(stream, position.seq);
            connection.sent.insert(stream, position.seq);
        }
        let mut started = Vec::new();
        if body["done"] == json!(true) {
            connection.in_step = true;
            let named: Vec<_> = connection.sent.keys().copied().collect();
            for stream in self.logs.keys().filter(|stream| !named.contains(stream)) {
                let head = self.head(*stream);
                started.push((*stream, head));
            }
        }
        let connection = self.connection.as_mut().unwrap();
        for (stream, head) in &started {
            connection.sent.insert(*stream, head.seq);
            connection.acked.insert(*stream, head.seq);
        }
        let started: Vec<_> =
            started.into_iter().map(|(stream, position)| StreamPosition { stream, position }).collect();
        json!({ "started": started, "reset": [] })
    }

    fn send(&mut self, frame: &Value) -> Value {
        let conversation = frame["to"].as_str().unwrap().parse().unwrap();
        let stream = StreamId::conversation(conversation);
        let id: ClientId = serde_json::from_value(frame["body"]["client_id"].clone()).unwrap();
        let (stream, seq) = match self.by_client_id.get(&id) {
            Some(known) => *known,
            None => {
                let seq = self.append(stream, Some(id), false);
                self.by_client_id.insert(id, (stream, seq));
                (stream, seq)
            }
        };
        let tag = self.logs[&stream][seq as usize - 1].tag;
        json!({ "seq": seq, "tag": tag, "number": seq, "at": 1 })
    }

    /// What is to be told on the present connection; `skip` leaves one entry out that is not a log's last.
    pub(crate) fn pump(&mut self, mut skip: bool) -> Vec<String> {
        let Some(connection) = self.connection.as_mut().filter(|c| c.in_step) else {
            return Vec::new();
        };
        let mut frames = Vec::new();
        for (stream, log) in &self.logs {
            let sent = connection.sent.entry(*stream).or_insert(0);
            while (*sent as usize) < log.len() {
                if skip && (*sent as usize) + 1 < log.len() {
                    skip = false;
                    *sent += 1;
                }
                let first = *sent + 1;
                let mut entry = &log[*sent as usize];
                *sent += 1;
                while entry.withheld && log.get(*sent as usize).is_some_and(|next| next.withheld) {
                    entry = &log[*sent as usize];
                    *sent += 1;
                }
                let from = From { stream: *stream, seq: *sent, tag: entry.tag };
                let frame = if entry.withheld {
                    let body = json!({ "first": first, "last": *sent });
                    json!({ "type": EVENT_WITHHELD, "from": from, "body": body })
                } else {
                    json!({ "type": MESSAGE_NEW, "from": from, "at": 1, "body": {} })
                };
                frames.push(frame.to_string());
            }
        }
        if !frames.is_empty() {
            frames.push(json!({ "type": EVENT_LIVE, "body": {} }).to_string());
        }
        frames
    }
}
