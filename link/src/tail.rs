//! Following auth's list of revocations.
//!
//! The list is durable and numbered, so whoever follows it misses nothing: not while auth can't be reached, and not at a start, when
//! it is read from its beginning.

use std::sync::Arc;
use std::time::Duration;

use crate::service::Service;
use crate::token::Revocation;

/// A question for new rows must not take longer.
const ASK_WITHIN: Duration = Duration::from_millis(1_500);

/// A reader of the list.
pub struct RevocationTail {
    auth: Arc<dyn Service>,
    newest: u64,
}

impl RevocationTail {
    /// Before the first row.
    #[must_use]
    pub fn new(auth: Arc<dyn Service>) -> Self {
        Self { auth, newest: 0 }
    }

    /// Reads everything that is new; answers whether auth could be asked, so that nothing is missing.
    pub async fn read(&mut self, mut each: impl FnMut(&Revocation)) -> bool {
        loop {
            let question = self.auth.revocations(self.newest);
            let Ok(Ok(news)) = tokio::time::timeout(ASK_WITHIN, question).await else {
                return false;
            };
            news.rows.iter().for_each(&mut each);
            self.newest = match news.rows.last() {
                // A page may be full: go on behind it.
                Some(last) => last.number,
                None => news.newest,
            };
            if news.rows.is_empty() {
                return true;
            }
        }
    }
}
