//! Several instances of one service as one [`Service`].
//!
//! - A **command** goes to the instance that [`route`] chooses by how the id ends that it is routed by, so that work on one call meets, with
//!   what starts a call in its conversation ([`CallId::now_in`](protocol::CallId::now_in)). An instance that
//!   does not answer is passed over, and has its commands back when it does. Nothing is sent a second time elsewhere: whether the first was
//!   done only the caller may find out, by repeating it under its id.
//! - **Reading** goes to one that answers.
//! - **Watches** ([`watch`]), reports of devices and what is to be told once more concern all of them.
//!
//! Rejected: a list in each client of the link. Who calls would have to know which of its calls go to one and which to all.

mod route;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use protocol::{ErrorCode, ID_END_BYTES, ServiceName, StreamId, UserId};

use crate::bus::Hints;
use crate::call::{Call, Refusal, Reply};
use crate::calls::CALLS_RESTATE;
use crate::device::{DeviceAnswer, DeviceReport};
use crate::event::Event;
use crate::service::Service;
use crate::stream::{Head, Page, ReadRequest, Subscriptions};
use crate::token::Revocations;
use route::Route;

/// What every instance is told: each knows of some calls only.
const TO_ALL: &[&str] = &[CALLS_RESTATE];

/// Several instances of one service.
pub struct Balanced {
    service: ServiceName,
    instances: Vec<Instance>,
    route: Route,
}

struct Instance {
    service: Arc<dyn Service>,
    /// It has missed a report, so that the next one must be whole.
    is_behind: AtomicBool,
}

impl Balanced {
    /// The instances by their names, which are the same for everyone who chooses among them: their addresses.
    #[must_use]
    pub fn among(service: ServiceName, instances: Vec<(String, Arc<dyn Service>)>) -> Self {
        let route = Route::among(instances.iter().map(|(name, _)| name.as_str()));
        let instances =
            instances.into_iter().map(|(_, service)| Instance { service, is_behind: AtomicBool::new(false) });
        Self { service, instances: instances.collect(), route }
    }

    /// Which instances answer, as far as is known.
    fn answers(&self, index: usize) -> bool {
        self.instances.get(index).is_some_and(|instance| instance.service.answers())
    }

    /// Asks one instance after another until one can be reached; those that are known not to answer come last.
    async fn of_one<T, A>(&self, key: &[u8], ask: impl Fn(Arc<dyn Service>) -> A) -> Result<T, Refusal>
    where
        A: Future<Output = Result<T, Refusal>>,
    {
        let mut ranked = self.route.ranked(key);
        ranked.sort_by_key(|index| !self.answers(*index));
        let mut refused = Refusal::of(ErrorCode::Unavailable);
        for instance in ranked.into_iter().filter_map(|index| self.instances.get(index)) {
            match ask(Arc::clone(&instance.service)).await {
                Err(refusal) if refusal.code == ErrorCode::Unavailable => refused = refusal,
                answered => return answered,
            }
        }
        Err(refused)
    }

    /// Tells all. What can't be reached has nothing to tell now: whoever watches it is told when it is back. Any other refusal counts.
    async fn of_all(&self, call: Call) -> Reply {
        let replies = join_all(self.instances.iter().map(|instance| instance.service.execute(call.clone()))).await;
        let mut unreached = Reply::from(Refusal::of(ErrorCode::Unavailable));
        let mut done = None;
        for reply in replies {
            match &reply.result {
                Ok(_) => done = Some(reply),
                Err(refusal) if refusal.code == ErrorCode::Unavailable => unreached = reply,
                Err(_) => return reply,
            }
        }
        done.unwrap_or(unreached)
    }
}

/// The end of an id in its text, two digits a byte.
fn end(key: &[u8]) -> &[u8] {
    &key[key.len().saturating_sub(2 * ID_END_BYTES)..]
}

impl Instance {
    /// Reports, and answers whether it must be told the whole list.
    async fn report(&self, report: DeviceReport) -> Result<bool, Refusal> {
        let is_whole = report.whole;
        match self.service.devices(report).await {
            Ok(answer) => {
                let was_behind = self.is_behind.swap(false, Ordering::Relaxed);
                Ok(answer.resend || (was_behind && !is_whole))
            }
            Err(refusal) => {
                self.is_behind.store(true, Ordering::Relaxed);
                Err(refusal)
            }
        }
    }
}

#[async_trait]
impl Service for Balanced {
    fn name(&self) -> ServiceName {
        self.service
    }

    fn answers(&self) -> bool {
        self.instances.iter().any(|instance| instance.service.answers())
    }

    async fn execute(&self, call: Call) -> Reply {
        if TO_ALL.contains(&call.command.as_str()) {
            return self.of_all(call).await;
        }
        // Before anything is awaited: the order of the first polls is the order of the commands.
        let chosen = self.route.choose(end(call.route_key()), |index| self.answers(index));
        match self.instances.get(chosen.index) {
            Some(instance) => instance.service.execute(call).await,
            None => Refusal::of(ErrorCode::Unavailable).into(),
        }
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        watch::merged(self.instances.iter().map(|instance| Arc::clone(&instance.service)).collect()).await
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        self.of_one(user.as_bytes(), |service| async move { service.subscriptions(user).await }).await
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        self.of_one(b"heads", |service| {
            let streams = streams.clone();
            async move { service.heads(streams).await }
        })
        .await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        self.of_one(&request.stream.to_key(), |service| async move { service.read(request).await }).await
    }

    async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        self.of_one(user.as_bytes(), |service| async move { service.registers(user).await }).await
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        let answers = join_all(self.instances.iter().map(|instance| instance.report(report.clone()))).await;
        let mut resend = None;
        let mut refused = Refusal::of(ErrorCode::Unavailable);
        for answer in answers {
            match answer {
                Ok(asks) => resend = Some(asks || resend.unwrap_or(false)),
                Err(refusal) => refused = refusal,
            }
        }
        resend.map(|resend| DeviceAnswer { resend }).ok_or(refused)
    }

    async fn revocations(&self, after: u64) -> Result<Revocations, Refusal> {
        self.of_one(b"revocations", |service| async move { service.revocations(after).await }).await
    }
}
