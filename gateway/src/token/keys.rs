//! Auth's public keys, by `kid`. An unknown `kid` makes them be fetched again, but not more often than once in a while: any
//! client can invent one.

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

/// Between two fetches after a failed look-up.
const FETCH_EVERY_MS: Millis = 2_000;
/// A fetch must not take longer.
const FETCH_WITHIN: Duration = Duration::from_millis(1_500);

pub(crate) struct Keys {
    auth: Arc<dyn Service>,
    known: ArcSwap<HashMap<String, Arc<DecodingKey>>>,
    /// When the last fetch was; whoever fetches holds the lock.
    fetched_at: Mutex<Option<Millis>>,
}

impl Keys {
    pub(crate) fn new(auth: Arc<dyn Service>) -> Self {
        Self { auth, known: ArcSwap::default(), fetched_at: Mutex::new(None) }
    }

    pub(crate) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, Refusal> {
        if let Some(key) = self.known.load().get(kid) {
            return Ok(Arc::clone(key));
        }
        let mut fetched_at = self.fetched_at.lock().await;
        // Whoever held the lock may have fetched it.
        if let Some(key) = self.known.load().get(kid) {
            return Ok(Arc::clone(key));
        }
        let now = clock::steady();
        let recent = fetched_at.is_some_and(|at| now.saturating_sub(at) < FETCH_EVERY_MS);
        if !recent {
            let keys = self.fetch().await?;
            self.known.store(Arc::new(keys));
            *fetched_at = Some(now);
        }
        let known = self.known.load();
        known.get(kid).cloned().ok_or_else(|| Refusal::of(ErrorCode::Unauthenticated))
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
