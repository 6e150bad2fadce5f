//! Plain HTTP clients that call on while processes are restarted: what they are refused with is noted, word for word.
//!
//! They repeat a send under its client id until it is acknowledged, as anybody does who wants it done. They call at an even pace and don't wait
//! for as long as they are told, so that hardly a moment of a restart goes by unseen.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use harness::people::PASSWORD;
use harness::rest::try_send;
use harness::{Answer, Person, Rest, Witness, World, wait};
use protocol::chat::Messages;
use protocol::envelope::Failure;
use protocol::{ConversationId, Seq};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How many call at the same time.
const CALLERS: usize = 4;
/// Between two calls of each.
const EVERY: Duration = Duration::from_millis(20);
/// What a page of messages has at most.
const PAGE: usize = 100;

/// Whoever calls.
pub(crate) struct Callers {
    over: watch::Sender<bool>,
    callers: Vec<JoinHandle<Caller>>,
}

/// What was answered otherwise than by a success: command, status, code, whether `Retry-After` was there; how often.
#[derive(Default)]
pub(crate) struct Refusals(BTreeMap<(&'static str, u16, String, bool), usize>);

/// One of them.
struct Caller {
    rest: Rest,
    person: Person,
    conversation: ConversationId,
    sent: Vec<String>,
    calls: usize,
    refusals: Refusals,
}

impl Callers {
    /// They begin.
    pub(crate) async fn call(world: &World, rest: &Rest) -> Self {
        let (over, _) = watch::channel(false);
        // What they do is held against their own words, not by the world's witness.
        let nobody = Witness::default();
        let person = async |handle: &str| Person::register(&world.rest(), world.gateway(), handle, &nobody).await;
        let other = person("called").await;
        let mut callers = Vec::new();
        for number in 0..CALLERS {
            let person = person(&format!("caller{number}")).await;
            let conversation = person.direct(&other).await;
            let rest = rest.clone();
            let caller =
                Caller { rest, person, conversation, sent: Vec::new(), calls: 0, refusals: Refusals::default() };
            callers.push(tokio::spawn(caller.go_on(over.subscribe())));
        }
        Self { over, callers }
    }

    /// They end: everything that they sent is there once, in its order. Answers how often they called, and what was refused.
    pub(crate) async fn end(self) -> (usize, Refusals) {
        self.over.send_replace(true);
        let (mut calls, mut refusals) = (0, Refusals::default());
        for caller in self.callers {
            let caller = wait::within("a caller to have its answers", caller).await.unwrap();
            assert_eq!(caller.log().await, caller.sent, "{}", caller.person.handle);
            calls += caller.calls;
            for (refusal, count) in caller.refusals.0 {
                *refusals.0.entry(refusal).or_default() += count;
            }
        }
        (calls, refusals)
    }
}

impl Caller {
    async fn go_on(mut self, mut over: watch::Receiver<bool>) -> Self {
        let mut next = Instant::now();
        for number in 0_u64.. {
            tokio::select! {
                () = wait::for_the_moment(next) => next = Instant::now() + EVERY,
                _ = over.wait_for(|over| *over) => break,
            }
            match number % 6 {
                0 | 3 => self.send(number).await,
                1 => drop(self.ask("conversations.list", None, json!({})).await),
                2 => drop(self.ask("me.get", None, json!({})).await),
                4 => drop(self.ask("messages.list", Some(self.conversation.to_string()), json!({ "limit": 5 })).await),
                _ => self.log_in_and_out().await,
            }
        }
        self
    }

    /// Sends a message until it is acknowledged.
    async fn send(&mut self, number: u64) {
        let text = format!("message {number}");
        let body = json!({ "client_id": uuid::Uuid::new_v4(), "text": text });
        let to = Some(self.conversation.to_string());
        let mut next = Instant::now();
        while self.ask("messages.send", to.clone(), body.clone()).await.is_none() {
            next = next.max(Instant::now()) + EVERY;
            wait::for_the_moment(next).await;
        }
        self.sent.push(text);
    }

    async fn log_in_and_out(&mut self) {
        let body = json!({ "handle": self.person.handle, "password": PASSWORD, "device": "one of many" });
        let Some(answer) = self.ask("auth.login", None, body).await else { return };
        let grant: Value = answer.data();
        let body = json!({ "refresh_token": grant["refresh_token"] });
        self.ask("auth.logout", None, body).await;
    }

    /// The answer, if it is a success; else it is noted.
    async fn ask(&mut self, command: &'static str, to: Option<String>, body: Value) -> Option<Answer> {
        self.calls += 1;
        let request = self.rest.command_request(command, Some(&self.person.access), to.as_deref(), body);
        let refusal = match try_send(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => return Some(answer),
            Ok(answer) => {
                let failure: Option<Failure> = serde_json::from_slice(&answer.body).ok();
                let code = failure
                    .map_or_else(|| format!("no code: {answer}"), |failure| failure.error.code.as_str().to_owned());
                (command, answer.status, code, answer.header("retry-after").is_some())
            }
            Err(error) => (command, 0, format!("{error:?}"), false),
        };
        *self.refusals.0.entry(refusal).or_default() += 1;
        None
    }

    /// The texts of the conversation, from the first one on.
    async fn log(&self) -> Vec<String> {
        let (mut texts, mut after): (Vec<String>, Seq) = (Vec::new(), 0);
        loop {
            let page: Messages = self.person.history(self.conversation, json!({ "after": after, "limit": PAGE })).await;
            after = page.messages.last().map_or(after, |message| message.seq);
            texts.extend(page.messages.into_iter().map(|message| message.text));
            if !page.more_after {
                return texts;
            }
        }
    }
}

impl Refusals {
    /// Everything that was refused was so for the time being, in so many words.
    pub(crate) fn are_all_503_with_retry_after(&self) {
        let others: Vec<_> = self.0.iter().filter(|((_, status, _, retry), _)| *status != 503 || !*retry).collect();
        assert!(others.is_empty(), "{others:#?}");
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((command, status, code, _), count) in &self.0 {
            write!(f, " {count} {command}: {status} {code};")?;
        }
        Ok(())
    }
}
