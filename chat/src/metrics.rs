//! The service's own counters.

use protocol::ServiceName;

/// The only type of message so far.
const TEXT: &str = "text";

/// Registers every series at zero, so that it shows from the first scrape.
pub(crate) fn declare() {
    for name in ["messages_received_total", "messages_total", "messages_sent_total"] {
        runtime::telemetry::metrics::declare(ServiceName::Chat, name, &[("type", TEXT)]);
    }
}

/// A message of the right form came from a client.
pub(crate) fn received() {
    count("messages_received_total");
}

/// A message was stored, and is about to be acknowledged.
pub(crate) fn sent() {
    count("messages_total");
    count("messages_sent_total");
}

fn count(name: &'static str) {
    metrics::counter!(name, "service" => ServiceName::Chat.as_str(), "type" => TEXT).increment(1);
}
