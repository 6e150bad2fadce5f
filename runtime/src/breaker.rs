//! A circuit breaker: after a row of failures a dependency is left alone for a while, then tried with one call.
//!
//! The machine is pure and gets its time passed in; [`Breaker`] wraps it with a lock, a clock and the gauge.
//! A probe whose caller goes away counts as failed: otherwise one cancelled request would leave the breaker half
//! open for ever.

use std::time::Instant;

use parking_lot::Mutex;
use protocol::ServiceName;

/// When to open, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Failures in a row that open the breaker.
    pub failures: u32,
    /// How long it stays open at first, in milliseconds; each failed probe doubles it.
    pub open_ms: u64,
    /// The longest it stays open, in milliseconds.
    pub open_max_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { failures: 5, open_ms: 500, open_max_ms: 15_000 }
    }
}

/// Where a breaker stands; the number is the gauge's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls go through.
    Closed = 0,
    /// One call is trying whether the dependency is back.
    HalfOpen = 1,
    /// Calls are refused.
    Open = 2,
}

/// The pure machine.
#[derive(Debug, Clone)]
pub struct Machine {
    policy: Policy,
    state: State,
    failures: u32,
    open_until_ms: u64,
    open_ms: u64,
}

impl Machine {
    /// A closed breaker.
    pub fn new(policy: Policy) -> Self {
        Self { policy, state: State::Closed, failures: 0, open_until_ms: 0, open_ms: policy.open_ms }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Asks to make a call; a refusal says after how many milliseconds to ask again.
    pub fn admit(&mut self, now_ms: u64) -> Result<(), u64> {
        match self.state {
            State::Closed => Ok(()),
            State::Open if now_ms >= self.open_until_ms => {
                self.state = State::HalfOpen;
                Ok(())
            }
            State::Open => Err(self.open_until_ms - now_ms),
            // The probe is under way; its outcome is worth waiting for, not adding to.
            State::HalfOpen => Err(self.policy.open_ms),
        }
    }

    /// A call succeeded.
    pub fn succeeded(&mut self) {
        // A success that began before the breaker opened says nothing about now.
        if self.state != State::Open {
            self.state = State::Closed;
            self.failures = 0;
            self.open_ms = self.policy.open_ms;
        }
    }

    /// A call failed.
    pub fn failed(&mut self, now_ms: u64) {
        match self.state {
            State::Closed => {
                self.failures += 1;
                if self.failures >= self.policy.failures {
                    self.open(now_ms);
                }
            }
            State::HalfOpen => {
                self.open_ms = self.open_ms.saturating_mul(2).min(self.policy.open_max_ms);
                self.open(now_ms);
            }
            State::Open => {}
        }
    }

    fn open(&mut self, now_ms: u64) {
        self.state = State::Open;
        self.open_until_ms = now_ms.saturating_add(self.open_ms);
    }
}

/// Why a call through a breaker has no answer.
#[derive(Debug, thiserror::Error)]
pub enum BreakerError<E> {
    /// The dependency is left alone right now.
    #[error("the dependency is unavailable; retry after {retry_after_ms} ms")]
    Open {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The call itself failed.
    #[error("{0}")]
    Failed(E),
}

/// A breaker in front of one dependency of one service.
#[derive(Debug)]
pub struct Breaker {
    service: ServiceName,
    dependency: &'static str,
    started: Instant,
    machine: Mutex<Machine>,
}

impl Breaker {
    /// A closed breaker; its gauge shows at once.
    pub fn new(service: ServiceName, dependency: &'static str, policy: Policy) -> Self {
        let breaker = Self { service, dependency, started: Instant::now(), machine: Mutex::new(Machine::new(policy)) };
        breaker.change(|_, _| ());
        breaker
    }

    /// Makes a call unless the breaker is open. Every `Err` of `call` counts as the dependency's failure.
    pub async fn call<T, E>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, BreakerError<E>> {
        self.change(|machine, now_ms| machine.admit(now_ms))
            .map_err(|retry_after_ms| BreakerError::Open { retry_after_ms })?;
        let mut attempt = Attempt { breaker: self, succeeded: false };
        let outcome = call.await;
        attempt.succeeded = outcome.is_ok();
        outcome.map_err(BreakerError::Failed)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.machine.lock().state()
    }

    fn change<R>(&self, step: impl FnOnce(&mut Machine, u64) -> R) -> R {
        let now_ms = self.started.elapsed().as_millis() as u64;
        let mut machine = self.machine.lock();
        let before = machine.state();
        let result = step(&mut machine, now_ms);
        let after = machine.state();
        metrics::gauge!("circuit_breaker_state",
            "service" => self.service.as_str(), "dependency" => self.dependency)
        .set(f64::from(after as u8));
        if before != after {
            tracing::warn!(
                service = self.service.as_str(),
                dependency = self.dependency,
                ?before,
                ?after,
                "circuit breaker"
            );
        }
        result
    }
}

/// Tells the breaker how a call ended, also when its caller went away.
struct Attempt<'a> {
    breaker: &'a Breaker,
    succeeded: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let succeeded = self.succeeded;
        self.breaker.change(|machine, now_ms| match succeeded {
            true => machine.succeeded(),
            false => machine.failed(now_ms),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: Policy = Policy { failures: 3, open_ms: 100, open_max_ms: 400 };

    #[test]
    fn it_opens_after_a_row_of_failures_and_closes_after_a_good_probe() {
        let mut machine = Machine::new(POLICY);
        for _ in 0..3 {
            assert_eq!(machine.admit(0), Ok(()));
            machine.failed(0);
        }
        assert_eq!(machine.admit(50), Err(50));
        assert_eq!(machine.admit(100), Ok(()));
        assert_eq!(machine.state(), State::HalfOpen);
        assert!(machine.admit(100).is_err());
        machine.succeeded();
        assert_eq!(machine.state(), State::Closed);
    }

    #[test]
    fn each_failed_probe_doubles_the_wait_up_to_the_bound() {
        let mut machine = Machine::new(POLICY);
        (0..3).for_each(|_| machine.failed(0));
        let mut now = 100;
        for wait in [200, 400, 400] {
            assert_eq!(machine.admit(now), Ok(()));
            machine.failed(now);
            assert_eq!(machine.admit(now), Err(wait));
            now += wait;
        }
    }

    #[tokio::test]
    async fn a_cancelled_call_counts_as_failed() {
        let policy = Policy { failures: 1, ..POLICY };
        let breaker = Breaker::new(ServiceName::Gateway, "auth", policy);
        {
            let mut call = Box::pin(breaker.call(std::future::pending::<Result<(), ()>>()));
            assert!(futures_util::poll!(&mut call).is_pending());
        }
        assert_eq!(breaker.state(), State::Open);
        let refused = breaker.call(async { Ok::<_, ()>(1) }).await;
        assert!(matches!(refused, Err(BreakerError::Open { .. })));
    }

    proptest! {
        #[test]
        fn at_most_one_probe_is_under_way_and_no_wait_exceeds_the_bound(
            steps in proptest::collection::vec((0u64..300, 0u8..3), 1..200),
        ) {
            let mut machine = Machine::new(POLICY);
            let (mut now, mut probing) = (0, false);
            for (step, action) in steps {
                now += step;
                match action {
                    0 => {
                        let before = machine.state();
                        match machine.admit(now) {
                            Ok(()) if before != State::Closed => {
                                prop_assert!(!probing);
                                probing = true;
                            }
                            Ok(()) => {}
                            Err(wait) => prop_assert!(wait > 0 && wait <= POLICY.open_max_ms),
                        }
                    }
                    1 => { machine.succeeded(); probing &= machine.state() == State::HalfOpen; }
                    _ => { machine.failed(now); probing = false; }
                }
            }
        }
    }
}
