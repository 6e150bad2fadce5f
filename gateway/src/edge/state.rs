//! What all requests and sockets share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use link::named::Served;
use link::{Actor, Call, Caller, Refusal, Reply, Service};
use protocol::accounts::Role;
use protocol::commands::{Access, COMMANDS, CommandSpec, Cost};
use protocol::{ErrorCode, ServiceName};
use runtime::lifecycle::Shutdown;
use tokio::sync::Semaphore;

use super::{Denials, Origins};
use crate::Config;
use crate::devices::Reports;
use crate::drain::Sockets;
use crate::gateway::Services;
use crate::hub::Hub;
use crate::identities::Identities;
use crate::limits::{Limits, Unauthenticated};
use crate::meters::Meters;
use crate::socket::Turns;
use crate::token::Tokens;

/// The gateway's parts.
pub(crate) struct Edge {
    pub(crate) config: Config,
    pub(crate) services: Services,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) unauthenticated: Arc<Unauthenticated>,
    pub(crate) origins: Origins,
    pub(crate) hub: Arc<Hub>,
    pub(crate) identities: Identities,
    pub(crate) devices: Reports,
    pub(crate) denials: Denials,
    pub(crate) meters: Meters,
    pub(crate) sockets: Sockets,
    /// How many hellos are worked on at the same time.
    pub(crate) hellos: Turns,
    /// How many pages, and registers of users, are read at the same time for connections that lag.
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) shutdown: Shutdown,
    pub(crate) commands: HashMap<&'static str, &'static CommandSpec>,
}

/// The table by name.
pub(crate) fn commands_by_name() -> HashMap<&'static str, &'static CommandSpec> {
    COMMANDS.iter().map(|spec| (spec.name, spec)).collect()
}

impl Edge {
    /// Who serves commands of this service.
    pub(crate) fn service(&self, name: ServiceName) -> Result<&Arc<dyn Service>, Refusal> {
        match name {
            ServiceName::Auth => Ok(&self.services.auth),
            ServiceName::Chat => Ok(&self.services.chat),
            ServiceName::Signaling => Ok(&self.services.signaling),
            ServiceName::Storage => Ok(&self.services.storage),
            ServiceName::Gateway | ServiceName::Turn => Err(Refusal::of(ErrorCode::Unsupported)),
        }
    }

    /// How long a command may take.
    pub(crate) fn deadline(&self, spec: &CommandSpec) -> Duration {
        Duration::from_millis(match spec.cost {
            Cost::Read => self.config.read_within_ms,
            _ => self.config.write_within_ms,
        })
    }

    /// Has a command served, within its deadline.
    pub(crate) async fn execute(&self, spec: &CommandSpec, call: Call) -> Reply {
        let service = match self.service(spec.service) {
            Ok(service) => service,
            Err(refusal) => return refusal.into(),
        };
        let served = Served::begin(spec.name);
        let reply = match tokio::time::timeout(self.deadline(spec), service.execute(call)).await {
            Ok(reply) => reply,
            Err(_) => Refusal::of(ErrorCode::Timeout).into(),
        };
        if let Some(served) = served {
            served.tell(&reply);
        }
        // A logout, a new password, a suspension: what they end must not go on until the list's next turn (AU6).
        if spec.service == ServiceName::Auth && spec.cost == Cost::Write {
            self.tokens.revocations().look();
        }
        reply
    }
}

/// Whether this caller may use a command; what is denied here is audited by the caller.
pub(crate) fn admit(spec: &CommandSpec, caller: Option<&Caller>) -> Result<(), Refusal> {
    match (spec.access, caller) {
        (Access::Anonymous, _) | (Access::User, Some(_)) => Ok(()),
        (Access::Role(least), Some(caller)) if caller.role >= least => Ok(()),
        (Access::Role(least), Some(_)) => Err(needs(least)),
        (_, None) => Err(Refusal::of(ErrorCode::Unauthenticated)),
    }
}

fn needs(least: Role) -> Refusal {
    let message = format!("This needs the role {}.", least.as_str());
    Refusal::new(ErrorCode::Forbidden, message)
}

/// The actor that a service is told.
pub(crate) fn actor(caller: Option<Caller>) -> Actor {
    caller.map_or(Actor::Anonymous, Actor::User)
}
