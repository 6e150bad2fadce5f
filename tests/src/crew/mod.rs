//! Eight recorded clients with many hands each, in four conversations: the load of every test that breaks things under load.

mod steps;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use protocol::accounts::Grant;
use protocol::chat::{ConversationKind, ListMessages};
use protocol::{ConversationId, Position, Seq, StreamId, UserId};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::history::{Hearing, History, Recorder, Tracked, read_logs};
use crate::people::PASSWORD;
use crate::{World, wait};
use steps::{Ground, Step};

pub use way::Way;

const CLIENTS: usize = 8;
/// Two groups and two channels, each owned by another client, who never leaves.
const GROUPS: usize = 2;
const CONVERSATIONS: usize = 4;
/// How many commands each client has in flight, where the load itself is measured.
const HANDS: usize = 16;
const SEED: u64 = 0xc4a5_0000;

/// How hard they work, and how they come back.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many commands each client has in flight.
    pub hands: usize,
    /// The longest wait for the next connection, in milliseconds.
    pub reconnect_within_ms: u64,
}

impl Default for Pace {
    /// As much as the system takes, and as clients are by default.
    fn default() -> Self {
        let client::core::Settings { reconnect_within_ms, .. } = client::core::Settings::default();
        Self { hands: HANDS, reconnect_within_ms }
    }
}

/// Whoever sails, and what they do.
pub struct Crew {
    way: Way,
    pace: Pace,
    recorder: Recorder,
    sailors: Vec<Sailor>,
    conversations: Vec<ConversationId>,
    log_book: Arc<LogBook>,
    hands: Vec<JoinHandle<()>>,
}

/// A client, and the task that hears what it is told.
struct Sailor {
    handle: String,
    tracked: Tracked,
    heads: oneshot::Sender<BTreeMap<ConversationId, Seq>>,
    ear: JoinHandle<()>,
}

#[derive(Default)]
struct LogBook {
    written: AtomicU64,
    done: AtomicBool,
}

impl Crew {
    /// Registers everybody, makes the conversations, and starts to write.
    ///
    /// # Panics
    /// When the system is not up.
    pub async fn assemble(world: &World) -> Self {
        Self::assemble_with(world, Pace::default()).await
    }

    /// The same at a pace of its own.
    ///
    /// # Panics
    /// When the system is not up.
    pub async fn assemble_with(world: &World, pace: Pace) -> Self {
        Self::assemble_by(world, Way::straight(world), pace).await
    }

    /// The same by another way.
    ///
    /// # Panics
    /// When the system is not up.
    pub async fn assemble_by(world: &World, way: Way, pace: Pace) -> Self {
        let recorder = Recorder::new();
        let mut sailors = Vec::new();
        for number in 0..CLIENTS {
            let handle = format!("sailor{number}");
            let body = json!({ "handle": handle, "name": handle, "password": PASSWORD });
            let grant: Grant = world.rest().command("auth.register", None, None, body).await.data();
            let user = grant.user.id;
            let (tracked, hearing) = Tracked::connect(&recorder, user, &handle, way.config(pace, grant));
            let (heads, told) = oneshot::channel();
            let ear = tokio::spawn(hear(hearing, told));
            sailors.push(Sailor { handle, tracked, heads, ear });
        }
        let mut crew = Self {
            way,
            pace,
            recorder,
            sailors,
            conversations: Vec::new(),
            log_book: Arc::default(),
            hands: Vec::new(),
        };
        crew.gather().await;
        crew.set_to_work();
        crew
    }

    async fn gather(&mut self) {
        let users = self.users();
        for number in 0..CONVERSATIONS {
            let owner = &self.sailors[number].tracked;
            let is_group = number < GROUPS;
            let kind = if is_group { ConversationKind::Group } else { ConversationKind::Channel };
            let members: Vec<UserId> =
                users.iter().copied().filter(|user| is_group && *user != users[number]).collect();
            let title = format!("conversation {number}");
            let made = owner.create(kind, Some(&title), &members).await.unwrap();
            self.conversations.push(made.id);
            if !is_group {
                for (_, sailor) in self.sailors.iter().enumerate().filter(|(other, _)| *other != number) {
                    sailor.tracked.join(made.id).await.unwrap();
                }
            }
        }
    }

    fn set_to_work(&mut self) {
        let users = self.users();
        for (number, sailor) in self.sailors.iter().enumerate() {
            let others: Vec<UserId> = users.iter().copied().filter(|user| *user != users[number]).collect();
            for hand in 0..self.pace.hands {
                let grounds = self.conversations.iter().enumerate().map(|(index, conversation)| {
                    Ground::new(*conversation, index >= GROUPS, index == number, others.clone())
                });
                let seed = SEED + (number * self.pace.hands + hand) as u64;
                let log_book = Arc::clone(&self.log_book);
                let work = work(sailor.tracked.clone(), grounds.collect(), seed, log_book);
                self.hands.push(tokio::spawn(work));
            }
        }
    }

    /// A group of all of them and guests, in which nobody writes: there they see each other.
    ///
    /// # Panics
    /// When it can't be made.
    pub async fn welcome(&mut self, guests: &[UserId]) {
        let owner = &self.sailors[self.conversations.len()].tracked;
        let others = self.users().into_iter().filter(|user| *user != owner.recorded().user());
        let members: Vec<UserId> = others.chain(guests.iter().copied()).collect();
        let made = owner.create(ConversationKind::Group, Some("harbour"), &members).await.unwrap();
        self.conversations.push(made.id);
    }

    /// Who they are.
    #[must_use]
    pub fn users(&self) -> Vec<UserId> {
        self.sailors.iter().map(|sailor| sailor.tracked.recorded().user()).collect()
    }

    /// How many writes were acknowledged.
    pub fn written(&self) -> u64 {
        self.log_book.written.load(Ordering::Relaxed)
    }

    /// Awaits so many more acknowledged writes, and tells how long they took from the first of them on.
    pub async fn writes(&self, count: u64) -> Duration {
        let before = self.written();
        wait::until("a write to be acknowledged", async || (self.written() > before).then_some(())).await;
        let began = Instant::now();
        wait::until("writes to be acknowledged", async || (self.written() >= before + count).then_some(())).await;
        began.elapsed()
    }

    /// Ends the work. What was refused for the time being is repeated by its client after a wait of its own, up to 25 s.
    ///
    /// # Panics
    /// When a command is not answered.
    pub async fn rest(&mut self) {
        self.log_book.done.store(true, Ordering::Relaxed);
        for hand in self.hands.drain(..) {
            wait::within("every command to be answered", hand).await.unwrap();
        }
    }

    /// Ends the work, awaits that everybody is in step, and reads the final logs.
    ///
    /// # Panics
    /// When somebody is not in time.
    pub async fn dismiss(mut self) -> History {
        self.rest().await;
        let mut logs = BTreeMap::new();
        let mut heads = BTreeMap::new();
        for (number, conversation) in self.conversations.iter().enumerate() {
            let owner = &self.sailors[number];
            let head = owner.tracked.get(*conversation).await.unwrap().head.seq;
            let grant = self.way.rest().login(&owner.handle, PASSWORD, "reader of logs").await.unwrap();
            let only = BTreeMap::from([(*conversation, head)]);
            logs.extend(wait::within("the final log", read_logs(self.way.config(self.pace, grant), &only)).await);
            heads.insert(*conversation, head);
        }
        for sailor in self.sailors {
            let mut own = heads.clone();
            let member_of = sailor.tracked.list().await.unwrap();
            own.retain(|conversation, _| member_of.iter().any(|known| known.id == *conversation));
            let expected = own.clone();
            sailor.heads.send(own).expect("its ear");
            let in_step = tokio::time::timeout(wait::PATIENCE, sailor.ear).await;
            let recorded = sailor.tracked.recorded();
            let stands = expected.keys().map(|id| recorded.last_heard(StreamId::conversation(*id)));
            let stands: Vec<_> = stands.collect();
            in_step.unwrap_or_else(|_| panic!("{} stands at {stands:?} of {expected:?}", sailor.handle)).unwrap();
            sailor.tracked.client.stop().await;
        }
        self.recorder.finish(logs)
    }
}

/// Hears until the work is over, then until it stands at the heads.
async fn hear(mut hearing: Hearing, mut told: oneshot::Receiver<BTreeMap<ConversationId, Seq>>) {
    let heads = loop {
        tokio::select! {
            heads = &mut told => break heads.expect("the heads"),
            event = hearing.next() => assert!(event.is_some(), "a client stopped"),
        }
    };
    hearing.until(&heads).await;
}

async fn work(tracked: Tracked, mut grounds: Vec<Ground>, seed: u64, log_book: Arc<LogBook>) {
    use rand::Rng;
    let mut random = StdRng::seed_from_u64(seed);
    let mut number = seed << 32;
    while !log_book.done.load(Ordering::Relaxed) {
        // A client that has stopped answers at once; a test that failed must still be able to end this.
        tokio::task::yield_now().await;
        number += 1;
        let here = random.random_range(0..grounds.len());
        let ground = &mut grounds[here];
        let step = ground.step(&mut random, number);
        if let Some(position) = take(&tracked, ground.conversation, &step).await {
            ground.note(&step, position);
            if step.is_write() {
                log_book.written.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Takes a step; the position it was acknowledged with.
async fn take(tracked: &Tracked, conversation: ConversationId, step: &Step) -> Option<Seq> {
    let appended = |done: protocol::chat::Appended| done.position;
    let position: Option<Position> = match step {
        Step::Send(text) => tracked.send(conversation, text).await.ok().map(|sent| sent.position),
        Step::Edit(seq, text) => tracked.edit(conversation, *seq, text).await.ok().map(appended),
        Step::Delete(seq) => tracked.delete(conversation, *seq).await.ok().map(appended),
        Step::Join => tracked.join(conversation).await.ok().map(appended),
        Step::Leave => tracked.leave(conversation).await.ok().map(appended),
        Step::Kick(user) => tracked.kick(conversation, *user).await.ok().map(appended),
        Step::Invite(user) => tracked.invite(conversation, &[*user]).await.ok().map(appended),
        Step::Read(seq) => return tracked.mark_read(conversation, *seq).await.ok().map(|state| state.seq),
        Step::Page => tracked.page(conversation, ListMessages::default()).await.ok().map(|page| page.head),
        Step::Look => tracked.get(conversation).await.ok().map(|read| read.head),
    };
    position.map(|position| position.seq)
}
