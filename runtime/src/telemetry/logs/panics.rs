//! A panic is a log line and a count before it is anything else.

use std::panic::PanicHookInfo;

use protocol::ServiceName;

use super::stack;

/// Replaces the default hook, which would print to stderr in a format of its own.
pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let location =
            info.location().map_or_else(|| "unknown".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
        metrics::counter!("panics_total", "service" => service().as_str()).increment(1);
        tracing::error!(panic = message(info), caller = location, stacktrace = stack::capture(), "panicked");
    }));
}

/// The panic's own words.
fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

/// Whose panic it is: the span's service, else the service after whose role the thread is named (the store's are), else the
/// gateway, as for every metric without a service.
fn service() -> ServiceName {
    super::service_of_span().or_else(service_of_thread).unwrap_or(ServiceName::Gateway)
}

fn service_of_thread() -> Option<ServiceName> {
    let thread = std::thread::current();
    thread.name().and_then(|name| name.split('-').next()).and_then(ServiceName::from_role)
}
