//! The service's own counters.

use metrics::Counter;
use protocol::ServiceName;

/// The only type of message so far.
const TEXT: &str = "text";

/// The counters, looked up once: at 20,000 messages a second the registry would cost more than the parsing.
#[derive(Clone)]
pub(crate) struct Meters {
    received: Counter,
    stored: Counter,
    acknowledged: Counter,
}

impl Meters {
    /// Registers every series at zero, so that it shows from the first scrape.
    pub(crate) fn new() -> Self {
        Self {
            received: counter("messages_received_total"),
            stored: counter("messages_total"),
            acknowledged: counter("messages_sent_total"),
        }
    }

    /// A message of the right form came from a client.
    pub(crate) fn received(&self) {
        self.received.increment(1);
    }

    /// A message was stored, and is about to be acknowledged.
    pub(crate) fn sent(&self) {
        self.stored.increment(1);
        self.acknowledged.increment(1);
    }
}

fn counter(name: &'static str) -> Counter {
    runtime::telemetry::metrics::declare(ServiceName::Chat, name, &[("type", TEXT)]);
    metrics::counter!(name, "service" => ServiceName::Chat.as_str(), "type" => TEXT)
}
