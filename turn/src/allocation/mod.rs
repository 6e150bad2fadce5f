//! One allocation as a state machine: until when it lives, whom it lets in, which channels it has, how much it may carry.
//!
//! Pure: time comes in, answers go out. No lifetime here reaches beyond the credentials': what was granted ends with the authorisation.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use runtime::limits::{Gcra, Limiter, Rule};

/// What a client gets that asks for nothing (RFC 8656, section 3.2).
const LIFETIME_S_DEFAULT: u32 = 600;
/// What a client gets that asks for more.
const LIFETIME_S_MAX: u32 = 3_600;
/// How long a permission lasts (RFC 8656, section 9).
const PERMISSION: Duration = Duration::from_secs(300);
/// How long a channel lasts (RFC 8656, section 12).
const CHANNEL: Duration = Duration::from_secs(600);
/// Peers that one allocation may have at the same time: the candidates of a call's other side, and far more.
const PEERS_MAX: usize = 64;
/// Bandwidth is counted in pieces of so many bytes, so that the counter fits what it is built for.
const PIECE_BYTES: usize = 64;

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    ToPeer,
    ToClient,
}

/// The state of one allocation.
#[derive(Debug)]
pub(crate) struct Allocation {
    began: Instant,
    ends_at: Instant,
    /// When the credentials end that it stands on.
    authorised_until: Instant,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, Channel>,
    numbers: BTreeMap<SocketAddr, u16>,
    rate: Option<Rule>,
    to_peer: Gcra,
    to_client: Gcra,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    peer: SocketAddr,
    ends_at: Instant,
}

/// Why a peer was not taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoChannel {
    /// The number or the peer is bound to another one.
    Conflict,
    /// It has as many peers as it may have.
    Full,
}

impl Allocation {
    /// A new allocation that lives until its credentials end, or until somebody sets it a lifetime. `bytes_per_s`: 0 is no limit.
    pub(crate) fn new(now: Instant, authorised_until: Instant, bytes_per_s: u32) -> Self {
        Self {
            began: now,
            ends_at: authorised_until,
            authorised_until,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            numbers: BTreeMap::new(),
            rate: (bytes_per_s > 0).then(|| Rule::per_second(bytes_per_s.div_ceil(PIECE_BYTES as u32))),
            to_peer: Gcra::default(),
            to_client: Gcra::default(),
        }
    }

    /// Sets how long it lives from `now` on, and answers that, in seconds. Later credentials of the same name extend what is allowed.
    pub(crate) fn set_lifetime(&mut self, now: Instant, wanted_s: Option<u32>, authorised_until: Instant) -> u32 {
        self.authorised_until = self.authorised_until.max(authorised_until);
        let left_s = self.authorised_until.saturating_duration_since(now).as_secs();
        let granted_s = u64::from(wanted_s.unwrap_or(LIFETIME_S_DEFAULT).min(LIFETIME_S_MAX)).min(left_s);
        self.ends_at = now + Duration::from_secs(granted_s);
        granted_s as u32
    }

    /// When it ends, unless it is refreshed.
    pub(crate) fn ends_at(&self) -> Instant {
        self.ends_at
    }

    /// Seconds that it has left.
    pub(crate) fn left_s(&self, now: Instant) -> u32 {
        self.ends_at.saturating_duration_since(now).as_secs() as u32
    }

    /// Lets these addresses in, all or, when they are too many, none.
    pub(crate) fn permit(&mut self, now: Instant, peers: &[IpAddr]) -> bool {
        self.permissions.retain(|_, ends_at| *ends_at > now);
        let mut permissions = self.permissions.clone();
        permissions.extend(peers.iter().map(|peer| (*peer, now + PERMISSION)));
        if permissions.len() > PEERS_MAX {
            return false;
        }
        self.permissions = permissions;
        true
    }

    /// Binds a channel to a peer, or keeps it for longer.
    pub(crate) fn bind(&mut self, now: Instant, number: u16, peer: SocketAddr) -> Result<(), NoChannel> {
        self.channels.retain(|_, channel| channel.ends_at > now);
        self.numbers.retain(|_, number| self.channels.contains_key(number));
        let is_taken = self.channels.get(&number).is_some_and(|channel| channel.peer != peer)
            || self.numbers.get(&peer).is_some_and(|known| *known != number);
        if is_taken {
            return Err(NoChannel::Conflict);
        }
        if (self.channels.len() >= PEERS_MAX && !self.channels.contains_key(&number)) || !self.permit(now, &[peer.ip()])
        {
            return Err(NoChannel::Full);
        }
        self.channels.insert(number, Channel { peer, ends_at: now + CHANNEL });
        self.numbers.insert(peer, number);
        Ok(())
    }

    /// Whether packets may go to this address, and come from it.
    pub(crate) fn is_permitted(&self, now: Instant, peer: IpAddr) -> bool {
        self.ends_at > now && self.permissions.get(&peer).is_some_and(|ends_at| *ends_at > now)
    }

    /// The peer behind a channel, if it may be sent to.
    pub(crate) fn peer_of(&self, now: Instant, number: u16) -> Option<SocketAddr> {
        let channel = self.channels.get(&number).filter(|channel| channel.ends_at > now)?;
        self.is_permitted(now, channel.peer.ip()).then_some(channel.peer)
    }

    /// The channel to a peer, if it has one.
    pub(crate) fn channel_of(&self, now: Instant, peer: SocketAddr) -> Option<u16> {
        let number = *self.numbers.get(&peer)?;
        self.channels.get(&number).filter(|channel| channel.ends_at > now).map(|_| number)
    }

    /// Whether this much may pass now.
    pub(crate) fn spend(&mut self, now: Instant, direction: Direction, bytes: usize) -> bool {
        let Some(rule) = &self.rate else { return true };
        let limiter = match direction {
            Direction::ToPeer => &mut self.to_peer,
            Direction::ToClient => &mut self.to_client,
        };
        let now_ms = now.saturating_duration_since(self.began).as_millis() as u64;
        limiter.take(rule, now_ms, bytes.div_ceil(PIECE_BYTES) as u32).allowed
    }
}

#[cfg(test)]
mod tests;
