//! Which pages may call: the server's own, and those on the operator's list.
//!
//! A request without `Origin` comes from no page; it is let through, unless it would be judged by a cookie, which a browser adds
//! by itself. The same rule holds at the socket's upgrade, where no preflight protects anybody.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use link::Refusal;
use protocol::ErrorCode;

use super::request::header;

/// The operator's list.
pub(crate) struct Origins {
    allowed: Vec<String>,
}

/// What an allowed request's page is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Page {
    /// None, or the server's own.
    Own,
    /// One of the list: it is told that it may read the answer.
    Listed(HeaderValue),
}

impl Origins {
    pub(crate) fn new(allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Self { allowed }
    }

    /// Judges a request. `carries_cookie`: a browser may have added what authenticates it.
    pub(crate) fn judge(&self, parts: &Parts, carries_cookie: bool, secure: bool) -> Result<Page, Refusal> {
        let refused = || Err(Refusal::of(ErrorCode::OriginNotAllowed));
        let Some(value) = parts.headers.get(header::ORIGIN) else {
            let harmless = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method);
            return if carries_cookie && !harmless { refused() } else { Ok(Page::Own) };
        };
        let Ok(origin) = value.to_str().map(str::to_ascii_lowercase) else {
            return refused();
        };
        if is_own(&origin, parts, secure) {
            Ok(Page::Own)
        } else if self.allowed.contains(&origin) {
            Ok(Page::Listed(value.clone()))
        } else {
            refused()
        }
    }
}

/// Whether the page was served under the same host. Over TLS a page that came without it is not trusted.
fn is_own(origin: &str, parts: &Parts, secure: bool) -> bool {
    let host = header(&parts.headers, "host")
        .or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
        .map(str::to_ascii_lowercase);
    let page = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(page), _) => page,
        (None, Some(page)) if !secure => page,
        _ => return false,
    };
    host.is_some_and(|host| host == page)
}

impl Page {
    /// Lets a listed page read the answer.
    pub(crate) fn allow(&self, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Self::Listed(origin) = self {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            let exposed = HeaderValue::from_static(
                "x-request-id, retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset",
            );
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// The answer to a preflight.
    pub(crate) fn allow_preflight(&self, headers: &mut HeaderMap, methods: &str) {
        self.allow(headers);
        if let (Self::Listed(_), Ok(methods)) = (self, HeaderValue::from_str(methods)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let allowed =
                HeaderValue::from_static("authorization, content-type, idempotency-key, x-request-id, traceparent");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            let age = HeaderValue::from_static("600");
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, age);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http::Request;

    fn judge(method: Method, origin: Option<&str>, cookie: bool, secure: bool) -> Result<Page, Refusal> {
        let mut request = Request::builder().method(method).header("host", "chat.example.org:8080");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let (parts, _) = request.body(Body::empty()).unwrap().into_parts();
        Origins::new(&["https://app.example.org".to_owned()]).judge(&parts, cookie, secure)
    }

    #[test]
    fn the_servers_own_pages_and_listed_ones_may_call_and_no_other() {
        let own = judge(Method::POST, Some("http://chat.example.org:8080"), true, false);
        assert_eq!(own, Ok(Page::Own));
        let listed = judge(Method::POST, Some("https://app.example.org"), true, false);
        assert!(matches!(listed, Ok(Page::Listed(_))));
        for origin in
            ["http://chat.example.org", "https://chat.example.org.evil.example", "https://evil.example", "null", ""]
        {
            assert!(judge(Method::GET, Some(origin), false, false).is_err(), "{origin}");
        }
    }

    #[test]
    fn over_tls_a_page_that_came_without_it_is_a_stranger() {
        let page = Some("http://chat.example.org:8080");
        assert!(judge(Method::POST, page, true, true).is_err());
    }

    #[test]
    fn a_cookie_without_a_page_changes_nothing() {
        assert!(judge(Method::POST, None, true, false).is_err());
        assert!(judge(Method::GET, None, true, false).is_ok());
        assert!(judge(Method::POST, None, false, false).is_ok());
    }
}
