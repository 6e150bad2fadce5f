//! What goes in and out of the core, apart from events.

use std::borrow::Cow;

use protocol::{ClientId, ErrorBody, ErrorCode, Millis};
use serde_json::value::RawValue;

/// Names a command until it is answered; later commands have higher ones.
pub type Ticket = u64;

/// A command of `protocol::commands` for the socket.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is routed by, where its row says so.
    pub to: Option<String>,
    /// Its idempotency key, where its row wants one.
    pub key: Option<ClientId>,
    /// Its body.
    pub body: Option<Box<RawValue>>,
    /// After this time it is answered `timeout`, whatever became of it; `None` waits for the server's own answer.
    pub expires_in_ms: Option<u64>,
}

impl Command {
    /// A command without body.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), to: None, key: None, body: None, expires_in_ms: None }
    }

    /// At most what its frame takes.
    pub(crate) fn size(&self) -> usize {
        /// Braces, names, the id and the key.
        const FRAME: usize = 120;
        let to = self.to.as_ref().map_or(0, String::len);
        let body = self.body.as_ref().map_or(0, |body| body.get().len());
        FRAME + self.name.len() + to + body
    }
}

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The command.
    pub ticket: Ticket,
    /// The server's answer, or why there is none.
    pub result: Result<Box<RawValue>, ErrorBody>,
    /// A refusal that does not prove that nothing was done: an earlier transmission of the command went unanswered.
    pub uncertain: bool,
}

impl Answer {
    pub(crate) fn refused(ticket: Ticket, code: ErrorCode, message: &str) -> Self {
        Self {
            ticket,
            result: Err(ErrorBody {
                code,
                message: message.to_owned(),
                request_id: String::new(),
                retry_after_ms: None,
            }),
            uncertain: false,
        }
    }
}

/// What the shell has to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Open a transport. It ends in `handle_opened` or `handle_closed`.
    Connect,
    /// Send this text frame.
    Send(String),
    /// Close the transport with this code and reason. Nothing of it may be handed in any more.
    Close(u16, &'static str),
    /// Get a fresh access token, then call `handle_token`.
    RefreshToken,
    /// A command is answered.
    Answer(Answer),
}

/// What came of a request for a token.
#[derive(Clone, Debug)]
pub enum TokenAnswer {
    /// Here it is.
    Token(String),
    /// Not now (no network, server busy): ask again, after this time where one is known.
    Later(Option<Millis>),
    /// Never: the login is over.
    Denied(ErrorBody),
}
