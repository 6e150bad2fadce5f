//! The standard health service, `grpc.health.v1.Health`, beside the link: whether a service can serve, for whoever speaks gRPC and not HTTP.
//!
//! It says what `/readyz` says, and at the same moment: both read one state, which comes here as a stream of its changes. A service is asked
//! for by its name (`chat-service`); the empty name asks for all that are offered at this address.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream, SelectAll};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::service::Service;

/// The name by which all are asked for at once.
const ALL: &str = "";

/// A service that is offered to other processes, and whether it can serve.
pub struct Offered {
    /// The service.
    pub service: Arc<dyn Service>,
    /// Whether it can serve, now and whenever that changes.
    pub ready: BoxStream<'static, bool>,
}

impl Offered {
    /// A service that can always serve.
    #[must_use]
    pub fn always(service: Arc<dyn Service>) -> Self {
        Self { service, ready: stream::once(std::future::ready(true)).boxed() }
    }
}

/// What is told of the services at one address.
pub(super) struct Health {
    reporter: HealthReporter,
    changes: SelectAll<BoxStream<'static, (&'static str, bool)>>,
    ready: BTreeMap<&'static str, bool>,
    /// What who watches has heard last.
    told: BTreeMap<&'static str, bool>,
}

impl Health {
    /// Nobody can serve until it was said.
    pub(super) async fn of(offered: Vec<(&'static str, BoxStream<'static, bool>)>) -> Self {
        let ready = offered.iter().map(|(name, _)| (*name, false)).collect();
        let changes = offered.into_iter().map(|(name, ready)| ready.map(move |ready| (name, ready)).boxed());
        let mut health = Self {
            reporter: HealthReporter::new(),
            changes: stream::select_all(changes),
            ready,
            told: BTreeMap::new(),
        };
        health.tell().await;
        health
    }

    /// The service that answers.
    pub(super) fn server(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
    }

    /// Tells every change until `shutdown`; then nobody can serve, and who watches hears that as the last.
    pub(super) async fn follow(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                Some((name, ready)) = self.changes.next() => {
                    self.ready.insert(name, ready);
                    self.tell().await;
                }
                () = shutdown.cancelled() => break,
            }
        }
        self.ready.values_mut().for_each(|ready| *ready = false);
        self.tell().await;
        // A watch has no end of its own and would hold the connection: it ends with the entry that it looks at.
        for name in self.ready.keys().copied().chain([ALL]) {
            self.reporter.clear_service_status(name).await;
        }
        self.told.clear();
        self.tell().await;
    }

    /// Tells what has changed: nobody hears again what they know because another service has changed.
    async fn tell(&mut self) {
        let all = self.ready.values().all(|ready| *ready);
        for (name, ready) in self.ready.iter().map(|(name, ready)| (*name, *ready)).chain([(ALL, all)]) {
            if self.told.insert(name, ready) == Some(ready) {
                continue;
            }
            let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
            self.reporter.set_service_status(name, status).await;
        }
    }
}
