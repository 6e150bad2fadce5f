//! What all commands share.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use link::{AccessClaims, Context, CookieChange, Publisher, Refusal, Reply};
use parking_lot::RwLock;
use protocol::accounts::{Account, Grant};
use protocol::{ErrorCode, Millis, ServiceName};
use runtime::audit::Spool;
use runtime::limits::{Exact, Rule};
use runtime::redis::Redis;
use runtime::store::{Store, StoreOptions};
use runtime::telemetry::metrics::{self, TopOffenders};
use rusqlite::Connection;

use crate::clock::Clock;
use crate::config::Config;
use crate::desk::Desk;
use crate::keys::{self, Ring, SigningKey};
use crate::open::OpenError;
use crate::password::Hasher;
use crate::schema::MIGRATIONS;
use crate::secret::{Secret, SecretError};
use crate::session::{RefreshToken, SessionRow};
use crate::stop::{self, Stop};

/// The store's file in the data directory.
const STORE_FILE: &str = "auth.db";
/// Denials that wait to be written.
const SPOOL_MAX: usize = 4_096;
/// Accounts whose login budget is held at once; with more in use, a new one waits a second.
const RATE_KEYS_MAX: usize = 100_000;

/// Hints that are kept for who listens slowly: one that is lost is seen to be, and the list is read.
const HINTS_MAX: usize = 256;

/// What all commands share.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) secret: Secret,
    pub(crate) hasher: Hasher,
    pub(crate) spool: Spool,
    /// Logins per account and minute, by the number of a [`Subject`](crate::lockout::Subject).
    pub(crate) logins: Exact<u128>,
    pub(crate) redis: Option<Redis>,
    /// Tells that the list of revocations has grown.
    pub(crate) publisher: Publisher,
    /// Failed logins by address.
    pub(crate) offenders: Arc<TopOffenders>,
    ring: RwLock<Arc<Ring>>,
}

/// A login that is ready to be told.
pub(crate) struct Issued {
    pub(crate) account: Account,
    pub(crate) session: SessionRow,
    /// When the transaction that made it was.
    pub(crate) at: Millis,
}

/// How the store of a data directory is opened.
pub(crate) fn store_options(directory: &Path) -> StoreOptions {
    StoreOptions::new(directory.join(STORE_FILE), ServiceName::Auth, MIGRATIONS)
}

impl State {
    pub(crate) fn open(
        config: Config,
        directory: &Path,
        clock: Arc<dyn Clock>,
        redis: Option<Redis>,
    ) -> Result<Self, OpenError> {
        if let Some(problem) = config.problems(false).into_iter().next() {
            return Err(OpenError::Config(problem));
        }
        let handles = metrics::install();
        crate::meters::declare_all();
        // The signing keys stand in the store: nobody else has any business in this folder.
        let private = std::fs::set_permissions(directory, Permissions::from_mode(0o700));
        private.map_err(|source| SecretError::Io { path: directory.to_path_buf(), source })?;
        let secret = Secret::open(directory)?;
        let store = Store::open(store_options(directory))?;
        let ring = RwLock::new(Arc::new(Ring::new(
            first_keys(&store, clock.now())?,
            config.access_token_s.saturating_mul(1_000),
        )));
        let hasher = Hasher::new(&config.password).map_err(OpenError::Hasher)?;
        Ok(Self {
            secret,
            hasher,
            spool: Spool::start(store.clone(), SPOOL_MAX),
            logins: Exact::new("login_account", Rule::per_minute(config.login_account), RATE_KEYS_MAX),
            redis,
            publisher: Publisher::new(HINTS_MAX),
            offenders: handles.top_offenders(ServiceName::Auth, "auth_login_failed_by_ip", "ip"),
            ring,
            store,
            clock,
            config,
        })
    }

    /// Runs a command's transaction and answers when it is on disk.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        label: &'static str,
        context: &Context,
        work: impl FnOnce(&Desk<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (state, context) = (Arc::clone(self), context.clone());
        let written = self.store.write(label, move |tx| {
            let now = state.clock.now();
            work(&Desk { state: &state, tx, now, context: &context })
        });
        written.await.map_err(stop::of_write)
    }

    /// Runs a command's query.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.store.read(label, work).await.map_err(stop::of_read)
    }

    /// Runs a query that the service owes whatever the load: gateways wait for what is void.
    pub(crate) async fn read_own<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.store.for_own_work().read(label, work).await.map_err(stop::of_read)
    }

    /// The keys as they are now.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }

    /// Takes the keys that are in the store.
    pub(crate) fn use_keys(&self, keys: Vec<SigningKey>) {
        let token_ms = self.config.access_token_s.saturating_mul(1_000);
        *self.ring.write() = Arc::new(Ring::new(keys, token_ms));
    }

    /// When a refresh token that is made now expires.
    pub(crate) fn refresh_expiry(&self, now: Millis) -> Millis {
        now.saturating_add(self.config.refresh_token_s.saturating_mul(1_000))
    }

    /// The tokens of a login.
    pub(crate) fn grant(&self, issued: Issued) -> Result<(Grant, String), Refusal> {
        let Issued { account, session, at } = issued;
        let iat = at / 1_000;
        let claims = AccessClaims {
            iss: link::token::ISSUER.to_owned(),
            aud: link::token::AUDIENCE.to_owned(),
            sub: account.id,
            sid: session.id,
            role: account.role,
            iat,
            exp: iat.saturating_add(self.config.access_token_s),
            iat_ms: at,
        };
        let ring = self.ring();
        let signed =
            ring.signing(at).ok_or_else(|| "there is no signing key".to_owned()).and_then(|key| key.sign(&claims));
        let access_token = signed.map_err(|error| {
            tracing::error!(error, "an access token could not be signed");
            Refusal::of(ErrorCode::Internal)
        })?;
        let refresh = RefreshToken { session: session.id, generation: session.rotation.generation };
        let grant = Grant {
            user: account,
            session: session.id,
            access_token,
            expires_at: claims.exp.saturating_mul(1_000),
            refresh_token: None,
        };
        Ok((grant, refresh.seal(&self.secret)))
    }

    /// The answer that logs in: the refresh token in the body or, for browsers, in the cookie only.
    pub(crate) fn answer(&self, issued: Issued, by_cookie: bool) -> Result<Reply, Refusal> {
        let (mut grant, refresh) = self.grant(issued)?;
        if !by_cookie {
            grant.refresh_token = Some(refresh);
            return Ok(Reply::ok(&grant));
        }
        let mut reply = Reply::ok(&grant);
        reply.cookie = CookieChange::Set { token: refresh, max_age_s: self.config.refresh_token_s };
        Ok(reply)
    }
}

/// The keys in the store; at the first start there is none, and one is made that signs at once.
fn first_keys(store: &Store, now: Millis) -> Result<Vec<SigningKey>, OpenError> {
    let made = store.write_now("signing_keys/open", move |tx| {
        let known = keys::load(tx)?;
        if !known.is_empty() {
            return Ok::<_, Stop>(known);
        }
        let first = SigningKey::make(now).map_err(Stop::Fault)?;
        keys::insert(tx, &first, now)?;
        Ok(vec![first])
    });
    made.map_err(|error| OpenError::Keys(error.to_string()))
}
