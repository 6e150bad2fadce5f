//! A panic is a log line and a count before it is anything else.

use std::panic::PanicHookInfo;

use super::stack;

/// Replaces the default hook, which would print to stderr in a format of its own.
pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let location =
            info.location().map_or_else(|| "unknown".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
        metrics::counter!("panics_total", "service" => service_of_thread()).increment(1);
        tracing::error!(panic = message(info), caller = location, stacktrace = stack::capture(), "panicked");
    }));
}

/// The panic's own words.
pub(crate) fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

/// Store threads are named after their service's role; what can't be told is the gateway's, as for every
/// metric without a service.
fn service_of_thread() -> &'static str {
    let thread = std::thread::current();
    let role = thread.name().and_then(|name| name.split('-').next()).and_then(protocol::ServiceName::from_role);
    role.unwrap_or(protocol::ServiceName::Gateway).as_str()
}
