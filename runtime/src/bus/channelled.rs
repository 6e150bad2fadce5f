//! The reader's side: a service of another process whose hints come by the channel while that works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use link::grpc::hints;
use link::{
    Call, DeviceAnswer, DeviceReport, Event, Head, Hint, Hints, Page, ReadRequest, Refusal, Reply, Revocations,
    Service, Subscriptions,
};
use protocol::{ServiceName, StreamId, UserId};
use tokio::sync::mpsc;

use super::channel;
use super::step::{Note, Step, Way};
use crate::redis::{Redis, Subscription};

/// Messages of the channel that may wait; what is beyond is lost, and its number tells.
const MESSAGES_MAX: usize = 1_024;
/// Hints that may wait for the reader.
const HINTS_MAX: usize = 1_024;
/// How often it is looked at who is silent, and whether the channel can be heard again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A service that is asked over the link and heard by the channel.
pub struct Channelled {
    inner: Arc<dyn Service>,
    redis: Redis,
}

impl Channelled {
    /// Stands for a service of another process.
    #[must_use]
    pub fn new(inner: Arc<dyn Service>, redis: Redis) -> Self {
        Self { inner, redis }
    }
}

#[async_trait]
impl Service for Channelled {
    fn name(&self) -> ServiceName {
        self.inner.name()
    }

    fn answers(&self) -> bool {
        self.inner.answers()
    }

    async fn execute(&self, call: Call) -> Reply {
        self.inner.execute(call).await
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        let on_link = self.inner.watch().await?;
        let (sender, receiver) = mpsc::channel(HINTS_MAX);
        let listener = Listener {
            inner: Arc::clone(&self.inner),
            redis: self.redis.clone(),
            step: None,
            link: Some(on_link),
            channel: None,
            sender,
        };
        // It ends with the stream: then nobody receives what it sends.
        tokio::spawn(listener.listen());
        Ok(Box::pin(received(receiver)))
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        self.inner.subscriptions(user).await
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        self.inner.heads(streams).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        self.inner.read(request).await
    }

    async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        self.inner.registers(user).await
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        self.inner.devices(report).await
    }

    async fn revocations(&self, after: u64) -> Result<Revocations, Refusal> {
        self.inner.revocations(after).await
    }
}

fn received(receiver: mpsc::Receiver<Hint>) -> impl Stream<Item = Hint> + Send {
    stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

struct Listener {
    inner: Arc<dyn Service>,
    redis: Redis,
    /// What was heard, as soon as the link has named the publisher.
    step: Option<Step>,
    /// Listened to while it is there.
    link: Option<Hints>,
    channel: Option<Subscription>,
    sender: mpsc::Sender<Hint>,
}

/// What comes next.
enum Next {
    Link(Option<Hint>),
    Channel(Option<Bytes>),
    Look,
    Unheard,
}

impl Listener {
    /// Listens as long as somebody hears.
    async fn listen(mut self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let next = tokio::select! {
                hint = next_hint(&mut self.link) => Next::Link(hint),
                message = next_message(&mut self.channel) => Next::Channel(message),
                _ = look.tick() => Next::Look,
                () = self.sender.closed() => Next::Unheard,
            };
            let heard = match next {
                Next::Link(Some(hint)) => self.hear(Way::Link, hint).await,
                // The publisher, or the way to it, is gone: whoever watches begins anew.
                Next::Link(None) => return,
                Next::Channel(Some(message)) => self.hear_all(&message).await,
                Next::Channel(None) => {
                    self.channel = None;
                    self.take_up_the_link().await
                }
                Next::Look => self.look().await,
                Next::Unheard => return,
            };
            if heard.is_none() {
                return;
            }
        }
    }

    async fn hear_all(&mut self, message: &[u8]) -> Option<()> {
        let Ok(hints) = hints::decode(message) else {
            tracing::warn!(service = self.inner.name().as_str(), "a message on the channel was not understood");
            return Some(());
        };
        for hint in hints {
            self.hear(Way::Channel, hint).await?;
        }
        if self.link.is_some() && self.step.is_some_and(|step| step.channel_is_in_step()) {
            self.leave_the_link().await?;
        }
        Some(())
    }

    async fn hear(&mut self, way: Way, hint: Hint) -> Option<()> {
        let (on_link, now) = (self.link.is_some(), Instant::now());
        let note = match (&mut self.step, way) {
            (Some(step), _) => step.note(way, on_link, &hint, now),
            (None, Way::Channel) => Note::Drop,
            (none, Way::Link) => {
                *none = Some(Step::new(&hint, now));
                Note::HandOnOther
            }
        };
        if note == Note::HandOnOther {
            self.channel = None;
        }
        match note {
            Note::HandOn | Note::HandOnOther => self.sender.send(hint).await.ok(),
            Note::Drop => Some(()),
        }
    }

    /// Hands on what the link has ready, and leaves it.
    async fn leave_the_link(&mut self) -> Option<()> {
        while let Some(hint) = self.link.as_mut().and_then(|hints| hints.next().now_or_never()) {
            self.hear(Way::Link, hint?).await?;
        }
        self.link = None;
        Some(())
    }

    async fn take_up_the_link(&mut self) -> Option<()> {
        if self.link.is_none() {
            self.link = Some(self.inner.watch().await.ok()?);
            self.step.as_mut().map(Step::distrust)?;
        }
        Some(())
    }

    async fn look(&mut self) -> Option<()> {
        let Some(step) = self.step else { return Some(()) };
        if self.link.is_none() && step.is_silent(Instant::now()) {
            self.take_up_the_link().await?;
        }
        if self.channel.is_none() && self.redis.standing().is_up() {
            self.channel = self.redis.subscribe(&channel(&self.redis, step.publisher()), MESSAGES_MAX).await.ok();
        }
        Some(())
    }
}

async fn next_hint(link: &mut Option<Hints>) -> Option<Hint> {
    match link {
        Some(hints) => hints.next().await,
        None => std::future::pending().await,
    }
}

async fn next_message(channel: &mut Option<Subscription>) -> Option<Bytes> {
    match channel {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}
