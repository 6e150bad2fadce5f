//! Path and query parameters become fields of the body, by the table: so a command looks the same however it came.
//!
//! The body itself is not read: fields are put in front of it as text. A field that stands in both is a duplicate, which
//! the service's own parser refuses.

use bytes::Bytes;
use link::Refusal;
use protocol::ErrorCode;
use protocol::commands::{CommandSpec, INTEGER_PATH_PARAMS, Param, ParamKind, Route};

/// What a request asks for, in the form of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) to: Option<String>,
    pub(super) body: Bytes,
}

/// Merges the parameters into the body.
pub(super) fn merge<'a>(
    spec: &CommandSpec,
    path: impl Iterator<Item = (&'a str, &'a str)>,
    query: &[(String, String)],
    body: Bytes,
) -> Result<Asked, Refusal> {
    let routed = match spec.route {
        Route::Conversation => Some("conversation"),
        Route::User => Some("user"),
        Route::Call => Some("call"),
        Route::Any | Route::Caller => None,
    };
    let mut to = None;
    let mut fields = Vec::new();
    for (name, value) in path {
        if routed == Some(name) {
            to = Some(value.to_owned());
        } else {
            let integer = INTEGER_PATH_PARAMS.contains(&name);
            let kind = if integer { ParamKind::Integer } else { ParamKind::Text };
            fields.push(field(name, kind, value)?);
        }
    }
    let allowed = spec.rest.map_or(&[] as &[Param], |rest| rest.query);
    for (at, (name, value)) in query.iter().enumerate() {
        let Some(param) = allowed.iter().find(|param| param.name == name) else {
            return Err(invalid(format!("There is no query parameter `{name}` here.")));
        };
        if query[..at].iter().any(|(other, _)| other == name) {
            return Err(invalid(format!("The query parameter `{name}` stands twice.")));
        }
        fields.push(field(name, param.kind, value)?);
    }
    let body = splice(&fields, body)?;
    Ok(Asked { to, body })
}

fn field(name: &str, kind: ParamKind, value: &str) -> Result<String, Refusal> {
    let json = match kind {
        ParamKind::Text => quoted(value),
        ParamKind::Integer => match value.parse::<u64>() {
            Ok(number) => number.to_string(),
            Err(_) => return Err(invalid(format!("`{name}` must be a number without sign."))),
        },
        ParamKind::List => {
            let items: Vec<String> = value.split(',').filter(|item| !item.is_empty()).map(quoted).collect();
            format!("[{}]", items.join(","))
        }
    };
    Ok(format!("{}:{json}", quoted(name)))
}

/// Puts fields in front of those of a JSON object.
fn splice(fields: &[String], body: Bytes) -> Result<Bytes, Refusal> {
    let text = body.trim_ascii();
    let rest = match text.strip_prefix(b"{") {
        _ if text.is_empty() => b"}",
        Some(rest) => rest,
        None => return Err(invalid("The body must be a JSON object.".to_owned())),
    };
    if fields.is_empty() {
        return Ok(if text.is_empty() { Bytes::from_static(b"{}") } else { body });
    }
    let mut merged = format!("{{{}", fields.join(",")).into_bytes();
    if !rest.trim_ascii_start().starts_with(b"}") {
        merged.push(b',');
    }
    merged.extend_from_slice(rest);
    Ok(merged.into())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn invalid(message: String) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::commands::find;
    use serde_json::{Value, json};

    fn merged(
        command: &str,
        path: &[(&str, &str)],
        query: &[(&str, &str)],
        body: &str,
    ) -> Result<(Option<String>, Value), Refusal> {
        let query: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let asked = merge(find(command).unwrap(), path.iter().copied(), &query, body)?;
        Ok((asked.to, serde_json::from_slice(&asked.body).unwrap()))
    }

    #[test]
    fn the_routes_parameter_becomes_to_and_the_others_become_fields() {
        let path = [("conversation", "c1"), ("seq", "7")];
        let (to, body) = merged("messages.edit", &path, &[], r#" { "text":"x" } "#).unwrap();
        assert_eq!(to.as_deref(), Some("c1"));
        assert_eq!(body, json!({ "seq": 7, "text": "x" }));
        let path = [("conversation", "c1"), ("user", "u\"1")];
        let (_, body) = merged("members.kick", &path, &[], "").unwrap();
        assert_eq!(body, json!({ "user": "u\"1" }));
    }

    #[test]
    fn query_parameters_take_the_form_that_the_table_says() {
        let (_, body) = merged("users.find", &[], &[("ids", "a,b")], "").unwrap();
        assert_eq!(body, json!({ "ids": ["a", "b"] }));
        let path = [("conversation", "c1")];
        let (_, body) = merged("messages.list", &path, &[("limit", "20")], "{}").unwrap();
        assert_eq!(body, json!({ "limit": 20 }));
    }

    #[test]
    fn what_the_table_does_not_name_is_refused() {
        let path = [("conversation", "c1")];
        for query in [&[("limit", "-1")][..], &[("secret", "1")], &[("limit", "1"), ("limit", "2")]] {
            assert!(merged("messages.list", &path, query, "").is_err());
        }
        assert!(merged("messages.edit", &[("seq", "x")], &[], "{}").is_err());
        assert!(merged("messages.edit", &path, &[], "[1]").is_err());
    }

    proptest! {
        #[test]
        fn no_value_escapes_its_string(value in "\\PC*") {
            let (_, body) = merged("members.kick", &[("user", &value)], &[], "{}").unwrap();
            prop_assert_eq!(body, json!({ "user": value }));
        }
    }
}
