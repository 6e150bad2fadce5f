use parking_lot::Mutex;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

/// What `work` logs, as parsed lines.
fn logged(work: impl FnOnce()) -> Vec<Value> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let layer = LogLayer::new(false, move |bytes| {
        sink.lock().push(serde_json::from_slice(bytes).unwrap());
    });
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    std::mem::take(&mut *lines.lock())
}

#[test]
fn a_line_carries_its_own_fields_and_the_names_of_its_spans() {
    let lines = logged(|| {
        let outer = tracing::info_span!("request", service = "chat-service", request_id = "r-1");
        let _outer = outer.enter();
        let inner = tracing::info_span!("command", user_id = tracing::field::Empty);
        inner.record("user_id", "u-1");
        let _inner = inner.enter();
        tracing::info!(rows = 3, ok = true, "stored");
    });
    let line = &lines[0];
    assert_eq!(line["msg"], "stored");
    assert_eq!(line["level"], "info");
    assert_eq!(line["service"], "chat-service");
    assert_eq!(line["request_id"], "r-1");
    assert_eq!(line["user_id"], "u-1");
    assert_eq!(line["rows"], 3);
    assert_eq!(line["ok"], true);
    assert!(line["caller"].as_str().unwrap().contains("logs/tests.rs:"));
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(line.get("stacktrace").is_none());
}

#[test]
fn ids_that_a_span_holds_as_numbers_are_written_as_ids() {
    let lines = logged(|| {
        let _span = tracing::info_span!("command", request_id = 1_u128, trace_id = 2_u128).entered();
        tracing::info!("stored");
    });
    assert_eq!(lines[0]["request_id"], "00000000-0000-0000-0000-000000000001");
    assert_eq!(lines[0]["trace_id"], "00000000000000000000000000000002");
}

#[test]
fn an_error_carries_a_stack_trace() {
    let lines = logged(|| tracing::error!("broken"));
    assert!(lines[0]["stacktrace"].as_str().unwrap().contains("tests"));
}

#[test]
fn a_field_cannot_overwrite_what_the_line_promises() {
    let lines = logged(|| tracing::info!(level = "fake", timestamp = "never", "real"));
    assert_eq!(lines[0]["level"], "info");
    assert_ne!(lines[0]["timestamp"], "never");
}

#[test]
fn a_message_with_line_breaks_stays_one_line() {
    let lines = logged(|| tracing::info!(text = "a\nb\u{1b}[31m", "one\ntwo"));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["msg"], "one\ntwo");
}

#[test]
fn masking_shows_four_and_four_or_nothing() {
    assert_eq!(mask("abcdefghijklmnop"), "abcd****mnop");
    assert_eq!(mask("short"), "****");
    assert_eq!(mask("éééééééééééé"), "éééé****éééé");
}

#[test]
fn the_spans_service_is_known_to_whoever_has_no_event_at_hand() {
    let mut found = Vec::new();
    logged(|| {
        found.push(service_of_span());
        let _span = tracing::info_span!("task", service = "auth-service").entered();
        let _inner = tracing::info_span!("inner").entered();
        found.push(service_of_span());
    });
    assert_eq!(found, [None, Some(ServiceName::Auth)]);
}
