//! Requests of who has shown credentials: what is asked for, and the answer, signed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::{Engine, Now, allocate};
use crate::allocation::NoChannel;
use crate::auth::User;
use crate::clients::Client;
use crate::door::{Door, FiveTuple};
use crate::stun::{ErrorCode, Message, MessageWriter, attribute, decode_xor_address, method};

/// What every request may carry.
const OF_ALL: [u16; 4] = [attribute::USERNAME, attribute::REALM, attribute::NONCE, attribute::MESSAGE_INTEGRITY];

/// Channels that a client may use; what lies above can't be told from other protocols, or has no number.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7FFE;

/// Family numbers in REQUESTED-ADDRESS-FAMILY.
pub(super) const FAMILY_IPV4: u8 = 1;
pub(super) const FAMILY_IPV6: u8 = 2;

/// A request of somebody who has shown credentials.
pub(super) struct Asked<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) tuple: FiveTuple,
    pub(super) door: &'a Door,
    pub(super) request: &'a Message<'a>,
    pub(super) user: &'a User<'a>,
    pub(super) now: Now,
}

/// Does what is asked and writes the answer that grants it, or says why not.
pub(super) fn answer(asked: &Asked<'_>, client: Option<Arc<Client>>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let request = asked.request;
    let known = known(request.method()).ok_or(ErrorCode::BadRequest)?;
    if unknown(request, known).next().is_some() {
        return Err(ErrorCode::UnknownAttribute);
    }
    if request.method() == method::ALLOCATE {
        return allocate::allocate(asked, client, out);
    }
    let client = client.ok_or(ErrorCode::AllocationMismatch)?;
    match request.method() {
        method::REFRESH => refresh(asked, &client, out),
        method::CREATE_PERMISSION => create_permission(asked, &client, out),
        _ => channel_bind(asked, &client, out),
    }
}

/// Writes the answer that refuses a request.
pub(super) fn refuse(request: &Message<'_>, error: ErrorCode, user: &User<'_>, out: &mut Vec<u8>) {
    let mut answer = MessageWriter::error(out, request, error);
    if error == ErrorCode::UnknownAttribute {
        let known = known(request.method()).unwrap_or_default();
        let kinds: Vec<u8> = unknown(request, known).flat_map(u16::to_be_bytes).collect();
        answer.attribute(attribute::UNKNOWN_ATTRIBUTES, &kinds);
    }
    answer.sign(&user.key);
}

/// What a request of this method may carry beside that; `None` is a method that isn't served.
fn known(method: u16) -> Option<&'static [u16]> {
    match method {
        method::ALLOCATE => Some(&allocate::KNOWN),
        method::REFRESH => Some(&[attribute::LIFETIME, attribute::REQUESTED_ADDRESS_FAMILY]),
        method::CREATE_PERMISSION => Some(&[attribute::XOR_PEER_ADDRESS]),
        method::CHANNEL_BIND => Some(&[attribute::XOR_PEER_ADDRESS, attribute::CHANNEL_NUMBER]),
        _ => None,
    }
}

/// The attributes that must be understood and are not.
fn unknown<'a>(request: &Message<'a>, known: &'a [u16]) -> impl Iterator<Item = u16> + 'a {
    let kinds = request.attributes().map(|found| found.kind).collect::<Vec<_>>();
    kinds
        .into_iter()
        .filter(move |kind| attribute::is_required(*kind) && !OF_ALL.contains(kind) && !known.contains(kind))
}

fn refresh(asked: &Asked<'_>, client: &Arc<Client>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let Asked { engine, request, user, now, .. } = asked;
    if let Some(family) = request.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
        let own = if client.relay.advertised.is_ipv4() { FAMILY_IPV4 } else { FAMILY_IPV6 };
        if family.first() != Some(&own) {
            return Err(ErrorCode::PeerAddressFamilyMismatch);
        }
    }
    let wanted_s = request.number(attribute::LIFETIME);
    let granted_s = match wanted_s {
        Some(0) => {
            engine.end(client, "by its client");
            0
        }
        _ => client.state.lock().set_lifetime(now.at, wanted_s, now.when(user.username.expires_at_s)),
    };
    client.changed.notify_one();
    MessageWriter::success(out, request).number(attribute::LIFETIME, granted_s).sign(&user.key);
    Ok(())
}

fn create_permission(asked: &Asked<'_>, client: &Client, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let Asked { engine, request, user, now, .. } = asked;
    let named = request.attributes().filter(|found| found.kind == attribute::XOR_PEER_ADDRESS);
    let transaction = request.transaction();
    let peers: Option<Vec<SocketAddr>> = named.map(|found| decode_xor_address(found.value, &transaction)).collect();
    let peers = peers.filter(|peers| !peers.is_empty()).ok_or(ErrorCode::BadRequest)?;
    if peers.iter().any(|peer| peer.is_ipv4() != client.relay.advertised.is_ipv4()) {
        return Err(ErrorCode::PeerAddressFamilyMismatch);
    }
    let ips: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
    if !ips.iter().all(|ip| engine.rule.permits(*ip)) {
        engine.meters.denied("permission");
        return Err(ErrorCode::Forbidden);
    }
    if !client.state.lock().permit(now.at, &ips) {
        return Err(ErrorCode::InsufficientCapacity);
    }
    MessageWriter::success(out, request).sign(&user.key);
    Ok(())
}

fn channel_bind(asked: &Asked<'_>, client: &Client, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let Asked { engine, request, user, now, .. } = asked;
    let number = request.number(attribute::CHANNEL_NUMBER).map(|value| (value >> 16) as u16);
    let number = number.filter(|number| CHANNELS.contains(number)).ok_or(ErrorCode::BadRequest)?;
    let peer = request.attribute(attribute::XOR_PEER_ADDRESS).ok_or(ErrorCode::BadRequest)?;
    let peer = decode_xor_address(peer, &request.transaction()).ok_or(ErrorCode::BadRequest)?;
    if peer.is_ipv4() != client.relay.advertised.is_ipv4() {
        return Err(ErrorCode::PeerAddressFamilyMismatch);
    }
    if !engine.rule.reaches(peer, &engine.relays) {
        engine.meters.denied("channel_bind");
        return Err(ErrorCode::Forbidden);
    }
    client.state.lock().bind(now.at, number, peer).map_err(|error| match error {
        NoChannel::Conflict => ErrorCode::BadRequest,
        NoChannel::Full => ErrorCode::InsufficientCapacity,
    })?;
    MessageWriter::success(out, request).sign(&user.key);
    Ok(())
}
