//! A service whose work bears names: one span around everything that it is asked, so that no service has to think of it.
//!
//! Whoever composes a process wraps what runs in it. A command leaves one line of the target `command` at the level `debug`: off by default, because a
//! message costs little more than such a line; switched on (`log.filter`, `secureconnect log`) it shows a request in every process that it crosses.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use protocol::{ServiceName, StreamId, UserId};
use tracing::{Instrument, Span};

use crate::bus::Hints;
use crate::call::{Actor, Call, Refusal, Reply};
use crate::device::{DeviceAnswer, DeviceReport};
use crate::event::Event;
use crate::scope::{Scope, within};
use crate::service::Service;
use crate::stream::{Head, Page, ReadRequest, Subscriptions};
use crate::token::Revocations;

/// A service whose work bears the names of the request that it is done for.
pub struct Named(Arc<dyn Service>);

impl Named {
    /// This service, with names on what it does.
    #[must_use]
    pub fn beside(service: Arc<dyn Service>) -> Arc<dyn Service> {
        Arc::new(Self(service))
    }

    /// The span of what is asked beside commands: with the names that its caller has, or with none.
    fn span(&self) -> Span {
        let service = self.0.name().as_str();
        match Scope::current() {
            Some(Scope { request_id, trace }) => tracing::info_span!(
                "ask",
                service,
                request_id = request_id.0.as_u128(),
                trace_id = trace.trace_number()
            ),
            None => tracing::info_span!("ask", service),
        }
    }
}

#[async_trait]
impl Service for Named {
    fn name(&self) -> ServiceName {
        self.0.name()
    }

    fn answers(&self) -> bool {
        self.0.answers()
    }

    async fn execute(&self, call: Call) -> Reply {
        let scope = call.context.scope();
        let span = tracing::info_span!(
            "execute",
            service = self.0.name().as_str(),
            request_id = scope.request_id.0.as_u128(),
            trace_id = scope.trace.trace_number(),
            user_id = tracing::field::Empty,
        );
        if let Actor::User(caller) = call.actor {
            span.record("user_id", caller.user.0.as_u128());
        }
        let work = async {
            let served = Served::begin(&call.command);
            let reply = self.0.execute(call).await;
            if let Some(served) = served {
                served.tell(&reply);
            }
            reply
        };
        within(scope, work).instrument(span).await
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        self.0.watch().instrument(self.span()).await
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        self.0.subscriptions(user).instrument(self.span()).await
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        self.0.heads(streams).instrument(self.span()).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        self.0.read(request).instrument(self.span()).await
    }

    async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        self.0.registers(user).instrument(self.span()).await
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        self.0.devices(report).instrument(self.span()).await
    }

    async fn revocations(&self, after: u64) -> Result<Revocations, Refusal> {
        self.0.revocations(after).instrument(self.span()).await
    }
}

/// A command on its way, as its line will tell it; none where nobody wants the line.
pub struct Served {
    command: String,
    begun: Instant,
}

impl Served {
    /// A command begins.
    #[must_use]
    pub fn begin(command: &str) -> Option<Self> {
        let wanted = tracing::enabled!(target: "command", tracing::Level::DEBUG);
        wanted.then(|| Self { command: command.to_owned(), begun: Instant::now() })
    }

    /// It was answered: logs the line, in the span of whoever calls this.
    pub fn tell(self, reply: &Reply) {
        let outcome = reply.result.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| "ok");
        let took_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(target: "command", command = self.command, outcome, took_us, "served");
    }
}
