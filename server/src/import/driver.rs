//! Reads an import file and hands it on, batch by batch.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use auth::{ImportOutcome, ImportUser, ImportedUser};
use indicatif::{ProgressBar, ProgressStyle};
use protocol::UserId;
use protocol::chat::MemberRole;
use serde_json::json;

use super::key::Keys;
use super::line::{ConversationLine, Line, parse};
use super::{Accounts, ConversationBatch, Conversations, Made, NewConversation, Target, UserBatch};
use crate::say;

/// Users in one request: each may cost a password hash.
const USERS_PER_BATCH: usize = 1_000;
/// Conversations in one request, which is one transaction: few enough that the sends of a running server don't wait long behind it.
const CONVERSATIONS_PER_BATCH: usize = 100;
/// Members in one request, for the same reason: large conversations make smaller batches.
const MEMBERS_PER_BATCH: usize = 2_000;
/// Problems that are told line by line; the rest is counted.
const PROBLEMS_TOLD: usize = 100;

/// An import at work.
pub(crate) struct Import {
    accounts: Target<Accounts>,
    conversations: Target<Conversations>,
    tokens: Option<BufWriter<File>>,
    /// The accounts of the handles that were met so far.
    known: HashMap<String, UserId>,
    outcome: Outcome,
}

/// What an import did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    /// Accounts that were made.
    pub(crate) users: usize,
    /// Conversations that were made.
    pub(crate) conversations: usize,
    /// Lines whose account or conversation was there already.
    pub(crate) existed: usize,
    /// Lines that were refused.
    pub(crate) problems: usize,
}

impl Import {
    pub(crate) fn new(accounts: Target<Accounts>, conversations: Target<Conversations>) -> Self {
        Self { accounts, conversations, tokens: None, known: HashMap::new(), outcome: Outcome::default() }
    }

    /// Also logs every user of the file in, and writes the logins to this file, readable by its owner only.
    pub(crate) fn with_tokens(mut self, path: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        self.tokens = Some(BufWriter::new(file.with_context(|| format!("can't write {}", path.display()))?));
        Ok(self)
    }

    /// Imports the whole file.
    pub(crate) async fn run(mut self, path: &Path) -> Result<Outcome> {
        let mut users = Batch::default();
        let bar = progress(path, "users")?;
        for line in lines(path)? {
            let (number, line) = line?;
            bar.inc(line.len() as u64 + 1);
            match parse(&line) {
                Ok(Some(Line::User(user))) => users.push(number, user),
                Ok(Some(Line::Conversation(_)) | None) => {}
                Err(problem) => self.problem(number, &problem),
            }
            if users.lines.len() >= USERS_PER_BATCH {
                self.users(users.take()).await?;
            }
        }
        self.users(users).await?;
        if let Some(tokens) = &mut self.tokens {
            tokens.flush()?;
        }

        let (mut conversations, mut members, mut keys) = (Batch::default(), 0, Keys::default());
        let bar = progress(path, "conversations")?;
        for line in lines(path)? {
            let (number, line) = line?;
            bar.inc(line.len() as u64 + 1);
            // What is no line was told in the first pass.
            let Ok(Some(Line::Conversation(line))) = parse(&line) else { continue };
            let key = keys.of(&line);
            match self.resolve(key, line).await? {
                Ok(conversation) => {
                    members += conversation.members.len() + 1;
                    conversations.push(number, conversation);
                }
                Err(problem) => self.problem(number, &problem),
            }
            if members >= MEMBERS_PER_BATCH || conversations.lines.len() >= CONVERSATIONS_PER_BATCH {
                members = 0;
                self.conversations(conversations.take()).await?;
            }
        }
        self.conversations(conversations).await?;
        Ok(self.outcome)
    }

    async fn users(&mut self, batch: Batch<ImportUser>) -> Result<()> {
        if batch.lines.is_empty() {
            return Ok(());
        }
        let tokens = self.tokens.is_some();
        let done = self.accounts.import(UserBatch { users: batch.items, tokens }).await?;
        for (number, user) in batch.lines.into_iter().zip(done.users) {
            self.write_tokens(&user)?;
            let id = user.outcome.user();
            match user.outcome {
                ImportOutcome::Created(_) => self.outcome.users += 1,
                ImportOutcome::Existed(_) => self.outcome.existed += 1,
                ImportOutcome::Refused(problem) => self.problem(number, &problem),
            }
            if let Some(id) = id {
                self.known.insert(user.handle, id);
            }
        }
        Ok(())
    }

    fn write_tokens(&mut self, user: &ImportedUser) -> Result<()> {
        if let (Some(file), Some(tokens), Some(id)) = (&mut self.tokens, &user.tokens, user.outcome.user()) {
            let login = json!({
                "handle": user.handle,
                "user": id,
                "session": tokens.session,
                "access_token": tokens.access_token,
                "refresh_token": tokens.refresh_token,
            });
            writeln!(file, "{login}")?;
        }
        Ok(())
    }

    /// The line with accounts instead of handles, or what is wrong with it.
    async fn resolve(&mut self, key: uuid::Uuid, line: ConversationLine) -> Result<Result<NewConversation, String>> {
        let Some(owner) = self.account(&line.owner).await? else {
            return Ok(Err(format!("owner: nobody has the handle `{}`", line.owner)));
        };
        let mut admins: HashSet<String> = line.admins.into_iter().collect();
        let mut members = Vec::with_capacity(line.members.len());
        for handle in line.members {
            let Some(member) = self.account(&handle).await? else {
                return Ok(Err(format!("members: nobody has the handle `{handle}`")));
            };
            let role = if admins.remove(&handle) { MemberRole::Admin } else { MemberRole::Member };
            members.push((member, role));
        }
        if let Some(stranger) = admins.into_iter().next() {
            return Ok(Err(format!("admins: `{stranger}` is not among the members")));
        }
        Ok(Ok(NewConversation { key, kind: line.kind, title: line.title, owner, members }))
    }

    async fn account(&mut self, handle: &str) -> Result<Option<UserId>> {
        if let Some(id) = self.known.get(handle) {
            return Ok(Some(*id));
        }
        let found = self.accounts.find(handle).await?;
        if let Some(id) = found {
            self.known.insert(handle.to_owned(), id);
        }
        Ok(found)
    }

    async fn conversations(&mut self, batch: Batch<NewConversation>) -> Result<()> {
        if batch.lines.is_empty() {
            return Ok(());
        }
        let done = self.conversations.import(ConversationBatch { conversations: batch.items }).await?;
        for (number, outcome) in batch.lines.into_iter().zip(done.conversations) {
            match outcome {
                Made::Created(_) => self.outcome.conversations += 1,
                Made::Existed(_) => self.outcome.existed += 1,
                Made::Refused(problem) => self.problem(number, &problem),
            }
        }
        Ok(())
    }

    fn problem(&mut self, line: usize, problem: &str) {
        self.outcome.problems += 1;
        match self.outcome.problems {
            count if count <= PROBLEMS_TOLD => say::problem(format_args!("line {line}: {problem}")),
            count if count == PROBLEMS_TOLD + 1 => say::problem("further problems are only counted"),
            _ => {}
        }
    }
}

/// Items with the numbers of their lines.
struct Batch<T> {
    lines: Vec<usize>,
    items: Vec<T>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), items: Vec::new() }
    }
}

impl<T> Batch<T> {
    fn push(&mut self, line: usize, item: T) {
        self.lines.push(line);
        self.items.push(item);
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

/// The lines of a file with their numbers, from 1.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<(usize, String)>>> {
    let unreadable = || format!("can't read {}", path.display());
    let file = File::open(path).with_context(unreadable)?;
    Ok((1..)
        .zip(BufReader::new(file).lines())
        .map(|(number, line)| Ok((number, line.with_context(|| format!("line {number} can't be read"))?))))
}

/// A bar over the file's bytes; nothing where stderr is no terminal.
fn progress(path: &Path, what: &'static str) -> Result<ProgressBar> {
    let bytes = std::fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?.len();
    let style = ProgressStyle::with_template("{msg:14} {wide_bar} {percent:>3}% {eta}")?;
    Ok(ProgressBar::new(bytes).with_style(style).with_message(what))
}
