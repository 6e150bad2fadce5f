//! A client, a line that breaks and a server, on virtual time.

use std::collections::{BTreeMap, VecDeque};

use client::core::{Answer, Command, Core, Event, Output, Settings, Ticket, TokenAnswer};
use protocol::frames::StreamPosition;
use protocol::{ClientId, ConversationId, Seq, StreamId, Tag, UserId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{json, value::to_raw_value};
use uuid::Uuid;

use crate::server::{Luck, Server};

/// What goes wrong, in parts per thousand of the occasions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chaos {
    /// The line breaks.
    pub(crate) drop: u64,
    /// A command is refused for now, done without saying so, or not answered.
    pub(crate) refuse: u64,
    /// A broken connection can't be resumed (in tens).
    pub(crate) forget: u64,
    /// An entry is not told.
    pub(crate) skip: u64,
    /// The app takes its events only now and then.
    pub(crate) slow_app: bool,
}

/// From then on nothing goes wrong any more.
const QUIET_AFTER_MS: u64 = 30_000;

pub(crate) struct World {
    pub(crate) server: Server,
    now: u64,
    core: Core,
    settings: Settings,
    rng: StdRng,
    chaos: Chaos,
    up: VecDeque<(u64, String)>,
    down: VecDeque<(u64, String)>,
    opens_at: Option<u64>,
    token_at: Option<u64>,
    plan: BTreeMap<u64, Vec<Deed>>,
    app: App,
}

enum Deed {
    Send(ConversationId),
    Other(ConversationId),
    AppReads,
}

/// What the app was told.
#[derive(Default)]
struct App {
    /// Where it began in each log, and the next entry it waits for.
    seen: BTreeMap<StreamId, (Seq, Seq)>,
    asked: BTreeMap<Ticket, (StreamId, ClientId)>,
    answers: BTreeMap<Ticket, Answer>,
    connections: usize,
}

fn conversation(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0x1000 + number))
}

impl World {
    pub(crate) fn new(seed: u32, chaos: Chaos) -> Self {
        let settings = Settings { seed, events_waiting_max: 8, ..Settings::default() };
        let mut server = Server::default();
        server.append(StreamId::user(UserId(Uuid::from_u128(1))), None, false);
        for number in 0..3 {
            server.append(StreamId::conversation(conversation(number)), None, false);
        }
        Self {
            server,
            now: 0,
            core: Core::new(settings.clone()),
            settings,
            rng: StdRng::seed_from_u64(u64::from(seed)),
            chaos,
            up: VecDeque::new(),
            down: VecDeque::new(),
            opens_at: None,
            token_at: None,
            plan: BTreeMap::new(),
            app: App::default(),
        }
    }

    /// The client begins with positions in so many conversations.
    pub(crate) fn follow_many(&mut self, count: u128) {
        for number in 100..100 + count {
            let stream = StreamId::conversation(conversation(number));
            self.server.append(stream, None, false);
            let position = self.server.head(stream);
            self.settings.positions.push(StreamPosition { stream, position });
            self.app.seen.insert(stream, (2, 2));
        }
        self.core = Core::new(self.settings.clone());
    }

    /// Sends so many commands while others write so many entries, then lets everything come to rest.
    pub(crate) fn run(&mut self, commands: usize, others: usize) {
        for _ in 0..commands {
            let at = self.rng.random_range(0..20_000);
            let to = conversation(self.rng.random_range(0..3));
            self.plan.entry(at).or_default().push(Deed::Send(to));
        }
        for _ in 0..others {
            let at = self.rng.random_range(0..20_000);
            let to = conversation(self.rng.random_range(0..4));
            self.plan.entry(at).or_default().push(Deed::Other(to));
        }
        if self.chaos.slow_app {
            for at in (0..=QUIET_AFTER_MS).step_by(1_000) {
                self.plan.entry(at).or_default().push(Deed::AppReads);
            }
        }
        self.core.handle_start(0);
        self.settle();
        while let Some(next) = self.next_time() {
            assert!(self.now < 3_600_000, "it comes to rest within an hour");
            self.now = next.max(self.now);
            if self.now >= QUIET_AFTER_MS {
                self.chaos = Chaos::default();
            }
            self.step();
            if self.now >= QUIET_AFTER_MS && self.at_rest() {
                return;
            }
        }
    }

    fn next_time(&self) -> Option<u64> {
        let reads = self.core.wants_frames();
        [
            self.up.front().map(|(at, _)| *at),
            self.down.front().map(|(at, _)| *at).filter(|_| reads),
            self.opens_at,
            self.token_at,
            self.plan.keys().next().copied(),
            self.core.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn at_rest(&self) -> bool {
        let logs = self.server.logs.iter();
        let heads: BTreeMap<_, _> = logs.map(|(s, l)| (*s, l.len() as Seq)).collect();
        self.plan.is_empty() && self.core.commands_waiting() == 0 && self.server.acked() == heads
    }

    fn step(&mut self) {
        let now = self.now;
        if self.opens_at.is_some_and(|at| at <= now) {
            self.opens_at = None;
            if self.chance(self.chaos.drop * 5) {
                self.core.handle_closed(now, None, "");
            } else {
                self.core.handle_opened(now);
            }
        }
        if self.token_at.is_some_and(|at| at <= now) {
            self.token_at = None;
            let answer =
                if self.chance(300) { TokenAnswer::Later(None) } else { TokenAnswer::Token("token".to_owned()) };
            self.core.handle_token(now, answer);
        }
        while let Some((_, text)) = self.up.pop_front_if(|(at, _)| *at <= now) {
            let luck = self.luck();
            for reply in self.server.receive(now, &text, luck) {
                self.tell(reply);
            }
        }
        while self.core.wants_frames()
            && let Some((_, text)) = self.down.pop_front_if(|(at, _)| *at <= now)
        {
            self.core.handle_frame(now, &text);
            self.settle();
        }
        if self.core.poll_timeout().is_some_and(|at| at <= now) {
            self.core.handle_timeout(now);
        }
        while let Some(entry) = self.plan.first_entry().filter(|entry| *entry.key() <= now) {
            for deed in entry.remove() {
                self.deed(deed);
            }
        }
        let skip = self.chance(self.chaos.skip);
        for frame in self.server.pump(skip) {
            self.tell(frame);
        }
        self.settle();
        if self.chance(self.chaos.drop) {
            self.break_line();
            self.settle();
        }
    }

    fn deed(&mut self, deed: Deed) {
        match deed {
            Deed::Send(to) => {
                let id = ClientId(Uuid::from_u128(0x9000_0000 + self.app.asked.len() as u128));
                let mut command = Command::new("messages.send");
                command.to = Some(to.to_string());
                command.body = to_raw_value(&json!({ "client_id": id, "text": "x" })).ok();
                let ticket = self.core.handle_command(self.now, command);
                let stream = StreamId::conversation(to);
                self.app.asked.insert(ticket, (stream, id));
            }
            Deed::Other(to) => {
                let hide = self.rng.random_range(0..4) == 0;
                self.server.append(StreamId::conversation(to), None, hide);
            }
            Deed::AppReads => self.read_events(),
        }
    }

    /// Does what the core wants, and lets the app read.
    fn settle(&mut self) {
        self.outputs();
        if !self.chaos.slow_app {
            self.read_events();
        }
    }

    fn read_events(&mut self) {
        while let Some(event) = self.core.poll_event(self.now) {
            self.app.hear(event);
            self.outputs();
        }
    }

    fn outputs(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Connect => {
                    self.line_gone();
                    self.opens_at = Some(self.now + self.rng.random_range(1..50));
                }
                Output::Send(text) => {
                    let last = self.up.back().map_or(0, |(at, _)| *at);
                    let at = last.max(self.now + self.rng.random_range(1..30));
                    self.up.push_back((at, text));
                }
                Output::Close(..) => self.line_gone(),
                Output::RefreshToken => self.token_at = Some(self.now + 20),
                Output::Answer(answer) => {
                    let again = self.app.answers.insert(answer.ticket, answer);
                    assert!(again.is_none(), "answered twice");
                }
            }
        }
    }

    fn tell(&mut self, text: String) {
        let last = self.down.back().map_or(0, |(at, _)| *at);
        let at = last.max(self.now + self.rng.random_range(1..30));
        self.down.push_back((at, text));
    }

    fn break_line(&mut self) {
        if self.opens_at.is_some() {
            return;
        }
        let codes =
            [(None, ""), (Some(4001), ""), (Some(4003), ""), (Some(4004), ""), (Some(4100), "200"), (Some(4102), "")];
        let (code, reason) = codes[self.rng.random_range(0..codes.len())];
        self.line_gone();
        self.core.handle_closed(self.now, code, reason);
    }

    fn line_gone(&mut self) {
        self.up.clear();
        self.down.clear();
        self.opens_at = None;
        let forget = self.chance(self.chaos.forget * 10);
        self.server.line_lost(forget);
    }

    fn luck(&mut self) -> Luck {
        if !self.chance(self.chaos.refuse * 3) {
            return Luck::Good;
        }
        let all = [Luck::Refused, Luck::DoneButUnknown, Luck::Unanswered];
        all[self.rng.random_range(0..all.len())]
    }

    fn chance(&mut self, per_thousand: u64) -> bool {
        self.rng.random_range(0..1_000) < per_thousand
    }

    /// What must be true in the end.
    pub(crate) fn judge(&self) {
        assert!(self.at_rest(), "it came to rest");
        for (stream, (begin, next)) in &self.app.seen {
            let head = self.server.head(*stream).seq;
            assert_eq!(*next, head + 1, "{stream} was heard to its end, from {begin} on");
        }
        let mut sent: BTreeMap<StreamId, Vec<ClientId>> = BTreeMap::new();
        for (ticket, (stream, id)) in &self.app.asked {
            let answer = &self.app.answers[ticket];
            let body: serde_json::Value = serde_json::from_str(answer.result.as_ref().unwrap().get()).unwrap();
            let seq = body["seq"].as_u64().unwrap();
            let entry = &self.server.logs[stream][seq as usize - 1];
            assert_eq!(entry.client_id, Some(*id), "the answer names the entry");
            assert_eq!(body["tag"], json!(Tag(entry.tag.0)));
            sent.entry(*stream).or_default().push(*id);
        }
        for (stream, ids) in sent {
            let log = self.server.logs[&stream].iter();
            let logged: Vec<_> = log.filter_map(|entry| entry.client_id).collect();
            assert_eq!(logged, ids, "in the order they were given, each once");
        }
        assert!(self.app.connections > 0);
    }
}

impl App {
    fn hear(&mut self, event: Event) {
        match event {
            Event::Started { stream, head } => {
                let begin = head.seq + 1;
                let again = self.seen.insert(stream, (begin, begin));
                assert!(again.is_none(), "{stream} was known");
            }
            Event::Entry(entry) => self.entry(entry.from.stream, entry.from.seq, entry.from.seq),
            Event::Withheld { from, first } => self.entry(from.stream, first, from.seq),
            Event::Connected(_) => self.connections += 1,
            Event::Reset { .. } | Event::ResetAll { .. } | Event::Stopped(_) => {
                panic!("nothing was reset: {event:?}")
            }
            _ => {}
        }
    }

    fn entry(&mut self, stream: StreamId, first: Seq, last: Seq) {
        let (_, next) = self.seen.entry(stream).or_insert((first, first));
        // A withheld range may begin before what is known, an entry may not.
        assert!(first <= *next && last >= *next, "{stream}: {first} to {last}, not {next}");
        assert!(first == *next || first < last, "{stream}: {first} twice");
        *next = last + 1;
    }
}
