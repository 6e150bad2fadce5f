//! Hello: the first frame of every socket. It says who the client is, and perhaps which connection it resumes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use link::{Caller, Refusal, Subscriptions};
use protocol::frames::{ClientFrame, Hello, Welcome};
use protocol::limits::{ACK_EVERY_EVENTS, ACK_EVERY_MS, FRAME_BYTES_MAX, HEARTBEAT_MS, HELLO_WITHIN_MS};
use protocol::{CloseCode, Epoch, ErrorCode, RequestId, StreamId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::transport::{Incoming, Transport};
use super::upgrade::close_code;
use crate::clock;
use crate::codec::{Codec, Frames};
use crate::edge::{Edge, Origin};
use crate::hub::Conn;
use crate::identities::ConnectionIdentity;
use crate::limits;
use crate::session::Session;
use crate::token::Verified;

/// A client that was welcomed.
pub(super) struct Greeted {
    pub(super) conn: Arc<Conn>,
    pub(super) socket: u32,
    pub(super) caller: Caller,
}

impl Greeted {
    /// What `caller` says on this connection is said by it.
    fn new(conn: Arc<Conn>, socket: u32, caller: Caller) -> Self {
        let caller = Caller { connection: Some(conn.id), ..caller };
        Self { conn, socket, caller }
    }
}

/// Reads the hello and answers it. The error is how the socket is to be closed; nothing where the client is gone. Who has not said who it is holds
/// its place among those for as long.
pub(super) async fn greet(
    edge: &Edge,
    transport: &mut Transport,
    codec: Codec,
    (bearer, mut place): (Option<Verified>, Option<limits::Greeting>),
    origin: &Origin,
) -> Result<Greeted, Option<CloseCode>> {
    let within = Duration::from_millis(HELLO_WITHIN_MS);
    let first = tokio::select! {
        first = tokio::time::timeout(within, first_text(transport)) => match first {
            Ok(first) => first?,
            Err(_) => return Err(Some(CloseCode::HelloTimeout)),
        },
        // Who has said nothing yet has nothing to finish here, and would hold up the drain for as long as a hello may take.
        () = edge.shutdown.draining() => return Err(Some(CloseCode::Unavailable)),
    };
    let (id, hello) = parse(first.as_str()).ok_or(Some(CloseCode::ProtocolViolation))?;
    edge.meters.received("hello");
    let request = RequestId::now();
    let greeting = Greeting { edge, codec, id, request };
    match greeting.welcome(hello, bearer, &mut place).await {
        Ok(greeted) => {
            edge.devices.changed(greeted.conn.device());
            edge.identities.welcomed(&greeted.conn);
            Ok(greeted)
        }
        Err(refusal) => {
            edge.denials.note(&refusal, "socket", None, origin);
            let reply = codec.reply(id, request, &Err(refusal.clone()));
            // Whether it still hears the reply or not: it is closed with the code that says the same.
            let _ = transport.send(reply).await;
            Err(Some(close_code(&refusal)))
        }
    }
}

async fn first_text(transport: &mut Transport) -> Result<Utf8Bytes, Option<CloseCode>> {
    loop {
        match transport.recv().await {
            Incoming::Text(text) => return Ok(text),
            Incoming::Alive => {}
            Incoming::Violation(code) => return Err(Some(code)),
            Incoming::Closed(_) | Incoming::Lost => return Err(None),
        }
    }
}

fn parse(text: &str) -> Option<(u64, Hello)> {
    let frame: ClientFrame<'_> = serde_json::from_str(text).ok()?;
    let body = frame.body.map_or("{}", |body| body.get());
    (frame.name == "hello").then_some(())?;
    Some((frame.id?, serde_json::from_str(body).ok()?))
}

struct Greeting<'a> {
    edge: &'a Edge,
    codec: Codec,
    id: u64,
    request: RequestId,
}

impl Greeting<'_> {
    async fn welcome(
        &self,
        hello: Hello,
        bearer: Option<Verified>,
        place: &mut Option<limits::Greeting>,
    ) -> Result<Greeted, Refusal> {
        let verified = match (&hello.token, bearer) {
            (Some(token), _) => self.edge.tokens.verify(token).await?,
            (None, Some(verified)) => verified,
            (None, None) => return Err(Refusal::of(ErrorCode::Unauthenticated)),
        };
        // It has said who it is: however long it waits for its turn, the others of its address need not.
        *place = None;
        let greeted = match self.resume(&hello, &verified)? {
            Some(greeted) => greeted,
            None => {
                let _turn = self.edge.hellos.take().await?;
                let identity = self.kept(&hello, &verified.caller).await.unwrap_or_else(ConnectionIdentity::new);
                self.begin(&verified, identity).await?
            }
        };
        // A revocation between the look at the token and the registration was told to nobody.
        if let Err(refusal) = self.edge.tokens.still_good(&verified) {
            self.edge.hub.remove(&greeted.conn);
            return Err(refusal);
        }
        Ok(greeted)
    }

    /// The connection that the client names, if the server still knows it.
    fn resume(&self, hello: &Hello, verified: &Verified) -> Result<Option<Greeted>, Refusal> {
        let hub = &self.edge.hub;
        let (Some(secret), Some(epoch)) = (secret(hello), hub.epoch()) else {
            return Ok(None);
        };
        if hello.epoch != Some(epoch) {
            return Ok(None);
        }
        let Caller { user, session, .. } = verified.caller;
        let Some(conn) = hub.find(user, session, secret) else {
            return Ok(None);
        };
        let welcome = self.frame(&conn, verified, epoch, true)?;
        let socket = hub.resume(&conn, verified.token, welcome);
        if socket.is_none() {
            // Its client begins anew.
            hub.expel(&conn, CloseCode::TakenOver);
        }
        Ok(socket.map(|socket| Greeted::new(conn, socket, verified.caller)))
    }

    /// Who the client was on another gateway, or on this one before it crashed.
    async fn kept(&self, hello: &Hello, caller: &Caller) -> Option<ConnectionIdentity> {
        let (Some(secret), Some(claimed)) = (secret(hello), hello.epoch) else { return None };
        let Edge { hub, identities, .. } = self.edge;
        if !identities.are_kept() {
            return None;
        }
        if hub.epoch().is_none() {
            // Nobody was welcomed here yet.
            hub.epoch_is(self.subscriptions(*caller).await.ok()?.epoch);
        }
        let epoch = hub.epoch().filter(|epoch| *epoch == claimed)?;
        identities.find(epoch, caller.user, caller.session, secret).await
    }

    /// A new connection: register first, then read what the user hears, then subscribe.
    async fn begin(&self, verified: &Verified, identity: ConnectionIdentity) -> Result<Greeted, Refusal> {
        let (edge, caller) = (self.edge, verified.caller);
        let hub = &edge.hub;
        let own = StreamId::user(caller.user);
        let session = Session::new(hub.settings(), self.codec, own, verified.token, clock::now());
        let conn = hub.register(caller.user, caller.session, identity, session);
        // However this ends early, also by a lost socket, the half-made connection goes.
        let mut unfinished = Unfinished { edge, conn: Some(&conn) };
        let Subscriptions { epoch, heads } = self.subscriptions(caller).await?;
        hub.epoch_is(epoch);
        let welcome = self.frame(&conn, verified, epoch, false)?;
        let fresh = hub.subscribe(&conn, &heads);
        self.look_again(fresh).await;
        conn.session().welcome(heads, welcome);
        unfinished.conn = None;
        Ok(Greeted::new(Arc::clone(&conn), 0, caller))
    }

    async fn subscriptions(&self, caller: Caller) -> Result<Subscriptions, Refusal> {
        let within = Duration::from_millis(self.edge.config.read_within_ms);
        let question = self.edge.services.chat.subscriptions(caller.user);
        tokio::time::timeout(within, question).await.map_err(|_| Refusal::of(ErrorCode::Unavailable))?
    }

    /// Streams that nobody here followed may have moved between the reading of their heads and the subscription.
    async fn look_again(&self, fresh: Vec<StreamId>) {
        let hub = &self.edge.hub;
        let within = Duration::from_millis(self.edge.config.read_within_ms);
        for part in fresh.chunks(1_000) {
            let question = self.edge.services.chat.heads(part.to_vec());
            match tokio::time::timeout(within, question).await {
                Ok(Ok(heads)) => heads.iter().for_each(|head| hub.head(head.stream, head.position)),
                _ => hub.fill_all(part),
            }
        }
    }

    fn frame(&self, conn: &Conn, verified: &Verified, epoch: Epoch, resumed: bool) -> Result<Frames, Refusal> {
        let welcome = Welcome {
            user: conn.user,
            session: conn.login,
            connection: format!("{:032x}", conn.secret),
            connection_id: conn.id,
            resumed,
            epoch,
            time: clock::wall(),
            expires_at: verified.token.expires_at,
            heartbeat_ms: HEARTBEAT_MS,
            ack_every_events: ACK_EVERY_EVENTS,
            ack_every_ms: ACK_EVERY_MS,
            frame_bytes_max: FRAME_BYTES_MAX as u64,
        };
        let body =
            serde_json::to_vec(&welcome).map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))?;
        Ok(self.codec.reply(self.id, self.request, &Ok(Bytes::from(body))))
    }
}

/// What the client shows to resume.
fn secret(hello: &Hello) -> Option<u128> {
    hello.resume.as_deref().and_then(|name| u128::from_str_radix(name, 16).ok())
}

/// Lets go of a connection whose hello did not come to its end.
struct Unfinished<'a> {
    edge: &'a Edge,
    conn: Option<&'a Arc<Conn>>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn {
            self.edge.hub.remove(conn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_hello_with_an_id_is_one() {
        assert!(parse(r#"{"id":1,"type":"hello","body":{"token":"t"}}"#).is_some());
        assert!(parse(r#"{"id":1,"type":"hello"}"#).is_some());
        for other in [
            r#"{"type":"hello"}"#,
            r#"{"id":1,"type":"sync"}"#,
            r#"{"id":1,"type":"hello","body":{"tokne":"t"}}"#,
            "[]",
            "",
        ] {
            assert!(parse(other).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "\\PC*", id: u64) {
            let _ = parse(&text);
            let _ = parse(&format!(r#"{{"id":{id},"type":"hello","body":{text}}}"#));
        }
    }
}
