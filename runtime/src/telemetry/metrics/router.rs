//! The global recorder: sends each series to the registry of its service.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::PrometheusRecorder;
use protocol::ServiceName;

pub(super) struct Router {
    recorders: Vec<(&'static str, PrometheusRecorder)>,
}

impl Router {
    pub(super) fn new(recorders: Vec<(ServiceName, PrometheusRecorder)>) -> Self {
        Self { recorders: recorders.into_iter().map(|(service, recorder)| (service.as_str(), recorder)).collect() }
    }

    /// The gateway's is the first, and takes what names no service.
    fn route(&self, key: &Key) -> &PrometheusRecorder {
        let service = key.labels().find(|label| label.key() == "service").map(metrics::Label::value);
        let index = self.recorders.iter().position(|(name, _)| Some(*name) == service).unwrap_or(0);
        &self.recorders[index].1
    }
}

impl Recorder for Router {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        for (_, recorder) in &self.recorders {
            recorder.describe_counter(key.clone(), unit, description.clone());
        }
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        for (_, recorder) in &self.recorders {
            recorder.describe_gauge(key.clone(), unit, description.clone());
        }
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        for (_, recorder) in &self.recorders {
            recorder.describe_histogram(key.clone(), unit, description.clone());
        }
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.route(key).register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.route(key).register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.route(key).register_histogram(key, metadata)
    }
}
