//! A file that is not the service's own, or of a newer version, is refused and left as it is; migrations go both ways.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::server::Home;

fn auth_db(home: &Home) -> PathBuf {
    let folder = home.path().join("auth");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("auth.db")
}

#[test]
fn a_foreign_file_is_refused_and_undamaged() {
    let home = Home::new();
    let path = auth_db(&home);
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (name); INSERT INTO recipes VALUES ('bread')").unwrap();
    drop(foreign);
    let before = std::fs::read(&path).unwrap();
    let said = home.fail(&["serve"]);
    assert!(said.contains("auth.db"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::write(&path, "no database at all, but longer than a header of one hundred bytes ".repeat(4)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let said = home.fail(&["serve"]);
    assert!(said.contains("auth.db"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_schema_is_refused_and_undamaged() {
    let home = Home::new();
    home.succeed(&["migrate", "up"]);
    let path = auth_db(&home);
    let store = Connection::open(&path).unwrap();
    store.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let before = std::fs::read(&path).unwrap();
    let said = home.fail(&["serve"]);
    assert!(said.contains("99") && said.contains("newer"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn migrations_go_up_and_down_but_not_under_a_running_server() {
    let home = Home::new();
    let status = home.succeed(&["migrate", "status"]);
    assert!(status.contains("pending") && !status.contains("applied"), "{status}");
    home.succeed(&["migrate", "up"]);
    let status = home.succeed(&["migrate", "status"]);
    assert!(status.contains("applied") && !status.contains("pending"), "{status}");
    home.succeed(&["migrate", "down", "0", "--role", "chat"]);
    let status = home.succeed(&["migrate", "status"]);
    assert!(status.lines().any(|line| line.starts_with("chat") && line.contains("pending")), "{status}");

    let server = home.serve(&["auth", "chat"]);
    let said = home.fail(&["migrate", "down", "0", "--role", "chat"]);
    assert!(said.contains(&server.pid().to_string()), "{said}");
    assert!(home.succeed(&["migrate", "status"]).contains("applied"));
}
