//! What was asked for, against what the log holds.

use std::collections::{BTreeMap, HashMap, HashSet};

use protocol::chat::{Leaving, MemberRole};
use protocol::{ClientId, ConversationId, ErrorCode, Position, Seq, UserId};

use super::History;
use super::content::{Content, TextHash};
use super::fact::{Fact, Operation, Outcome, Verb};
use super::log::Log;
use super::order::{Order, is_made_by, made};
use super::violation::{Violation, ViolationKind, wrong};

type Logs<'a> = BTreeMap<ConversationId, Log<'a>>;

pub(crate) fn check(history: &History, logs: &mut Logs<'_>, order: &Order, violations: &mut Vec<Violation>) {
    let ids = client_ids(history);
    let mut claims = HashSet::new();
    for device in &history.devices {
        for fact in &device.facts {
            let Fact::Did(operation) = fact else { continue };
            let Some(log) = logs.get_mut(&operation.conversation) else {
                if matches!(operation.outcome, Outcome::Done(_)) {
                    wrong(violations, ViolationKind::Loss, || {
                        format!("{}: acknowledged, but there is no log", operation.conversation)
                    });
                }
                continue;
            };
            let user = device.user;
            Judge { history, log, order, ids: &ids, user, operation, violations }.judge();
            if !matches!(operation.outcome, Outcome::Refused(_)) {
                let asked = claims_of(user, &operation.verb).into_iter();
                claims.extend(asked.map(|claim| (operation.conversation, user, claim)));
            }
        }
    }
    for log in logs.values() {
        forged(history, log, &claims, &ids, violations);
    }
}

struct Judge<'j, 'a> {
    history: &'j History,
    log: &'j mut Log<'a>,
    order: &'j Order,
    ids: &'j HashMap<(UserId, ClientId), Vec<&'j Operation>>,
    user: UserId,
    operation: &'j Operation,
    violations: &'j mut Vec<Violation>,
}

impl Judge<'_, '_> {
    fn wrong(&mut self, kind: ViolationKind, words: &str) {
        let Operation { conversation, verb, outcome, began, ended } = self.operation;
        let user = self.user;
        wrong(self.violations, kind, || {
            format!("{conversation}: {user} {verb:?} ({began} to {ended}) {outcome:?}: {words}")
        });
    }

    fn judge(&mut self) {
        let by_id = match &self.operation.verb {
            Verb::Send { client_id, .. } | Verb::Edit { client_id, .. } => {
                Some(self.log.by_client_id(self.user, *client_id))
            }
            _ => None,
        };
        match (self.operation.outcome, by_id) {
            (Outcome::Done(position), found) => {
                if found.is_some_and(|found| found != Some(position.seq)) {
                    self.wrong(ViolationKind::Loss, "acknowledged, but the entry is not there");
                    return;
                }
                self.done(position);
            }
            (Outcome::Refused(code), found) => self.refused(code, found),
            (Outcome::Unknown, _) => {}
        }
        self.text();
    }

    fn done(&mut self, position: Position) {
        let Some(entry) = self.log.entry(position.seq) else {
            return self.wrong(ViolationKind::Loss, "acknowledged beyond the log's end");
        };
        if entry.position.tag != position.tag {
            return self.wrong(ViolationKind::Differs, "the entry there has another tag");
        }
        let made = made(self.history, self.user, self.operation, position.seq);
        if !made && !self.held(position.seq) {
            return self.wrong(ViolationKind::Loss, "acknowledged, but nothing of it is in the log");
        }
        let known = self.order.known(self.operation.conversation, self.operation.began);
        // A client id that is used again gets the entry that it made before.
        let is_new = self.uses() == Some(1);
        if position.seq < known && self.uses().is_none_or(|uses| uses == 1) || is_new && position.seq == known {
            self.wrong(ViolationKind::Reorder, &format!("asked for when entry {known} was known"));
        }
        if let (Verb::Send { reply_to, .. }, Content::Message(message)) = (&self.operation.verb, &entry.content)
            && *reply_to != message.reply_to
        {
            self.wrong(ViolationKind::Differs, "it answers another message");
        }
    }

    /// How often the operation's client id was used, if it has one.
    fn uses(&self) -> Option<usize> {
        match &self.operation.verb {
            Verb::Send { client_id, .. } | Verb::Edit { client_id, .. } => {
                Some(self.ids.get(&(self.user, *client_id)).map_or(0, Vec::len))
            }
            _ => None,
        }
    }

    /// Whether what was asked for was so at this entry, so that there was nothing to do.
    fn held(&self, seq: Seq) -> bool {
        let log = &self.log;
        match &self.operation.verb {
            Verb::Join => log.is_member_at(self.user, seq),
            Verb::Invite { users } => users.iter().all(|user| log.is_member_at(*user, seq)),
            Verb::Role { user, role } => log.role_at(*user, seq) == Some(*role),
            Verb::Delete { target } => log.is_deleted_at(*target, seq),
            Verb::Ban { user } | Verb::Unban { user } => !log.is_member_at(*user, seq),
            Verb::Create | Verb::Title { .. } => true,
            Verb::Leave | Verb::Kick { .. } | Verb::Send { .. } | Verb::Edit { .. } => false,
        }
    }

    fn refused(&mut self, code: ErrorCode, found: Option<Option<Seq>>) {
        if let Some(Some(seq)) = found {
            self.wrong(ViolationKind::DoneThoughRefused, &format!("it is entry {seq}"));
        }
        let send = matches!(self.operation.verb, Verb::Send { reply_to: None, .. });
        if send && code == ErrorCode::NotFound && self.was_member_throughout() {
            self.wrong(ViolationKind::WronglyRefused, "they were a member all the time");
        }
    }

    fn was_member_throughout(&self) -> bool {
        let conversation = self.operation.conversation;
        let first = self.order.known(conversation, self.operation.began);
        let after = self.order.unasked(conversation, self.operation.ended);
        let last = after.map_or(self.log.head(), |after| after.saturating_sub(1));
        let memberships = self.log.memberships(self.user);
        memberships.iter().any(|m| m.joined <= first && m.left.is_none_or(|left| left > last))
    }

    /// What was asked for is what the first revision, or that of the edit, says to everybody.
    fn text(&mut self) {
        let (found, text) = match &self.operation.verb {
            Verb::Send { client_id, text, .. } | Verb::Edit { client_id, text, .. } => {
                (self.log.by_client_id(self.user, *client_id), *text)
            }
            _ => return,
        };
        let Some(seq) = found else { return };
        let right = match self.log.entry(seq).map(|entry| &entry.content) {
            Some(Content::Edited { target, revision, .. }) => self.log.is_text(*target, *revision, text),
            Some(Content::Message(_)) => self.log.is_text(seq, 0, text),
            _ => false,
        };
        if !right {
            self.wrong(ViolationKind::Differs, "the log says another text");
        }
    }
}

/// How often each client id was used.
fn client_ids(history: &History) -> HashMap<(UserId, ClientId), Vec<&Operation>> {
    let mut ids: HashMap<_, Vec<_>> = HashMap::new();
    for device in &history.devices {
        for fact in &device.facts {
            if let Fact::Did(operation) = fact
                && let Verb::Send { client_id, .. } | Verb::Edit { client_id, .. } = &operation.verb
            {
                ids.entry((device.user, *client_id)).or_default().push(operation);
            }
        }
    }
    ids
}

/// What somebody asked for that is not found by a client id.
#[derive(PartialEq, Eq, Hash)]
enum Claim {
    Create,
    Title(TextHash),
    Join(UserId),
    Leave(UserId),
    Kick(UserId),
    Ban(UserId),
    Unban(UserId),
    Role(UserId, MemberRole),
    Delete(Seq),
}

fn claims_of(user: UserId, verb: &Verb) -> Vec<Claim> {
    match verb {
        Verb::Create => vec![Claim::Create],
        Verb::Title { title } => vec![Claim::Title(*title)],
        Verb::Join => vec![Claim::Join(user)],
        Verb::Invite { users } => users.iter().map(|user| Claim::Join(*user)).collect(),
        Verb::Leave => vec![Claim::Leave(user)],
        Verb::Kick { user } => vec![Claim::Kick(*user)],
        Verb::Ban { user } => vec![Claim::Ban(*user)],
        Verb::Unban { user } => vec![Claim::Unban(*user)],
        Verb::Role { user, role } => vec![Claim::Role(*user, *role)],
        Verb::Delete { target } => vec![Claim::Delete(*target)],
        Verb::Send { .. } | Verb::Edit { .. } => Vec::new(),
    }
}

/// Entries that nobody asked for.
fn forged(
    history: &History,
    log: &Log<'_>,
    claims: &HashSet<(ConversationId, UserId, Claim)>,
    ids: &HashMap<(UserId, ClientId), Vec<&Operation>>,
    violations: &mut Vec<Violation>,
) {
    for entry in log.entries {
        let content = &entry.content;
        let by = content.by();
        if history.unrecorded.contains(&by) {
            continue;
        }
        let claimed = |claim| claims.contains(&(log.conversation, by, claim));
        let by_id = |id: ClientId| {
            ids.get(&(by, id)).is_some_and(|operations| {
                let mut operations = operations.iter();
                operations.any(|op| op.conversation == log.conversation && is_made_by(content, by, &op.verb))
            })
        };
        let asked = match content {
            Content::Created { .. } => claimed(Claim::Create),
            Content::Updated { title, .. } => claimed(Claim::Title(*title)),
            Content::Joined { user, .. } => claimed(Claim::Join(*user)) || claimed(Claim::Create),
            Content::Left { user, how: Leaving::Left, .. } => claimed(Claim::Leave(*user)),
            Content::Left { user, how: Leaving::Kicked, .. } => claimed(Claim::Kick(*user)),
            Content::Left { user, how: Leaving::Banned, .. } | Content::Banned { user, .. } => {
                claimed(Claim::Ban(*user))
            }
            Content::Unbanned { user, .. } => claimed(Claim::Unban(*user)),
            Content::Role { user, role, .. } => claimed(Claim::Role(*user, *role)),
            Content::Deleted { target, .. } => claimed(Claim::Delete(*target)),
            Content::Message(message) => by_id(message.client_id),
            Content::Edited { client_id, .. } => by_id(*client_id),
            // The service writes it by itself, when a call is over.
            Content::Called(_) => true,
        };
        if !asked {
            wrong(violations, ViolationKind::Forged, || {
                format!("{}:{}: nobody asked for {content:?}", log.conversation, entry.position.seq)
            });
        }
    }
}
