//! What a frame of the client asks for.

use std::sync::Arc;

use bytes::Bytes;
use link::{Call, Refusal};
use protocol::commands::{CommandSpec, Repeat, Route};
use protocol::frames::{Ack, ClientFrame, Renew, Renewed};
use protocol::{CloseCode, ErrorCode, RequestId};
use serde::de::DeserializeOwned;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tracing::Instrument;

use super::connection::Connection;
use super::work::Done;
use crate::edge::{actor, admit, routed};
use crate::limits::{Client, Limits, Spent, limited};
use crate::meters::{SOCKET_FRAMES, socket_endpoint};

/// A client that goes on after so many refused frames in a row does not listen.
const REFUSED_IN_A_ROW_MAX: u32 = 1_000;

impl Connection {
    /// Takes a frame; the error is why the socket closes.
    pub(super) fn frame(&mut self, text: Utf8Bytes) -> Result<(), CloseCode> {
        let bytes = Bytes::from(text);
        let frame: ClientFrame<'_> = serde_json::from_slice(&bytes).map_err(|_| CloseCode::ProtocolViolation)?;
        self.edge.meters.received(&frame.name);
        if let Err(refusal) = self.count()? {
            if let Some(id) = frame.id {
                self.reply(id, RequestId::now(), &Err(refusal));
            }
            return Ok(());
        }
        match &*frame.name {
            "ping" => {
                let codec = self.conn.session().codec();
                self.conn.session().say(codec.pong());
                Ok(())
            }
            "ack" => self.acknowledge(body_of(&frame)?),
            "sync" => {
                let id = frame.id.ok_or(CloseCode::ProtocolViolation)?;
                self.sync(id, body_of(&frame)?)
            }
            "renew" => {
                let id = frame.id.ok_or(CloseCode::ProtocolViolation)?;
                self.renew(id, body_of(&frame)?);
                Ok(())
            }
            _ => {
                self.command(&frame, &bytes);
                Ok(())
            }
        }
    }

    /// Draws the frame from the budget that the login's sockets share.
    fn count(&mut self) -> Result<Result<(), Refusal>, CloseCode> {
        let decision = self.edge.limits.frame(self.caller.session);
        self.edge.meters.limit(SOCKET_FRAMES, !decision.allowed);
        if decision.allowed {
            self.refused = 0;
            return Ok(Ok(()));
        }
        self.refused += 1;
        if self.refused > REFUSED_IN_A_ROW_MAX {
            return Err(CloseCode::RateLimited);
        }
        Ok(Err(limited(decision)))
    }

    /// Queues a reply.
    pub(super) fn reply(&self, id: u64, request: RequestId, result: &Result<Bytes, Refusal>) {
        let status = result.as_ref().map_or_else(|refusal| refusal.code.status(), |_| 200);
        self.edge.meters.answered(status);
        let mut session = self.conn.session();
        let reply = session.codec().reply(id, request, result);
        session.say(reply);
    }

    fn acknowledge(&self, ack: Ack) -> Result<(), CloseCode> {
        for at in ack.positions {
            let proven = self.conn.session().acknowledge(at.stream, at.seq);
            if let Some(seq) = proven {
                self.edge.devices.acknowledged(self.caller.user, at.stream, seq);
            }
        }
        Ok(())
    }

    /// A fresh token of the same login takes the place of the old one.
    fn renew(&mut self, id: u64, renew: Renew) {
        let (edge, conn, caller) = (Arc::clone(&self.edge), Arc::clone(&self.conn), self.caller);
        let request = RequestId::now();
        self.work().command(Box::pin(async move {
            let result = match edge.tokens.verify(&renew.token).await {
                Ok(fresh) if (fresh.caller.user, fresh.caller.session) == (caller.user, caller.session) => {
                    conn.session().renew(fresh.token);
                    let expires_at = fresh.token.expires_at;
                    serde_json::to_vec(&Renewed { expires_at })
                        .map(Bytes::from)
                        .map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))
                }
                Ok(_) => {
                    let message = "The token is of another login: open another socket for it.";
                    Err(Refusal::new(ErrorCode::Forbidden, message))
                }
                Err(refusal) => Err(refusal),
            };
            Done::Reply { id: Some(id), request, result }
        }));
    }

    fn command(&mut self, frame: &ClientFrame<'_>, bytes: &Bytes) {
        let context = self.origin.context_of_command(frame.traceparent.as_deref());
        let request = context.request_id;
        match self.call(frame, bytes, context) {
            Ok((spec, call)) if Limits::is_exact(spec.cost) => self.weigh(frame.id, spec, call),
            Ok((spec, call)) => self.execute(frame.id, spec, call),
            Err(refusal) => self.refuse(frame.id, request, refusal),
        }
    }

    /// Asks the exact budgets of a command. What the client says next waits for the answer, so that its commands begin in the order in which they came.
    fn weigh(&mut self, id: Option<u64>, spec: &'static CommandSpec, call: Call) {
        let (edge, client) = (Arc::clone(&self.edge), self.client());
        let work = self.work();
        work.holds = true;
        work.command(Box::pin(async move {
            let counted = edge.limits.command(spec, client).await;
            Done::Weighed { id, spec, call: Box::new(call), counted }
        }));
    }

    /// The budgets have answered.
    pub(super) fn weighed(
        &mut self,
        id: Option<u64>,
        spec: &'static CommandSpec,
        call: Call,
        counted: Result<(), Refusal>,
    ) {
        self.work().holds = false;
        self.edge.meters.limit(socket_endpoint(spec.cost), counted.is_err());
        match counted {
            Ok(()) => self.execute(id, spec, call),
            Err(refusal) => self.refuse(id, call.context.request_id, refusal),
        }
    }

    fn execute(&mut self, id: Option<u64>, spec: &'static CommandSpec, call: Call) {
        let request = call.context.request_id;
        let span = tracing::info_span!(
            "command",
            service = "api-gateway",
            request_id = request.0.as_u128(),
            trace_id = call.context.trace.trace_number(),
            user_id = self.caller.user.0.as_u128(),
        );
        let edge = Arc::clone(&self.edge);
        let flight = async move {
            let result = edge.execute(spec, call).await.result;
            Done::Reply { id, request, result }
        };
        let flight = flight.instrument(span);
        self.work().command(Box::pin(flight));
    }

    fn refuse(&self, id: Option<u64>, request: RequestId, refusal: Refusal) {
        if let Some(id) = id {
            self.reply(id, request, &Err(refusal));
        }
    }

    fn client(&self) -> Client {
        Client { user: Some(self.caller.user), address: self.origin.address }
    }

    /// The command that a frame asks for, if its sender may and its pace allows it.
    fn call(
        &self,
        frame: &ClientFrame<'_>,
        bytes: &Bytes,
        context: link::Context,
    ) -> Result<(&'static CommandSpec, Call), Refusal> {
        let unknown = || Refusal::of(ErrorCode::UnknownCommand);
        let spec: &'static CommandSpec = self.edge.commands.get(&*frame.name).ok_or_else(unknown)?;
        if !spec.socket {
            return Err(unknown());
        }
        if let Err(refusal) = admit(spec, Some(&self.caller)) {
            self.edge.denials.note(&refusal, spec.name, Some(self.caller.user), &self.origin);
            return Err(refusal);
        }
        let to = match spec.route {
            Route::Any | Route::Caller => None,
            Route::Conversation | Route::User | Route::Call => match &frame.to {
                Some(to) => Some(to.clone().into_owned()),
                None => {
                    let message = format!("{}: `to` must name what it is for.", spec.name);
                    return Err(Refusal::new(ErrorCode::InvalidRequest, message));
                }
            },
        };
        let routed = routed(to.as_deref())?;
        if !Limits::is_exact(spec.cost) {
            let counted = self.edge.limits.pace(spec, self.client(), routed, &mut Spent::default());
            self.edge.meters.limit(socket_endpoint(spec.cost), counted.is_err());
            counted?;
        }
        let key = match spec.repeat {
            Repeat::Key => Some(frame.key.ok_or_else(|| Refusal::of(ErrorCode::IdempotencyKeyRequired))?.0),
            Repeat::Harmless | Repeat::ClientId => None,
        };
        let body = frame.body.map_or_else(|| Bytes::from_static(b"{}"), |body| bytes.slice_ref(body.get().as_bytes()));
        let call = Call {
            command: spec.name.to_owned(),
            actor: actor(Some(self.caller)),
            to,
            body,
            key,
            cookie: None,
            context,
        };
        Ok((spec, call))
    }
}

/// The body of one of the gateway's own frames.
fn body_of<T: DeserializeOwned>(frame: &ClientFrame<'_>) -> Result<T, CloseCode> {
    let body = frame.body.map_or("{}", |body| body.get());
    serde_json::from_str(body).map_err(|_| CloseCode::ProtocolViolation)
}
