//! What was read, against the state at the head that each answer names.

use std::collections::BTreeMap;

use protocol::chat::ReadMarker;
use protocol::{ConversationId, Position, Seq, UserId};

use super::History;
use super::content::MessageState;
use super::fact::{Device, Fact, ListFact, MarkerFact, PageFact, SummaryFact, Time};
use super::log::Log;
use super::order::Order;
use super::violation::{Violation, ViolationKind, wrong};

type Logs<'a> = BTreeMap<ConversationId, Log<'a>>;

pub(crate) fn check(history: &History, logs: &mut Logs<'_>, order: &Order, violations: &mut Vec<Violation>) {
    for device in &history.devices {
        for fact in &device.facts {
            let conversation = match fact {
                Fact::Page(page) => page.conversation,
                Fact::Summary(summary) => summary.conversation,
                Fact::Marker(marker) => marker.conversation,
                Fact::List(list) => {
                    check_list(device, list, logs, order, violations);
                    continue;
                }
                Fact::Did(_) | Fact::Heard { .. } | Fact::Marks(_) => continue,
            };
            let Some(log) = logs.get_mut(&conversation) else {
                wrong(violations, ViolationKind::WrongRead, || format!("{}: no log of {conversation}", device.name));
                continue;
            };
            let mut reader = Reader { device, log, order, violations };
            match fact {
                Fact::Page(page) => reader.page(page),
                Fact::Summary(summary) => reader.summary(summary),
                Fact::Marker(marker) => reader.marker(marker),
                _ => {}
            }
        }
    }
}

struct Reader<'r, 'a> {
    device: &'r Device,
    log: &'r mut Log<'a>,
    order: &'r Order,
    violations: &'r mut Vec<Violation>,
}

impl Reader<'_, '_> {
    fn user(&self) -> UserId {
        self.device.user
    }

    fn wrong(&mut self, kind: ViolationKind, words: impl FnOnce() -> String) {
        let (name, conversation) = (&self.device.name, self.log.conversation);
        wrong(self.violations, kind, || format!("{name} in {conversation}: {}", words()));
    }

    /// The head is of this log, not older than what was known, and the reader was a member there.
    fn head(&mut self, began: Time, head: Position) {
        let known = self.order.known(self.log.conversation, began);
        if head.seq < known {
            self.wrong(ViolationKind::Stale, || format!("read as of {}, when {known} was known", head.seq));
        }
        if self.log.entry(head.seq).is_none_or(|entry| entry.position.tag != head.tag) {
            self.wrong(ViolationKind::Differs, || format!("read as of {head:?}, which is not in the log"));
        }
        if !self.log.is_member_at(self.user(), head.seq) {
            self.wrong(ViolationKind::Leak, || format!("read as of {}, when they were no member", head.seq));
        }
    }

    fn message(&mut self, seq: Seq, read: &MessageState, head: Seq) {
        if !self.log.may_see(self.user(), seq) {
            self.wrong(ViolationKind::Leak, || format!("message {seq} is not theirs to see"));
        }
        if !self.log.is_state_at(seq, read, head) {
            self.wrong(ViolationKind::WrongRead, || format!("message {seq} as of {head} was read as {read:?}"));
        }
    }

    fn page(&mut self, page: &PageFact) {
        let head = page.head.seq;
        self.head(page.began, page.head);
        for (seq, message) in &page.messages {
            self.message(*seq, message, head);
        }
        let user = self.user();
        let request = &page.request;
        let limit = request.limit.unwrap_or(50).min(100) as usize;
        let upwards = request.after.is_some();
        // Where the page must begin or end, and what lies beyond its other end.
        let first = request.after.map_or(1, |after| after.saturating_add(1));
        let last = request.before.map_or(head, |before| before.saturating_sub(1)).min(head);
        let (Some((low, _)), Some((high, _))) = (page.messages.first(), page.messages.last()) else {
            if request.around.is_none() && self.log.sees_message_in(user, first, last) {
                self.wrong(ViolationKind::WrongRead, || format!("nothing between {first} and {last}"));
            }
            return;
        };
        let (low, high) = (*low, *high);
        for pair in page.messages.windows(2) {
            let (one, next) = (pair[0].0, pair[1].0);
            if next <= one || self.log.sees_message_in(user, one + 1, next - 1) {
                self.wrong(ViolationKind::WrongRead, || format!("{next} follows {one} in a page"));
            }
        }
        let before = self.log.sees_message_in(user, 1, low.saturating_sub(1));
        let after = self.log.sees_message_in(user, high + 1, head);
        if (before, after) != (page.more_before, page.more_after) {
            self.wrong(ViolationKind::WrongRead, || format!("there is more: {before} before, {after} after"));
        }
        if request.around.is_some() {
            return;
        }
        let short = page.messages.len() < limit;
        let skipped = if upwards {
            low < first || self.log.sees_message_in(user, first, low.saturating_sub(1)) || short && after
        } else {
            high > last || self.log.sees_message_in(user, high + 1, last) || short && before
        };
        if skipped || page.messages.len() > limit {
            self.wrong(ViolationKind::WrongRead, || format!("{request:?} gave {low} to {high}"));
        }
    }

    fn summary(&mut self, summary: &SummaryFact) {
        let user = self.user();
        let head = summary.head.seq;
        self.head(summary.began, summary.head);
        let (role, members) = (self.log.role_at(user, head), self.log.members_at(head));
        if role != Some(summary.role) || members != summary.members {
            self.wrong(ViolationKind::WrongRead, || format!("{role:?} of {members} at {head}, not {summary:?}"));
        }
        match (self.log.last_message_at(head), &summary.last_message) {
            (Some(last), Some((seq, message))) if *seq == last => self.message(last, message, head),
            (Some(last), None) if !self.log.surely_sees(user, last) => {}
            (None, None) => {}
            (last, _) => self.wrong(ViolationKind::WrongRead, || format!("the last message at {head} is {last:?}")),
        }
        let read = summary.read;
        self.marker_at(summary.began, summary.ended, read);
        let of_others = self.log.messages_of_others_in(user, read.seq + 1, head);
        let own_number = self.log.own_number_at(user, head);
        if summary.unread != of_others || summary.own_number != own_number {
            let SummaryFact { unread, own_number: own, .. } = *summary;
            self.wrong(ViolationKind::Unread, || {
                format!("{unread} unread, {own} own at {head} after {read:?}, not {of_others} and {own_number}")
            });
        }
    }

    fn marker(&mut self, marker: &MarkerFact) {
        let MarkerFact { began, ended, asked, marker, unread, .. } = *marker;
        self.marker_at(began, ended, marker);
        if asked.is_some_and(|asked| marker.seq < asked) {
            self.wrong(ViolationKind::MarkerBack, || format!("asked for {asked:?}, stands at {}", marker.seq));
        }
        let Some(unread) = unread else { return };
        let conversation = self.log.conversation;
        let known = self.order.known(conversation, began).max(marker.seq);
        let head = self.log.head();
        let last = self.order.unasked(conversation, ended).map_or(head, |after| after.saturating_sub(1).max(known));
        let least = self.log.messages_of_others_in(self.user(), marker.seq + 1, known);
        let most = self.log.messages_of_others_in(self.user(), marker.seq + 1, last);
        if !(least..=most).contains(&unread) {
            self.wrong(ViolationKind::Unread, || format!("{unread} unread after {marker:?}, not {least} to {most}"));
        }
    }

    fn marker_at(&mut self, began: Time, ended: Time, marker: ReadMarker) {
        let (user, conversation, seq) = (self.user(), self.log.conversation, marker.seq);
        let before = self.order.marker(user, conversation, began);
        if seq < before {
            self.wrong(ViolationKind::MarkerBack, || format!("it stands at {seq}, after {before}"));
        }
        let (number, own_number) = (self.log.number_at(seq), self.log.own_number_at(user, seq));
        if seq > self.log.head() || (marker.number, marker.own_number) != (number, own_number) {
            self.wrong(ViolationKind::Unread, || format!("{marker:?}: it is number {number}, {own_number} own"));
        }
        // An own message takes it along only where nothing of others is unread.
        let joined = self.log.memberships(user).iter().map(|membership| membership.joined);
        let joined = joined.filter(|joined| *joined <= seq).max().unwrap_or(0);
        let marked = self.order.marked(user, conversation, seq, ended).max(joined);
        let passed = self.log.messages_of_others_in(user, marked + 1, seq);
        if passed > 0 {
            self.wrong(ViolationKind::Unread, || {
                format!("it stands at {seq}, over {passed} messages that nobody marked as read after {marked}")
            });
        }
    }
}

/// Who was a member all the time while the list was read finds the conversation in it; who was none, doesn't.
fn check_list(device: &Device, list: &ListFact, logs: &Logs<'_>, order: &Order, violations: &mut Vec<Violation>) {
    for (conversation, log) in logs {
        let listed = list.conversations.contains(conversation);
        let first = order.known(*conversation, list.began);
        let after = order.unasked(*conversation, list.ended);
        let last = after.map_or(log.head(), |after| after.saturating_sub(1));
        let memberships = log.memberships(device.user);
        let surely_in = memberships.iter().any(|m| m.joined <= first && m.left.is_none_or(|left| left > last));
        let surely_out = !memberships.iter().any(|m| m.joined <= last && m.left.is_none_or(|left| left > first));
        if surely_in && !listed {
            wrong(violations, ViolationKind::Stale, || format!("{}: {conversation} is not in the list", device.name));
        }
        if surely_out && listed {
            wrong(violations, ViolationKind::Leak, || format!("{}: {conversation} is in the list", device.name));
        }
    }
    let mut sorted = list.conversations.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != list.conversations.len() {
        wrong(violations, ViolationKind::Double, || format!("{}: a conversation is listed twice", device.name));
    }
}
