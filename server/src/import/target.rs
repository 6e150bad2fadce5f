//! Where an import goes: the running server, or the stores that the command holds itself; for each of the two services apart.

use anyhow::Result;
use protocol::UserId;
use serde::{Deserialize, Serialize};

use super::{Accounts, ConversationBatch, Conversations, ConversationsDone, UserBatch, UsersDone};
use crate::reach::AdminClient;

/// Who holds something.
pub(crate) enum Target<T> {
    /// This process.
    Here(T),
    /// A running server.
    There(AdminClient),
}

/// A question for the account of a handle.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindHandle {
    pub(crate) handle: String,
}

/// Its answer.
#[derive(Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) user: Option<UserId>,
}

impl Target<Accounts> {
    pub(crate) async fn import(&self, batch: UserBatch) -> Result<UsersDone> {
        match self {
            Self::Here(accounts) => Ok(accounts.import(batch).await?),
            Self::There(server) => server.post("/v1/import/users", &batch).await,
        }
    }

    pub(crate) async fn find(&self, handle: &str) -> Result<Option<UserId>> {
        let handle = handle.to_owned();
        match self {
            Self::Here(accounts) => Ok(accounts.find(handle).await?),
            Self::There(server) => {
                let found: Found = server.post("/v1/users/find", &FindHandle { handle }).await?;
                Ok(found.user)
            }
        }
    }
}

impl Target<Conversations> {
    pub(crate) async fn import(&self, batch: ConversationBatch) -> Result<ConversationsDone> {
        match self {
            Self::Here(conversations) => Ok(conversations.import(batch).await?),
            Self::There(server) => server.post("/v1/import/conversations", &batch).await,
        }
    }
}
