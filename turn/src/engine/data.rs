//! What is relayed. Each packet is judged anew, whatever was permitted before: by the allocation, by the rule on peers, by its pace.

use std::net::SocketAddr;
use std::time::Instant;

use super::Engine;
use crate::allocation::Direction;
use crate::clients::Client;
use crate::door::FiveTuple;
use crate::framing::{parse_channel_data, write_channel_data};
use crate::stun::{Class, Message, MessageWriter, TransactionId, attribute, decode_xor_address, method};

/// The longest payload that fits a Data indication with its attributes.
const INDICATED_BYTES_MAX: usize = u16::MAX as usize - 64;

impl Engine {
    /// ChannelData from a client.
    pub(super) fn channel_data(&self, tuple: FiveTuple, packet: &[u8]) {
        let Some((number, payload)) = parse_channel_data(packet) else { return self.meters.dropped("malformed") };
        let Some(client) = self.clients.get(&tuple) else { return self.meters.dropped("unasked") };
        let now = Instant::now();
        let peer = client.state.lock().peer_of(now, number);
        match peer {
            Some(peer) => self.to_peer(&client, peer, payload, now, "channel_data"),
            None => self.meters.dropped("no_permission"),
        }
    }

    /// A Send indication from a client.
    pub(super) fn send_indication(&self, tuple: FiveTuple, message: &Message<'_>) {
        let Some(client) = self.clients.get(&tuple) else { return self.meters.dropped("unasked") };
        let (mut peer, mut payload) = (None, None);
        for found in message.attributes() {
            match found.kind {
                attribute::XOR_PEER_ADDRESS if peer.is_none() => {
                    peer = decode_xor_address(found.value, &message.transaction());
                }
                attribute::DATA if payload.is_none() => payload = Some(found.value),
                attribute::XOR_PEER_ADDRESS | attribute::DATA => {}
                kind if attribute::is_required(kind) => return self.meters.dropped("malformed"),
                _ => {}
            }
        }
        let (Some(peer), Some(payload)) = (peer, payload) else { return self.meters.dropped("malformed") };
        let now = Instant::now();
        let is_permitted = client.state.lock().is_permitted(now, peer.ip());
        match is_permitted {
            true => self.to_peer(&client, peer, payload, now, "send"),
            false => self.meters.dropped("no_permission"),
        }
    }

    /// The one place where something is sent to a peer.
    fn to_peer(&self, client: &Client, peer: SocketAddr, payload: &[u8], now: Instant, way: &'static str) {
        if !self.rule.reaches(peer, &self.relays) {
            return self.meters.denied(way);
        }
        if !client.state.lock().spend(now, Direction::ToPeer, payload.len()) {
            return self.meters.dropped("bandwidth");
        }
        match client.relay.socket.try_send_to(payload, client.address.inside(peer)) {
            Ok(_) => self.meters.relayed(Direction::ToPeer, payload.len()),
            Err(_) => self.meters.dropped("socket"),
        }
    }

    /// A packet that came to an allocation's relayed address. `out` is room to write in.
    pub(crate) fn to_client(&self, client: &Client, from: SocketAddr, payload: &[u8], now: Instant, out: &mut Vec<u8>) {
        let peer = client.address.outside(SocketAddr::new(from.ip().to_canonical(), from.port()));
        let channel = {
            let mut state = client.state.lock();
            if !state.is_permitted(now, peer.ip()) {
                return self.meters.dropped("no_permission");
            }
            if !self.rule.reaches(peer, &self.relays) {
                return self.meters.denied("from_peer");
            }
            if !state.spend(now, Direction::ToClient, payload.len()) {
                return self.meters.dropped("bandwidth");
            }
            state.channel_of(now, peer)
        };
        out.clear();
        match channel {
            Some(number) => write_channel_data(out, number, payload, client.door.is_stream()),
            None if payload.len() > INDICATED_BYTES_MAX => return self.meters.dropped("malformed"),
            None => {
                let transaction: TransactionId = rand::random();
                let mut indication = MessageWriter::new(out, Class::Indication, method::DATA, transaction);
                indication.address(attribute::XOR_PEER_ADDRESS, peer).attribute(attribute::DATA, payload);
            }
        }
        match client.door.send(client.tuple.client, out) {
            true => self.meters.relayed(Direction::ToClient, payload.len()),
            false => self.meters.dropped("queue"),
        }
    }
}
