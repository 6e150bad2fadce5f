//! A bounded mailbox for each receiving leg.
//!
//! It lives in memory only: after a restart it is empty, and legs that come back are told to negotiate anew, which restarts ICE and
//! disturbs no media that flows. Nothing here is a fact that could be lost.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use protocol::calls::{DescriptionType, SendSignal, Signal};
use protocol::{CallId, Millis, UserId};

/// The most signals that wait for one leg.
const SIGNALS_MAX: usize = 256;
/// The most bytes of descriptions and candidates that wait for one leg.
const BYTES_MAX: usize = 256 * 1_024;
/// What nobody came back for by then is dropped; a place is kept for less.
const KEEP_MS: Millis = 60_000;
/// How many locks the mailboxes are spread over.
const SHARDS: usize = 64;

type Shard = HashMap<(CallId, UserId), Mailbox>;

/// All mailboxes of this process.
pub(crate) struct Mailboxes(Box<[Mutex<Shard>]>);

/// One leg's mailbox.
struct Mailbox {
    epoch: u64,
    /// The number of the last signal that was put in.
    last: u64,
    /// Signals up to this one are gone, and not because they were superseded.
    dropped: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
}

struct Kept {
    signal: Signal,
    at: Millis,
    bytes: usize,
}

/// What a leg that comes back has missed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Replay {
    /// The signals after the last one it heard.
    pub(crate) signals: Vec<Signal>,
    /// Some are lost: it has to negotiate anew.
    pub(crate) lost: bool,
}

impl Default for Mailboxes {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl Mailboxes {
    fn shard(&self, call: CallId) -> &Mutex<Shard> {
        &self.0[call.0.as_u128() as usize % SHARDS]
    }

    /// Numbers a signal and keeps it; `then` tells it while no other can come in between.
    pub(crate) fn put(&self, call: CallId, from: UserId, sent: SendSignal, now: Millis, then: impl FnOnce(&Signal)) {
        let mut shard = self.shard(call).lock();
        // A leg that came in elsewhere has heard of numbers that are not known here: those that follow are higher than all of them, and the
        // gap tells it to come back.
        let new = || Mailbox { last: now, dropped: now, ..Mailbox::new(sent.to.epoch) };
        let mailbox = shard.entry((call, sent.to.user)).or_insert_with(new);
        if mailbox.epoch != sent.to.epoch {
            *mailbox = new();
        }
        let signal = mailbox.number(call, from, sent);
        then(&signal);
        mailbox.keep(signal, now);
    }

    /// What a leg has missed after the signal `heard`; a leg that has heard of any must find them here.
    pub(crate) fn replay(&self, call: CallId, user: UserId, epoch: u64, heard: u64) -> Replay {
        let mut shard = self.shard(call).lock();
        let Some(mailbox) = shard.get_mut(&(call, user)).filter(|mailbox| mailbox.epoch == epoch) else {
            return Replay { signals: Vec::new(), lost: true };
        };
        mailbox.kept.retain(|kept| kept.signal.number > heard);
        mailbox.bytes = mailbox.kept.iter().map(|kept| kept.bytes).sum();
        let lost = heard < mailbox.dropped || heard > mailbox.last;
        Replay { signals: mailbox.kept.iter().map(|kept| kept.signal.clone()).collect(), lost }
    }

    /// Everything that is kept, in its order and for whom, while no other can come in between: a gateway that missed hints has missed signals, too. A leg
    /// knows by their numbers which it has heard.
    pub(crate) fn each(&self, tell: impl Fn(UserId, &Signal)) {
        for shard in &self.0 {
            let shard = shard.lock();
            for ((_, user), mailbox) in &*shard {
                mailbox.kept.iter().for_each(|kept| tell(*user, &kept.signal));
            }
        }
    }

    /// Makes the mailbox of a new leg, so that coming back to it is no loss.
    pub(crate) fn open(&self, call: CallId, user: UserId, epoch: u64) {
        let mut shard = self.shard(call).lock();
        let mailbox = shard.entry((call, user)).or_insert_with(|| Mailbox::new(epoch));
        if mailbox.epoch != epoch {
            *mailbox = Mailbox::new(epoch);
        }
    }

    /// Someone is out: nothing waits for them.
    pub(crate) fn close(&self, call: CallId, user: UserId) {
        self.shard(call).lock().remove(&(call, user));
    }

    /// Another process relays what is said in a call from now on: what was kept here is no more than a part of it.
    pub(crate) fn close_all(&self, call: CallId) {
        self.shard(call).lock().retain(|(other, _), _| *other != call);
    }

    /// Drops what has waited for too long, and the mailboxes that a join or a signal made while its call was being ended.
    pub(crate) fn tidy(&self, now: Millis, goes_on: impl Fn(CallId) -> bool) {
        for shard in &self.0 {
            let mut shard = shard.lock();
            shard.retain(|(call, _), _| goes_on(*call));
            shard.values_mut().for_each(|mailbox| mailbox.drop_old(now));
        }
    }
}

impl Mailbox {
    fn new(epoch: u64) -> Self {
        Self { epoch, last: 0, dropped: 0, kept: VecDeque::new(), bytes: 0 }
    }

    fn number(&mut self, call: CallId, from: UserId, sent: SendSignal) -> Signal {
        self.last += 1;
        Signal {
            call,
            number: self.last,
            from: protocol::calls::LegRef { user: from, epoch: sent.epoch },
            to: sent.to,
            description: sent.description,
            candidates: sent.candidates,
        }
    }

    fn keep(&mut self, signal: Signal, now: Millis) {
        let offers = signal.description.as_ref().is_some_and(|description| description.kind == DescriptionType::Offer);
        if offers {
            // What this sender said before belongs to a negotiation that this one replaces.
            self.kept.retain(|kept| kept.signal.from.user != signal.from.user);
            self.bytes = self.kept.iter().map(|kept| kept.bytes).sum();
        }
        let bytes = size(&signal);
        self.bytes += bytes;
        self.kept.push_back(Kept { signal, at: now, bytes });
        while self.kept.len() > SIGNALS_MAX || self.bytes > BYTES_MAX {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(first) = self.kept.pop_front() {
            self.bytes -= first.bytes;
            self.dropped = first.signal.number;
        }
    }

    fn drop_old(&mut self, now: Millis) {
        while self.kept.front().is_some_and(|kept| kept.at + KEEP_MS <= now) {
            self.drop_first();
        }
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
    }
}

fn size(signal: &Signal) -> usize {
    let description = signal.description.as_ref().map_or(0, |description| description.sdp.len());
    let candidates: usize = signal.candidates.iter().map(|candidate| candidate.candidate.len() + 64).sum();
    size_of::<Kept>() + description + candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::calls::{Candidate, Description, LegRef};
    use uuid::Uuid;

    const CALL: CallId = CallId(Uuid::from_u128(1));

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn signal(epoch: u64, description: Option<DescriptionType>) -> SendSignal {
        let candidate = Candidate {
            candidate: "candidate:1 1 UDP 1 192.0.2.1 9 typ host".to_owned(),
            sdp_mid: None,
            sdp_m_line_index: None,
            username_fragment: None,
        };
        SendSignal {
            epoch: 1,
            to: LegRef { user: user(9), epoch },
            description: description.map(|kind| Description { kind, sdp: "v=0".to_owned() }),
            candidates: vec![candidate],
        }
    }

    fn numbers(replay: &Replay) -> Vec<u64> {
        replay.signals.iter().map(|signal| signal.number).collect()
    }

    #[test]
    fn a_leg_that_comes_back_gets_what_it_has_not_heard_in_order() {
        let boxes = Mailboxes::default();
        boxes.open(CALL, user(9), 5);
        for _ in 0..3 {
            boxes.put(CALL, user(1), signal(5, None), 0, |_| {});
        }
        let replay = boxes.replay(CALL, user(9), 5, 1);
        assert_eq!((numbers(&replay), replay.lost), (vec![2, 3], false));
    }

    #[test]
    fn what_is_kept_is_told_again_in_order_and_to_whom_it_went() {
        let boxes = Mailboxes::default();
        boxes.put(CALL, user(1), signal(5, Some(DescriptionType::Offer)), 0, |_| {});
        boxes.put(CALL, user(1), signal(5, Some(DescriptionType::Offer)), 0, |_| {});
        boxes.put(CALL, user(1), signal(5, None), 0, |_| {});
        let told = Mutex::new(Vec::new());
        boxes.each(|user, signal| told.lock().push((user, signal.number)));
        assert_eq!(told.into_inner(), [(user(9), 2), (user(9), 3)]);
    }

    #[test]
    fn an_offer_supersedes_what_its_sender_said_before_and_nobody_elses() {
        let boxes = Mailboxes::default();
        boxes.put(CALL, user(1), signal(5, Some(DescriptionType::Offer)), 0, |_| {});
        boxes.put(CALL, user(2), signal(5, Some(DescriptionType::Offer)), 0, |_| {});
        boxes.put(CALL, user(1), signal(5, Some(DescriptionType::Offer)), 0, |_| {});
        let replay = boxes.replay(CALL, user(9), 5, 0);
        assert_eq!((numbers(&replay), replay.lost), (vec![2, 3], false));
    }

    #[test]
    fn what_was_dropped_or_never_known_makes_a_leg_negotiate_anew() {
        let boxes = Mailboxes::default();
        assert!(boxes.replay(CALL, user(9), 5, 0).lost, "after a restart nothing is known");
        for _ in 0..SIGNALS_MAX + 2 {
            boxes.put(CALL, user(1), signal(5, None), 0, |_| {});
        }
        assert!(boxes.replay(CALL, user(9), 5, 1).lost);
        assert!(!boxes.replay(CALL, user(9), 5, 2).lost);
        boxes.tidy(KEEP_MS, |_| true);
        let replay = boxes.replay(CALL, user(9), 5, 200);
        assert!(replay.lost && replay.signals.is_empty());
        assert!(boxes.replay(CALL, user(9), 6, 0).lost, "another leg's box is not this one's");
    }

    #[test]
    fn a_leg_that_came_in_at_another_process_sees_a_gap_and_negotiates_anew() {
        const NOW: Millis = 1_800_000_000_000;
        let (boxes, elsewhere) = (Mailboxes::default(), Mailboxes::default());
        elsewhere.open(CALL, user(9), 5);
        let mut heard = 0;
        elsewhere.put(CALL, user(1), signal(5, None), NOW, |signal| heard = signal.number);
        let mut next = 0;
        boxes.put(CALL, user(1), signal(5, None), NOW, |signal| next = signal.number);
        assert!(next > heard + 1);
        assert!(boxes.replay(CALL, user(9), 5, heard).lost);
    }

    #[test]
    fn no_box_outlives_its_call() {
        let boxes = Mailboxes::default();
        boxes.open(CALL, user(9), 5);
        boxes.tidy(0, |_| true);
        assert!(!boxes.replay(CALL, user(9), 5, 0).lost);
        boxes.tidy(0, |_| false);
        assert!(boxes.replay(CALL, user(9), 5, 0).lost);
    }

    #[test]
    fn a_new_leg_finds_an_empty_box() {
        let boxes = Mailboxes::default();
        boxes.put(CALL, user(1), signal(5, None), 0, |_| {});
        boxes.open(CALL, user(9), 6);
        assert_eq!(boxes.replay(CALL, user(9), 6, 0), Replay::default());
    }
}
