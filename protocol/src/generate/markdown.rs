//! The tables for people: `docs/codes.md` and `docs/commands.md`.

use std::fmt::Write;

use super::{bodies, tables};
use crate::codes::{CloseCode, ErrorCode};
use crate::commands::COMMANDS;
use crate::limits::{LimitKey, LimitKind, RATE_LIMITS};

const NOTE: &str =
    "<!-- Generated from `protocol/`; to write it anew: cargo run -p secureconnect-protocol --example generate -->\n";

/// Error codes, close codes.
pub(super) fn codes() -> String {
    let mut out = format!(
        "{NOTE}# Error and close codes\n\n\
         The same table is compiled into the server, the Rust client and the SDK. `retry` is part of the contract: `now` means at \
         once (with the same client id or `Idempotency-Key`), `after` means after the stated time or with a back-off, `never` \
         means not without a change.\n\n\
         ## Errors\n\nOn REST in `{{\"error\": {{\"code\", \"message\", \"request_id\", \"retry_after_ms\"}}}}`, on the socket in \
         `{{\"id\", \"error\"}}`.\n\n| code | HTTP | retry | meaning |\n|---|---|---|---|\n"
    );
    for code in ErrorCode::ALL {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            code.as_str(),
            code.status(),
            tables::retry(code.retry()),
            code.meaning()
        );
    }
    out.push_str(
        "\n## Close codes of the socket\n\nThe rule also stands in the number: 4000 to 4099 `now`, 4100 to 4199 `after`, \
         4200 to 4299 `never`; every other code `after`.\n\n| code | name | retry | meaning |\n|---|---|---|---|\n",
    );
    let mut codes = CloseCode::ALL.to_vec();
    codes.sort_by_key(|code| code.number());
    for code in codes {
        let _ = writeln!(
            out,
            "| {} | `{}` | {} | {} |",
            code.number(),
            code.as_str(),
            tables::retry(code.retry()),
            code.meaning()
        );
    }
    out
}

/// Commands, events, rate limits.
pub(super) fn commands() -> String {
    let bodies = bodies::collect();
    let mut out = format!(
        "{NOTE}# Commands, events and limits\n\n\
         Every command can be called by its REST form, and on the socket as `{{id, type, to, body}}` where the table says so. \
         `to` is what the route names. The types are those of [generated.ts](../sdk/src/generated.ts).\n\n\
         ## Commands\n\n| command | what it does | takes | answers | who | REST | socket | repeated by |\n|---|---|---|---|---|---|---|---|\n"
    );
    for (command, types) in COMMANDS.iter().zip(&bodies.commands) {
        let rest =
            command.rest.map_or_else(|| "-".to_owned(), |rest| format!("`{} {}`", rest.method.as_str(), rest.path));
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {rest} | {} | {} |",
            command.name,
            command.summary,
            type_name(types.request.as_deref()),
            type_name(types.answer.as_deref()),
            tables::access(command.access),
            if command.socket { "yes" } else { "-" },
            tables::repeat(command.repeat),
        );
    }
    out.push_str(
        "\n## Events\n\n`conversation` and `user` events are entries of a log and carry `from`, `register` events carry a key and \
         a version, `ephemeral` ones an expiry.\n\n| event | kind | body |\n|---|---|---|\n",
    );
    for event in &bodies.events {
        let _ = writeln!(out, "| `{}` | {} | {} |", event.name, event.kind.as_str(), type_name(event.body.as_deref()));
    }
    rate_limits(&mut out);
    out
}

fn type_name(name: Option<&str>) -> String {
    name.map_or_else(|| "-".to_owned(), |name| format!("`{name}`"))
}

fn rate_limits(out: &mut String) {
    out.push_str(
        "\n## Rate limits\n\nDefaults; each count is configurable under `[limits]` by its name. Several gateways count together over Redis: \
         what is \"never more\" exactly, what is \"on average\" with at most one burst too much from each gateway between two settlements (0.1 s), \
         which is then owed. While Redis is gone each gateway counts by itself.\n\n\
         | limit | whose budget | count | in | how |\n|---|---|---|---|---|\n",
    );
    for limit in RATE_LIMITS {
        let key = match limit.key {
            LimitKey::Caller => "the user, or the address of the anonymous",
            LimitKey::Address => "the address",
            LimitKey::Account => "the named account",
            LimitKey::CallerInConversation => "the user within one conversation",
            LimitKey::Login => "all sockets of one login",
        };
        let kind = match limit.kind {
            LimitKind::SlidingWindow => "never more in any window".to_owned(),
            LimitKind::Gcra { burst } => format!("on average, {burst} at once"),
        };
        let _ = writeln!(out, "| `{}` | {key} | {} | {} s | {kind} |", limit.name, limit.count, limit.window_ms / 1000);
    }
}
