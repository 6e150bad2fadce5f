//! Who failures are counted for.
//!
//! An attempt from a place where the account never logged in counts against the account and against the place. One from a known
//! place (an address or a device with a login in the last 30 days) counts against that account at that place only: so
//! whoever locks an account from elsewhere, or shares the owner's provider, does not keep the owner out.
//!
//! Handles are counted whether or not an account has them: a lock says nothing about existence. Subjects are stored as MACs,
//! because people type passwords where a handle belongs.

mod machine;
mod rows;

use std::net::IpAddr;

use link::Refusal;
use protocol::{ErrorCode, Millis, SessionId, UserId};
use runtime::limits::Network;
use rusqlite::Connection;

pub(crate) use machine::{Failed, Policy, Tally};
pub(crate) use rows::{known_place, remember_place};

use crate::config::LockoutConfig;
use crate::secret::{Purpose, Secret};

/// The name under which something is counted.
pub(crate) type Subject = [u8; 16];

/// What an attempt is counted against; locked if any of it is.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// The account, or the account at its known place.
    account: (Subject, Policy),
    /// The address, where it is counted by itself.
    address: Option<(Subject, Policy)>,
}

/// Where an attempt comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The account never logged in from there.
    Unknown,
    /// It did, from this address.
    KnownAddress(UserId),
    /// It did, on this device: the browser still has the (old) refresh cookie of this session.
    KnownDevice(SessionId),
}

/// What failures locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Locks {
    /// The account, or the account at its known place.
    pub(crate) account: bool,
    /// The address.
    pub(crate) address: bool,
}

impl Guard {
    /// The guard of a login to this handle.
    pub(crate) fn of_login(
        secret: &Secret,
        config: &LockoutConfig,
        handle: &str,
        place: Place,
        address: Option<IpAddr>,
    ) -> Self {
        let network = address.map(|address| Network::from(address).to_string()).unwrap_or_default();
        let account = policy(config, config.account_failures);
        match place {
            Place::Unknown => Self {
                account: (subject(secret, &[b"handle", handle.as_bytes()]), account),
                address: address.is_some().then(|| {
                    let by = policy(config, config.address_failures);
                    (subject(secret, &[b"network", network.as_bytes()]), by)
                }),
            },
            Place::KnownAddress(user) => {
                let parts: [&[u8]; 3] = [b"place", user.as_bytes(), network.as_bytes()];
                Self::one(subject(secret, &parts), account)
            }
            Place::KnownDevice(session) => Self::one(subject(secret, &[b"device", session.as_bytes()]), account),
        }
    }

    /// The guard of the present password where a session asks to change it: a stolen access token must not be able to guess it.
    pub(crate) fn of_session(secret: &Secret, config: &LockoutConfig, session: SessionId) -> Self {
        let account = policy(config, config.account_failures);
        Self::one(subject(secret, &[b"session", session.as_bytes()]), account)
    }

    fn one(subject: Subject, policy: Policy) -> Self {
        Self { account: (subject, policy), address: None }
    }

    /// Under which key its attempts are rate limited.
    pub(crate) fn rate_key(&self) -> u128 {
        u128::from_be_bytes(self.account.0)
    }

    fn parts(&self) -> impl Iterator<Item = &(Subject, Policy)> {
        std::iter::once(&self.account).chain(&self.address)
    }

    /// Refuses while anything is locked.
    pub(crate) fn check(&self, store: &Connection, now: Millis) -> rusqlite::Result<Result<(), Refusal>> {
        let mut longest = None;
        for (subject, _) in self.parts() {
            longest = longest.max(rows::tally(store, subject)?.locked_for(now));
        }
        Ok(match longest {
            None => Ok(()),
            Some(wait) => Err(Refusal::of(ErrorCode::AccountLocked).after(wait)),
        })
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, store: &Connection, now: Millis) -> rusqlite::Result<Locks> {
        let count = |(subject, policy): &(Subject, Policy)| {
            let mut tally = rows::tally(store, subject)?;
            let failed = tally.fail(policy, now);
            rows::keep(store, subject, &tally, tally.forget_at(policy))?;
            Ok::<_, rusqlite::Error>(failed == Failed::Locked)
        };
        Ok(Locks {
            account: count(&self.account)?,
            address: self.address.as_ref().map(count).transpose()?.unwrap_or(false),
        })
    }

    /// Forgets the account's failures. Those of the address stay: else a guesser would log in to an account of their own
    /// between guesses.
    pub(crate) fn succeeded(&self, store: &Connection) -> rusqlite::Result<()> {
        rows::forget(store, &self.account.0)
    }
}

fn subject(secret: &Secret, parts: &[&[u8]]) -> Subject {
    let mac = secret.mac(Purpose::Tally, parts);
    let mut subject = Subject::default();
    for (to, from) in subject.iter_mut().zip(mac) {
        *to = from;
    }
    subject
}

fn policy(config: &LockoutConfig, failures: u32) -> Policy {
    Policy {
        failures,
        window_ms: config.window_s.saturating_mul(1_000),
        first_ms: config.first_s.saturating_mul(1_000),
        longest_ms: config.longest_s.saturating_mul(1_000),
        forget_ms: config.forget_s.saturating_mul(1_000),
    }
}
