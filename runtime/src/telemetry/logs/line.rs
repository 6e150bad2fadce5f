//! One log line: gathered from an event and its span, written as JSON or for people.

use std::fmt::{Debug, Display, Formatter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::ServiceName;
use serde_json::{Map, Number, Value};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};
use uuid::Uuid;

use super::time::rfc3339;

/// The names that events take over from their span.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    service: Option<Name>,
    request_id: Option<Name>,
    trace_id: Option<Name>,
    user_id: Option<Name>,
}

/// A name's value, as it came: a span is made for every command and a line is rare, so text is made for lines only.
#[derive(Debug, Clone)]
enum Name {
    Text(String),
    Service(ServiceName),
    /// A number is the value of an id.
    Id(u128),
    /// Of a trace the standard wants plain hexadecimal.
    Trace(u128),
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Service(service) => f.write_str(service.as_str()),
            Self::Id(id) => write!(f, "{}", Uuid::from_u128(*id)),
            Self::Trace(id) => write!(f, "{id:032x}"),
        }
    }
}

impl Inherited {
    pub(super) fn service(&self) -> Option<ServiceName> {
        match self.service {
            Some(Name::Service(service)) => Some(service),
            _ => None,
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Name>> {
        match name {
            "service" => Some(&mut self.service),
            "request_id" => Some(&mut self.request_id),
            "trace_id" => Some(&mut self.trace_id),
            "user_id" => Some(&mut self.user_id),
            _ => None,
        }
    }

    fn named(&self) -> [(&'static str, &Option<Name>); 4] {
        [
            ("service", &self.service),
            ("request_id", &self.request_id),
            ("trace_id", &self.trace_id),
            ("user_id", &self.user_id),
        ]
    }
}

impl Visit for Inherited {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.slot(field.name()) {
            let service = ServiceName::ALL.into_iter().find(|service| service.as_str() == value);
            *slot = Some(service.map_or_else(|| Name::Text(value.to_owned()), Name::Service));
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        let name = if field.name() == "trace_id" { Name::Trace(value) } else { Name::Id(value) };
        if let Some(slot) = self.slot(field.name()) {
            *slot = Some(name);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some(slot) = self.slot(field.name()) {
            *slot = Some(Name::Text(format!("{value:?}")));
        }
    }
}

/// One event on its way to becoming a line.
pub(super) struct Line {
    level: Level,
    caller: String,
    message: String,
    names: Inherited,
    fields: Map<String, Value>,
    stack: Option<String>,
}

impl Line {
    pub(super) fn new(metadata: &Metadata<'_>, names: Inherited) -> Self {
        Self {
            level: *metadata.level(),
            caller: match (metadata.file(), metadata.line()) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                _ => metadata.target().to_owned(),
            },
            message: String::new(),
            names,
            fields: Map::new(),
            stack: None,
        }
    }

    pub(super) fn has_stack(&self) -> bool {
        self.stack.is_some()
    }

    pub(super) fn set_stack(&mut self, stack: Option<String>) {
        self.stack = stack;
    }

    pub(super) fn json(self) -> String {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), rfc3339(now_ms()).into());
        object.insert("level".to_owned(), level_name(self.level).into());
        object.insert("msg".to_owned(), self.message.into());
        object.insert("caller".to_owned(), self.caller.into());
        for (name, value) in self.names.named() {
            if let Some(value) = value {
                object.insert(name.to_owned(), value.to_string().into());
            }
        }
        for (name, value) in self.fields {
            // An event can't overwrite what the line itself promises.
            object.entry(name).or_insert(value);
        }
        if let Some(stack) = self.stack {
            object.insert("stacktrace".to_owned(), stack.into());
        }
        Value::Object(object).to_string()
    }

    pub(super) fn pretty(self) -> String {
        let clock = rfc3339(now_ms());
        let (colour, reset) = match self.level {
            Level::ERROR => ("\x1b[31m", "\x1b[0m"),
            Level::WARN => ("\x1b[33m", "\x1b[0m"),
            Level::INFO => ("\x1b[32m", "\x1b[0m"),
            _ => ("\x1b[2m", "\x1b[0m"),
        };
        let mut text = format!("{} {colour}{:>5}{reset} ", clock.get(11..23).unwrap_or(&clock), level_name(self.level));
        if let Some(service) = &self.names.service {
            let _ = write!(text, "{service} ");
        }
        text.push_str(&self.message);
        let known = self.names.named().into_iter().skip(1);
        for (name, value) in known.filter_map(|(name, value)| value.as_ref().map(|value| (name, value))) {
            let _ = write!(text, " \x1b[2m{name}=\x1b[0m{value}");
        }
        for (name, value) in &self.fields {
            match value {
                Value::String(value) => _ = write!(text, " \x1b[2m{name}=\x1b[0m{}", one_line(value)),
                value => _ = write!(text, " \x1b[2m{name}=\x1b[0m{value}"),
            }
        }
        if let Some(stack) = &self.stack {
            let _ = write!(text, "\n{}", stack.trim_end());
        }
        text
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("stacktrace", Value::String(text)) => self.stack = Some(text),
            ("caller", Value::String(text)) => self.caller = text,
            (name, value) => match (self.names.slot(name), value) {
                (Some(slot), Value::String(text)) => *slot = Some(Name::Text(text)),
                (Some(slot), value) => *slot = Some(Name::Text(value.to_string())),
                (None, value) => _ = self.fields.insert(name.to_owned(), value),
            },
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let value = Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number);
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            let _ = write!(text, ": {cause}");
            source = cause.source();
        }
        self.put(field, text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// A terminal shows what a stranger sent: no line breaks and no escape sequences from there.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
