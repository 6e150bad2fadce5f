//! A login that refreshes itself: the token source of a client that stays for longer than its first token.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use protocol::accounts::Grant;
use protocol::{ErrorBody, ErrorCode, Retry};
use tokio::sync::Mutex;

use super::{Rest, RestError};
use crate::core::TokenAnswer;
use crate::shell::TokenSource;

/// One login. Clones share it: the refresh token is used by one at a time.
#[derive(Clone)]
pub struct Login {
    rest: Rest,
    tokens: Arc<Mutex<Tokens>>,
}

struct Tokens {
    /// Not given out yet.
    access: Option<String>,
    refresh: Option<String>,
}

impl Login {
    /// The login that a grant began.
    #[must_use]
    pub fn new(rest: Rest, grant: Grant) -> Self {
        let tokens = Tokens { access: Some(grant.access_token), refresh: grant.refresh_token };
        Self { rest, tokens: Arc::new(Mutex::new(tokens)) }
    }

    async fn next(&self) -> TokenAnswer {
        let mut tokens = self.tokens.lock().await;
        if let Some(access) = tokens.access.take() {
            return TokenAnswer::Token(access);
        }
        let Some(refresh) = tokens.refresh.clone() else {
            return denied("This login has no refresh token: log in again.");
        };
        match self.rest.refresh(&refresh).await {
            Ok(grant) => {
                tokens.refresh = grant.refresh_token.or(Some(refresh));
                TokenAnswer::Token(grant.access_token)
            }
            Err(RestError::Refused { error, .. }) if error.code.retry() == Retry::Never => TokenAnswer::Denied(error),
            Err(RestError::Refused { error, .. }) => TokenAnswer::Later(error.retry_after_ms),
            Err(RestError::Invalid(why)) => denied(why),
            Err(RestError::Transport(_) | RestError::Unreadable { .. }) => TokenAnswer::Later(None),
        }
    }
}

fn denied(message: &str) -> TokenAnswer {
    TokenAnswer::Denied(ErrorBody {
        code: ErrorCode::RefreshTokenInvalid,
        message: message.to_owned(),
        request_id: String::new(),
        retry_after_ms: None,
    })
}

impl TokenSource for Login {
    fn token(&self) -> Pin<Box<dyn Future<Output = TokenAnswer> + Send + '_>> {
        Box::pin(self.next())
    }
}
