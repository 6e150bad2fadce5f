//! The access token: asked for, renewed in place before it expires, fetched anew before a connection that would fail without.

use protocol::Millis;
use protocol::frames::Renew;

use super::event::Stop;
use super::output::{Output, TokenAnswer};
use super::session::Phase;
use super::{Core, backoff, raw};

/// The token and the request for a fresh one.
pub(crate) struct TokenState {
    pub(crate) token: Option<String>,
    /// In server time, once the server has said so.
    pub(crate) expires_at: Option<Millis>,
    request: Request,
    failures: usize,
    /// The id of the `renew` that flies.
    pub(crate) renewal: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    None,
    Open,
    Retry { at: Millis },
}

impl TokenState {
    pub(crate) fn new(token: Option<String>) -> Self {
        Self { token, expires_at: None, request: Request::None, failures: 0, renewal: None }
    }

    pub(crate) fn retry_at(&self) -> Option<Millis> {
        match self.request {
            Request::Retry { at } => Some(at),
            Request::None | Request::Open => None,
        }
    }

    pub(crate) fn take_retry(&mut self, now: Millis) -> bool {
        let due = self.retry_at().is_some_and(|at| at <= now);
        if due {
            self.request = Request::Open;
        }
        due
    }

    /// The answer to an open request, if one comes, is not waited for any more.
    pub(crate) fn forget_request(&mut self) {
        self.request = Request::None;
    }
}

impl Core {
    /// What came of [`Output::RefreshToken`]. A token may also be handed in unasked.
    pub fn handle_token(&mut self, now: Millis, answer: TokenAnswer) {
        self.token.request = Request::None;
        match answer {
            TokenAnswer::Token(token) => {
                self.token.failures = 0;
                self.token.token = Some(token.clone());
                self.token.expires_at = None;
                match self.phase {
                    Phase::AwaitingToken { not_before } => self.connect_at(now, not_before),
                    Phase::Up | Phase::Syncing { .. } => {
                        let renewal = self.send_numbered("renew", raw(&Renew { token }));
                        self.token.renewal = Some(renewal);
                    }
                    _ => {}
                }
            }
            TokenAnswer::Later(after_ms) => {
                let wait = backoff::repeat(&mut self.random, self.token.failures);
                self.token.failures += 1;
                let at = now + after_ms.unwrap_or(0) + wait;
                self.token.request = Request::Retry { at };
            }
            TokenAnswer::Denied(error) => {
                self.token.token = None;
                self.close_transport(1000, "");
                self.stop(Stop::TokenDenied(error));
            }
        }
    }

    pub(crate) fn request_token(&mut self) {
        if self.token.request == Request::None {
            self.token.request = Request::Open;
            self.outputs.push_back(Output::RefreshToken);
        }
    }
}
