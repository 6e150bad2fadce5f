//! Metrics: one process, an exposition for each service.
//!
//! All services may run in one process, yet each port's `/metrics` shows only its own service, exactly as if they ran
//! apart; a dashboard can't tell the difference. So the one global recorder routes each series by its label
//! `service` to the service's own Prometheus registry. Series without that label (`rate_limit_*`) belong to the gateway.
//!
//! Every name stands in the [`CATALOGUE`] with its labels, its help text and its buckets. What is known in advance is
//! registered at start by [`declare`] and [`declare_plain`], so that a dashboard shows zero instead of "no data".

mod catalogue;
mod offenders;
mod router;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use parking_lot::Mutex;
use protocol::ServiceName;

pub use catalogue::{CATALOGUE, Kind, Metric};
pub use offenders::TopOffenders;

use router::Router;

/// Histogram samples wait in memory until they are sorted into buckets; this often they are.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Reads what was recorded. Clones share it.
#[derive(Clone)]
pub struct MetricsHandles {
    inner: Arc<Inner>,
}

struct Inner {
    registries: Vec<(ServiceName, PrometheusHandle)>,
    offenders: Mutex<Vec<(ServiceName, Arc<TopOffenders>)>>,
}

impl std::fmt::Debug for MetricsHandles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricsHandles").finish_non_exhaustive()
    }
}

/// Installs the process's recorder, or hands out the one that is installed.
pub fn install() -> MetricsHandles {
    static INSTALLED: OnceLock<MetricsHandles> = OnceLock::new();
    INSTALLED.get_or_init(build).clone()
}

fn build() -> MetricsHandles {
    let recorders: Vec<(ServiceName, PrometheusRecorder)> =
        ServiceName::ALL.into_iter().map(|service| (service, recorder())).collect();
    let registries = recorders.iter().map(|(service, recorder)| (*service, recorder.handle())).collect();
    let handles = MetricsHandles { inner: Arc::new(Inner { registries, offenders: Mutex::new(Vec::new()) }) };
    if metrics::set_global_recorder(Router::new(recorders)).is_err() {
        tracing::warn!("another metrics recorder is installed; /metrics will stay empty");
    }
    catalogue::describe();
    let upkeep = handles.clone();
    let started = std::thread::Builder::new().name("metrics-upkeep".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP_INTERVAL);
            for (_, registry) in &upkeep.inner.registries {
                registry.run_upkeep();
            }
        }
    });
    if let Err(error) = started {
        tracing::error!(%error, "no thread for the upkeep of metrics");
    }
    handles
}

fn recorder() -> PrometheusRecorder {
    let builder = CATALOGUE.iter().filter(|metric| !metric.buckets.is_empty()).fold(
        PrometheusBuilder::new(),
        |builder, metric| {
            let matcher = Matcher::Full(metric.name.to_owned());
            // The only error is an empty bucket list, which was filtered out.
            match builder.set_buckets_for_metric(matcher, metric.buckets) {
                Ok(builder) => builder,
                Err(_) => PrometheusBuilder::new(),
            }
        },
    );
    builder.build_recorder()
}

impl MetricsHandles {
    /// One service's exposition, in Prometheus' text format.
    pub fn render(&self, service: ServiceName) -> String {
        let mut text = self
            .inner
            .registries
            .iter()
            .find(|(owner, _)| *owner == service)
            .map(|(_, registry)| registry.render())
            .unwrap_or_default();
        for (owner, offenders) in self.inner.offenders.lock().iter() {
            if *owner == service {
                offenders.render(service.as_str(), &mut text);
            }
        }
        text
    }

    /// The table behind a metric whose label would grow without bound; the same one each time it is asked for.
    pub fn top_offenders(&self, service: ServiceName, metric: &'static str, label: &'static str) -> Arc<TopOffenders> {
        let mut all = self.inner.offenders.lock();
        let known = all.iter().find(|(owner, table)| *owner == service && table.metric() == metric);
        if let Some((_, table)) = known {
            return Arc::clone(table);
        }
        let table = Arc::new(TopOffenders::new(metric, label));
        all.push((service, Arc::clone(&table)));
        table
    }
}

/// Registers one series at zero. `labels` are all but `service`, which is added where the metric has it.
pub fn declare(service: ServiceName, name: &'static str, labels: &[(&'static str, &str)]) {
    let Some(metric) = catalogue::find(name) else {
        debug_assert!(false, "{name} is not in the catalogue");
        return;
    };
    debug_assert!(
        metric.labels.iter().filter(|label| **label != "service").count() == labels.len()
            && labels.iter().all(|(label, _)| metric.labels.contains(label)),
        "{name} has the labels {:?}",
        metric.labels
    );
    let mut all: Vec<metrics::Label> =
        labels.iter().map(|(label, value)| metrics::Label::new(*label, (*value).to_owned())).collect();
    if metric.labels.contains(&"service") {
        all.push(metrics::Label::from_static_parts("service", service.as_str()));
    }
    match metric.kind {
        Kind::Counter => metrics::counter!(name, all).increment(0),
        Kind::Gauge => metrics::gauge!(name, all).increment(0.0),
        Kind::Histogram => drop(metrics::histogram!(name, all)),
    }
}

/// Registers at zero every metric of this service that has no label but `service`.
pub fn declare_plain(service: ServiceName) {
    for metric in CATALOGUE {
        // Those of Redis are registered where there is one: zero would read as an outage.
        let is_there = !metric.name.starts_with("redis_");
        if is_there && metric.labels == ["service"] && metric.services.contains(&service) {
            declare(service, metric.name, &[]);
        }
    }
}

#[cfg(test)]
mod tests;
