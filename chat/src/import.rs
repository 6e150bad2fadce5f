//! Bulk import: conversations with their members, many in one transaction.
//!
//! Each conversation comes with a key that its source keeps (a hash of its line, say): the same key again changes nothing, so an
//! import that was broken off is simply started again. The rules are those of `conversations.create`; whether the members exist is
//! the caller's to know, who imports them from the same file.

use std::collections::BTreeMap;

use link::{Context, Refusal};
use protocol::chat::{ConversationKind, MemberRole};
use protocol::{ConversationId, ErrorCode, UserId};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use crate::conversations::{create, title};
use crate::log::Change;
use crate::refuse::{Stop, invalid};
use crate::service::Chat;
use runtime::audit::{self, AuditResult, Event};

/// The most conversations in one call: one transaction each.
const BATCH_MAX: usize = 1_000;

/// A conversation to import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportConversation {
    /// What it is recognised by when it comes again.
    pub key: Uuid,
    /// Its kind.
    pub kind: ConversationKind,
    /// The title of a group or channel.
    pub title: Option<String>,
    /// Who made it: the owner of a group or channel, one of the two of a 1-1 conversation.
    pub owner: UserId,
    /// The other members. In a 1-1 conversation it is one, whose role is not looked at.
    pub members: Vec<(UserId, MemberRole)>,
}

/// What became of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The conversation.
    pub id: ConversationId,
    /// Whether this call made it.
    pub new: bool,
}

impl Chat {
    /// Imports up to 1,000 conversations in one transaction, in order; all of them or none.
    ///
    /// # Errors
    /// `invalid_request` names the first conversation that can't be imported and why.
    pub async fn import(&self, conversations: Vec<ImportConversation>) -> Result<Vec<Imported>, Refusal> {
        if conversations.len() > BATCH_MAX {
            return Err(invalid(format!("at most {BATCH_MAX} conversations at once")));
        }
        let conversations = conversations.into_iter().map(checked).collect::<Result<Vec<_>, _>>()?;
        self.shared
            .write("conversations/import", move |change| {
                let imported = conversations.iter().map(|one| import(change, one)).collect::<Result<Vec<_>, Stop>>()?;
                let made = imported.iter().filter(|imported| imported.new).count();
                if made > 0 {
                    let event = Event::new("conversation.import", "chat", AuditResult::Allowed)
                        .with_reason(format!("{made} conversations"))
                        .with_request(None, Some(Context::internal().request_id), None);
                    audit::append(change.tx(), &event)?;
                }
                Ok(imported)
            })
            .await
    }
}

fn checked(mut one: ImportConversation) -> Result<ImportConversation, Refusal> {
    let key = one.key;
    let wrong = |what: &str| Err(invalid(format!("{key}: {what}")));
    match one.kind {
        ConversationKind::Direct => {
            if one.title.is_some() {
                return wrong("a 1-1 conversation has no title");
            }
            if one.members.len() != 1 || one.members.iter().any(|(user, _)| *user == one.owner) {
                return wrong("a 1-1 conversation has one member besides its maker");
            }
        }
        ConversationKind::Group | ConversationKind::Channel => {
            let Some(title) = one.title.take() else { return wrong("a title is missing") };
            one.title = Some(title::checked(title)?);
            let members: BTreeMap<_, _> = one.members.into_iter().filter(|(user, _)| *user != one.owner).collect();
            one.members = members.into_iter().collect();
        }
    }
    Ok(one)
}

fn import(change: &mut Change<'_, '_>, one: &ImportConversation) -> Result<Imported, Stop> {
    if let Some(id) = imported_before(change, one.key)? {
        return Ok(Imported { id, new: false });
    }
    let made = match one.kind {
        ConversationKind::Direct => direct(change, one)?,
        ConversationKind::Group | ConversationKind::Channel => {
            let owner = (one.owner, MemberRole::Owner);
            let members: Vec<_> = std::iter::once(owner).chain(one.members.iter().copied()).collect();
            let made = create::begin(change, one.owner, one.kind, one.title.clone(), &members)?;
            Imported { id: made.id(), new: true }
        }
    };
    change
        .connection()
        .prepare_cached("INSERT INTO imports (key, conversation) VALUES (?, ?)")?
        .execute(params![one.key.as_bytes(), made.id.as_bytes()])?;
    Ok(made)
}

fn direct(change: &mut Change<'_, '_>, one: &ImportConversation) -> Result<Imported, Stop> {
    let Some((other, _)) = one.members.first().copied() else {
        return Err(Refusal::of(ErrorCode::InvalidRequest).into());
    };
    match create::pair(change, one.owner, other)? {
        Some(stream_no) => Ok(Imported { id: create::id_of(change, stream_no)?, new: false }),
        None => Ok(Imported { id: create::begin_direct(change, one.owner, other)?.id(), new: true }),
    }
}

fn imported_before(change: &Change<'_, '_>, key: Uuid) -> rusqlite::Result<Option<ConversationId>> {
    change
        .connection()
        .prepare_cached("SELECT conversation FROM imports WHERE key = ?")?
        .query_row([key.as_bytes()], |row| crate::log::row::id(row, 0).map(Into::into))
        .optional()
}
