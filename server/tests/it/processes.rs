//! One process at a time has a folder, and processes that share a directory find each other.

use crate::server::Home;

const ALL: &[&str] = &["gateway", "auth", "chat", "signaling", "storage", "turn"];

#[test]
fn a_second_process_on_the_same_directory_is_refused_and_told_who_has_it() {
    let home = Home::new();
    let server = home.serve(ALL);
    let said = home.fail(&["serve"]);
    assert!(said.contains(&format!("in use by process {}", server.pid())), "{said}");
    let said = home.fail(&["serve", "--role", "chat"]);
    assert!(said.contains(&server.pid().to_string()), "{said}");
    home.succeed(&["healthcheck"]);
}

#[test]
fn an_asked_for_end_is_orderly_and_leaves_no_addresses() {
    let home = Home::new();
    let server = home.serve(ALL);
    assert!(server.terminate().success());
    for role in ALL {
        assert!(!home.path().join(role).join("addresses.json").exists(), "{role}");
    }
    let said = home.run(&["healthcheck"]);
    assert!(!said.status.success());
    home.serve(ALL);
}

#[test]
fn processes_that_share_a_directory_find_each_other_in_any_order() {
    let home = Home::new();
    let chat = home.serve(&["chat", "signaling", "storage"]);
    let auth = home.serve(&["auth"]);
    let gateway = home.serve(&["gateway"]);
    let _turn = home.serve(&["turn"]);
    home.succeed(&["healthcheck"]);
    drop(chat);
    drop(auth);
    let _chat = home.serve(&["chat", "signaling", "storage"]);
    let _auth = home.serve(&["auth"]);
    // The gateway finds them again by itself; the helper waits for it.
    drop(gateway);
    let _gateway = home.serve(&["gateway"]);
}

#[test]
fn what_a_process_makes_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let _server = home.serve(&["auth"]);
    for file in ["admin.token", "link.key", "link/auth.sock", "auth/auth.db", "auth/addresses.json"] {
        let mode = std::fs::metadata(home.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}
