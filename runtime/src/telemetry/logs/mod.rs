//! Structured logs: one JSON object per line, made for machines; on a terminal a line made for people.
//!
//! A layer of our own instead of `tracing-subscriber`'s JSON format, because the names are promised to operators
//! (`timestamp, level, msg, caller, service, request_id, trace_id, user_id, stacktrace`) and have to stand at the top level of every
//! line, taken from whatever span the event happens in. The span fields `service`, `request_id`, `trace_id` and
//! `user_id` are inherited; other span fields are not repeated on every line.
//!
//! Stack traces cost about as much as a request, so errors carry at most a few per second; panics always do.

mod line;
mod panics;
mod stack;
mod time;

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use protocol::ServiceName;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

pub use time::rfc3339;

use line::{Inherited, Line};

/// How lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// JSON lines.
    Json,
    /// Lines for people.
    Pretty,
}

/// How logging is set up.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged, in `tracing`'s filter language; empty means `info`.
    pub filter: String,
}

/// Changes the filter while the process runs.
#[derive(Debug, Clone)]
pub struct LogHandle {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Why logging can't be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not of the filter language.
    #[error("log filter {filter:?}: {reason}")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Logging was set up before in this process.
    #[error("logging is set up already")]
    AlreadySet,
}

impl LogHandle {
    /// Replaces the filter.
    pub fn set_filter(&self, filter: &str) -> Result<(), LogError> {
        self.filter
            .reload(parse_filter(filter)?)
            .map_err(|error| LogError::Filter { filter: filter.to_owned(), reason: error.to_string() })
    }
}

/// Sets up logging and the panic hook for this process; call it once, first thing.
pub fn init(options: &LogOptions) -> Result<LogHandle, LogError> {
    let pretty = match options.format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stdout().is_terminal(),
    };
    let (filter, handle) = reload::Layer::new(parse_filter(&options.filter)?);
    let subscriber = tracing_subscriber::registry().with(filter).with(LogLayer::new(pretty, |bytes| {
        // A log that can't be written can't be reported either.
        let _ = std::io::stdout().lock().write_all(bytes);
    }));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadySet)?;
    panics::install_hook();
    Ok(LogHandle { filter: handle })
}

/// The first four and last four characters of a secret; too short a one shows nothing.
pub fn mask(token: &str) -> String {
    let characters: Vec<char> = token.chars().collect();
    if characters.len() < 12 {
        return "****".to_owned();
    }
    let first: String = characters[..4].iter().collect();
    let last: String = characters[characters.len() - 4..].iter().collect();
    format!("{first}****{last}")
}

fn parse_filter(filter: &str) -> Result<EnvFilter, LogError> {
    let text = if filter.trim().is_empty() { "info" } else { filter };
    EnvFilter::try_new(text).map_err(|error| LogError::Filter { filter: filter.to_owned(), reason: error.to_string() })
}

/// The service of the span that this thread is in.
fn service_of_span() -> Option<ServiceName> {
    tracing::dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        let current = registry.current_span();
        let span = registry.span(current.id()?)?;
        let extensions = span.extensions();
        extensions.get::<Inherited>()?.service()
    })
}

type Sink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Writes each event as one line to a sink.
struct LogLayer {
    pretty: bool,
    sink: Sink,
}

impl LogLayer {
    fn new(pretty: bool, sink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self { pretty, sink: Arc::new(sink) }
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // The parent's names are copied once here, so that an event looks at one span only.
        let mut inherited =
            span.parent().and_then(|parent| parent.extensions().get::<Inherited>().cloned()).unwrap_or_default();
        attributes.record(&mut inherited);
        span.extensions_mut().insert(inherited);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(inherited) = span.extensions_mut().get_mut::<Inherited>() {
            values.record(inherited);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let inherited = context
            .event_span(event)
            .and_then(|span| span.extensions().get::<Inherited>().cloned())
            .unwrap_or_default();
        let mut line = Line::new(event.metadata(), inherited);
        event.record(&mut line);
        if *event.metadata().level() == Level::ERROR && !line.has_stack() {
            line.set_stack(stack::capture_within_budget());
        }
        let mut text = if self.pretty { line.pretty() } else { line.json() };
        text.push('\n');
        (self.sink)(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
