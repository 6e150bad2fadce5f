//! Thousands of recorded clients behind a proxy, in groups of ten in which somebody goes on talking: whoever loses its gateway misses something.
//!
//! Listeners come in first; speakers later, when another gateway is there, so that they talk on while the listeners' one is gone. One listener
//! of each group talks, too: what it says meanwhile waits in its client. A founder, who is never there, owns all groups and reads
//! their logs when it is over.

mod killed;
mod listener;
mod talk;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use client::Config;
use futures_util::{StreamExt, stream};
use protocol::{ConversationId, Seq};
use rustls::ClientConfig;
use tokio::time::Instant;

use crate::history::{History, Recorder, Tracked, read_logs};
use crate::population::{Login, Population};
use crate::proxy::Proxy;
use crate::{World, wait};
use listener::Listener;

pub use killed::{Killed, kill_a_gateway_under};
use talk::Talk;

/// How many listeners a group has.
const LISTENERS_OF_GROUP: usize = 10;
/// In how many groups a speaker is.
const GROUPS_OF_SPEAKER: usize = 10;
/// How many connections are made at once when they come for the first time.
const COMING_AT_ONCE: usize = 64;
/// A speaker says something in one of its groups, a talking listener in its own.
const SPEAKER_EVERY: Duration = Duration::from_millis(250);
const LISTENER_EVERY: Duration = Duration::from_secs(5);
/// How long thousands may take to come back before that is a failure of its own.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// Everybody.
pub struct Crowd {
    url: String,
    tls: Arc<ClientConfig>,
    logins: Vec<Login>,
    size: usize,
    recorder: Recorder,
    groups: Vec<ConversationId>,
    listeners: Vec<Listener>,
    speakers: Vec<Listener>,
    talk: Talk,
}

impl Crowd {
    /// Makes accounts and groups for so many listeners. Tokens must outlive the test (`auth.access_token_s`): nobody renews them.
    ///
    /// # Panics
    /// When the system is not up.
    pub async fn found(world: &World, proxy: &Proxy, size: usize) -> Self {
        let groups = size / LISTENERS_OF_GROUP;
        let speakers = groups.div_ceil(GROUPS_OF_SPEAKER);
        let founder = size + speakers;
        let mut population = Population::of(founder + 1);
        for group in 0..groups {
            let listeners = group * LISTENERS_OF_GROUP..(group + 1) * LISTENERS_OF_GROUP;
            let members: Vec<usize> =
                [founder].into_iter().chain(listeners).chain([size + group / GROUPS_OF_SPEAKER]).collect();
            population.group(&format!("group {group}"), &members);
        }
        let logins = population.import(world);
        let mut crowd = Self {
            url: proxy.url(),
            tls: proxy.tls(),
            logins,
            size,
            recorder: Recorder::new(),
            groups: Vec::new(),
            listeners: Vec::new(),
            speakers: Vec::new(),
            talk: Talk::default(),
        };
        crowd.groups = crowd.groups_by_title().await;
        assert_eq!(crowd.groups.len(), groups);
        crowd
    }

    /// All listeners come in, and some begin to talk.
    pub async fn listen(&mut self) {
        self.listeners = self.come(0..self.size).await;
        for (group, conversation) in self.groups.iter().enumerate() {
            let talker = self.listeners[group * LISTENERS_OF_GROUP].tracked.clone();
            self.talk.begin(talker, vec![*conversation], LISTENER_EVERY);
        }
    }

    /// The speakers come in and talk.
    pub async fn speak(&mut self) {
        self.speakers = self.come(self.size..self.logins.len() - 1).await;
        for (speaker, groups) in self.speakers.iter().zip(self.groups.chunks(GROUPS_OF_SPEAKER)) {
            self.talk.begin(speaker.tracked.clone(), groups.to_vec(), SPEAKER_EVERY);
        }
    }

    /// How many messages were acknowledged.
    #[must_use]
    pub fn said(&self) -> u64 {
        self.talk.said()
    }

    /// Awaits so many more acknowledged messages.
    pub async fn says(&self, count: u64) {
        let before = self.said();
        wait::until("messages to be acknowledged", async || (self.said() >= before + count).then_some(())).await;
    }

    /// From here on it counts who comes back.
    pub fn count_anew(&self) {
        self.listeners.iter().for_each(Listener::count_anew);
    }

    /// Awaits that every listener has lost its connection and is live again; how long that took each, from a moment on.
    pub async fn back_since(&self, moment: Instant) -> Vec<Duration> {
        let back = wait::until_within(BACK_WITHIN, "all to be back", async || {
            self.listeners.iter().map(Listener::back_at).collect::<Option<Vec<_>>>()
        });
        let mut took: Vec<Duration> = back.await.into_iter().map(|at| at.saturating_duration_since(moment)).collect();
        took.sort_unstable();
        took
    }

    /// Ends the talk, awaits that everybody is in step, and reads the final logs.
    ///
    /// # Panics
    /// When somebody is not in time.
    pub async fn disperse(self) -> History {
        self.talk.end().await;
        let founder = self.logins.len() - 1;
        let (tracked, hearing) = self.connect(founder);
        let hearing = tokio::spawn(hearing.to_the_end());
        let known = tracked.list().await.expect("the founder's conversations");
        let heads: BTreeMap<ConversationId, Seq> = known.iter().map(|group| (group.id, group.head.seq)).collect();
        tracked.client.stop().await;
        wait::within("the founder to leave", hearing).await.expect("its task");
        let groups: Vec<Vec<ConversationId>> = self.groups.chunks(1).map(<[_]>::to_vec).collect();
        let of_listeners = (0..self.size).map(|listener| groups[listener / LISTENERS_OF_GROUP].clone());
        let of_speakers = self.groups.chunks(GROUPS_OF_SPEAKER).map(<[_]>::to_vec);
        let logs = wait::within("the final logs", read_logs(self.config(founder), &heads)).await;
        let everybody = self.listeners.into_iter().chain(self.speakers);
        for (listener, groups) in everybody.zip(of_listeners.chain(of_speakers)) {
            let own = groups.into_iter().map(|group| (group, heads[&group])).collect();
            listener.leave_at(own).await;
        }
        let mut history = self.recorder.finish(logs);
        history.unrecorded.insert(self.logins[founder].user);
        history
    }

    async fn come(&self, people: Range<usize>) -> Vec<Listener> {
        let coming = stream::iter(people).map(async |person| {
            let (tracked, hearing) = self.connect(person);
            let listener = Listener::new(tracked, hearing);
            listener.is_live().await;
            listener
        });
        coming.buffered(COMING_AT_ONCE).collect().await
    }

    fn connect(&self, person: usize) -> (Tracked, crate::history::Hearing) {
        let Login { user, handle, .. } = &self.logins[person];
        Tracked::connect(&self.recorder, *user, handle, self.config(person))
    }

    fn config(&self, person: usize) -> Config {
        let mut config = Config::new(&self.url, self.logins[person].access_token.clone());
        config.bind = Some(address_of(person));
        config.tls = Some(Arc::clone(&self.tls));
        config
    }

    /// The groups in the order in which they were imported.
    async fn groups_by_title(&self) -> Vec<ConversationId> {
        let config = self.config(self.logins.len() - 1);
        let nobody = Recorder::new();
        let (founder, hearing) = Tracked::connect(&nobody, self.logins[self.logins.len() - 1].user, "founder", config);
        let hearing = tokio::spawn(hearing.to_the_end());
        let listed = founder.list().await.expect("the founder's conversations");
        founder.client.stop().await;
        wait::within("the founder to leave", hearing).await.expect("its task");
        let number = |title: &str| title.strip_prefix("group ").and_then(|number| number.parse::<usize>().ok());
        let numbered = listed.iter().filter_map(|group| Some((number(group.title.as_deref()?)?, group.id)));
        numbered.collect::<BTreeMap<_, _>>().into_values().collect()
    }
}

/// Addresses are spread over 127.0.0.0/8, so that what counts by address counts as it would outside.
fn address_of(person: usize) -> IpAddr {
    let [.., middle, low] = u32::try_from(person).expect("not so many").to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 250, middle, low.max(1)))
}
