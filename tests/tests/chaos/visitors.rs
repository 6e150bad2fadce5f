//! People who come and go while things break, and one who watches: when it is over nobody is seen who is gone, and everybody who is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::core::Event;
use client::{Client, Config, Events};
use harness::{Crew, Person, World, wait};
use parking_lot::Mutex;
use protocol::UserId;
use protocol::chat::{PRESENCE_CHANGED, Presence, PresenceOf, PresenceState, Presences};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::PACE;

const VISITORS: usize = 6;
/// So long after all is put right, and nothing is held from before, presence is right.
const RIGHT_WITHIN: Duration = Duration::from_secs(5);
/// How long a visit lasts and how long until the next one, in milliseconds.
const STAY_MS: std::ops::Range<u64> = 100..2_000;

type Seen = BTreeMap<UserId, PresenceState>;

pub(crate) struct Visitors {
    watcher: Client,
    told: Arc<Mutex<Seen>>,
    /// Who is always there.
    crew: Vec<UserId>,
    visits: Vec<(UserId, bool, JoinHandle<Option<Client>>)>,
    over: watch::Sender<bool>,
}

impl Visitors {
    /// They come into a conversation with the crew, so that all see each other.
    pub(crate) async fn come(world: &World, crew: &mut Crew, seed: u64) -> Self {
        let url = format!("http://{}", world.gateway());
        let watcher = world.person("watcher").await;
        let (over, _) = watch::channel(false);
        let mut people = Vec::new();
        for number in 0..VISITORS {
            people.push(world.person(&format!("visitor{number}")).await);
        }
        let guests: Vec<UserId> = people.iter().map(|person| person.id).chain([watcher.id]).collect();
        crew.welcome(&guests).await;

        let (client, told) = watch_others(&url, &watcher);
        let visits = people.into_iter().zip(0_u64..).map(|(person, number)| {
            let stays = number % 2 == 0;
            let random = StdRng::seed_from_u64(seed ^ number << 32);
            let visit = visit(config(&url, person.access), random, stays, over.subscribe());
            (person.id, stays, tokio::spawn(visit))
        });
        let visits = visits.collect();
        Self { watcher: client, told, crew: crew.users(), visits, over }
    }

    /// As if somebody whom the watcher knows had come and gone.
    pub(crate) fn of_whom_one_is_gone(world: &World, watcher: &Person, gone: UserId) -> Self {
        let (watcher, told) = watch_others(&format!("http://{}", world.gateway()), watcher);
        let (over, _) = watch::channel(false);
        let visits = vec![(gone, false, tokio::spawn(async { None }))];
        Self { watcher, told, crew: Vec::new(), visits, over }
    }

    /// All is put right: half of the visitors stay, the others are gone, and everybody is seen as it is, by who asks and by who is told.
    /// `held` is for how long services may still hold what they had before one of them was killed.
    pub(crate) async fn are_seen_as_they_are(self, held: Duration) -> Duration {
        let began = Instant::now();
        self.over.send_replace(true);
        let mut expected: Seen = self.crew.iter().map(|user| (*user, PresenceState::Online)).collect();
        let mut there = Vec::new();
        for (user, stays, visit) in self.visits {
            there.extend(wait::within("a visitor to know where to be", visit).await.unwrap());
            expected.insert(user, if stays { PresenceState::Online } else { PresenceState::Offline });
        }
        let mut asked = Seen::new();
        let right = wait::until("presence to be right", async || {
            asked = ask(&self.watcher, expected.keys().copied().collect()).await?;
            (asked == expected && seen_by_who_is_told(&expected, &self.told.lock())).then(|| began.elapsed())
        });
        let right = tokio::time::timeout(held + RIGHT_WITHIN, right).await;
        let told = self.told.lock().clone();
        let differs = |seen: &Seen| {
            let differs = expected.iter().filter(|(user, state)| seen.get(user) != Some(state));
            let words = |(user, state)| {
                let seen = seen.get(user).map_or("nothing".to_owned(), |seen| format!("{seen:?}"));
                format!("{user} is seen as {seen}, not {state:?}")
            };
            differs.map(words).collect::<Vec<_>>()
        };
        right.unwrap_or_else(|_| panic!("asked: {:?}\ntold: {:?}", differs(&asked), differs(&told)))
    }
}

fn watch_others(url: &str, watcher: &Person) -> (Client, Arc<Mutex<Seen>>) {
    let (client, events) = Client::connect(config(url, watcher.access.clone()));
    let told = Arc::default();
    tokio::spawn(note(events, Arc::clone(&told)));
    (client, told)
}

/// Who was never told of somebody takes them for absent.
fn seen_by_who_is_told(expected: &Seen, told: &Seen) -> bool {
    expected.iter().all(|(user, state)| told.get(user).unwrap_or(&PresenceState::Offline) == state)
}

async fn ask(watcher: &Client, users: Vec<UserId>) -> Option<Seen> {
    let answer: Presences = watcher.call("presence.get", None, &PresenceOf { users }).await.ok()?;
    Some(answer.presences.into_iter().map(|presence| (presence.user, presence.state)).collect())
}

fn config(url: &str, token: String) -> Config {
    let mut config = Config::new(url, token);
    config.settings.reconnect_within_ms = PACE.reconnect_within_ms;
    config
}

/// Keeps what a client is told of who is there.
async fn note(mut events: Events, told: Arc<Mutex<Seen>>) {
    while let Some(event) = events.recv().await {
        let Event::Register { name, body, .. } = event else { continue };
        if name == PRESENCE_CHANGED {
            let presence: Presence = serde_json::from_str(body.get()).expect("a presence");
            told.lock().insert(presence.user, presence.state);
        }
    }
}

/// Comes and goes until it is over; then stays or doesn't.
async fn visit(config: Config, mut random: StdRng, stays: bool, mut over: watch::Receiver<bool>) -> Option<Client> {
    let mut pause = async || {
        let time = Duration::from_millis(random.random_range(STAY_MS));
        let over = over.wait_for(|over| *over);
        tokio::time::timeout(time, over).await.is_ok()
    };
    loop {
        let (client, mut events) = Client::connect(config.clone());
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        let is_over = pause().await;
        if is_over && stays {
            return Some(client);
        }
        client.stop().await;
        if (is_over || pause().await) && !stays {
            return None;
        }
    }
}
