//! Whom a question goes to: Redis while it answers, the file otherwise.

use protocol::ErrorCode;

use super::{SharedCalls, StoreError};

/// So often a question that Redis did not answer in time is repeated: by then it is known to be gone, or it answers.
const TRIES: u32 = 5;

/// Asks whichever store it is now; `$shared` says whether that is Redis. One that turns out to be gone is followed by the file.
macro_rules! ask {
    ($self:ident, |$store:ident, $shared:tt| $question:expr) => {{
        let mut tries = 0;
        loop {
            let mode = $self.mode.read().await;
            let answer = match *mode {
                $crate::store::fallback::Mode::Shared => {
                    let ($store, $shared): (&$crate::store::RedisCalls, bool) = (&$self.redis, true);
                    $question.await
                }
                $crate::store::fallback::Mode::Local { .. } => {
                    let ($store, $shared): (&$crate::store::SqliteCalls, bool) = (&$self.local, false);
                    $question.await
                }
            };
            drop(mode);
            tries += 1;
            if let Some(answer) = $self.final_answer(answer, tries).await {
                break answer;
            }
        }
    }};
}
pub(super) use ask;

impl SharedCalls {
    /// The answer, unless it is worth asking again.
    pub(super) async fn final_answer<T>(
        &self,
        answer: Result<T, StoreError>,
        tries: u32,
    ) -> Option<Result<T, StoreError>> {
        let error = match answer {
            Err(error) if tries < TRIES && self.redis.redis().falls_back() => error,
            answer => return Some(answer),
        };
        match error.code {
            // Nothing was changed by a question; a change that may have been made is for its sender to repeat.
            ErrorCode::Timeout => None,
            ErrorCode::Unavailable => self.fall_back().await.err().map(Err),
            _ => Some(Err(error)),
        }
    }
}
