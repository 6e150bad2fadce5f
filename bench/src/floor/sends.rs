//! Floor of durable sends: reads the same frames from a bare TCP line, commits the same rows and indexes in groups with the same
//! durability, and writes the same acknowledgements. No authentication, limits, membership, hub or delivery.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use protocol::ConversationId;
use protocol::chat::SendMessage;
use protocol::frames::ClientFrame;
use rusqlite::{Connection, params};

/// The most sends in one commit, as in the server's store.
const BATCH_MAX: usize = 512;

/// The rows that one send writes, with their indexes, as in `chat/src/schema.rs`.
const SCHEMA: &str = "
CREATE TABLE streams (no INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, head_seq INTEGER NOT NULL DEFAULT 0, head_tag INTEGER NOT NULL DEFAULT 0,
    number INTEGER NOT NULL DEFAULT 0, last_message INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE entries (no INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, tag INTEGER NOT NULL, at INTEGER NOT NULL,
    kind INTEGER NOT NULL, number INTEGER NOT NULL, actor BLOB, client_id BLOB, text TEXT) STRICT;
CREATE UNIQUE INDEX entries_by_position ON entries (stream, seq);
CREATE TABLE client_ids (stream INTEGER NOT NULL, sender BLOB NOT NULL, client_id BLOB NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (stream, sender, client_id)) STRICT, WITHOUT ROWID;
CREATE TABLE memberships (stream INTEGER NOT NULL, user BLOB NOT NULL, read_seq INTEGER NOT NULL, read_number INTEGER NOT NULL,
    delivered_seq INTEGER NOT NULL, untold INTEGER NOT NULL, own_number INTEGER NOT NULL, read_own INTEGER NOT NULL, PRIMARY KEY (stream, user)) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_untold ON memberships (stream, user) WHERE untold > 0;
";

/// One send on its way to the writer.
struct Send {
    connection: usize,
    frame: u64,
    conversation: ConversationId,
    message: SendMessage,
}

/// Serves until the process is killed.
pub(crate) fn run(directory: &Path) -> Result<()> {
    let listener = super::listen()?;
    let (to_writer, sends) = sync_channel(4 * 1024);
    let (new_connection, connections) = sync_channel(64);
    let path = directory.join("floor.sqlite");
    thread::spawn(move || write(&path, &sends, &connections));
    for connection in 0.. {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        new_connection.send(stream.try_clone()?)?;
        let to_writer = to_writer.clone();
        thread::spawn(move || read(connection, stream, &to_writer));
    }
    Ok(())
}

fn read(connection: usize, stream: TcpStream, to_writer: &SyncSender<Send>) -> Result<()> {
    let mut lines = BufReader::with_capacity(64 * 1024, stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let frame: ClientFrame = serde_json::from_slice(&line)?;
        let message = serde_json::from_str(frame.body.context("no body")?.get())?;
        let conversation = frame.to.context("no conversation")?.parse()?;
        to_writer.send(Send { connection, frame: frame.id.unwrap_or_default(), conversation, message })?;
    }
}

fn write(path: &Path, sends: &Receiver<Send>, connections: &Receiver<TcpStream>) -> Result<()> {
    let mut store = Connection::open(path)?;
    store.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;")?;
    store.execute_batch(SCHEMA)?;
    let mut streams: HashMap<ConversationId, (i64, i64)> = HashMap::new();
    let mut sockets: Vec<TcpStream> = Vec::new();
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while let Ok(first) = sends.recv() {
        batch.push(first);
        while batch.len() < BATCH_MAX {
            let Ok(next) = sends.try_recv() else { break };
            batch.push(next);
        }
        let mut answers: HashMap<usize, Vec<u8>> = HashMap::new();
        let transaction = store.transaction()?;
        for send in batch.drain(..) {
            let seq = append(&transaction, &mut streams, &send)?;
            let answer = answers.entry(send.connection).or_default();
            writeln!(
                answer,
                r#"{{"id":{},"ok":{{"seq":{seq},"tag":"{:08x}","number":{seq},"at":1700000000000}}}}"#,
                send.frame, seq as u32
            )?;
        }
        transaction.commit()?;
        sockets.extend(connections.try_iter());
        for (connection, answer) in answers {
            sockets[connection].write_all(&answer)?;
        }
    }
    Ok(())
}

fn append(store: &Connection, streams: &mut HashMap<ConversationId, (i64, i64)>, send: &Send) -> Result<i64> {
    let id = send.conversation.as_bytes();
    if !streams.contains_key(&send.conversation) {
        let no = streams.len() as i64 + 1;
        store.execute("INSERT INTO streams (no, key) VALUES (?1, ?2)", params![no, id])?;
        store.execute("INSERT INTO memberships VALUES (?1, ?2, 0, 0, 0, 0, 0, 0)", params![no, id])?;
        streams.insert(send.conversation, (no, 0));
    }
    let (no, last) = streams.get_mut(&send.conversation).context("just inserted")?;
    *last += 1;
    let (no, head) = (*no, *last);
    store
        .prepare_cached("INSERT INTO entries (stream, seq, tag, at, kind, number, actor, client_id, text) VALUES (?1, ?2, ?3, 1700000000000, 8, ?2, ?4, ?5, ?6)")?
        .execute(params![no, head, head & 0xffff_ffff, id, send.message.client_id.as_bytes(), send.message.text])?;
    store.prepare_cached("INSERT INTO client_ids VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        no,
        id,
        send.message.client_id.as_bytes(),
        head
    ])?;
    store
        .prepare_cached(
            "UPDATE streams SET head_seq = ?2, head_tag = ?2, number = ?2, last_message = ?2 WHERE no = ?1",
        )?
        .execute(params![no, head])?;
    store
        .prepare_cached("UPDATE memberships SET read_seq = ?3, read_number = ?3, delivered_seq = ?3, own_number = ?3, read_own = ?3 WHERE stream = ?1 AND user = ?2")?
        .execute(params![no, id, head])?;
    Ok(head)
}
