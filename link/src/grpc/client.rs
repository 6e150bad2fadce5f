//! The calling end: a service of another process as an `Arc<dyn Service>`.
//!
//! Reads wait at most 1.5 s and are repeated up to twice within it; writes wait 5 s and are never repeated here, because a
//! repetition would come out of its turn. A write that was not sent is `unavailable`; one whose connection broke has an unknown outcome and says
//! so: its client-made id or idempotency key makes the repetition harmless.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream;
use hyper_util::rt::TokioIo;
use protocol::commands::{self, Cost};
use protocol::{ErrorCode, ServiceName, StreamId, UserId};
use tokio::net::{TcpStream, UnixStream};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tower::service_fn;

use super::breaker::{Breaker, BreakerState};
use super::failure::Failure;
use super::lane::Lanes;
use super::wire::proto::link_client::LinkClient;
use super::wire::{self, proto};
use super::{
    Address, AddressError, CONNECTION_WINDOW_BYTES, KEEPALIVE_EVERY, KEEPALIVE_WITHIN, KEY_HEADER, MESSAGE_BYTES_MAX,
    SERVICE_HEADER, STREAM_WINDOW_BYTES, Trust, names,
};
use crate::bus::{Hint, Hints};
use crate::call::{Call, Refusal, Reply};
use crate::device::{DeviceAnswer, DeviceReport};
use crate::event::Event;
use crate::service::Service;
use crate::stream::{Head, Page, ReadRequest, Subscriptions};
use crate::token::Revocations;

const READ_WITHIN: Duration = Duration::from_millis(1_500);
const WRITE_WITHIN: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// How often a call is repeated at most, and the longest pause before the first repetition.
const REPEATS_MAX: u64 = 2;
/// How often it is asked whether it answers again, as long as it does not.
const PROBE_EVERY: Duration = Duration::from_secs(1);
const PAUSE_MAX_MS: u64 = 50;

/// Hears each change of a connection's breaker.
pub type BreakerObserver = Arc<dyn Fn(BreakerState) + Send + Sync>;

/// A service of another process. The connection is made with the first call and again whenever it broke. Call it inside a tokio
/// runtime.
///
/// # Errors
/// When the address is beyond loopback and there are no certificates.
pub fn connect(
    address: &Address,
    trust: &Trust,
    service: ServiceName,
    observer: BreakerObserver,
) -> Result<Arc<dyn Service>, AddressError> {
    // A key is hexadecimal and a name ASCII: both are valid metadata.
    let entry = |text: &str| MetadataValue::try_from(text).ok();
    // The key is the data directory's: it does not leave the machine.
    let key = if address.needs_tls() { None } else { entry(&trust.key.bearer()) };
    let credentials = Credentials { key, service: entry(service.as_str()) };
    let client = LinkClient::with_interceptor(channel(address, trust)?, credentials)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let lanes = Lanes::start(&client);
    let breaker = Mutex::new(Breaker::new());
    Ok(Arc::new_cyclic(|own| Remote { service, client, lanes, breaker, observer, own: Weak::clone(own) }))
}

/// The way to an address, made with the first call and again whenever it broke.
pub(super) fn channel(address: &Address, trust: &Trust) -> Result<Channel, AddressError> {
    let endpoint = Endpoint::from_static("http://link")
        .http2_keep_alive_interval(KEEPALIVE_EVERY)
        .keep_alive_timeout(KEEPALIVE_WITHIN)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect_timeout(CONNECT_WITHIN);
    Ok(match address.clone() {
        Address::Unix(path) => endpoint.connect_with_connector_lazy(service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        })),
        Address::Loopback(address) => endpoint.connect_with_connector_lazy(service_fn(move |_| async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        })),
        // The handshake is done below HTTP/2, so the scheme stays as it is.
        Address::Network(host) => {
            let tls = trust.tls_for(address)?.clone();
            endpoint.connect_with_connector_lazy(service_fn(move |_| {
                let (tls, host) = (tls.clone(), host.clone());
                async move { tls.connect(&host).await.map(TokioIo::new) }
            }))
        }
    })
}

/// Shows the key, where one is asked for, names the service on every call, and the work that it is made for.
#[derive(Clone)]
pub(super) struct Credentials {
    key: Option<MetadataValue<Ascii>>,
    service: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(key) = &self.key {
            metadata.insert(KEY_HEADER, key.clone());
        }
        if let Some(service) = &self.service {
            metadata.insert(SERVICE_HEADER, service.clone());
        }
        names::show(metadata);
        Ok(request)
    }
}

pub(super) type Client = LinkClient<InterceptedService<Channel, Credentials>>;

/// What kind of call it is: how long it may take, and what its failure means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Changes nothing: may be repeated.
    Read,
    /// Changes nothing durable, but a repetition would come out of turn: the caller sends a newer one.
    Report,
    /// Changes something: a lost connection leaves its outcome unknown.
    Write,
}

impl Kind {
    fn of(command: &str) -> Self {
        match commands::find(command) {
            Some(spec) if spec.cost == Cost::Read => Self::Read,
            _ => Self::Write,
        }
    }

    const fn within(self) -> Duration {
        match self {
            Self::Read | Self::Report => READ_WITHIN,
            Self::Write => WRITE_WITHIN,
        }
    }
}

struct Remote {
    service: ServiceName,
    client: Client,
    lanes: Lanes,
    breaker: Mutex<Breaker>,
    observer: BreakerObserver,
    own: Weak<Remote>,
}

impl Remote {
    async fn ask<T, F, A>(&self, kind: Kind, call: F) -> Result<T, Refusal>
    where
        F: Fn() -> A + Send + Sync,
        A: Future<Output = Result<T, Failure>> + Send,
    {
        let until = Instant::now() + kind.within();
        let mut repeats = 0;
        loop {
            self.with_breaker(|breaker| breaker.admit(Instant::now())).map_err(|wait| self.unavailable(wait))?;
            let failure = match tokio::time::timeout_at(until.into(), call()).await {
                Ok(Ok(answer)) => {
                    self.with_breaker(Breaker::succeeded);
                    return Ok(answer);
                }
                Ok(Err(Failure::Refused(refusal))) => {
                    // The other process lives; what it said is for the caller.
                    self.with_breaker(Breaker::succeeded);
                    return Err(refusal);
                }
                Ok(Err(failure)) => failure,
                Err(_) => {
                    self.with_breaker(|breaker| breaker.failed(Instant::now()));
                    return Err(self.timed_out(kind));
                }
            };
            self.with_breaker(|breaker| breaker.failed(Instant::now()));
            tracing::debug!(
                dependency = self.service.as_str(),
                reason = failure.reason(),
                "a call across the link failed"
            );
            let pause = Duration::from_millis(1 + rand::random_range(0..PAUSE_MAX_MS) * (repeats + 1));
            if kind == Kind::Read && repeats < REPEATS_MAX && Instant::now() + pause < until {
                repeats += 1;
                tokio::time::sleep(pause).await;
                continue;
            }
            return Err(match (kind, failure) {
                (Kind::Write, Failure::Lost(_)) => Refusal::of(ErrorCode::OutcomeUnknown),
                _ => self.unavailable(pause),
            });
        }
    }

    fn with_breaker<T>(&self, change: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let before = breaker.state();
        let result = change(&mut breaker);
        let after = breaker.state();
        // Told under the lock, so that the last state told is the present one.
        if before != after {
            let dependency = self.service.as_str();
            match after {
                BreakerState::Open => {
                    tracing::warn!(dependency, "it does not answer; it is asked now and then");
                    tokio::spawn(probe(Weak::clone(&self.own)));
                }
                BreakerState::Closed => tracing::info!(dependency, "it answers again"),
            }
            (self.observer)(after);
        }
        result
    }

    fn unavailable(&self, wait: Duration) -> Refusal {
        let message = format!("{} can't be reached right now; nothing was changed", self.service.as_str());
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Refusal::new(ErrorCode::Unavailable, message).after(wait_ms.max(1))
    }

    fn timed_out(&self, kind: Kind) -> Refusal {
        Refusal::new(
            ErrorCode::Timeout,
            format!(
                "{} did not answer within {} ms; repeat with the same id or key, it is not done twice",
                self.service.as_str(),
                kind.within().as_millis()
            ),
        )
    }
}

/// Asks until it answers, so that it is known to be back also where nobody needs it meanwhile.
async fn probe(remote: Weak<Remote>) {
    loop {
        tokio::time::sleep(PROBE_EVERY).await;
        let Some(remote) = remote.upgrade().filter(|remote| !remote.answers()) else { return };
        // What it says is of no interest: a service without logs refuses, and so answers.
        let _ = remote.heads(Vec::new()).await;
    }
}

/// Asks by a call of its own, for what needs no order.
macro_rules! single {
    ($self:ident, $kind:expr, $method:ident, $request:expr) => {{
        let request = $request;
        let ask = || {
            let (mut client, request) = ($self.client.clone(), request.clone());
            async move { Ok(client.$method(request).await?.into_inner()) }
        };
        $self.ask($kind, ask).await?
    }};
}

#[async_trait]
impl Service for Remote {
    fn name(&self) -> ServiceName {
        self.service
    }

    fn answers(&self) -> bool {
        self.with_breaker(|breaker| breaker.state() == BreakerState::Closed)
    }

    async fn execute(&self, call: Call) -> Reply {
        let (kind, lane) = (Kind::of(&call.command), Lanes::of(&call));
        let call = proto::Call::from(call);
        let answer = self.ask(kind, || self.lanes.call(lane, call.clone())).await;
        match answer.and_then(|reply| Ok(Reply::try_from(reply)?)) {
            Ok(reply) => reply,
            Err(refusal) => refusal.into(),
        }
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        let messages = single!(self, Kind::Read, watch, proto::WatchRequest {});
        let state = (messages, VecDeque::new());
        Ok(Box::pin(stream::unfold(state, next_hint)))
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        Ok(single!(self, Kind::Read, subscriptions, wire::reading::user_request(user)).try_into()?)
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        let streams = streams.into_iter().map(wire::stream).collect();
        Ok(wire::all(single!(self, Kind::Read, heads, proto::HeadsRequest { streams }).heads)?)
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        Ok(single!(self, Kind::Read, read, proto::ReadRequest::from(request)).try_into()?)
    }

    async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        Ok(wire::all(single!(self, Kind::Read, registers, wire::reading::user_request(user)).registers)?)
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        let resend = single!(self, Kind::Report, devices, proto::DeviceReport::from(report)).resend;
        Ok(DeviceAnswer { resend })
    }

    async fn revocations(&self, after: u64) -> Result<Revocations, Refusal> {
        Ok(single!(self, Kind::Read, revocations, proto::RevocationsRequest { after }).try_into()?)
    }
}

type HintState = (Streaming<proto::Hints>, VecDeque<proto::Hint>);

/// The next hint; the end of the stream when the connection is gone or a message is not understood. Whoever watches watches anew,
/// and reads the heads of what it follows.
async fn next_hint((mut messages, mut waiting): HintState) -> Option<(Hint, HintState)> {
    loop {
        if let Some(hint) = waiting.pop_front() {
            return match Hint::try_from(hint) {
                Ok(hint) => Some((hint, (messages, waiting))),
                Err(error) => {
                    tracing::warn!(%error, "a hint was not understood");
                    None
                }
            };
        }
        match messages.message().await {
            Ok(Some(batch)) => waiting.extend(batch.hints),
            Ok(None) | Err(_) => return None,
        }
    }
}
