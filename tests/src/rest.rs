//! A plain HTTP client: it adds nothing, follows nothing, repeats nothing, and hands over the whole answer.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::commands::{self, CommandSpec, Method, Repeat, Route};
use protocol::envelope::{Failure, Success};
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::tls::Trust;

/// A client of one gateway.
#[derive(Clone, Debug)]
pub struct Rest {
    base: String,
    trust: Option<Trust>,
    http: Client,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
}

impl Rest {
    /// A client of the server at this address.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        Self { base: format!("http://{address}"), trust: None, http: http(None, None) }
    }

    /// A client of the server at this address that speaks TLS with this certificate.
    #[must_use]
    pub fn over_tls(address: SocketAddr, trust: Trust) -> Self {
        let http = http(None, Some(&trust));
        Self { base: format!("https://{address}"), trust: Some(trust), http }
    }

    /// The same, from another address of this machine: the server counts it as another client.
    #[must_use]
    pub fn from_address(&self, source: IpAddr) -> Self {
        let http = http(Some(source), self.trust.as_ref());
        Self { base: self.base.clone(), trust: self.trust.clone(), http }
    }

    /// What it trusts, where it speaks TLS.
    pub(crate) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// The origin of a page that this server serves.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.base
    }

    /// A request to build on.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    /// Posts a JSON body without a token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request("POST", path).json(body)).await
    }

    /// Calls a command by its row in the table: method, path, query, body and, where it wants one, an `Idempotency-Key`.
    pub async fn command(&self, name: &str, token: Option<&str>, to: Option<&str>, body: Value) -> Answer {
        send(self.command_request(name, token, to, body)).await
    }

    /// The request behind [`Rest::command`].
    pub fn command_request(
        &self,
        name: &str,
        token: Option<&str>,
        to: Option<&str>,
        mut body: Value,
    ) -> RequestBuilder {
        let spec = commands::find(name).unwrap_or_else(|| panic!("no command {name}"));
        let rest = spec.rest.unwrap_or_else(|| panic!("{name} has no REST form"));
        let path = fill(spec, rest.path, to, &mut body);
        let path = match rest.method {
            Method::Get => with_query(path, &body),
            _ => path,
        };
        let mut request = self.request(rest.method.as_str(), &path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if spec.repeat == Repeat::Key {
            request = request.header("Idempotency-Key", Uuid::new_v4().to_string());
        }
        match rest.method {
            Method::Get | Method::Delete => request,
            Method::Post | Method::Put | Method::Patch => request.json(&body),
        }
    }
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.expect("an HTTP answer")
}

/// Sends a request; for servers that may be gone.
///
/// # Errors
/// When no whole answer came.
pub async fn try_send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.timeout(crate::wait::PATIENCE).send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = response.bytes().await?;
    Ok(Answer { status, headers, body })
}

impl Answer {
    /// The `data` of a success.
    ///
    /// # Panics
    /// When it is no success of this type.
    #[must_use]
    pub fn data<T: DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{self}");
        let success: Success<'_> = serde_json::from_slice(&self.body).expect("the envelope");
        serde_json::from_str(success.data.get()).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The code of a refusal; its status must be the one that the registry names.
    ///
    /// # Panics
    /// When it is no refusal in the envelope.
    #[must_use]
    pub fn refused(&self) -> ErrorCode {
        let failure: Failure = serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"));
        assert_eq!(failure.error.code.status(), self.status, "{self}");
        assert!(!failure.error.message.is_empty(), "{self}");
        failure.error.code
    }

    /// The header, where it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body with the request's own id taken out: what must be equal where nothing may be told apart.
    #[must_use]
    pub fn without_request_id(&self) -> String {
        let mut body: Value = serde_json::from_slice(&self.body).expect("JSON");
        for holder in ["error", "meta"] {
            if let Some(object) = body.get_mut(holder).and_then(Value::as_object_mut) {
                object.insert("request_id".into(), Value::Null);
            }
        }
        format!("{} {body}", self.status)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

pub(crate) fn http(source: Option<IpAddr>, trust: Option<&Trust>) -> Client {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only(trust.map(Trust::for_http))
        .local_address(source)
        .build()
        .expect("an HTTP client")
}

/// Fills the path's parameters from `to` and from the body's fields, which are taken out of it.
fn fill(spec: &CommandSpec, pattern: &str, to: Option<&str>, body: &mut Value) -> String {
    let routed = match spec.route {
        Route::Conversation => Some("conversation"),
        Route::User => Some("user"),
        Route::Call => Some("call"),
        Route::Any | Route::Caller => None,
    };
    let segments = pattern.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            return segment.to_owned();
        };
        if routed == Some(name) {
            return to.unwrap_or_else(|| panic!("{} needs `to`", spec.name)).to_owned();
        }
        let value = body.as_object_mut().and_then(|fields| fields.remove(name));
        text(&value.unwrap_or_else(|| panic!("{} needs {name}", spec.name)))
    });
    segments.collect::<Vec<_>>().join("/")
}

fn with_query(path: String, body: &Value) -> String {
    let fields = body.as_object().into_iter().flatten();
    let pairs: Vec<String> = fields.map(|(key, value)| format!("{key}={}", percent(&text(value)))).collect();
    if pairs.is_empty() {
        return path;
    }
    format!("{path}?{}", pairs.join("&"))
}

fn percent(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b',' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
