//! Which devices are there, noted beside this process: so that one that starts knows it before the gateways have told it.
//!
//! The store remembers who was there, which is enough to tell nobody that they went. How each of their devices stood only this process knew: after
//! a restart who was away would be online. So there is a lease for each device in Redis, in one hash for each gateway: written behind,
//! in one round trip for a report, and gone with the lease of the gateway. They are loaded once, at the start, and count until the gateway
//! reports or its lease runs out. A Redis that comes back is told all of them again; without one there is what the store remembers.

use std::collections::HashMap;
use std::time::Duration;

use link::Device;
use link::device::LEASE_MS;
use parking_lot::Mutex;
use protocol::chat::PresenceState;
use protocol::{ConnectionId, Epoch, Millis, SessionId, UserId};
use runtime::redis::{Failure, Pipeline, Redis, cmd, pipe};
use tokio::sync::Notify;
use uuid::Uuid;

use super::machine::Lease;
use super::shell::Presences;
use crate::shared::{Shared, now_ms};

/// Devices in one round trip: it has to be answered within a tenth of a second.
const AT_ONCE: usize = 500;
/// Of more changed devices of a gateway than this all are written.
const CHANGES_MAX: usize = 10_000;
/// So often they are asked for, and how long after one another: a machine that starts everything at once may not answer in a tenth of a second, and
/// what the gateways report within a second or two counts more.
const TRIES: u32 = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// The most gateways that are loaded: more than there are, with some restarts of each.
const GATEWAYS_MAX: usize = 1_000;

/// What has yet to be written, where there is a Redis.
#[derive(Default)]
pub(crate) struct Leases {
    redis: Option<Redis>,
    unwritten: Mutex<HashMap<Uuid, Unwritten>>,
    wake: Notify,
}

/// What of a gateway.
enum Unwritten {
    /// Everything that it holds.
    Whole,
    /// These; none, where it only lives.
    Changes(HashMap<ConnectionId, UserId>),
}

impl Leases {
    /// Leases that belong to the life of one store.
    pub(crate) fn new(redis: Option<&Redis>, epoch: Epoch) -> Self {
        Self { redis: redis.map(|redis| redis.under(epoch.0)), ..Self::default() }
    }

    /// A gateway lives, and these devices of it have changed, or any may have.
    pub(super) fn note<'a>(&self, gateway: Uuid, whole: bool, changed: impl IntoIterator<Item = &'a Device>) {
        // A Redis that comes back is told everything.
        if !self.redis.as_ref().is_some_and(|redis| redis.standing().is_up()) {
            return;
        }
        let mut unwritten = self.unwritten.lock();
        let waiting = unwritten.entry(gateway).or_insert_with(|| Unwritten::Changes(HashMap::new()));
        if let Unwritten::Changes(changes) = waiting {
            changes.extend(changed.into_iter().map(|device| (device.connection, device.user)));
            if whole || changes.len() > CHANGES_MAX {
                *waiting = Unwritten::Whole;
            }
        }
        drop(unwritten);
        self.wake.notify_one();
    }
}

/// Loads the leases, and writes them until the service stops.
pub(crate) async fn run(shared: Shared) {
    tokio::select! {
        () = keep(&shared.presences) => {}
        () = shared.shutdown.stopped() => {}
    }
}

async fn keep(presences: &Presences) {
    let leases = presences.leases();
    let Some(redis) = &leases.redis else { return };
    let mut standing = redis.watch();
    if standing.wait_for(|standing| standing.is_up()).await.is_err() {
        return;
    }
    for _ in 0..TRIES {
        match load(redis).await {
            Ok(found) => {
                presences.restore(now_ms(), found);
                break;
            }
            Err(failure) => tracing::warn!(%failure, "who was there could not be read"),
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    loop {
        // It is here for the first time, or has come back: what is in it is not what was reported meanwhile.
        presences.gateways().into_iter().for_each(|gateway| leases.note(gateway, true, []));
        loop {
            write(presences, redis).await;
            tokio::select! {
                () = leases.wake.notified() => {}
                changed = standing.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
            }
        }
    }
}

async fn write(presences: &Presences, redis: &Redis) {
    let waiting = std::mem::take(&mut *presences.leases().unwritten.lock());
    for (gateway, unwritten) in waiting {
        if let Err(failure) = write_of(presences, redis, gateway, &unwritten).await {
            tracing::debug!(%failure, "who is there could not be written down");
            // With the gateway's next report.
            presences.leases().unwritten.lock().insert(gateway, Unwritten::Whole);
        }
    }
}

async fn write_of(presences: &Presences, redis: &Redis, gateway: Uuid, unwritten: &Unwritten) -> Result<(), Failure> {
    let key = key(redis, gateway);
    let mut commands = pipe();
    let rows: Vec<_> = match unwritten {
        Unwritten::Whole => {
            commands.cmd("DEL").arg(&key).ignore();
            let held = presences.leases_of(gateway);
            held.into_iter().map(|lease| (lease.device.connection, Some(lease))).collect()
        }
        Unwritten::Changes(changes) => {
            let found = |(connection, user): (&ConnectionId, &UserId)| {
                (*connection, presences.lease(gateway, *user, *connection))
            };
            changes.iter().map(found).collect()
        }
    };
    for rows in rows.chunks(AT_ONCE) {
        if commands.len() >= AT_ONCE {
            redis.run_all::<()>("presence_set", &std::mem::replace(&mut commands, pipe())).await?;
        }
        for (connection, lease) in rows {
            match lease {
                Some(lease) => commands.cmd("HSET").arg(&key).arg(connection.0.as_bytes()).arg(value(lease)).ignore(),
                None => commands.cmd("HDEL").arg(&key).arg(connection.0.as_bytes()).ignore(),
            };
        }
    }
    lives(&mut commands, redis, &key, gateway, now_ms());
    redis.run_all("presence_set", &commands).await
}

/// A gateway's devices go with its lease, and the list of the gateways with the last of them.
fn lives(commands: &mut Pipeline, redis: &Redis, key: &str, gateway: Uuid, now: Millis) {
    let list = list(redis);
    commands.cmd("PEXPIRE").arg(key).arg(LEASE_MS).ignore();
    commands.cmd("ZADD").arg(&list).arg(now + LEASE_MS).arg(gateway.as_bytes()).ignore();
    commands.cmd("ZREMRANGEBYSCORE").arg(&list).arg("-inf").arg(now).ignore();
    commands.cmd("PEXPIRE").arg(&list).arg(LEASE_MS).ignore();
}

/// A device's connection, and the rest of its lease.
type Row = (Vec<u8>, Vec<u8>);

/// What was written down of the gateways whose leases have not run out.
pub(crate) async fn load(redis: &Redis) -> Result<Vec<(Uuid, Vec<Lease>)>, Failure> {
    let question = cmd("ZREVRANGE").arg(list(redis)).arg(0).arg(GATEWAYS_MAX - 1).to_owned();
    let gateways: Vec<Vec<u8>> = redis.run("presence_get", &question).await?;
    let mut found = Vec::new();
    for gateway in gateways.iter().filter_map(|gateway| Uuid::from_slice(gateway).ok()) {
        let (mut leases, mut cursor) = (Vec::new(), 0_u64);
        loop {
            let question = cmd("HSCAN").arg(key(redis, gateway)).arg(cursor).arg("COUNT").arg(AT_ONCE).to_owned();
            let (next, rows): (u64, Vec<Row>) = redis.run("presence_get", &question).await?;
            leases.extend(rows.iter().filter_map(|(connection, value)| lease(connection, value)));
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        found.push((gateway, leases));
    }
    Ok(found)
}

fn key(redis: &Redis, gateway: Uuid) -> String {
    redis.key("presence", gateway)
}

fn list(redis: &Redis) -> String {
    redis.key("presence", "gateways")
}

fn value(lease: &Lease) -> Vec<u8> {
    let state = u8::from(lease.state == PresenceState::Online);
    [lease.device.user.0.as_bytes().as_slice(), lease.device.session.0.as_bytes(), &[state]].concat()
}

fn lease(connection: &[u8], value: &[u8]) -> Option<Lease> {
    let (user, rest) = value.split_at_checked(16)?;
    let (session, state) = rest.split_at_checked(16)?;
    let id = |bytes: &[u8]| Uuid::from_slice(bytes).ok();
    let device =
        Device { user: UserId(id(user)?), session: SessionId(id(session)?), connection: ConnectionId(id(connection)?) };
    let state = match state {
        [0] => PresenceState::Away,
        [1] => PresenceState::Online,
        _ => return None,
    };
    Some(Lease { device, state })
}
