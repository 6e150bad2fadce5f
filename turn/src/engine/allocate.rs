//! Allocate: quotas first, then a socket, then the answer.

use std::sync::Arc;

use parking_lot::Mutex;
use runtime::telemetry::logs::mask;
use tokio::sync::Notify;

use super::Engine;
use super::requests::{Asked, FAMILY_IPV4, FAMILY_IPV6};
use crate::allocation::Allocation;
use crate::clients::Client;
use crate::relay::{Relay, RelayAddress};
use crate::stun::{ErrorCode, Message, MessageWriter, attribute};

/// What an Allocate request may carry.
pub(super) const KNOWN: [u16; 5] = [
    attribute::REQUESTED_TRANSPORT,
    attribute::LIFETIME,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::RESERVATION_TOKEN,
];

/// The protocol number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;
/// The bit of EVEN-PORT that asks to keep the next port, too.
const RESERVE_NEXT: u8 = 0x80;

/// Makes an allocation for who has none, and writes the answer that grants it, or says why not.
pub(super) fn allocate(asked: &Asked<'_>, client: Option<Arc<Client>>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let Asked { engine, tuple, request, user, .. } = asked;
    if let Some(client) = client {
        // Repeated because its answer was lost.
        if client.made_by != request.transaction() {
            return Err(ErrorCode::AllocationMismatch);
        }
        grant(asked, &client, out);
        return Ok(());
    }
    let made = wanted(engine, request).and_then(|wanted| make(asked, wanted));
    match made {
        Ok(client) => {
            engine.meters.allocation("made");
            tracing::info!(
                name = mask(&client.name),
                client = %tuple.client.ip(),
                transport = ?tuple.transport,
                relay = %client.relay.advertised,
                "an allocation was made"
            );
            grant(asked, &client, out);
            Ok(())
        }
        Err(refused) => {
            engine.meters.allocation(refused.result);
            tracing::info!(name = mask(user.username.name), client = %tuple.client.ip(), why = refused.result, "an allocation was refused");
            Err(refused.error)
        }
    }
}

/// Why there is no allocation: what the client is told, and how it is counted.
struct Refused {
    error: ErrorCode,
    result: &'static str,
}

struct Wanted {
    address: RelayAddress,
    even: bool,
}

/// What is asked for, if it can be had.
fn wanted(engine: &Engine, request: &Message<'_>) -> Result<Wanted, Refused> {
    let bad = |error| Refused { error, result: "bad_request" };
    let first = |kind| request.attribute(kind).and_then(<[u8]>::first).copied();
    match first(attribute::REQUESTED_TRANSPORT) {
        None => return Err(bad(ErrorCode::BadRequest)),
        Some(UDP) => {}
        Some(_) => return Err(bad(ErrorCode::UnsupportedTransport)),
    }
    let even = first(attribute::EVEN_PORT);
    // A reserved pair of ports is of the time when RTP and RTCP had one each; keeping it for who doesn't come is a way to use up ports.
    if even.is_some_and(|bits| bits & RESERVE_NEXT != 0) || first(attribute::RESERVATION_TOKEN).is_some() {
        return Err(bad(ErrorCode::InsufficientCapacity));
    }
    let wants_ipv4 = match first(attribute::REQUESTED_ADDRESS_FAMILY) {
        None | Some(FAMILY_IPV4) => true,
        Some(FAMILY_IPV6) => false,
        Some(_) => return Err(bad(ErrorCode::AddressFamilyNotSupported)),
    };
    let address = engine.addresses.iter().copied().find(|address| address.bound.is_ipv4() == wants_ipv4);
    let address = address.ok_or_else(|| bad(ErrorCode::AddressFamilyNotSupported))?;
    Ok(Wanted { address, even: even.is_some() })
}

fn make(asked: &Asked<'_>, wanted: Wanted) -> Result<Arc<Client>, Refused> {
    let Asked { engine, tuple, door, request, user, now } = asked;
    let full = |error, result| move || Refused { error, result };
    if !engine.shutdown.is_running() {
        return Err(full(ErrorCode::InsufficientCapacity, "capacity")());
    }
    let config = &engine.config;
    let quota = ErrorCode::AllocationQuotaReached;
    let of_user = engine.per_user.enter(user.username.user().to_owned(), config.allocations_per_user);
    let of_user = of_user.ok_or_else(full(quota, "user_quota"))?;
    let of_address = engine.per_address.enter(tuple.client.ip().into(), config.allocations_per_address);
    let of_address = of_address.ok_or_else(full(quota, "address_quota"))?;
    let no_capacity = full(ErrorCode::InsufficientCapacity, "capacity");
    let of_all = engine.in_all.enter((), config.allocations_max).ok_or_else(&no_capacity)?;
    let relay = Relay::bind(config, wanted.address, wanted.even, &engine.relays).map_err(|error| {
        tracing::warn!(%error, address = %wanted.address.bound, "no port to relay from");
        no_capacity()
    })?;
    let authorised_until = now.when(user.username.expires_at_s);
    let mut state = Allocation::new(now.at, authorised_until, config.allocation_bytes_per_s);
    state.set_lifetime(now.at, request.number(attribute::LIFETIME), authorised_until);
    let client = Arc::new(Client {
        tuple: *tuple,
        door: (*door).clone(),
        name: user.username.name.to_owned(),
        relay,
        address: wanted.address,
        state: Mutex::new(state),
        made_by: request.transaction(),
        changed: Notify::new(),
        _places: (of_user, of_address, of_all),
    });
    if !engine.clients.enter(Arc::clone(&client)) {
        return Err(Refused { error: ErrorCode::AllocationMismatch, result: "bad_request" });
    }
    engine.tasks.spawn("turn-relay", crate::relaying::run(Arc::clone(engine), Arc::clone(&client)));
    Ok(client)
}

fn grant(asked: &Asked<'_>, client: &Client, out: &mut Vec<u8>) {
    let Asked { request, user, now, .. } = asked;
    MessageWriter::success(out, request)
        .address(attribute::XOR_RELAYED_ADDRESS, client.relay.advertised)
        .number(attribute::LIFETIME, client.state.lock().left_s(now.at))
        .address(attribute::XOR_MAPPED_ADDRESS, client.tuple.client)
        .sign(&user.key);
}
