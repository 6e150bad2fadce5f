//! From serving to the end, in order (RS4): not ready, no new connections, clients go elsewhere, work in flight ends, everything stops,
//! the stores are closed. Each step has its time; a second signal skips what is left of it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use futures_util::StreamExt;
use link::grpc::{self, Offered};
use protocol::ServiceName;
use runtime::lifecycle::{Shutdown, drain_on_signal};
use runtime::telemetry::metrics::MetricsHandles;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::compose::Composition;
use super::listeners::Listeners;
use super::routes;
use crate::config::Config;

/// How long workers may take to end once everything stops: they only write down what they hold.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Serves what is composed on what is bound, until a signal, then drains.
pub(crate) async fn serve(
    config: &Config,
    listeners: Listeners,
    composition: Composition,
    admin: Router,
    handles: &MetricsHandles,
) -> Result<()> {
    let shutdown = composition.shutdown.clone();
    // What must have ended before the process may: connections in flight.
    let doors = TaskTracker::new();
    for (service, listener) in listeners.services {
        let Some(part) = composition.parts.get(&service) else { continue };
        let (readiness, networks) = (part.readiness.clone(), config.metrics.networks.clone());
        let router = match (&composition.gateway, service) {
            (Some((gateway, _)), ServiceName::Gateway) => {
                routes::operators(service, handles, readiness, networks).merge(gateway.router())
            }
            _ => routes::operators_only(routes::operators(service, handles, readiness, networks)),
        };
        let span = tracing::info_span!("listener", service = service.as_str());
        doors.spawn(listener.serve(router, shutdown.clone()).instrument(span));
    }
    doors.spawn(listeners.admin.serve(admin, shutdown.clone()).in_current_span());
    for door in listeners.doors {
        tracing::info!(address = %door.listener.address(), "listening for other processes");
        let offered = composition.local.iter().filter(|service| door.offers.contains(&service.name()));
        let offered = offered.filter_map(|service| {
            let readiness = &composition.parts.get(&service.name())?.readiness;
            Some(Offered { service: Arc::clone(service), ready: readiness.changes().boxed() })
        });
        let offered = offered.collect();
        doors.spawn(serve_link(door.listener, offered, shutdown.clone()).in_current_span());
    }
    doors.close();

    let clients_gone = async {
        if let Some((gateway, _)) = &composition.gateway {
            gateway.drained().await;
        }
    };
    let idle = async {
        tokio::join!(clients_gone, doors.wait());
    };
    drain_on_signal(shutdown, config.drain, idle).await.context("signals")?;
    for (service, part) in &composition.parts {
        let late = part.tasks.join(END_WITHIN).await;
        if !late.is_empty() {
            tracing::warn!(service = service.as_str(), tasks = ?late, "did not end in time");
        }
    }
    if let Some(signaling) = composition.signaling {
        signaling.close().await;
    }
    if let Some(chat) = composition.chat {
        chat.close().await;
    }
    if let Some((_, denials)) = composition.gateway {
        denials.close().await;
    }
    tracing::info!("stopped");
    Ok(())
}

async fn serve_link(listener: grpc::Listener, offered: Vec<Offered>, shutdown: Shutdown) {
    let stop = CancellationToken::new();
    let draining = async {
        shutdown.draining().await;
        stop.cancel();
        shutdown.stopped().await;
    };
    tokio::select! {
        served = listener.serve(offered, stop.clone()) => {
            if let Err(error) = served {
                tracing::error!(%error, "the link ended");
            }
        }
        () = draining => {}
    }
}
