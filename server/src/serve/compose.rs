//! Which services run here and how they find each other: decided once, at start.
//!
//! A service of this process is called directly, one of another process over the link; nobody above can tell which, nor whether it is one
//! or several. In a process that runs them all the link does not even listen, unless it is told where.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use link::{Named, Service};
use protocol::ServiceName;
use runtime::audit::Spool;
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::Redis;
use runtime::telemetry::logs::LogHandle;
use runtime::telemetry::metrics::{MetricsHandles, declare_plain};

use super::denials::Denials;
use super::peers::Asker;
use super::{peers, shared, turn as relayed};
use crate::admin::{Admin, Trail};
use crate::config::Config;
use crate::import::{Accounts, Conversations};

/// The services of this process.
pub(crate) struct Composition {
    pub(crate) shutdown: Shutdown,
    pub(crate) parts: BTreeMap<ServiceName, Part>,
    pub(crate) auth: Option<Arc<auth::Auth>>,
    pub(crate) chat: Option<Arc<chat::Chat>>,
    pub(crate) signaling: Option<Arc<signaling::Signaling>>,
    pub(crate) gateway: Option<(gateway::Gateway, Denials)>,
    /// What other processes may ask.
    pub(crate) local: Vec<Arc<dyn Service>>,
}

/// What every service has of its own.
pub(crate) struct Part {
    pub(crate) tasks: Tasks,
    pub(crate) readiness: Readiness,
    /// Where one is configured and the service has a use for it.
    pub(crate) redis: Option<Redis>,
}

impl Composition {
    /// Opens what runs here and connects what does not.
    pub(crate) async fn build(config: &Config, turn: Option<turn::Listeners>) -> Result<Self> {
        let shutdown = Shutdown::new();
        let parts = config.roles.iter().map(|role| Ok((role.0, Part::new(role.0, config, &shutdown)?)));
        let mut composition = Self {
            parts: parts.collect::<Result<_>>()?,
            shutdown,
            auth: None,
            chat: None,
            signaling: None,
            gateway: None,
            local: Vec::new(),
        };
        let mut local: Vec<Arc<dyn Service>> = Vec::new();

        if let Some(part) = composition.parts.get(&ServiceName::Auth) {
            let auth = open_auth(config, part, &composition.shutdown).context("auth")?;
            local.push(Named::beside(auth.clone()));
            composition.auth = Some(auth);
        }
        if let Some(part) = composition.parts.get(&ServiceName::Chat) {
            let auth = peers::find(config, &local, ServiceName::Auth, part.asker(ServiceName::Chat))?;
            let chat = open_chat(config, part, &composition.shutdown, auth).context("chat")?;
            local.push(Named::beside(chat.clone()));
            composition.chat = Some(chat);
        }
        let bound = turn.as_ref().map(turn::Listeners::addresses).unwrap_or_default();
        let turn = match (turn, composition.parts.get(&ServiceName::Turn)) {
            (Some(listeners), Some(part)) => {
                Some(relayed::start(config, listeners, part, &composition.shutdown).context("turn")?)
            }
            _ => None,
        };
        if let Some(part) = composition.parts.get(&ServiceName::Signaling) {
            let of = |service| peers::find(config, &local, service, part.asker(ServiceName::Signaling));
            let peers = signaling::Peers {
                auth: of(ServiceName::Auth)?,
                chat: of(ServiceName::Chat)?,
                others: peers::others(config, part.asker(ServiceName::Signaling))?,
                relay: relayed::access(config, &bound).context("turn")?.map(|access| relayed::relay(access, turn)),
            };
            let signaling = open_signaling(config, part, &composition.shutdown, peers).await.context("signaling")?;
            local.push(Named::beside(signaling.clone()));
            composition.signaling = Some(signaling);
        }
        if config.runs(ServiceName::Storage) {
            local.push(Named::beside(Arc::new(storage::Storage)));
        }
        if let Some(part) = composition.parts.get(&ServiceName::Gateway) {
            let of = |service| peers::find(config, &local, service, part.asker(ServiceName::Gateway));
            let services = gateway::Services {
                auth: of(ServiceName::Auth)?,
                chat: of(ServiceName::Chat)?,
                signaling: of(ServiceName::Signaling)?,
                storage: of(ServiceName::Storage)?,
            };
            let gateway = open_gateway(config, part, &composition.shutdown, services).context("gateway")?;
            composition.gateway = Some(gateway);
        }
        if !config.runs_all() || config.link.listen.is_some() {
            for (service, part) in
                local.iter().filter_map(|service| Some((service, composition.parts.get(&service.name())?)))
            {
                shared::tell(service, part, &composition.shutdown);
            }
        }
        composition.local = local;
        Ok(composition)
    }

    /// What the admin listener administrates.
    pub(crate) fn admin(&self, log: LogHandle, handles: &MetricsHandles) -> Admin {
        Admin {
            auth: self.auth.clone(),
            accounts: self.auth.clone().map(Accounts),
            conversations: self.chat.clone().map(Conversations),
            log,
            metrics: handles.clone(),
            trail: Trail(self.spool()),
        }
    }

    /// The audit trail of this process's own doings: that of the first service here that has one.
    fn spool(&self) -> Option<Spool> {
        let gateway = self.gateway.as_ref().map(|(_, denials)| denials.spool.clone());
        let auth = || self.auth.as_ref().map(|auth| auth.audit_spool());
        let chat = || self.chat.as_ref().map(|chat| chat.audit_spool());
        let signaling = || self.signaling.as_ref().map(|signaling| signaling.audit_spool());
        gateway.or_else(auth).or_else(chat).or_else(signaling)
    }

    /// The service whose name the process's own doings carry.
    pub(crate) fn first(&self) -> ServiceName {
        self.parts.keys().next().copied().unwrap_or(ServiceName::Gateway)
    }
}

impl Part {
    fn new(service: ServiceName, config: &Config, shutdown: &Shutdown) -> Result<Self> {
        declare_plain(service);
        let (tasks, readiness) = (Tasks::new(service), Readiness::new(shutdown.clone()));
        let redis = shared::redis(config, service, &tasks, &readiness, shutdown)?;
        Ok(Self { tasks, readiness, redis })
    }

    fn asker(&self, service: ServiceName) -> Asker<'_> {
        Asker { service, readiness: Some(&self.readiness), redis: self.redis.as_ref() }
    }
}

fn open_auth(config: &Config, part: &Part, shutdown: &Shutdown) -> Result<Arc<auth::Auth>> {
    let mut settings = config.auth.clone();
    if let Some(count) = config.limits.get("login_account") {
        settings.login_account = *count;
    }
    let host = auth::Host::new(part.tasks.clone(), shutdown.clone(), part.readiness.clone());
    let host = auth::Host { redis: part.redis.clone(), ..host };
    Ok(auth::Auth::open(settings, &config.folder(ServiceName::Auth), host)?)
}

fn open_chat(config: &Config, part: &Part, shutdown: &Shutdown, auth: Arc<dyn Service>) -> Result<Arc<chat::Chat>> {
    let host = chat::Host {
        tasks: part.tasks.clone(),
        shutdown: shutdown.clone(),
        readiness: part.readiness.clone(),
        redis: part.redis.clone(),
    };
    let folder = config.folder(ServiceName::Chat);
    Ok(chat::Chat::open(config.chat.clone(), &folder, chat::Peers { auth }, host)?)
}

async fn open_signaling(
    config: &Config,
    part: &Part,
    shutdown: &Shutdown,
    peers: signaling::Peers,
) -> Result<Arc<signaling::Signaling>> {
    let host = signaling::Host {
        tasks: part.tasks.clone(),
        shutdown: shutdown.clone(),
        readiness: part.readiness.clone(),
        redis: part.redis.clone(),
    };
    let folder = config.folder(ServiceName::Signaling);
    Ok(signaling::Signaling::open(config.signaling.clone(), &folder, peers, host).await?)
}

fn open_gateway(
    config: &Config,
    part: &Part,
    shutdown: &Shutdown,
    services: gateway::Services,
) -> Result<(gateway::Gateway, Denials)> {
    let folder = config.folder(ServiceName::Gateway);
    let denials = Denials::open(&folder, config.auth.audit_days.into(), &part.tasks, shutdown)?;
    let parts = gateway::Parts {
        services,
        limits: config.limits.clone(),
        redis: part.redis.clone(),
        audit: Some(denials.spool.clone()),
        shutdown: shutdown.clone(),
        readiness: part.readiness.clone(),
        tasks: part.tasks.clone(),
    };
    Ok((gateway::Gateway::build(config.gateway.clone(), parts), denials))
}
