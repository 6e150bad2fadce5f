//! The loop around the core.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use protocol::frames::StreamPosition;
use protocol::{Epoch, Millis};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Error;

use super::Config;
use super::socket::{Received, Socket};
use crate::core::{Answer, Command, Core, Event, Output, Ticket, TokenAnswer};

/// Frames taken in one turn before the rest of the loop has its own.
const FRAMES_PER_TURN: usize = 64;

/// What a handle asks for.
pub(crate) enum Request {
    Command { command: Command, answer: oneshot::Sender<Answer> },
    Positions { answer: oneshot::Sender<(Option<Epoch>, Vec<StreamPosition>)> },
    Online,
    BreakLine,
    Stop,
}

type Opening = Pin<Box<dyn Future<Output = Result<Socket, Error>> + Send>>;
type Refreshing = Pin<Box<dyn Future<Output = TokenAnswer> + Send>>;

pub(crate) struct Task {
    config: Arc<Config>,
    core: Core,
    began: Instant,
    requests: mpsc::Receiver<Request>,
    news: mpsc::Sender<Event>,
    waiting: HashMap<Ticket, oneshot::Sender<Answer>>,
    socket: Option<Socket>,
    opening: Option<Opening>,
    refreshing: Option<Refreshing>,
    /// Frames of this turn.
    batch: Vec<Received>,
    /// The app wants no more, not even events.
    left: bool,
}

impl Task {
    pub(crate) fn new(config: Config, requests: mpsc::Receiver<Request>, news: mpsc::Sender<Event>) -> Self {
        Self {
            core: Core::new(config.settings.clone()),
            config: Arc::new(config),
            began: Instant::now(),
            requests,
            news,
            waiting: HashMap::new(),
            socket: None,
            opening: None,
            refreshing: None,
            batch: Vec::new(),
            left: false,
        }
    }

    pub(crate) async fn run(mut self) {
        self.core.handle_start(self.now());
        loop {
            self.perform().await;
            if self.core.is_stopped() && (self.left || !self.core.has_events()) {
                return;
            }
            let wake = self.core.poll_timeout();
            let wake = wake.map(|at| self.began + Duration::from_millis(at));
            let read = self.core.wants_frames();
            let stopped = self.core.is_stopped();
            tokio::select! {
                request = self.requests.recv(), if !stopped => self.request(request),
                () = receive(&mut self.socket, read, &mut self.batch), if self.socket.is_some() => {
                    self.received();
                }
                opened = finish(&mut self.opening), if self.opening.is_some() => {
                    self.opened(opened);
                }
                answer = finish(&mut self.refreshing), if self.refreshing.is_some() => {
                    self.refreshing = None;
                    self.core.handle_token(self.now(), answer);
                }
                () = sleep_until(wake.unwrap_or(self.began)), if wake.is_some() => {
                    self.core.handle_timeout(self.now());
                }
                // The events themselves are handed over by `perform`.
                () = room(&self.news), if self.core.has_events() => {}
                () = self.news.closed() => self.leave(),
            }
        }
    }

    /// Does what the core wants, and hands over events while there is room.
    async fn perform(&mut self) {
        loop {
            while let Some(output) = self.core.poll_output() {
                self.output(output).await;
            }
            if !self.core.has_events() {
                return;
            }
            let Ok(permit) = self.news.try_reserve() else {
                return;
            };
            let now = millis_since(self.began);
            if let Some(event) = self.core.poll_event(now) {
                permit.send(event);
            }
        }
    }

    async fn output(&mut self, output: Output) {
        match output {
            Output::Connect => {
                self.socket = None;
                let config = Arc::clone(&self.config);
                self.opening = Some(Box::pin(async move { Socket::open(&config).await }));
            }
            Output::Send(text) => {
                if let Some(socket) = &mut self.socket {
                    socket.send(text);
                }
            }
            Output::Close(code, reason) => {
                self.opening = None;
                if let Some(socket) = self.socket.take() {
                    socket.close(code, reason).await;
                }
            }
            Output::RefreshToken => {
                let config = Arc::clone(&self.config);
                self.refreshing = Some(Box::pin(async move { config.tokens.token().await }));
            }
            Output::Answer(answer) => {
                if let Some(waiting) = self.waiting.remove(&answer.ticket) {
                    // Whoever asked may have gone.
                    let _ = waiting.send(answer);
                }
            }
        }
    }

    fn request(&mut self, request: Option<Request>) {
        let now = self.now();
        match request {
            Some(Request::Command { command, answer }) => {
                let ticket = self.core.handle_command(now, command);
                self.waiting.insert(ticket, answer);
            }
            Some(Request::Positions { answer }) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.core.positions());
            }
            Some(Request::Online) => self.core.handle_online(now),
            Some(Request::BreakLine) => {
                self.socket = None;
                self.core.handle_closed(now, None, "");
            }
            Some(Request::Stop) | None => self.leave(),
        }
    }

    fn leave(&mut self) {
        self.left = true;
        self.core.handle_stop();
    }

    fn received(&mut self) {
        let now = self.now();
        for received in std::mem::take(&mut self.batch) {
            if !self.core.is_connected() {
                // The core has dropped this connection.
                return;
            }
            match received {
                Received::Text(text) => self.core.handle_frame(now, text.as_str()),
                Received::Other => self.core.handle_frame(now, ""),
                Received::End(close) => {
                    self.socket = None;
                    let (code, reason) = close.unzip();
                    let reason = reason.unwrap_or_default();
                    self.core.handle_closed(now, code, reason.as_str());
                }
            }
        }
    }

    fn opened(&mut self, opened: Result<Socket, Error>) {
        self.opening = None;
        let now = self.now();
        match opened {
            Ok(socket) => {
                self.socket = Some(socket);
                self.core.handle_opened(now);
            }
            Err(error) => {
                tracing::debug!(%error, "the socket could not be opened");
                self.core.handle_closed(now, None, "");
            }
        }
    }

    fn now(&self) -> Millis {
        millis_since(self.began)
    }
}

fn millis_since(began: Instant) -> Millis {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Writes what waits and gathers what came, at most a turn's worth.
async fn receive(socket: &mut Option<Socket>, read: bool, batch: &mut Vec<Received>) {
    poll_fn(|cx| {
        let Some(socket) = socket else {
            return Poll::Pending;
        };
        while batch.len() < FRAMES_PER_TURN
            && let Poll::Ready(received) = socket.poll(cx, read)
        {
            let end = matches!(received, Received::End(_));
            batch.push(received);
            if end {
                break;
            }
        }
        if batch.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

async fn room(news: &mpsc::Sender<Event>) {
    if news.reserve().await.is_err() {
        // The other branch hears that nobody listens any more.
        pending().await
    }
}

async fn finish<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}
