//! The refresh cookie (AU11): scripts can't read it, other sites can't send it, and only `/v1/auth` gets it.

use http::{HeaderMap, HeaderValue, header};
use link::CookieChange;

/// Its name.
const NAME: &str = "sc_refresh";
const ATTRIBUTES: &str = "Path=/v1/auth; HttpOnly; Secure; SameSite=Strict";

/// The refresh cookie's value, if the request carries one.
pub(super) fn refresh_cookie(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == NAME && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// Does to the browser's cookie what the service asks for.
pub(super) fn change(headers: &mut HeaderMap, change: &CookieChange) {
    let line = match change {
        CookieChange::Keep => return,
        CookieChange::Set { token, max_age_s } => {
            format!("{NAME}={token}; Max-Age={max_age_s}; {ATTRIBUTES}")
        }
        CookieChange::Clear => format!("{NAME}=; Max-Age=0; {ATTRIBUTES}"),
    };
    match HeaderValue::from_str(&line) {
        Ok(mut value) => {
            value.set_sensitive(true);
            headers.append(header::SET_COOKIE, value);
        }
        Err(_) => tracing::error!("a refresh token is not of a cookie's form"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; sc_refresh=x.1.y; c=d"));
        assert_eq!(refresh_cookie(&headers).as_deref(), Some("x.1.y"));
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("not_sc_refresh=x; sc_refresh="));
        assert_eq!(refresh_cookie(&headers), None);
    }

    #[test]
    fn what_is_set_is_out_of_reach_of_scripts_and_other_sites() {
        let mut headers = HeaderMap::new();
        let set = CookieChange::Set { token: "t".to_owned(), max_age_s: 60 };
        change(&mut headers, &set);
        let line = headers[header::SET_COOKIE].to_str().unwrap();
        assert_eq!(line, "sc_refresh=t; Max-Age=60; Path=/v1/auth; HttpOnly; Secure; SameSite=Strict");
    }
}
