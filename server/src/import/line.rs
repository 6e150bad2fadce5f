//! The lines of an import file; docs/import.md describes them for people.

use auth::ImportUser;
use protocol::chat::ConversationKind;
use serde::Deserialize;

/// One line.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// `{"user": {…}}`
    User(ImportUser),
    /// `{"conversation": {…}}`
    Conversation(ConversationLine),
}

/// A conversation, its people by their handles.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationLine {
    /// `direct`, `group` or `channel`.
    pub(crate) kind: ConversationKind,
    /// Its title; direct conversations have none.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// Who owns it.
    pub(crate) owner: String,
    /// Who else is in it.
    #[serde(default)]
    pub(crate) members: Vec<String>,
    /// Which of the members are admins.
    #[serde(default)]
    pub(crate) admins: Vec<String>,
    /// Its name in the system that it comes from. By it a repeated import knows it again also when the line has changed.
    #[serde(default)]
    pub(crate) key: Option<String>,
}

/// A line's text as what it says, or what is wrong with it. An empty line says nothing.
pub(crate) fn parse(text: &str) -> Result<Option<Line>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_line_are_understood() {
        let user = parse(r#"{"user":{"handle":"anna","name":"Anna","role":"admin"}}"#);
        assert!(matches!(user, Ok(Some(Line::User(user))) if user.handle == "anna"));
        let line = r#"{"conversation":{"kind":"group","title":"Team","owner":"anna","members":["ben"]}}"#;
        let Ok(Some(Line::Conversation(conversation))) = parse(line) else { panic!("{line}") };
        assert_eq!((conversation.kind, conversation.members), (ConversationKind::Group, vec!["ben".to_owned()]));
        assert!(matches!(parse("  "), Ok(None)));
    }

    #[test]
    fn what_is_misspelt_is_named() {
        for (line, names) in [
            (r#"{"user":{"handel":"anna","name":"Anna"}}"#, "handel"),
            (r#"{"group":{}}"#, "group"),
            (r#"{"conversation":{"kind":"party","owner":"anna"}}"#, "party"),
            ("anna", "expected"),
        ] {
            let Err(problem) = parse(line) else { panic!("{line}") };
            assert!(problem.contains(names), "{problem}");
        }
    }
}
