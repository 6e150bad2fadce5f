//! Each command does the same with a running server and without one.

use crate::server::{Home, text};

const ALL: &[&str] = &["gateway", "auth", "chat", "signaling", "storage", "turn"];

const PEOPLE: &[&str] = &[
    r#"{"user":{"handle":"anna","name":"Anna","role":"admin","password":"a long enough one"}}"#,
    r#"{"user":{"handle":"ben","name":"Ben"}}"#,
    r#"{"conversation":{"kind":"group","title":"Team","owner":"anna","members":["ben","cleo"],"admins":["ben"]}}"#,
    "",
    r#"{"conversation":{"kind":"direct","owner":"ben","members":["cleo"]}}"#,
    r#"{"user":{"handle":"cleo","name":"Cleo"}}"#,
];

/// Runs what a test says once without a server, once with one, once with the services apart.
fn everywhere(test: impl Fn(&Home)) {
    test(&Home::new());
    let home = Home::new();
    let _server = home.serve(ALL);
    test(&home);
    let home = Home::new();
    let _auth = home.serve(&["auth"]);
    let _chat = home.serve(&["chat"]);
    test(&home);
}

#[test]
fn a_file_is_imported_and_the_same_file_again_changes_nothing() {
    everywhere(|home| {
        let file = home.file(PEOPLE);
        let said = home.succeed(&["import", &file]);
        assert_eq!(said, "3 users and 2 conversations made, 0 were there already, 0 lines refused\n");
        let said = home.succeed(&["import", &file]);
        assert_eq!(said, "0 users and 0 conversations made, 5 were there already, 0 lines refused\n");
    });
}

#[test]
fn what_is_wrong_with_a_file_is_told_by_line_and_the_rest_is_imported() {
    everywhere(|home| {
        let mut lines = PEOPLE.to_vec();
        lines.push(r#"{"user":{"handle":"Not A Handle","name":"X"}}"#);
        lines.push(r#"{"conversation":{"kind":"group","title":"Y","owner":"nobody"}}"#);
        lines.push(r#"{"conversation":{"kind":"group","owner":"anna"}}"#);
        lines.push(r#"{"conversation":{"kind":"group","title":"Z","owner":"anna","admins":["ben"]}}"#);
        lines.push("{}");
        let output = home.run(&["import", &home.file(&lines)]);
        assert!(!output.status.success());
        let said = text(&output.stdout);
        assert_eq!(said, "3 users and 2 conversations made, 0 were there already, 5 lines refused\n");
        let problems = text(&output.stderr);
        for line in 7..=11 {
            assert!(problems.contains(&format!("line {line}: ")), "{line} in {problems}");
        }
    });
}

#[test]
fn tokens_are_written_for_every_user_of_the_file() {
    everywhere(|home| {
        let tokens = home.path().join("tokens.jsonl");
        home.succeed(&["import", &home.file(PEOPLE), "--tokens", &tokens.display().to_string()]);
        let written = std::fs::read_to_string(&tokens).unwrap();
        assert_eq!(written.lines().count(), 3);
        for line in written.lines() {
            let login: serde_json::Value = serde_json::from_str(line).unwrap();
            for field in ["handle", "user", "session", "access_token", "refresh_token"] {
                assert!(login[field].is_string(), "{field} in {line}");
            }
        }
    });
}

#[test]
fn a_role_is_given_and_keys_are_rotated() {
    everywhere(|home| {
        home.succeed(&["import", &home.file(PEOPLE)]);
        assert_eq!(home.succeed(&["users", "role", "ben", "moderator"]), "ben is now moderator\n");
        let said = home.fail(&["users", "role", "nobody", "admin"]);
        assert!(said.starts_with("secureconnect: "), "{said}");
        assert!(home.succeed(&["keys", "rotate"]).contains("signs from"));
    });
}

#[test]
fn the_log_filter_changes_only_where_a_server_runs() {
    let home = Home::new();
    let said = home.fail(&["log", "debug"]);
    assert!(said.contains("no server runs"), "{said}");
    let _server = home.serve(ALL);
    home.succeed(&["log", "info,chat=debug"]);
    let said = home.fail(&["log", "chat=loud=er"]);
    assert!(said.contains("chat=loud=er"), "{said}");
}
