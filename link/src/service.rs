//! The one trait that all services have.
//!
//! Every service serves commands; the others have a default that says `unsupported`, so that a service implements what it has.
//! Deadlines are the caller's: a call that is dropped is abandoned, what it has committed stays.

use async_trait::async_trait;
use protocol::{ErrorCode, ServiceName, StreamId, UserId};

use crate::bus::Hints;
use crate::call::{Call, Refusal, Reply};
use crate::device::{DeviceAnswer, DeviceReport};
use crate::event::Event;
use crate::stream::{Head, Page, ReadRequest, Subscriptions};
use crate::token::Revocations;

/// What a service can be asked.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Which service it is.
    fn name(&self) -> ServiceName;

    /// Whether it answers, as far as is known: a service of another process that lately did not is asked only now and then.
    fn answers(&self) -> bool {
        true
    }

    /// Serves a command. Commands of one conversation begin in the order in which their `execute` was first polled, also across
    /// processes: whoever starts several and awaits them together keeps their order.
    async fn execute(&self, call: Call) -> Reply;

    /// What happens in the service, as numbered hints; the first item names the publisher and its newest number, and says that
    /// everything after it will be told.
    async fn watch(&self) -> Result<Hints, Refusal> {
        Err(unsupported(self.name()))
    }

    /// What a user hears.
    async fn subscriptions(&self, _user: UserId) -> Result<Subscriptions, Refusal> {
        Err(unsupported(self.name()))
    }

    /// The heads of these logs, at most 1,000 of them; one that does not exist is left out.
    async fn heads(&self, _streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        Err(unsupported(self.name()))
    }

    /// One page of a log.
    async fn read(&self, _request: ReadRequest) -> Result<Page, Refusal> {
        Err(unsupported(self.name()))
    }

    /// The registers that a user sees, whole.
    async fn registers(&self, _user: UserId) -> Result<Vec<Event>, Refusal> {
        Err(unsupported(self.name()))
    }

    /// Takes note of a gateway's devices.
    async fn devices(&self, _report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        Err(unsupported(self.name()))
    }

    /// The revocations after this number that still concern a live token, oldest first, at most 10,000.
    async fn revocations(&self, _after: u64) -> Result<Revocations, Refusal> {
        Err(unsupported(self.name()))
    }
}

fn unsupported(service: ServiceName) -> Refusal {
    Refusal::new(ErrorCode::Unsupported, format!("{} does not offer this", service.as_str()))
}
