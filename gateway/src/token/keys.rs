//! Auth's public keys, by `kid`. They are fetched again every minute, so that a key that auth has retired is trusted no longer; an
//! unknown `kid` makes them be fetched at once, but not more often than once in a while: any client can invent one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use link::{Call, Refusal, Service};
use protocol::{ErrorCode, Millis};
use tokio::sync::Mutex;

use crate::clock;

/// What was read so long ago is read again.
const FRESH_FOR_MS: Millis = 60_000;
/// Between two fetches, also failed ones.
const FETCH_EVERY_MS: Millis = 2_000;
/// A fetch must not take longer.
const FETCH_WITHIN: Duration = Duration::from_millis(1_500);

pub(crate) struct Keys {
    auth: Arc<dyn Service>,
    known: ArcSwap<Known>,
    /// When the last fetch began; whoever fetches holds the lock.
    tried_at: Mutex<Option<Millis>>,
}

/// The keys, whole, as auth named them.
#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<DecodingKey>>,
    read_at: Option<Millis>,
}

impl Known {
    fn is_fresh(&self, now: Millis) -> bool {
        self.read_at.is_some_and(|at| now.saturating_sub(at) < FRESH_FOR_MS)
    }
}

impl Keys {
    pub(crate) fn new(auth: Arc<dyn Service>) -> Self {
        Self { auth, known: ArcSwap::default(), tried_at: Mutex::new(None) }
    }

    pub(crate) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, Refusal> {
        self.find_at(kid, clock::steady()).await
    }

    async fn find_at(&self, kid: &str, now: Millis) -> Result<Arc<DecodingKey>, Refusal> {
        let known = self.known.load_full();
        match known.keys.get(kid) {
            Some(key) if known.is_fresh(now) => return Ok(Arc::clone(key)),
            Some(key) => {
                // Only one asks whether it still holds; while auth does not answer, it does.
                let Ok(mut tried_at) = self.tried_at.try_lock() else { return Ok(Arc::clone(key)) };
                if let Err(refusal) = self.fetch_again(&mut tried_at, now).await {
                    tracing::warn!(
                        code = refusal.code.as_str(),
                        "can't read the public keys again: {}",
                        refusal.message
                    );
                }
            }
            None => {
                let mut tried_at = self.tried_at.lock().await;
                // Whoever held the lock may have fetched it.
                if !self.known.load().keys.contains_key(kid) {
                    self.fetch_again(&mut tried_at, now).await?;
                }
            }
        }
        self.known.load().keys.get(kid).cloned().ok_or_else(|| Refusal::of(ErrorCode::Unauthenticated))
    }

    /// Replaces what is known, unless that was tried a moment ago; the error is that this has failed, now or then.
    async fn fetch_again(&self, tried_at: &mut Option<Millis>, now: Millis) -> Result<(), Refusal> {
        if tried_at.is_some_and(|at| now.saturating_sub(at) < FETCH_EVERY_MS) {
            let failed = self.known.load().read_at < *tried_at;
            return if failed { Err(Refusal::of(ErrorCode::Unavailable).after(1_000)) } else { Ok(()) };
        }
        // Noted before: a fetch that fails or hangs is not tried by each who waits for it.
        *tried_at = Some(now);
        let keys = self.fetch().await?;
        self.known.store(Arc::new(Known { keys, read_at: Some(now) }));
        Ok(())
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>, Refusal> {
        let call = Call::internal("auth.jwks", None, &serde_json::json!({}))?;
        let reply = tokio::time::timeout(FETCH_WITHIN, self.auth.execute(call))
            .await
            .map_err(|_| Refusal::of(ErrorCode::Unavailable).after(1_000))?;
        let set: JwkSet = reply.parse()?;
        let named = set.keys.iter().filter_map(|jwk| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            Some((jwk.common.key_id.clone()?, Arc::new(key)))
        });
        Ok(named.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::Reply;
    use protocol::ServiceName;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Auth with one key, whose name changes and which may be away.
    #[derive(Default)]
    struct Auth {
        kid: parking_lot::Mutex<Option<&'static str>>,
        asked: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl Service for Auth {
        fn name(&self) -> ServiceName {
            ServiceName::Auth
        }

        async fn execute(&self, _call: Call) -> Reply {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let Some(kid) = *self.kid.lock() else { return Refusal::of(ErrorCode::Unavailable).into() };
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            let set = serde_json::json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}]});
            Reply::ok(&set)
        }
    }

    #[tokio::test]
    async fn a_key_that_auth_retired_is_trusted_for_a_minute_at_most_unless_auth_is_away() {
        let auth = Arc::new(Auth::default());
        *auth.kid.lock() = Some("old");
        let keys = Keys::new(Arc::clone(&auth) as Arc<dyn Service>);
        assert!(keys.find_at("old", 0).await.is_ok());
        *auth.kid.lock() = None;
        assert!(keys.find_at("old", FRESH_FOR_MS).await.is_ok(), "auth is away");
        *auth.kid.lock() = Some("new");
        assert!(keys.find_at("old", FRESH_FOR_MS + FETCH_EVERY_MS).await.is_err());
        assert!(keys.find_at("new", FRESH_FOR_MS + FETCH_EVERY_MS).await.is_ok());
        assert_eq!(auth.asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn invented_names_cost_auth_one_question_in_a_while_also_while_it_is_away() {
        let auth = Arc::new(Auth::default());
        let keys = Keys::new(Arc::clone(&auth) as Arc<dyn Service>);
        for kid in ["a", "b", "c"] {
            assert_eq!(keys.find_at(kid, 0).await.err().map(|refusal| refusal.code), Some(ErrorCode::Unavailable));
        }
        assert_eq!(auth.asked.load(Ordering::Relaxed), 1);
        *auth.kid.lock() = Some("new");
        assert_eq!(
            keys.find_at("a", FETCH_EVERY_MS).await.err().map(|refusal| refusal.code),
            Some(ErrorCode::Unauthenticated)
        );
        assert!(keys.find_at("new", FETCH_EVERY_MS).await.is_ok());
        assert_eq!(auth.asked.load(Ordering::Relaxed), 2);
    }
}
