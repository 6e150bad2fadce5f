//! Which connections the gateways hold, as far as it matters to legs.
//!
//! Gateways report what opened and what closed (see [`link::device`]). Reports and joins come by different ways, so a join may be judged
//! after the report that its connection has closed: closed ones are remembered for a while. Or the connection was resumed and the
//! join came before the report of that: so the next report says whether a leg on a closed connection stands. And a gateway may die
//! before it reports a connection at all: a leg's connection that no gateway has named within the lease is lost.
//!
//! A client that comes back by another gateway keeps its connection, and the two report it in any order: it has ended when the last one that
//! holds it says so, or is silent.

use std::collections::{HashMap, HashSet};

use link::device::{LEASE_MS, REPORT_EVERY_MS};
use link::{DeviceAnswer, DeviceReport};
use parking_lot::Mutex;
use protocol::{ConnectionId, Millis};
use uuid::Uuid;

/// How long a connection that has closed is remembered: longer than any command may take.
const CLOSED_MS: Millis = 60_000;

/// All of it.
#[derive(Default)]
pub(crate) struct Connections(Mutex<Known>);

#[derive(Default)]
struct Known {
    gateways: HashMap<Uuid, Gateway>,
    closed: HashMap<ConnectionId, Millis>,
    /// Connections that carry a leg and that no gateway has named yet, with the time by which one has to.
    unnamed: HashMap<ConnectionId, Millis>,
}

struct Gateway {
    heard_at: Millis,
    holds: HashSet<ConnectionId>,
}

impl Connections {
    /// A gateway's report; answers also which connections have ended.
    pub(crate) fn report(&self, report: &DeviceReport, now: Millis) -> (DeviceAnswer, Vec<ConnectionId>) {
        let mut known = self.0.lock();
        let unknown = !known.gateways.contains_key(&report.gateway);
        let gateway =
            known.gateways.entry(report.gateway).or_insert_with(|| Gateway { heard_at: now, holds: HashSet::new() });
        gateway.heard_at = now;
        let opened: HashSet<_> = report.opened.iter().map(|device| device.connection).collect();
        let mut ended: Vec<_> = report.closed.iter().map(|device| device.connection).collect();
        if report.whole {
            ended.extend(gateway.holds.difference(&opened).copied());
            gateway.holds = opened.clone();
        } else {
            gateway.holds.extend(opened.iter().copied());
        }
        for connection in &ended {
            gateway.holds.remove(connection);
        }
        ended.retain(|connection| !known.is_held(connection));
        for connection in &opened {
            known.unnamed.remove(connection);
            known.closed.remove(connection);
        }
        for connection in &ended {
            known.unnamed.remove(connection);
            known.closed.insert(*connection, now + CLOSED_MS);
        }
        (DeviceAnswer { resend: unknown && !report.whole }, ended)
    }

    /// A leg came in on a connection: some gateway has to name it in time.
    pub(crate) fn carries_leg(&self, connection: ConnectionId, now: Millis) {
        let mut known = self.0.lock();
        if known.is_held(&connection) {
            return;
        }
        // The gateway of one that was known before lives, and says in its next report whether it was resumed.
        let closed = known.closed.contains_key(&connection);
        let within = if closed { REPORT_EVERY_MS } else { LEASE_MS };
        known.unnamed.entry(connection).or_insert(now + within);
    }

    /// The end of a connection could not be noted: it is told once more.
    pub(crate) fn lose_again(&self, connection: ConnectionId) {
        self.0.lock().unnamed.insert(connection, 0);
    }

    /// Which connections have ended by time alone: those of gateways that are silent, and those that none has named.
    pub(crate) fn expire(&self, now: Millis) -> Vec<ConnectionId> {
        let mut known = self.0.lock();
        let mut ended = Vec::new();
        known.gateways.retain(|_, gateway| {
            let lives = now < gateway.heard_at + LEASE_MS;
            if !lives {
                ended.extend(gateway.holds.iter().copied());
            }
            lives
        });
        ended.retain(|connection| !known.is_held(connection));
        known.unnamed.retain(|connection, until| {
            let waits = now < *until;
            if !waits {
                ended.push(*connection);
            }
            waits
        });
        known.closed.retain(|_, until| now < *until);
        for connection in &ended {
            known.closed.insert(*connection, now + CLOSED_MS);
        }
        ended
    }
}

impl Known {
    fn is_held(&self, connection: &ConnectionId) -> bool {
        self.gateways.values().any(|gateway| gateway.holds.contains(connection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::Device;
    use protocol::{SessionId, UserId};

    fn connection(n: u128) -> ConnectionId {
        ConnectionId(Uuid::from_u128(n))
    }

    fn report(whole: bool, opened: &[u128], closed: &[u128]) -> DeviceReport {
        report_of(7, whole, opened, closed)
    }

    fn report_of(gateway: u128, whole: bool, opened: &[u128], closed: &[u128]) -> DeviceReport {
        let device = |n: &u128| Device {
            user: UserId(Uuid::from_u128(1)),
            session: SessionId(Uuid::from_u128(2)),
            connection: connection(*n),
        };
        DeviceReport {
            gateway: Uuid::from_u128(gateway),
            whole,
            opened: opened.iter().map(device).collect(),
            closed: closed.iter().map(device).collect(),
            acknowledged: Vec::new(),
        }
    }

    #[test]
    fn an_unknown_gateway_is_asked_for_its_whole_list_and_what_is_missing_in_a_whole_list_has_ended() {
        let known = Connections::default();
        assert!(known.report(&report(false, &[1, 2], &[]), 0).0.resend);
        let (answer, ended) = known.report(&report(true, &[1], &[]), 0);
        assert_eq!((answer.resend, ended), (false, vec![connection(2)]));
        assert_eq!(known.report(&report(false, &[], &[1]), 0).1, [connection(1)]);
    }

    #[test]
    fn a_join_on_a_connection_that_has_closed_ends_unless_the_next_report_says_that_it_was_resumed() {
        let known = Connections::default();
        known.report(&report(true, &[1, 2], &[]), 0);
        known.carries_leg(connection(1), 0);
        assert!(known.expire(LEASE_MS - 1).is_empty(), "a gateway holds it");
        known.report(&report(false, &[], &[1, 2]), 0);
        known.carries_leg(connection(1), 0);
        known.carries_leg(connection(2), 0);
        known.report(&report(false, &[1], &[]), 0);
        assert_eq!(known.expire(REPORT_EVERY_MS), [connection(2)]);
    }

    #[test]
    fn a_connection_that_moved_to_another_gateway_goes_on_whatever_the_old_one_says_of_it() {
        let known = Connections::default();
        known.report(&report_of(1, true, &[1, 2], &[]), 0);
        known.report(&report_of(2, true, &[1, 2], &[]), 1_000);
        assert!(known.report(&report_of(1, false, &[], &[1]), 2_000).1.is_empty());
        known.carries_leg(connection(1), 2_000);
        assert!(known.report(&report_of(2, false, &[], &[]), LEASE_MS).1.is_empty());
        assert!(known.expire(2_000 + LEASE_MS).is_empty(), "the old gateway is silent, and held the other one too");
        assert_eq!(known.report(&report_of(2, false, &[], &[1]), 2_000 + LEASE_MS).1, [connection(1)]);
        let ended = known.expire(2 * (2_000 + LEASE_MS));
        assert_eq!(ended, [connection(2)]);
    }

    #[test]
    fn a_silent_gateways_connections_end_and_so_does_one_that_nobody_names() {
        let known = Connections::default();
        known.report(&report(true, &[1], &[]), 0);
        known.carries_leg(connection(2), 0);
        assert!(known.expire(LEASE_MS - 1).is_empty());
        let mut ended = known.expire(LEASE_MS);
        ended.sort();
        assert_eq!(ended, [connection(1), connection(2)]);
        assert!(known.expire(LEASE_MS).is_empty());
    }
}
