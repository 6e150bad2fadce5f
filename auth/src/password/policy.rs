//! What makes a password acceptable.
//!
//! Length and a list of the passwords that are tried first, as NIST SP 800-63B advises; no rules on kinds of characters,
//! which only make people write `Password1!`.

use link::Refusal;
use protocol::ErrorCode;
use protocol::limits::PASSWORD_CHARS;

use super::common::COMMON;

/// Accepts a new password for the account of this handle, or says what is wrong with it.
pub(crate) fn check(password: &str, handle: &str) -> Result<(), Refusal> {
    let weak = |problem: String| Err(Refusal::new(ErrorCode::WeakPassword, problem));
    let chars = password.chars().count();
    if !PASSWORD_CHARS.contains(&chars) {
        let (least, most) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
        return weak(format!("password: takes {least} to {most} characters, this one has {chars}"));
    }
    let plain = password.to_lowercase();
    if plain.contains(handle) && chars < handle.chars().count() + *PASSWORD_CHARS.start() / 2 {
        return weak("password: must not be made of the handle, choose another one".to_owned());
    }
    let mut letters = plain.chars();
    if let Some(first) = letters.next()
        && letters.all(|letter| letter == first)
    {
        return weak("password: is one character repeated, choose another one".to_owned());
    }
    if COMMON.contains(&plain.as_str()) {
        return weak(
            "password: is among the most common ones and would be guessed at once, choose another one".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        check(password, "ada.lovelace").is_err_and(|refusal| {
            assert_eq!(refusal.code, ErrorCode::WeakPassword);
            assert!(!refusal.message.contains(password));
            true
        })
    }

    #[test]
    fn a_password_that_would_be_guessed_is_refused_and_never_repeated_in_the_answer() {
        for weak in
            ["short", "ninechars", "ADA.lovelace", "ada.lovelace1", "password123", "QWERTYuiop", "aaaaaaaaaaaaaaa"]
        {
            assert!(refused(weak), "{weak}");
        }
        assert!(refused(&"x1".repeat(129)));
    }

    #[test]
    fn length_counts_characters_and_any_kind_of_them_will_do() {
        for fine in ["tentenlong", "пароль-длинный", "ada.lovelace is a poet", "correct horse"] {
            check(fine, "ada.lovelace").unwrap();
        }
    }
}
