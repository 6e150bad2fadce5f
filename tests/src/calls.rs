//! A device as it takes part in calls: it starts and joins them, negotiates, and is told of them.
//!
//! It keeps of the registers what a client keeps, the newest version, and holds the server to what a client relies on: the signals of a leg
//! are numbered from 1 without a gap.

use std::collections::HashMap;

use protocol::calls::{
    CALL_RECORD, CALL_SIGNAL, CALL_STATE, CALLS_INDEX, Call, CallIndex, CallKind, CallRecord, CallStatus, Calls,
    Candidate, Description, DescriptionType, JoinCall, Joined, LegRef, Media, ParticipantStatus, SendSignal, Signal,
    StartCall,
};
use protocol::frames::Welcome;
use protocol::{CallId, ClientId, ConversationId, ErrorCode, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{Person, START};
use crate::socket::{Event, Opening, Socket};

/// A session description as a browser makes one.
pub const SDP: &str = "v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\n";

/// A device that calls.
pub struct Phone {
    /// Whose.
    pub user: UserId,
    /// Its socket.
    pub socket: Socket,
    /// What the server said at hello.
    pub welcome: Welcome,
    versions: HashMap<CallId, u64>,
    heard: HashMap<(CallId, u64), u64>,
}

/// A microphone that is on.
#[must_use]
pub fn microphone() -> Media {
    Media { audio: true, ..Media::default() }
}

/// What starts a call under a fresh id.
#[must_use]
pub fn audio() -> StartCall {
    StartCall { client_id: ClientId(Uuid::new_v4()), kind: CallKind::Audio, media: microphone(), waiting_room: false }
}

/// A session description in a role.
#[must_use]
pub fn description(kind: DescriptionType) -> Description {
    Description { kind, sdp: SDP.to_owned() }
}

/// A candidate that is told apart by its port.
#[must_use]
pub fn candidate(port: u16) -> Candidate {
    Candidate {
        candidate: format!("candidate:1 1 udp 2122260223 192.0.2.1 {port} typ host generation 0"),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        username_fragment: Some("abcd".to_owned()),
    }
}

/// Where someone is in a call; `None` for who has no part in it.
#[must_use]
pub fn status(call: &Call, user: UserId) -> Option<ParticipantStatus> {
    call.participant(user).map(|participant| participant.status)
}

/// The leg of someone who is in.
///
/// # Panics
/// When they are not.
#[must_use]
pub fn leg(call: &Call, user: UserId) -> LegRef {
    let epoch = call.participant(user).and_then(|participant| participant.epoch);
    LegRef { user, epoch: epoch.unwrap_or_else(|| panic!("{user} has no leg in {call:?}")) }
}

impl Phone {
    /// A new device of a login.
    pub async fn of(person: &Person) -> Self {
        let device = person.device().await;
        Self {
            user: person.id,
            socket: device.socket,
            welcome: device.welcome,
            versions: HashMap::new(),
            heard: HashMap::new(),
        }
    }

    /// The network drops.
    pub fn cut(self) -> Welcome {
        self.socket.cut();
        self.welcome
    }

    /// The same device with another socket, on the connection that it had.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn back(person: &Person, last: &Welcome) -> Self {
        let mut socket = Socket::open(person.gateway, Opening::default()).await.expect("an upgrade");
        let welcome = socket.hello_again(&person.access, last).await;
        Self { user: person.id, socket, welcome, versions: HashMap::new(), heard: HashMap::new() }
    }

    /// Calls a command.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        name: &str,
        to: &str,
        body: &impl Serialize,
    ) -> Result<T, ErrorCode> {
        let answer = self.socket.command(name, Some(to), body).await.map_err(|error| error.code)?;
        Ok(serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{error} in {name}: {answer}")))
    }

    /// Calls a command on a call.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn on(&mut self, call: CallId, name: &str, body: Value) -> Result<Value, ErrorCode> {
        self.ask(name, &call.to_string(), &body).await
    }

    /// Calls a command on a call that must be refused.
    ///
    /// # Panics
    /// When it isn't.
    pub async fn refused(&mut self, call: CallId, name: &str, body: Value) -> ErrorCode {
        match self.on(call, name, body.clone()).await {
            Err(code) => code,
            Ok(answer) => panic!("{name} {body} was done: {answer}"),
        }
    }

    /// Calls a command on a call that must succeed and answers with the call.
    ///
    /// # Panics
    /// When it doesn't.
    pub async fn done(&mut self, call: CallId, name: &str, body: Value) -> Call {
        let answer = self.ask(name, &call.to_string(), &body).await;
        answer.unwrap_or_else(|code| panic!("{name} {body}: {code:?}"))
    }

    /// Starts a call.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn call(&mut self, conversation: ConversationId) -> Joined {
        self.start(conversation, &audio()).await.unwrap_or_else(|code| panic!("call.start: {code:?}"))
    }

    /// Starts a call.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn start(&mut self, conversation: ConversationId, start: &StartCall) -> Result<Joined, ErrorCode> {
        self.ask("call.start", &conversation.to_string(), start).await
    }

    /// Answers or joins a call with a new leg.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn join(&mut self, call: CallId) -> Joined {
        self.try_join(call).await.unwrap_or_else(|code| panic!("call.join: {code:?}"))
    }

    /// Answers or joins a call with a new leg.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn try_join(&mut self, call: CallId) -> Result<Joined, ErrorCode> {
        let join = JoinCall { media: microphone(), ..JoinCall::default() };
        self.ask("call.join", &call.to_string(), &join).await
    }

    /// Comes back to a leg, having heard its signals up to a number.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn come_back(&mut self, call: CallId, epoch: u64, heard: u64) -> Result<Joined, ErrorCode> {
        let join = JoinCall { epoch: Some(epoch), heard, media: microphone() };
        let joined: Joined = self.ask("call.join", &call.to_string(), &join).await?;
        if joined.renegotiate {
            // The server's count was lost with what it counted, and begins anew.
            self.heard.remove(&(call, epoch));
        }
        Ok(joined)
    }

    /// Leaves with a leg.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn leave(&mut self, call: CallId, epoch: u64) -> Call {
        self.done(call, "call.leave", json!({ "epoch": epoch })).await
    }

    /// The call as the server has it.
    pub async fn get(&mut self, call: CallId) -> Call {
        self.done(call, "call.get", json!({})).await
    }

    /// The call as the server has it.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn try_get(&mut self, call: CallId) -> Result<Call, ErrorCode> {
        self.ask("call.get", &call.to_string(), &json!({})).await
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The code of its refusal.
    pub async fn signal(&mut self, call: CallId, signal: &SendSignal) -> Result<Value, ErrorCode> {
        self.ask("call.signal", &call.to_string(), signal).await
    }

    /// The next signal to a leg, which must follow the last one.
    ///
    /// # Panics
    /// When it doesn't.
    pub async fn hears(&mut self, call: CallId, epoch: u64) -> Signal {
        let user = self.user;
        let event = self.socket.event_where("signal", |event| {
            event.name == CALL_SIGNAL && event.body["call"] == call.to_string() && event.body["to"]["epoch"] == epoch
        });
        let signal: Signal = event.await.body();
        assert_eq!(signal.to, LegRef { user, epoch }, "a signal reaches only the user whom it is for");
        let heard = self.heard.entry((call, epoch)).or_default();
        *heard += 1;
        assert_eq!(signal.number, *heard, "signals of a leg have no gap");
        signal
    }

    /// The next version of a call that is as awaited; those before it are passed over.
    pub async fn sees(&mut self, call: CallId, what: &str, awaited: impl Fn(&Call) -> bool) -> Call {
        loop {
            let told = self.next_state(what, Some(call)).await;
            if awaited(&told) {
                return told;
            }
        }
    }

    /// The next call that this device is to ring for.
    pub async fn rings(&mut self) -> Call {
        let user = self.user;
        loop {
            let told = self.next_state("a call", None).await;
            if told.participant(user).is_some_and(|participant| participant.status.is_called()) {
                return told;
            }
        }
    }

    /// The end of a call.
    pub async fn sees_end(&mut self, call: CallId, end: CallStatus) -> Call {
        let told = self.sees(call, end.as_str(), |call| call.status.is_over()).await;
        assert_eq!(told.status, end, "{told:?}");
        told
    }

    /// Somebody in this state.
    pub async fn sees_user(&mut self, call: CallId, user: UserId, at: ParticipantStatus) -> Call {
        let what = format!("{user} {at:?}");
        self.sees(call, &what, |call| status(call, user) == Some(at)).await
    }

    /// The next version that is not older than what this device knows: of two processes that tell it something the one may be later than the other.
    async fn next_state(&mut self, what: &str, of: Option<CallId>) -> Call {
        loop {
            let event = self.socket.event_where(what, |event| {
                event.name == CALL_STATE && of.is_none_or(|call| event.body["id"] == call.to_string())
            });
            let event = event.await;
            let call: Call = event.body();
            assert_eq!(event.register, Some((format!("call:{}", call.id), call.version)), "its register");
            let newest = self.versions.entry(call.id).or_default();
            // The same one is told again at a connection, and when a hint was missed.
            if call.version >= *newest {
                *newest = call.version;
                return call;
            }
        }
    }

    /// The next index of the user's calls that is as awaited.
    pub async fn index(&mut self, what: &str, awaited: impl Fn(&CallIndex) -> bool) -> CallIndex {
        let key = format!("calls:{}", self.user);
        loop {
            let event = self.socket.event_where(what, |event| event.name == CALLS_INDEX).await;
            assert_eq!(event.register.as_ref().map(|(key, _)| key), Some(&key), "its register");
            let told: CallIndex = event.body();
            if awaited(&told) {
                return told;
            }
        }
    }
}

impl Person {
    /// The records of calls that stand in a conversation's log, in its order.
    pub async fn records(&self, conversation: ConversationId) -> Vec<CallRecord> {
        let log = self.log(conversation, START).await;
        log.iter().filter(|event| event.name == CALL_RECORD).map(Event::body).collect()
    }

    /// This person's call history.
    pub async fn calls(&self) -> Calls {
        self.call("calls.list", None, json!({})).await.data()
    }
}
