//! A command's HTTP form: which part of `to` and the body goes into the path, the query and the body of the request.

use protocol::commands::{CommandSpec, Method, Route};
use serde_json::{Map, Value};

use super::RestError;

#[derive(Debug, PartialEq)]
pub(crate) struct Parts {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

impl Parts {
    pub(crate) fn of(spec: &CommandSpec, to: Option<&str>, body: Value) -> Result<Self, RestError> {
        let rest = spec.rest.ok_or(RestError::Invalid("this command is for the socket only"))?;
        let mut fields = match body {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            _ => return Err(RestError::Invalid("the body is an object")),
        };
        let routed = match spec.route {
            Route::Conversation => "{conversation}",
            Route::User => "{user}",
            Route::Call => "{call}",
            Route::Any | Route::Caller => "",
        };
        let mut path = String::new();
        for part in rest.path.split('/').skip(1) {
            path.push('/');
            let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) else {
                path.push_str(part);
                continue;
            };
            let value = if part == routed { to.map(str::to_owned) } else { fields.remove(name).map(text) };
            let value = value.ok_or(RestError::Invalid("a parameter of the path is missing"))?;
            push_encoded(&mut path, &value);
        }
        let mut separator = '?';
        for param in rest.query {
            if let Some(value) = fields.remove(param.name) {
                path.push(separator);
                path.push_str(param.name);
                path.push('=');
                push_encoded(&mut path, &text(value));
                separator = '&';
            }
        }
        let bare = fields.is_empty() && matches!(rest.method, Method::Get | Method::Delete);
        let body = (!bare).then_some(Value::Object(fields));
        let method = rest.method;
        Ok(Self { method, path, body })
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) => items.into_iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// What is not unreserved in RFC 3986 is escaped.
fn push_encoded(path: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::commands::find;
    use serde_json::json;

    fn parts(name: &str, to: Option<&str>, body: Value) -> Parts {
        Parts::of(find(name).unwrap(), to, body).unwrap()
    }

    #[test]
    fn what_the_route_names_and_other_parameters_go_into_the_path() {
        let made = parts("messages.edit", Some("c/1"), json!({ "seq": 7, "text": "x" }));
        assert_eq!(made.method, Method::Patch);
        assert_eq!(made.path, "/v1/conversations/c%2F1/messages/7");
        assert_eq!(made.body, Some(json!({ "text": "x" })));
    }

    #[test]
    fn a_read_has_a_query_and_no_body() {
        let made = parts("users.find", None, json!({ "ids": ["a", "b"] }));
        assert_eq!(made.path, "/v1/users?ids=a%2Cb");
        assert_eq!(made.body, None);
    }

    #[test]
    fn a_missing_parameter_is_refused_here() {
        let spec = find("members.kick").unwrap();
        assert!(Parts::of(spec, Some("c"), json!({})).is_err());
        assert!(Parts::of(spec, None, json!({ "user": "u" })).is_err());
    }

    #[test]
    fn a_command_of_the_socket_only_has_no_form() {
        let spec = find("typing.set").unwrap();
        assert!(Parts::of(spec, Some("c"), json!({})).is_err());
    }
}
