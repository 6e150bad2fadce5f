//! By what a conversation of an import file is known again.
//!
//! A 1-1 conversation is known by its two people. Any other has the key that its line gives, or else one made from what the line says
//! and how many lines of the file said the same before: two groups of the same name and people stay two, and the same file
//! again finds both.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use uuid::Uuid;

use super::line::ConversationLine;

/// Makes the keys of one file.
#[derive(Default)]
pub(crate) struct Keys {
    /// How often each content came. It grows with the file, as the reader's memory of handles does.
    seen: HashMap<Uuid, u32>,
}

impl Keys {
    pub(crate) fn of(&mut self, line: &ConversationLine) -> Uuid {
        if let Some(key) = &line.key {
            return hashed(&json!({ "key": key }).to_string());
        }
        let mut members: Vec<&str> = line.members.iter().map(String::as_str).collect();
        members.sort_unstable();
        let mut admins: Vec<&str> = line.admins.iter().map(String::as_str).collect();
        admins.sort_unstable();
        let content = hashed(&json!([line.kind, line.title, line.owner, members, admins]).to_string());
        let count = self.seen.entry(content).or_default();
        *count += 1;
        hashed(&format!("{content} {count}"))
    }
}

/// The first half of the text's SHA-256, as a UUID of version 8 (RFC 9562).
fn hashed(text: &str) -> Uuid {
    let hash = digest(&SHA256, text.as_bytes());
    let mut half = [0; 16];
    half.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::line::{Line, parse};

    fn keys(lines: &[&str]) -> Vec<Uuid> {
        let mut keys = Keys::default();
        let line = |text: &&str| match parse(text) {
            Ok(Some(Line::Conversation(line))) => keys.of(&line),
            _ => panic!("{text}"),
        };
        lines.iter().map(line).collect()
    }

    const TEAM: &str = r#"{"conversation":{"kind":"group","title":"Team","owner":"anna","members":["ben","cleo"]}}"#;

    #[test]
    fn the_same_file_gives_the_same_keys_and_equal_lines_stay_apart() {
        let once = keys(&[TEAM, TEAM]);
        assert_ne!(once[0], once[1]);
        assert_eq!(once, keys(&[TEAM, TEAM]));
    }

    #[test]
    fn the_order_of_members_means_nothing() {
        let turned = TEAM.replace(r#""ben","cleo""#, r#""cleo","ben""#);
        assert_eq!(keys(&[TEAM]), keys(&[&turned]));
    }

    #[test]
    fn a_key_is_known_again_when_the_line_has_changed() {
        let old = r#"{"conversation":{"key":"7","kind":"group","title":"Team","owner":"anna"}}"#;
        let new = r#"{"conversation":{"key":"7","kind":"group","title":"Crew","owner":"ben"}}"#;
        assert_eq!(keys(&[old]), keys(&[new]));
    }
}
