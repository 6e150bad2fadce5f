//! What an operator decides about accounts. Every value has a default that is safe to run with.

use serde::{Deserialize, Serialize};

/// `[auth]` of the config file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long an access token is valid, in seconds. It bounds for how long a stolen one is of use.
    pub access_token_s: u64,
    /// How long a refresh token is valid, in seconds. Each refresh begins it anew; a device that is silent for longer logs in again.
    pub refresh_token_s: u64,
    /// For how long a refresh whose answer was lost may be repeated (once), in seconds.
    pub refresh_repeat_s: u64,
    /// The most sessions a user has; one more ends the one that was last seen longest ago. 0: no cap.
    pub sessions_max: u32,
    /// The most logins to one account in any minute; a known device has a budget of its own. It stands under `[limits]` of the config
    /// file, one table for all services; the binary hands it on.
    #[serde(skip)]
    pub login_account: u32,
    /// How long a new signing key is published before it signs, in seconds. Longer than gateways cache the key set.
    pub key_publish_s: u64,
    /// How long audit rows are kept, in days.
    pub audit_days: u32,
    /// How passwords are hashed.
    pub password: PasswordConfig,
    /// When failed logins lock.
    pub lockout: LockoutConfig,
}

/// `[auth.password]`: Argon2id (RFC 9106). A login re-hashes a password that was hashed with less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// How many hashes run at once. 0: as many as there are cores.
    pub parallel: u32,
    /// How many may wait for their turn; beyond that logins are refused as `overloaded`.
    pub waiting_max: u32,
}

/// `[auth.lockout]`: failed logins are counted per account and per client address, each apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LockoutConfig {
    /// Failures that lock an account.
    pub account_failures: u32,
    /// Failures that lock a client address. Raise it where many people share one address.
    pub address_failures: u32,
    /// Failures further apart than this don't add up, in seconds.
    pub window_s: u64,
    /// The first lock, in seconds; each further one is twice as long,
    pub first_s: u64,
    /// up to this long, in seconds.
    pub longest_s: u64,
    /// After this long without a failure all is forgotten, in seconds.
    pub forget_s: u64,
    /// For how long an address or device from which the account logged in is counted apart from all others, in days.
    pub known_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            access_token_s: 300,
            refresh_token_s: 30 * 24 * 60 * 60,
            refresh_repeat_s: 30,
            sessions_max: 100,
            login_account: 5,
            key_publish_s: 60,
            audit_days: 400,
            password: PasswordConfig::default(),
            lockout: LockoutConfig::default(),
        }
    }
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            // OWASP's second choice for Argon2id; about 0.1 s of one core.
            memory_kib: 19 * 1024,
            iterations: 2,
            parallel: 0,
            waiting_max: 64,
        }
    }
}

impl Default for LockoutConfig {
    fn default() -> Self {
        Self {
            account_failures: 5,
            address_failures: 5,
            window_s: 15 * 60,
            first_s: 60,
            longest_s: 60 * 60,
            forget_s: 24 * 60 * 60,
            known_days: 30,
        }
    }
}

/// A value that can't be run with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("auth.{key}: {problem}")]
pub struct ConfigProblem {
    /// The key under `[auth]`, dotted.
    pub key: &'static str,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Work (KiB times passes) below which a stolen table of hashes is cheap to search; OWASP's weakest choice has 35,840.
const PRODUCTION_WORK_MIN: u64 = 35_840;

impl Config {
    /// Everything that is wrong with the values; `production` also refuses what only a test may have.
    #[must_use]
    pub fn problems(&self, production: bool) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut hold = |key, holds: bool, problem: &str| {
            if !holds {
                let problem = problem.to_owned();
                problems.push(ConfigProblem { key, problem });
            }
        };
        let (password, lockout) = (self.password, self.lockout);
        let second_day = 24 * 60 * 60;
        hold("access_token_s", (1..=second_day).contains(&self.access_token_s), "takes 1 to 86400 seconds");
        hold(
            "refresh_token_s",
            self.refresh_token_s > self.access_token_s && self.refresh_token_s <= 400 * second_day,
            "must be longer than access_token_s, at most 400 days",
        );
        hold("refresh_repeat_s", self.refresh_repeat_s <= 300, "takes at most 300 seconds");
        hold("login_account", self.login_account > 0, "must not be 0");
        hold("key_publish_s", self.key_publish_s <= second_day, "takes at most 86400 seconds");
        hold("audit_days", self.audit_days > 0, "must not be 0");
        hold("password.memory_kib", (8..=4 * 1024 * 1024).contains(&password.memory_kib), "takes 8 to 4194304 KiB");
        hold("password.iterations", (1..=100).contains(&password.iterations), "takes 1 to 100");
        hold("lockout.account_failures", lockout.account_failures > 0, "must not be 0");
        hold("lockout.address_failures", lockout.address_failures > 0, "must not be 0");
        hold("lockout.first_s", lockout.first_s > 0, "must not be 0");
        hold("lockout.longest_s", lockout.longest_s >= lockout.first_s, "must not be below lockout.first_s");
        hold("lockout.forget_s", lockout.forget_s >= lockout.window_s, "must not be below lockout.window_s");
        if production {
            let work = u64::from(password.memory_kib) * u64::from(password.iterations);
            hold(
                "password.memory_kib",
                work >= PRODUCTION_WORK_MIN,
                "is too weak for production: memory_kib times iterations must be at least 35840",
            );
            hold("access_token_s", self.access_token_s <= 3_600, "is too long for production: at most 3600 seconds");
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_fit_for_production() {
        assert_eq!(Config::default().problems(true), []);
    }

    #[test]
    fn cheap_hashing_is_for_tests_only_and_the_key_is_named() {
        let mut config = Config::default();
        config.password.memory_kib = 64;
        assert_eq!(config.problems(false), []);
        let problems = config.problems(true);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("auth.password.memory_kib: "));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Config>(r#"{"acces_token_s": 1}"#).is_err());
    }
}
