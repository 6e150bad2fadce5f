//! What the server does with a packet. It knows sockets only as something to send on without waiting ([`Door`], [`Relay`]); who reads
//! them stands in `udp`, `tcp` and `relaying`.
//!
//! [`Relay`]: crate::relay::Relay

mod allocate;
mod data;
mod requests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runtime::lifecycle::{Shutdown, Tasks};
use runtime::limits::{Gcra, Keyed, Network, Rule};
use runtime::telemetry::logs::mask;

use crate::auth::Auth;
use crate::clients::{Client, Clients};
use crate::config::Config;
use crate::door::{Door, FiveTuple};
use crate::framing::is_channel_data;
use crate::meters::Meters;
use crate::peers::PeerRule;
use crate::quota::Counts;
use crate::relay::RelayAddress;
use crate::relays::Relays;
use crate::stun::{Class, ErrorCode, Message, MessageWriter, attribute, method};

/// Addresses whose answers are counted at the same time; beyond it a new one gets none until another is at rest.
const STRANGERS_MAX: usize = 65_536;

/// Two clocks read at the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) at: Instant,
    /// Unix time in seconds: credentials state their expiry in it.
    pub(crate) unix_s: u64,
}

impl Now {
    pub(crate) fn read() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: Instant::now(), unix_s: unix.as_secs() }
    }

    /// When this Unix time comes.
    fn when(self, unix_s: u64) -> Instant {
        // Credentials that state an expiry in a far century are as good as any that outlive every allocation.
        const FAR: u64 = 365 * 24 * 60 * 60;
        self.at + Duration::from_secs(unix_s.saturating_sub(self.unix_s).min(FAR))
    }
}

/// The server, without its listeners.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) config: Config,
    pub(crate) auth: Auth,
    pub(crate) addresses: Vec<RelayAddress>,
    pub(crate) rule: PeerRule,
    pub(crate) relays: Relays,
    pub(crate) clients: Clients,
    pub(crate) per_user: Counts<String>,
    pub(crate) per_address: Counts<Network>,
    pub(crate) in_all: Counts<()>,
    pub(crate) strangers: Keyed<Network, Gcra>,
    pub(crate) began: Instant,
    pub(crate) meters: Meters,
    pub(crate) tasks: Tasks,
    pub(crate) shutdown: Shutdown,
}

impl Engine {
    pub(crate) fn new(config: Config, auth: Auth, listening: &[SocketAddr], tasks: Tasks, shutdown: Shutdown) -> Self {
        let addresses = RelayAddress::all(&config);
        let own = addresses.iter().flat_map(|address| [address.bound, address.advertised]);
        let own = own.chain(listening.iter().map(SocketAddr::ip));
        let rule = PeerRule::new(own, config.allowed_peers.clone(), config.denied_peers.clone());
        Self {
            config,
            auth,
            addresses,
            rule,
            relays: Relays::default(),
            clients: Clients::default(),
            per_user: Counts::new(),
            per_address: Counts::new(),
            in_all: Counts::new(),
            strangers: Keyed::new(STRANGERS_MAX),
            began: Instant::now(),
            meters: Meters::new(),
            tasks,
            shutdown,
        }
    }

    /// Takes one packet from a client. Whatever it answers goes out by `door`; `out` is room to write it in.
    pub(crate) fn receive(self: &Arc<Self>, tuple: FiveTuple, door: &Door, packet: &[u8], out: &mut Vec<u8>) {
        if packet.first().is_some_and(|first| is_channel_data(*first)) {
            return self.channel_data(tuple, packet);
        }
        let Ok(message) = Message::parse(packet) else { return self.meters.dropped("malformed") };
        out.clear();
        match (message.class(), message.method()) {
            (Class::Request, method::BINDING) => {
                if self.may_answer(tuple, Instant::now()) {
                    let mut answer = MessageWriter::success(out, &message);
                    answer.address(attribute::XOR_MAPPED_ADDRESS, tuple.client);
                }
            }
            (Class::Request, _) => self.request(tuple, door, &message, out),
            (Class::Indication, method::SEND) => return self.send_indication(tuple, &message),
            // Keep-alives (RFC 8489, section 10).
            (Class::Indication, method::BINDING) => return,
            _ => return self.meters.dropped("unasked"),
        }
        if !out.is_empty() && !door.send(tuple.client, out) {
            self.meters.dropped("queue");
        }
    }

    /// Writes the answer to a request.
    fn request(self: &Arc<Self>, tuple: FiveTuple, door: &Door, request: &Message<'_>, out: &mut Vec<u8>) {
        let now = Now::read();
        let user = match self.auth.check(request, tuple.client, now.unix_s) {
            Ok(user) => user,
            Err(stranger) => {
                if let Some(reason) = stranger.reason {
                    self.meters.auth_failed(reason);
                }
                if self.may_answer(tuple, now.at) {
                    let mut answer = MessageWriter::error(out, request, stranger.error);
                    if stranger.error != ErrorCode::BadRequest {
                        answer.attribute(attribute::REALM, self.auth.realm.as_bytes());
                        answer.attribute(attribute::NONCE, self.auth.nonces.make(tuple.client, now.unix_s).as_bytes());
                    }
                }
                return;
            }
        };
        let client = self.clients.get(&tuple);
        let answered = match &client {
            Some(client) if client.name != user.username.name => {
                self.meters.auth_failed("other_user");
                Err(ErrorCode::WrongCredentials)
            }
            _ => {
                let asked = requests::Asked { engine: self, tuple, door, request, user: &user, now };
                requests::answer(&asked, client, out)
            }
        };
        if let Err(error) = answered {
            out.clear();
            requests::refuse(request, error, &user, out);
        }
    }

    /// Whether somebody who has shown no credentials may be answered once more. The answer to a small request is larger than it,
    /// and its sender's address may be somebody else's.
    fn may_answer(&self, tuple: FiveTuple, now: Instant) -> bool {
        let rule = Rule::per_second(self.config.answers_per_address);
        let now_ms = now.saturating_duration_since(self.began).as_millis() as u64;
        let may = self.strangers.take(tuple.client.ip().into(), &rule, now_ms, 1).allowed;
        if !may {
            self.meters.dropped("too_many_answers");
        }
        may
    }

    /// Ends an allocation before its time.
    pub(crate) fn end(&self, client: &Arc<Client>, why: &'static str) {
        self.clients.leave(client);
        client.end(Instant::now());
        tracing::debug!(name = mask(&client.name), relay = %client.relay.advertised, why, "an allocation is ended");
    }
}
