//! The server under measurement: the real binary in one process, its population imported, and clients connected to it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use client::core::Event;
use client::{Client, Config, Events};
use futures_util::{StreamExt, TryStreamExt, stream};
use harness::population::{Login, Population};
use harness::world::Settings;
use harness::{Person, Topology, World};
use indicatif::ProgressBar;
use protocol::chat::Conversations;
use protocol::{ConversationId, ServiceName};
use rig::RedisServer;
use tokio::sync::Notify;

/// How many connections are made at once.
const CONNECTING: usize = 64;
/// An access token must outlive the longest scenario, in seconds.
const TOKEN_LIFE_S: u64 = 24 * 60 * 60;

/// A running server with its people.
pub(crate) struct Bed {
    world: World,
    logins: Vec<Login>,
}

/// A connected client; it counts the messages that reach it.
pub(crate) struct Member {
    /// Its handle.
    pub(crate) client: Client,
}

/// Messages that have reached any of the clients.
#[derive(Default)]
pub(crate) struct Deliveries {
    count: AtomicU64,
    goal: AtomicU64,
    reached: Notify,
}

impl Deliveries {
    /// Awaits that this many more messages than before have arrived.
    pub(crate) async fn wait_for_total(&self, total: u64) {
        self.goal.store(total, Ordering::SeqCst);
        while self.count.load(Ordering::SeqCst) < total {
            let notified = self.reached.notified();
            if self.count.load(Ordering::SeqCst) >= total {
                return;
            }
            notified.await;
        }
    }

    /// How many have arrived.
    pub(crate) fn total(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Counts what has arrived.
    pub(crate) fn add(&self, more: u64) {
        let total = self.count.fetch_add(more, Ordering::SeqCst) + more;
        if total >= self.goal.load(Ordering::SeqCst) {
            self.reached.notify_one();
        }
    }
}

impl Bed {
    /// Starts the server on a fresh data directory and imports the population. Limits stay on, raised.
    pub(crate) async fn start(population: &Population) -> Result<Self> {
        Self::start_on(Topology::OneProcess, Settings::default(), population).await
    }

    /// The same in several processes, and with settings of its own.
    pub(crate) async fn start_on(topology: Topology, settings: Settings, population: &Population) -> Result<Self> {
        let settings = settings.set("auth.access_token_s", TOKEN_LIFE_S);
        let world = World::with(topology, settings).await;
        let logins = population.import(&world);
        Ok(Self { world, logins })
    }

    /// The server's process.
    pub(crate) fn pid(&mut self) -> u32 {
        let part = self.world.topology().chat_part();
        self.world.pid(part)
    }

    /// All its processes.
    pub(crate) fn pids(&mut self) -> Vec<u32> {
        self.world.topology().parts().iter().map(|part| self.world.pid(part.name)).collect()
    }

    /// The Redis between them, if there is one.
    pub(crate) fn redis(&mut self) -> Option<&mut RedisServer> {
        self.world.redis()
    }

    /// Connects these people and awaits that each is in step. Each comes from an address of its own.
    pub(crate) async fn connect(
        &self,
        people: std::ops::Range<usize>,
        deliveries: &Arc<Deliveries>,
        progress: &ProgressBar,
    ) -> Result<Vec<Member>> {
        stream::iter(people)
            .map(|person| async move {
                let member = self.member(person, deliveries).await?;
                progress.inc(1);
                Ok(member)
            })
            .buffered(CONNECTING)
            .try_collect()
            .await
    }

    /// Connects these people, as [`Bed::connect`] does, and hands over what each of them hears.
    pub(crate) async fn open(
        &self,
        people: std::ops::Range<usize>,
        progress: &ProgressBar,
    ) -> Result<Vec<(Client, Events)>> {
        stream::iter(people)
            .map(|person| async move {
                let opened = self.client(person).await?;
                progress.inc(1);
                Ok(opened)
            })
            .buffered(CONNECTING)
            .try_collect()
            .await
    }

    /// Makes an account over REST: someone who can log in on several devices, as imported people without a password can't.
    pub(crate) async fn register(&self, handle: &str) -> Person {
        self.world.person(handle).await
    }

    /// How many calls go on, says the server itself.
    pub(crate) async fn calls_active(&self) -> usize {
        self.world.metrics(ServiceName::Signaling).await.sum("calls_active", &[]) as usize
    }

    /// Connects a device of a login.
    pub(crate) async fn device(&self, login: &Person, address: usize) -> Result<(Client, Events)> {
        self.connected(login.access.clone(), address).await
    }

    async fn member(&self, person: usize, deliveries: &Arc<Deliveries>) -> Result<Member> {
        let (client, mut events) = self.client(person).await?;
        let deliveries = Arc::clone(deliveries);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if matches!(&event, Event::Entry(entry) if entry.name == protocol::chat::MESSAGE_NEW) {
                    deliveries.add(1);
                }
            }
        });
        Ok(Member { client })
    }

    async fn client(&self, person: usize) -> Result<(Client, Events)> {
        let login = self.logins.get(person).context("as many logins as people")?;
        self.connected(login.access_token.clone(), person).await
    }

    /// A client that is in step.
    async fn connected(&self, token: String, address: usize) -> Result<(Client, Events)> {
        let mut config = Config::new(format!("http://{}", self.world.gateway()), token);
        config.bind = Some(address_of(address));
        config.settings.in_flight_max = 256;
        config.settings.lane_depth = 256;
        config.settings.queue_max = 4_096;
        let (client, mut events) = Client::connect(config);
        loop {
            match events.recv().await {
                Some(Event::InStep) => return Ok((client, events)),
                Some(Event::Stopped(stop)) => bail!("client {address} stopped: {stop:?}"),
                Some(_) => {}
                None => bail!("client {address} ended"),
            }
        }
    }
}

impl Member {
    /// The first conversation this member is in.
    pub(crate) async fn conversation(&self) -> Result<ConversationId> {
        let list: Conversations = self.client.call("conversations.list", None, &serde_json::json!({})).await?;
        Ok(list.conversations.first().context("a conversation")?.id)
    }
}

/// Addresses are spread over 127.0.0.0/8, so that limits by address count as they would outside.
fn address_of(person: usize) -> IpAddr {
    let [_, high, middle, low] = (person as u32 + 1).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 200 + high % 50, middle, low.max(1)))
}
