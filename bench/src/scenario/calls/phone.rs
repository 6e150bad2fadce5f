//! A device that calls: a client, what it hears, and the few commands of a call.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use client::core::Event;
use client::{Client, Events};
use protocol::accounts::Done;
use protocol::calls::{
    CALL_SIGNAL, Call, CallKind, Description, DescriptionType, JoinCall, Joined, Leg, LegRef, Media, ParticipantStatus,
    SendSignal, SetMedia, Signal, StartCall,
};
use protocol::{CallId, ClientId, ConversationId, UserId};

/// What doesn't come within this time doesn't come.
const WITHIN: Duration = Duration::from_secs(20);
/// The size of a session description.
const SDP_BYTES: usize = 2_048;

/// A device.
pub(super) struct Phone {
    pub(super) client: Client,
    events: Events,
}

/// What a device knows of the call that it is in.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) call: CallId,
    pub(super) leg: LegRef,
}

impl Phone {
    pub(super) fn new((client, events): (Client, Events)) -> Self {
        Self { client, events }
    }

    pub(super) async fn start(&self, conversation: ConversationId) -> Result<Joined> {
        let body = StartCall {
            client_id: ClientId::now(),
            kind: CallKind::Audio,
            media: Media { audio: true, ..Media::default() },
            waiting_room: false,
        };
        Ok(self.client.call("call.start", Some(conversation.to_string()), &body).await?)
    }

    pub(super) async fn join(&self, call: CallId) -> Result<Joined> {
        let body = JoinCall { media: Media { audio: true, ..Media::default() }, ..JoinCall::default() };
        Ok(self.client.call("call.join", Some(call.to_string()), &body).await?)
    }

    pub(super) async fn leave(&self, place: Place) -> Result<Call> {
        let body = Leg { epoch: place.leg.epoch };
        Ok(self.client.call("call.leave", Some(place.call.to_string()), &body).await?)
    }

    pub(super) async fn set_media(&self, place: Place, media: Media) -> Result<Call> {
        let body = SetMedia { epoch: place.leg.epoch, media };
        Ok(self.client.call("call.media", Some(place.call.to_string()), &body).await?)
    }

    /// Sends a description to another leg.
    pub(super) async fn signal(&self, place: Place, to: LegRef, kind: DescriptionType) -> Result<Done> {
        let description = Some(Description { kind, sdp: session_description() });
        let body = SendSignal { epoch: place.leg.epoch, to, description, candidates: Vec::new() };
        Ok(self.client.call("call.signal", Some(place.call.to_string()), &body).await?)
    }

    /// Awaits that it is told of the call as `wanted` has it.
    pub(super) async fn told(&mut self, call: CallId, wanted: impl Fn(&Call) -> bool) -> Result<Call> {
        let register = format!("call:{call}");
        self.heard(|event| match event {
            Event::Register { key, body, .. } if key == register => {
                serde_json::from_str(body.get()).ok().filter(|call| wanted(call))
            }
            _ => None,
        })
        .await
    }

    /// Awaits the next signal of a call.
    pub(super) async fn signalled(&mut self, call: CallId) -> Result<Signal> {
        self.heard(|event| match event {
            Event::Ephemeral { name, body, .. } if name == CALL_SIGNAL => {
                serde_json::from_str(body.get()).ok().filter(|signal: &Signal| signal.call == call)
            }
            _ => None,
        })
        .await
    }

    /// Forgets what it has heard so far.
    pub(super) fn forget(&mut self) {
        while self.events.try_recv().is_ok() {}
    }

    async fn heard<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> Result<T> {
        let hear = async {
            loop {
                match self.events.recv().await {
                    Some(Event::Disconnected { why, .. }) => bail!("a device was disconnected: {why:?}"),
                    Some(event) => {
                        if let Some(found) = wanted(event) {
                            return Ok(found);
                        }
                    }
                    None => bail!("a device has ended"),
                }
            }
        };
        tokio::time::timeout(WITHIN, hear).await.context("a device was not told in time")?
    }
}

impl Place {
    /// The place that an answer of `call.start` or `call.join` gives to this user.
    pub(super) fn of(joined: &Joined, user: UserId) -> Result<Self> {
        Ok(Self { call: joined.call.id, leg: LegRef { user, epoch: joined.epoch.context("a leg")? } })
    }
}

/// Whether somebody but the one who called is in.
pub(super) fn is_answered(call: &Call) -> bool {
    call.participants.iter().any(|person| person.user != call.by && person.status == ParticipantStatus::Joined)
}

/// The leg of whoever called.
pub(super) fn callers_leg(call: &Call) -> Result<LegRef> {
    let epoch = call.participant(call.by).and_then(|caller| caller.epoch).context("the caller is in")?;
    Ok(LegRef { user: call.by, epoch })
}

/// Whoever is called or joined beside the one who called.
pub(super) fn callee(call: &Call) -> Result<UserId> {
    let other = call.participants.iter().find(|person| person.user != call.by);
    Ok(other.context("somebody is called")?.user)
}

/// A description of the usual size; the server reads no more of it than its form.
fn session_description() -> String {
    let mut sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".to_owned();
    while sdp.len() < SDP_BYTES {
        sdp.push_str("a=rtpmap:111 opus/48000/2\r\n");
    }
    sdp
}
