//! The web client's files, embedded in the binary.
//!
//! Names are not hashed, so a browser asks each time and mostly hears that nothing changed.

use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;

use super::request::header as text;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Files;

/// What a page of the client may do: load and call its own server, show pictures of people, and nothing else.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' https: data: blob:; \
     connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What stands at `/` of a server that was built without the client.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>SecureConnect</title>\
     <h1>SecureConnect is running</h1><p>This server was built without its web client. Build it with <code>make web</code> \
     and build the server again. The API is at <code>/v1</code>.</p></html>";

/// The file at this path, if there is one.
pub(super) fn serve(parts: &Parts) -> Option<Response> {
    if ![Method::GET, Method::HEAD].contains(&parts.method) {
        return None;
    }
    let name = match parts.uri.path() {
        "/" => "index.html",
        path => path.strip_prefix('/')?,
    };
    let Some(file) = Files::get(name) else {
        return (name == "index.html").then(not_built);
    };
    let tag = HeaderValue::from_str(&format!("\"{}\"", hex(&file.metadata.sha256_hash()))).ok()?;
    let same = text(&parts.headers, "if-none-match").is_some_and(|known| tag == known);
    let mut response =
        if same { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_owned().into_response() };
    let kind = file.metadata.mimetype().to_owned();
    let headers = response.headers_mut();
    if let (false, Ok(kind)) = (same, HeaderValue::from_str(&with_charset(kind))) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(response)
}

fn not_built() -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], NOT_BUILT).into_response()
}

fn with_charset(kind: String) -> String {
    let is_text = kind.starts_with("text/") || kind == "application/json";
    if is_text { format!("{kind}; charset=utf-8") } else { kind }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
