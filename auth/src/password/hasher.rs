//! Argon2id on blocking threads, as many at once as there are cores and a bounded number waiting.
//!
//! A hash costs about 0.1 s of a core and 19 MiB on purpose. Without the two bounds a burst of logins would take all memory
//! and starve everything else on the machine.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use link::Refusal;
use protocol::ErrorCode;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::config::PasswordConfig;

/// The most that a hash from elsewhere may cost to verify: more would be a way to stop the server by an import.
const FOREIGN_MEMORY_KIB_MAX: u32 = 256 * 1024;
const FOREIGN_ITERATIONS_MAX: u32 = 16;

/// How long a caller waits that finds the queue full.
const FULL_RETRY_MS: u64 = 1_000;

/// Hashes and verifies.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    /// Verified when there is no account, so that this costs the same time.
    nobody: Arc<str>,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// What verifying a password found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verified {
    /// It is another password, or there is none.
    Wrong,
    /// It is the one.
    Right {
        /// It was hashed with less than is configured now.
        outdated: bool,
    },
}

impl Hasher {
    /// Costs one hash.
    pub(crate) fn new(config: &PasswordConfig) -> Result<Self, String> {
        let params = Params::new(config.memory_kib, config.iterations, 1, None)
            .map_err(|error| format!("auth.password: {error}"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, "nobody has this password")?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let parallel = match config.parallel {
            0 => cores,
            parallel => parallel as usize,
        };
        Ok(Self {
            argon2,
            nobody: nobody.into(),
            running: Arc::new(Semaphore::new(parallel)),
            admitted: Arc::new(Semaphore::new(parallel + config.waiting_max as usize)),
        })
    }

    /// A new hash as PHC string.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, Refusal> {
        let argon2 = self.argon2.clone();
        self.run(move || hash(&argon2, password.expose_secret())).await
    }

    /// Compares with a PHC string; without one it takes as long and is wrong.
    pub(crate) async fn verify(&self, password: SecretString, phc: Option<String>) -> Result<Verified, Refusal> {
        let argon2 = self.argon2.clone();
        let (exists, phc) = match phc {
            Some(phc) => (true, Arc::from(phc)),
            None => (false, Arc::clone(&self.nobody)),
        };
        self.run(move || {
            let parsed = PasswordHash::new(&phc).map_err(|error| error.to_string())?;
            let same = argon2.verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
            Ok(match same && exists {
                false => Verified::Wrong,
                true => Verified::Right { outdated: outdated(&argon2, &parsed) },
            })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, Refusal> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| {
            let message = "too many logins at once, nothing was changed: try again in a second";
            Refusal::new(ErrorCode::Overloaded, message).after(FULL_RETRY_MS)
        })?;
        let fault = |error: String| {
            tracing::error!(error, "hashing a password failed");
            Refusal::of(ErrorCode::Internal)
        };
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|error| fault(error.to_string()))?;
        let span = tracing::Span::current();
        let work = move || {
            // The thread itself holds its place: a caller that gives up does not make room for another hash.
            let _places = (admitted, running);
            span.in_scope(work)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(fault),
            Err(error) => Err(fault(error.to_string())),
        }
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, String> {
    argon2.hash_password(password.as_bytes()).map(|phc| phc.to_string()).map_err(|error| error.to_string())
}

fn outdated(argon2: &Argon2<'_>, phc: &PasswordHash) -> bool {
    let Ok(params) = Params::try_from(phc) else {
        return true;
    };
    let wanted = argon2.params();
    phc.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < wanted.m_cost()
        || params.t_cost() < wanted.t_cost()
}

/// Accepts a hash from elsewhere that this build can verify at a bearable cost.
pub(crate) fn check_foreign(phc: &str) -> Result<(), String> {
    let parsed = PasswordHash::new(phc).map_err(|error| format!("not a PHC string: {error}"))?;
    if !parsed.algorithm.as_str().starts_with("argon2") {
        return Err(format!(
            "{} is not supported, argon2id is; leave the hash out and let the person set a new password",
            parsed.algorithm
        ));
    }
    if parsed.salt.is_none() || parsed.hash.is_none() {
        return Err("has no salt or no hash".to_owned());
    }
    let params = Params::try_from(&parsed).map_err(|error| format!("parameters: {error}"))?;
    if params.m_cost() > FOREIGN_MEMORY_KIB_MAX || params.t_cost() > FOREIGN_ITERATIONS_MAX {
        return Err(format!(
            "costs too much to verify: at most m={FOREIGN_MEMORY_KIB_MAX}, t={FOREIGN_ITERATIONS_MAX}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordConfig = PasswordConfig { memory_kib: 8, iterations: 1, parallel: 1, waiting_max: 0 };

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn the_right_password_is_told_from_a_wrong_one_and_from_no_account() {
        let hasher = Hasher::new(&CHEAP).unwrap();
        let phc = hasher.hash(secret("correct horse")).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        let verify = |password: &str, phc| hasher.verify(secret(password), phc);
        let right = Verified::Right { outdated: false };
        assert_eq!(verify("correct horse", Some(phc.clone())).await, Ok(right));
        assert_eq!(verify("wrong horse", Some(phc)).await, Ok(Verified::Wrong));
        let nobody = verify("nobody has this password", None).await;
        assert_eq!(nobody, Ok(Verified::Wrong));
    }

    #[tokio::test]
    async fn a_hash_that_cost_less_than_configured_is_outdated() {
        let phc = Hasher::new(&CHEAP).unwrap().hash(secret("correct horse")).await.unwrap();
        let dearer = Hasher::new(&PasswordConfig { iterations: 2, ..CHEAP }).unwrap();
        let found = dearer.verify(secret("correct horse"), Some(phc)).await;
        assert_eq!(found, Ok(Verified::Right { outdated: true }));
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_to_come_back() {
        let hasher = Hasher::new(&CHEAP).unwrap();
        let _held = hasher.admitted.acquire().await.unwrap();
        let refused = hasher.hash(secret("correct horse")).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Overloaded);
        assert!(refused.retry_after_ms.is_some());
    }

    #[test]
    fn a_foreign_hash_is_taken_only_if_it_can_be_verified_at_a_bearable_cost() {
        let salt_and_hash = "c29tZXNhbHRzb21lc2FsdA$q8hUbYI3v3cXuMLXE1PZqJvP0yWwlLLC3X4Gq5Q9FwU";
        check_foreign(&format!("$argon2id$v=19$m=65536,t=3,p=4${salt_and_hash}")).unwrap();
        for refused in [
            format!("$argon2id$v=19$m=4194304,t=3,p=1${salt_and_hash}"),
            format!("$scrypt$ln=16,r=8,p=1${salt_and_hash}"),
            "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
            "plain text".to_owned(),
        ] {
            assert!(check_foreign(&refused).is_err(), "{refused}");
        }
    }
}
