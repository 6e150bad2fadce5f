//! What makes a handle, a name, a picture and a device's name; errors say which field and what it takes.

use http::Uri;
use link::Refusal;
use protocol::ErrorCode;
use protocol::limits::{HANDLE_CHARS, NAME_CHARS_MAX};

/// The longest URL of a picture, in bytes.
const AVATAR_BYTES_MAX: usize = 512;
/// The longest name of a device, in characters; a longer one is cut, it is only a help for people.
const DEVICE_CHARS_MAX: usize = 100;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

/// A handle in its one form. Handles differ by more than case, so that nobody can pose as `Ada` beside `ada`.
pub(crate) fn handle(text: &str) -> Result<String, Refusal> {
    let handle = text.trim().to_lowercase();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let fits = HANDLE_CHARS.contains(&handle.len())
        && handle.starts_with(|first: char| first.is_ascii_lowercase())
        && handle.chars().all(allowed);
    match fits {
        true => Ok(handle),
        false => Err(invalid(format!(
            "handle: takes {} to {} of a-z, 0-9, _ and . and begins with a letter",
            HANDLE_CHARS.start(),
            HANDLE_CHARS.end()
        ))),
    }
}

/// A display name without what would break a line or hide text.
pub(crate) fn name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(breaks_text) {
        return Err(invalid(format!("name: takes 1 to {NAME_CHARS_MAX} characters on one line")));
    }
    Ok(name.to_owned())
}

/// Control characters, and those that turn the direction of the text around them.
fn breaks_text(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A picture's URL; empty text means none.
pub(crate) fn avatar(text: &str) -> Result<Option<String>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let https = text.len() <= AVATAR_BYTES_MAX
        && text.starts_with("https://")
        && text.parse::<Uri>().is_ok_and(|uri| {
            // Whoever puts a name and a password before the host wants to be mistaken for another host.
            uri.authority().is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())
        });
    match https {
        true => Ok(Some(text.to_owned())),
        false => Err(invalid(format!("avatar: takes an https:// URL of at most {AVATAR_BYTES_MAX} bytes, or nothing"))),
    }
}

/// What a device calls itself, or what its user agent says.
pub(crate) fn device(named: Option<&str>, user_agent: Option<&str>) -> Option<String> {
    let text = named.filter(|name| !name.trim().is_empty()).or(user_agent)?;
    let shown: String = text.trim().chars().filter(|c| !breaks_text(*c)).take(DEVICE_CHARS_MAX).collect();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_one_form() {
        assert_eq!(handle(" Ada.Lovelace_1 ").unwrap(), "ada.lovelace_1");
        for refused in ["ab", "1ada", "_ada", "ada lovelace", "adä", "ada@x", "аda", ""] {
            assert!(handle(refused).is_err(), "{refused}");
        }
        assert!(handle(&"a".repeat(32)).is_ok());
        assert!(handle(&"a".repeat(33)).is_err());
    }

    #[test]
    fn a_name_stays_on_its_line_and_in_its_direction() {
        assert_eq!(name(" Ada \u{1f469}\u{200d}\u{1f4bb} ").unwrap(), "Ada \u{1f469}\u{200d}\u{1f4bb}");
        for refused in ["", "  ", "a\nb", "a\u{202e}b"] {
            assert!(name(refused).is_err(), "{refused:?}");
        }
        assert!(name(&"é".repeat(64)).is_ok());
        assert!(name(&"é".repeat(65)).is_err());
    }

    #[test]
    fn a_picture_is_an_https_url_without_a_disguise() {
        assert_eq!(avatar("").unwrap(), None);
        assert!(avatar("https://example.org/a.png?x=1").unwrap().is_some());
        for refused in [
            "http://example.org/a.png",
            "https://",
            "https:///a.png",
            "https://bank.example@evil.example/",
            "https://example.org/a b",
            "javascript:alert(1)",
        ] {
            assert!(avatar(refused).is_err(), "{refused}");
        }
        assert!(avatar(&format!("https://example.org/{}", "a".repeat(500))).is_err());
    }

    #[test]
    fn a_device_is_named_by_itself_or_by_its_user_agent() {
        assert_eq!(device(Some(" Phone\n"), Some("curl")).unwrap(), "Phone");
        assert_eq!(device(Some(" "), Some("curl")).unwrap(), "curl");
        assert_eq!(device(None, None), None);
        assert_eq!(device(Some(&"x".repeat(300)), None).unwrap().len(), 100);
    }
}
