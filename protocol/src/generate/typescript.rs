//! From JSON schemas to TypeScript declarations.
//!
//! Only the shapes that this crate's types produce are known: objects, closed sets of strings, arrays, references, and values
//! that may be absent. Everything is sorted by name, so that the result does not depend on how maps are built.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::{bodies, tables};

const HEAD: &str = "// Generated from the Rust types and tables in `protocol/`; do not edit.
// To write it anew: cargo run -p secureconnect-protocol --example generate

/** A UUID in its hyphenated lower-case form. */
export type Uuid = string;
/** Unix time in milliseconds. */
export type Millis = number;
/** The number of an entry in its stream: gapless, the first is 1. */
export type Seq = number;
";

const FRAMES: &str = "
/** A frame from the client: a command (with `id`), or `ack` and `ping` (without). */
export interface ClientFrame {
  id?: number;
  type: string;
  to?: string;
  key?: Uuid;
  /** The W3C `traceparent` of the caller's span. */
  traceparent?: string;
  body?: unknown;
}

/** A frame from the server: a reply (`id` with `ok` or `error`), a pong, or an event. */
export interface ServerFrame {
  id?: number;
  ok?: unknown;
  error?: ErrorBody;
  type?: string;
  from?: From;
  register?: { key: string; version: number };
  until?: Millis;
  at?: Millis;
  body?: unknown;
}
";

/// The whole file.
pub(super) fn render() -> String {
    let bodies = bodies::collect();
    let mut out = String::from(HEAD);
    let schemas: BTreeMap<_, _> = bodies.schemas.iter().collect();
    for (name, schema) in schemas {
        declaration(&mut out, name, schema);
    }
    out.push_str(FRAMES);
    tables::render(&mut out, &bodies);
    out
}

fn declaration(out: &mut String, name: &str, schema: &Value) {
    out.push('\n');
    comment(out, "", schema);
    let properties = schema.get("properties").and_then(Value::as_object);
    let object = schema.get("type").and_then(Value::as_str) == Some("object");
    if !object {
        let _ = writeln!(out, "export type {name} = {};", type_of(schema));
        return;
    }
    let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
        let _ = writeln!(out, "export type {name} = Record<string, never>;");
        return;
    };
    let required: Vec<_> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let _ = writeln!(out, "export interface {name} {{");
    let properties: BTreeMap<_, _> = properties.iter().collect();
    for (field, schema) in properties {
        comment(out, "  ", schema);
        let mark = if required.contains(&field.as_str()) { "" } else { "?" };
        let _ = writeln!(out, "  {field}{mark}: {};", type_of(schema));
    }
    out.push_str("}\n");
}

fn comment(out: &mut String, indent: &str, schema: &Value) {
    let Some(text) = schema.get("description").and_then(Value::as_str) else {
        return;
    };
    let text = text.replace('\n', " ").replace("*/", "* /");
    let _ = writeln!(out, "{indent}/** {text} */");
}

/// The type of a value; `null` is left out, because absent fields are absent on the wire.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or("unknown").to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return union(values.iter().map(ToString::to_string));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema.get(key).and_then(Value::as_array) {
            return union(parts.iter().map(type_of));
        }
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => union(kinds.iter().filter_map(Value::as_str).map(|kind| named(kind, schema))),
        Some(Value::String(kind)) => named(kind, schema),
        _ => "unknown".to_owned(),
    }
}

fn named(kind: &str, schema: &Value) -> String {
    match kind {
        "string" if schema.get("format").and_then(Value::as_str) == Some("uuid") => "Uuid".into(),
        "string" => "string".into(),
        "integer" | "number" => "number".into(),
        "boolean" => "boolean".into(),
        "null" => "null".into(),
        "array" => match schema.get("items") {
            Some(items) => format!("{}[]", bracketed(&type_of(items))),
            None => "unknown[]".into(),
        },
        _ => "Record<string, unknown>".into(),
    }
}

fn bracketed(name: &str) -> String {
    if name.contains(' ') { format!("({name})") } else { name.to_owned() }
}

fn union(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<_> = parts.filter(|part| part != "null").collect();
    parts.dedup();
    if parts.is_empty() { "null".to_owned() } else { parts.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_shape_becomes_its_type() {
        for (schema, expected) in [
            (json!({"type": "string", "format": "uuid"}), "Uuid"),
            (json!({"type": ["integer", "null"]}), "number"),
            (json!({"type": "array", "items": {"$ref": "#/$defs/Member"}}), "Member[]"),
            (json!({"anyOf": [{"$ref": "#/$defs/Message"}, {"type": "null"}]}), "Message"),
            (json!({"oneOf": [{"const": "a"}, {"const": "b"}]}), "\"a\" | \"b\""),
        ] {
            assert_eq!(type_of(&schema), expected);
        }
    }

    #[test]
    fn no_declaration_holds_an_unknown_shape() {
        let bodies = bodies::collect();
        for (name, schema) in &bodies.schemas {
            let mut out = String::new();
            declaration(&mut out, name, schema);
            assert!(!out.contains(": unknown") && !out.contains("= unknown"), "{out}");
        }
    }
}
