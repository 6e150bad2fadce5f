//! Commands, codes and limits as TypeScript values.

use std::fmt::Write;

use super::bodies::Bodies;
use crate::codes::{CloseCode, ErrorCode, Retry};
use crate::commands::{Access, COMMANDS, CommandSpec, ParamKind, Repeat, Route};
use crate::{frames, limits};

/// Adds all tables.
pub(super) fn render(out: &mut String, bodies: &Bodies) {
    command_types(out, bodies);
    event_types(out, bodies);
    commands(out);
    codes(out);
    limits(out);
}

/// The word of a retry rule.
pub(super) const fn retry(rule: Retry) -> &'static str {
    match rule {
        Retry::Now => "now",
        Retry::After => "after",
        Retry::Never => "never",
    }
}

/// The word of who may call a command.
pub(super) const fn access(access: Access) -> &'static str {
    match access {
        Access::Anonymous => "anonymous",
        Access::User => "user",
        Access::Role(role) => role.as_str(),
    }
}

/// The word of what `to` names.
pub(super) const fn route(route: Route) -> &'static str {
    match route {
        Route::Any => "any",
        Route::Caller => "caller",
        Route::Conversation => "conversation",
        Route::User => "user",
        Route::Call => "call",
    }
}

/// The word of how a repetition is recognised.
pub(super) const fn repeat(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Harmless => "harmless",
        Repeat::Key => "key",
        Repeat::ClientId => "client_id",
    }
}

fn command_types(out: &mut String, bodies: &Bodies) {
    out.push_str("\n/** What each command takes besides `to`, and what it answers. */\n");
    out.push_str("export interface CommandTypes {\n");
    for command in &bodies.commands {
        let request = command.request.as_deref().unwrap_or("Record<string, never>");
        let answer = command.answer.as_deref().unwrap_or("unknown");
        let _ = writeln!(out, "  \"{}\": {{ request: {request}; answer: {answer} }};", command.name);
    }
    out.push_str("}\nexport type CommandName = keyof CommandTypes;\n");
}

fn event_types(out: &mut String, bodies: &Bodies) {
    out.push_str("\n/** What each event carries, and how it reaches its reader. */\n");
    out.push_str("export interface EventTypes {\n");
    for event in &bodies.events {
        let body = event.body.as_deref().unwrap_or("Record<string, never>");
        let _ = writeln!(out, "  \"{}\": {{ kind: \"{}\"; body: {body} }};", event.name, event.kind.as_str());
    }
    out.push_str("}\nexport type EventName = keyof EventTypes;\n");
}

const COMMAND_SPEC: &str = "
export interface RestSpec {
  method: \"GET\" | \"POST\" | \"PUT\" | \"PATCH\" | \"DELETE\";
  /** `{name}` is a parameter: the one that the route names is `to`, the others are fields of the body. */
  path: string;
  /** The fields of the body that travel as query; lists are joined by commas. */
  query: readonly { name: string; kind: \"text\" | \"integer\" | \"list\" }[];
}
export interface CommandSpec {
  service: string;
  access: \"anonymous\" | Role;
  cost: string;
  /** What `to` names. */
  route: \"any\" | \"caller\" | \"conversation\" | \"user\" | \"call\";
  /** How a repetition is recognised. */
  repeat: \"harmless\" | \"key\" | \"client_id\";
  /** Whether it can be sent on the socket. */
  socket: boolean;
  rest?: RestSpec;
}
";

fn commands(out: &mut String) {
    out.push_str(COMMAND_SPEC);
    out.push_str("\n/** Everything a client can ask for. */\n");
    out.push_str("export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {\n");
    for command in COMMANDS {
        command_row(out, command);
    }
    out.push_str("};\n");
}

fn command_row(out: &mut String, command: &CommandSpec) {
    let _ = writeln!(out, "  /** {} */", command.summary);
    let _ = write!(
        out,
        "  \"{}\": {{ service: \"{}\", access: \"{}\", cost: \"{}\", route: \"{}\", repeat: \"{}\", socket: {}",
        command.name,
        command.service.as_str(),
        access(command.access),
        command.cost.as_str(),
        route(command.route),
        repeat(command.repeat),
        command.socket
    );
    if let Some(rest) = command.rest {
        let query: Vec<_> = rest
            .query
            .iter()
            .map(|param| {
                let kind = match param.kind {
                    ParamKind::Text => "text",
                    ParamKind::Integer => "integer",
                    ParamKind::List => "list",
                };
                format!("{{ name: \"{}\", kind: \"{kind}\" }}", param.name)
            })
            .collect();
        let _ = write!(
            out,
            ", rest: {{ method: \"{}\", path: \"{}\", query: [{}] }}",
            rest.method.as_str(),
            rest.path,
            query.join(", ")
        );
    }
    out.push_str(" },\n");
}

fn codes(out: &mut String) {
    out.push_str("\nexport type Retry = \"now\" | \"after\" | \"never\";\n");
    out.push_str("\n/** Error codes with their HTTP status and retry rule. */\n");
    out.push_str("export const ERROR_CODES: Readonly<Record<ErrorCode, { status: number; retry: Retry; meaning: string }>> = {\n");
    for code in ErrorCode::ALL {
        let _ = writeln!(
            out,
            "  {}: {{ status: {}, retry: \"{}\", meaning: {:?} }},",
            code.as_str(),
            code.status(),
            retry(code.retry()),
            code.meaning()
        );
    }
    out.push_str("};\n\n/** Close codes of the socket with their retry rule. */\n");
    out.push_str("export const CLOSE_CODES = {\n");
    for code in CloseCode::ALL {
        let _ = writeln!(
            out,
            "  {}: {{ number: {}, retry: \"{}\", meaning: {:?} }},",
            code.as_str(),
            code.number(),
            retry(code.retry()),
            code.meaning()
        );
    }
    out.push_str("} as const satisfies Record<string, { number: number; retry: Retry; meaning: string }>;\n");
    out.push_str("export type CloseCodeName = keyof typeof CLOSE_CODES;\n");
}

fn limits(out: &mut String) {
    macro_rules! limits {
        ($($name:ident),* $(,)?) => {
            &[$((stringify!($name), limits::$name as u64),)*]
        };
    }
    let plain: &[(&str, u64)] = limits![
        FRAME_BYTES_MAX,
        BODY_BYTES_MAX,
        TEXT_CHARS_MAX,
        TITLE_CHARS_MAX,
        NAME_CHARS_MAX,
        MEMBERS_PER_REQUEST_MAX,
        MEMBERS_MAX,
        USERS_PER_REQUEST_MAX,
        PAGE_MAX,
        POSITIONS_PER_SYNC_MAX,
        PRESENCE_PUSH_MEMBERS_MAX,
        MARKERS_NAMED_MEMBERS_MAX,
        PRESENCE_WATCH_MAX,
        CONNECTIONS_PER_LOGIN_MAX,
        CANDIDATES_PER_SIGNAL_MAX,
        HEARTBEAT_MS,
        DEAD_AFTER_MS,
        HELLO_WITHIN_MS,
        RESUME_WINDOW_MS,
        ACK_EVERY_EVENTS,
        ACK_EVERY_MS,
        EXPIRY_NOTICE_MS,
        TYPING_EVERY_MS,
        TYPING_TTL_MS,
    ];
    let ranges = [
        ("HANDLE_CHARS_MIN", *limits::HANDLE_CHARS.start()),
        ("HANDLE_CHARS_MAX", *limits::HANDLE_CHARS.end()),
        ("PASSWORD_CHARS_MIN", *limits::PASSWORD_CHARS.start()),
        ("PASSWORD_CHARS_MAX", *limits::PASSWORD_CHARS.end()),
    ];
    out.push_str("\n/** Sizes and times that both ends agree on. */\nexport const LIMITS = {\n");
    for (name, value) in plain {
        let _ = writeln!(out, "  {name}: {value},");
    }
    for (name, value) in ranges {
        let _ = writeln!(out, "  {name}: {value},");
    }
    out.push_str("} as const;\n\n/** The subprotocol of JSON text frames. */\n");
    let _ = writeln!(out, "export const SUBPROTOCOL_JSON = \"{}\";", frames::SUBPROTOCOL_JSON);
}
