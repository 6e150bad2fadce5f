//! One task that gives the core a socket, a clock and a token.
//!
//! Nothing is decided here. The app's events pass through a bounded channel: while it is full the core keeps them, then wants
//! no more frames, and the server has to wait. Dropping every [`Client`], or the events' receiver, stops the task.

mod socket;
mod task;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use protocol::chat::{SendMessage, Sent};
use protocol::frames::StreamPosition;
use protocol::{ClientId, ConversationId, Epoch, Seq};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{mpsc, oneshot};

use crate::core::{Command, Event, Settings, TokenAnswer};
use crate::error::CommandError;
use task::{Request, Task};

/// Commands that wait for the task itself; the core's own queue lies behind.
const REQUESTS_MAX: usize = 64;

/// Gives access tokens.
pub trait TokenSource: Send + Sync + 'static {
    /// A fresh one, or why there is none.
    fn token(&self) -> Pin<Box<dyn Future<Output = TokenAnswer> + Send + '_>>;
}

/// A token that is never refreshed.
impl TokenSource for String {
    fn token(&self) -> Pin<Box<dyn Future<Output = TokenAnswer> + Send + '_>> {
        Box::pin(std::future::ready(TokenAnswer::Token(self.clone())))
    }
}

/// How to connect.
#[derive(Clone)]
pub struct Config {
    /// Where the gateway is, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// The address of this machine to connect from, where it matters.
    pub bind: Option<IpAddr>,
    /// Who gives tokens.
    pub tokens: Arc<dyn TokenSource>,
    /// What the core starts with. The seed is drawn by [`Config::new`].
    pub settings: Settings,
    /// How many events the channel holds.
    pub events_max: usize,
    /// The bytes that each socket reads at once; they stay allocated.
    pub read_buffer_bytes: usize,
    /// For `https` where the usual roots don't do.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Config {
    /// The usual settings.
    #[must_use]
    pub fn new(url: impl Into<String>, tokens: impl TokenSource) -> Self {
        let settings = Settings {
            seed: rand::random(),
            client: Some(concat!("secureconnect-rust/", env!("CARGO_PKG_VERSION")).to_owned()),
            ..Settings::default()
        };
        Self {
            url: url.into(),
            bind: None,
            tokens: Arc::new(tokens),
            settings,
            events_max: 64,
            read_buffer_bytes: 4096,
            tls: None,
        }
    }
}

/// The news of a client, in order. While nobody takes them, the server waits.
pub type Events = mpsc::Receiver<Event>;

/// A handle to a client that runs in a task of its own.
#[derive(Clone)]
pub struct Client {
    requests: mpsc::Sender<Request>,
}

impl Client {
    /// Starts a client. It connects, and connects again, until it is dropped or told to stop.
    #[must_use]
    pub fn connect(config: Config) -> (Self, Events) {
        let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
        let (news, events) = mpsc::channel(config.events_max.max(1));
        tokio::spawn(Task::new(config, inbox, news).run());
        (Self { requests }, events)
    }

    /// Gives a command and waits for its answer, however many connections that takes.
    ///
    /// # Errors
    /// It was refused for good, or the client stopped.
    pub async fn execute(&self, command: Command) -> Result<Box<RawValue>, CommandError> {
        let (answer, answered) = oneshot::channel();
        let request = Request::Command { command, answer };
        let sent = self.requests.send(request).await;
        sent.map_err(|_| CommandError::Stopped)?;
        let answer = answered.await.map_err(|_| CommandError::Stopped)?;
        let uncertain = answer.uncertain;
        answer.result.map_err(|error| CommandError::Refused { error, uncertain })
    }

    /// The same, with body and answer as types. A command that needs a key gets one.
    ///
    /// # Errors
    /// It was refused for good, the client stopped, or the answer is of another form.
    pub async fn call<T: DeserializeOwned>(
        &self,
        name: &'static str,
        to: Option<String>,
        body: &impl Serialize,
    ) -> Result<T, CommandError> {
        let mut command = Command::new(name);
        command.to = to;
        command.key = Some(ClientId(uuid::Uuid::new_v4()));
        command.body = Some(to_raw_value(body).map_err(CommandError::Body)?);
        let answer = self.execute(command).await?;
        serde_json::from_str(answer.get()).map_err(CommandError::Unreadable)
    }

    /// Sends a message under a new client id.
    ///
    /// # Errors
    /// As of [`Client::call`].
    pub async fn send_message(
        &self,
        conversation: ConversationId,
        text: impl Into<String>,
        reply_to: Option<Seq>,
    ) -> Result<Sent, CommandError> {
        let message = SendMessage { client_id: ClientId::now(), text: text.into(), reply_to };
        self.call("messages.send", Some(conversation.to_string()), &message).await
    }

    /// Where the client stands in each log, to begin there in another life; `None` once it has stopped.
    pub async fn positions(&self) -> Option<(Option<Epoch>, Vec<StreamPosition>)> {
        let (answer, answered) = oneshot::channel();
        let request = Request::Positions { answer };
        self.requests.send(request).await.ok()?;
        answered.await.ok()
    }

    /// Says that the network is back: a wait for the next connection ends.
    pub async fn online(&self) {
        // A client that has stopped has nothing to wait for.
        let _ = self.requests.send(Request::Online).await;
    }

    /// Breaks the line without a word, as a network does; the client resumes. For tests of what stands above.
    pub async fn break_line(&self) {
        // A client that has stopped has no line.
        let _ = self.requests.send(Request::BreakLine).await;
    }

    /// Closes the connection and ends the client, and waits until that is done.
    pub async fn stop(self) {
        // A client that has stopped has nothing to end.
        let _ = self.requests.send(Request::Stop).await;
        self.requests.closed().await;
    }
}
