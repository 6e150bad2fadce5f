//! Tells chat and signaling which devices are here, and chat what has reached them (see [`link::device`]). Each connection is a device; what has
//! reached one of a user's devices counts as delivered to the user.
//!
//! Changes are gathered and reported once a second while there are any; without any, the report that the gateway lives goes out
//! every five seconds. What could not be reported is not queued: the next report is the whole list.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use link::device::REPORT_EVERY_MS;
use link::{Acknowledged, Device, DeviceReport, Service};
use parking_lot::Mutex;
use protocol::{Millis, Seq, StreamId, UserId};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::clock;
use crate::hub::Hub;

/// Between two reports of changes.
const GATHER: Duration = Duration::from_secs(1);
/// A report must not take longer.
const REPORT_WITHIN: Duration = Duration::from_millis(5_000);
/// The most acknowledged streams that wait for a report; what is beyond is told by a later acknowledgement.
const ACKNOWLEDGED_MAX: usize = 200_000;

/// What each service is told: presence and delivery are chat's, the legs of calls are signaling's.
#[derive(Default)]
pub(crate) struct Reports {
    pub(crate) chat: Arc<Devices>,
    pub(crate) signaling: Arc<Devices>,
}

impl Reports {
    /// A device came or went.
    pub(crate) fn changed(&self, device: Device) {
        self.chat.changed(device);
        self.signaling.changed(device);
    }

    /// Entries have reached a user's device.
    pub(crate) fn acknowledged(&self, user: UserId, stream: StreamId, seq: Seq) {
        self.chat.acknowledged(user, stream, seq);
    }
}

/// What has happened since the last report to one service.
#[derive(Default)]
pub(crate) struct Devices {
    changes: Mutex<Changes>,
}

#[derive(Default)]
struct Changes {
    /// Which devices came or went. Where they are now is asked when it is told: an old socket's end and a new one's hello are told
    /// by different tasks, in any order.
    devices: HashSet<Device>,
    acknowledged: HashMap<(UserId, StreamId), Seq>,
}

impl Devices {
    /// A device came or went.
    pub(crate) fn changed(&self, device: Device) {
        self.changes.lock().devices.insert(device);
    }

    /// Entries have reached a user's device.
    pub(crate) fn acknowledged(&self, user: UserId, stream: StreamId, seq: Seq) {
        let mut changes = self.changes.lock();
        let full = changes.acknowledged.len() >= ACKNOWLEDGED_MAX;
        match changes.acknowledged.get_mut(&(user, stream)) {
            Some(known) => *known = seq.max(*known),
            None if full => {}
            None => {
                changes.acknowledged.insert((user, stream), seq);
            }
        }
    }

    fn take(&self) -> Changes {
        std::mem::take(&mut *self.changes.lock())
    }

    /// Reports for good.
    pub(crate) async fn report(self: Arc<Self>, service: Arc<dyn Service>, presence: impl Here) {
        let mut reporter = Reporter { gateway: Uuid::new_v4(), whole: true, reported_at: 0 };
        let mut turn = tokio::time::interval(GATHER);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turn.tick().await;
            let changes = self.take();
            if let Some(report) = reporter.due(changes, &presence, clock::steady()) {
                let answer = tokio::time::timeout(REPORT_WITHIN, service.devices(report)).await;
                reporter.whole = !matches!(answer, Ok(Ok(answer)) if !answer.resend);
            }
        }
    }
}

/// Who is here at this moment.
pub(crate) trait Here {
    /// Every device that is.
    fn all(&self) -> Vec<Device>;
    /// Whether this one is.
    fn is_here(&self, device: Device) -> bool;
}

impl Here for Hub {
    fn all(&self) -> Vec<Device> {
        self.devices()
    }

    fn is_here(&self, device: Device) -> bool {
        Hub::is_here(self, device)
    }
}

impl<H: Here> Here for Arc<H> {
    fn all(&self) -> Vec<Device> {
        (**self).all()
    }

    fn is_here(&self, device: Device) -> bool {
        (**self).is_here(device)
    }
}

/// Decides what is reported when.
struct Reporter {
    gateway: Uuid,
    whole: bool,
    reported_at: Millis,
}

impl Reporter {
    fn due(&mut self, changes: Changes, presence: &impl Here, now: Millis) -> Option<DeviceReport> {
        let quiet = changes.devices.is_empty() && changes.acknowledged.is_empty();
        if quiet && !self.whole && now < self.reported_at + REPORT_EVERY_MS {
            return None;
        }
        self.reported_at = now;
        let (opened, closed) = match self.whole {
            true => (presence.all(), Vec::new()),
            false => changes.devices.iter().partition(|device| presence.is_here(**device)),
        };
        let acknowledged =
            changes.acknowledged.into_iter().map(|((user, stream), seq)| Acknowledged { user, stream, seq }).collect();
        Some(DeviceReport { gateway: self.gateway, whole: self.whole, opened, closed, acknowledged })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{ConnectionId, SessionId};

    #[derive(Default)]
    struct Present(Vec<Device>);

    impl Here for Present {
        fn all(&self) -> Vec<Device> {
            self.0.clone()
        }

        fn is_here(&self, device: Device) -> bool {
            self.0.contains(&device)
        }
    }

    fn device() -> Device {
        Device { user: UserId::now(), session: SessionId::now(), connection: ConnectionId::now() }
    }

    #[test]
    fn quiet_seconds_are_not_reported_but_that_the_gateway_lives_is() {
        let mut reporter = Reporter { gateway: Uuid::nil(), whole: false, reported_at: 10_000 };
        let nobody = Present::default();
        assert!(reporter.due(Changes::default(), &nobody, 11_000).is_none());
        assert!(reporter.due(Changes::default(), &nobody, 15_000).is_some());
        assert!(reporter.due(Changes::default(), &nobody, 16_000).is_none());
    }

    #[test]
    fn a_device_that_came_and_went_is_told_as_it_is_now_and_a_whole_report_lists_who_is_here() {
        let devices = Devices::default();
        let (one, other) = (device(), device());
        // The old socket's end is told after the new one's hello.
        devices.changed(other);
        devices.changed(one);
        devices.changed(other);
        let present = Present(vec![other]);
        let mut reporter = Reporter { gateway: Uuid::nil(), whole: false, reported_at: 0 };
        let report = reporter.due(devices.take(), &present, 1_000).unwrap();
        assert_eq!((report.opened, report.closed), (vec![other], vec![one]));
        reporter.whole = true;
        let report = reporter.due(devices.take(), &present, 2_000).unwrap();
        assert!(report.whole);
        assert_eq!(report.opened, vec![other]);
    }

    #[test]
    fn only_the_furthest_acknowledgement_is_told() {
        let devices = Devices::default();
        let user = UserId::now();
        let stream = StreamId::user(user);
        devices.acknowledged(user, stream, 5);
        devices.acknowledged(user, stream, 3);
        assert_eq!(devices.take().acknowledged[&(user, stream)], 5);
    }
}
