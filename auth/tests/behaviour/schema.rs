use auth::{migrations, store_options};
use runtime::store::migrate;
use rusqlite::{Connection, params};

#[test]
fn every_version_of_the_schema_can_be_undone_and_applied_again() {
    let directory = tempfile::tempdir().unwrap();
    let options = store_options(directory.path());
    let newest = migrations().last().unwrap().version;
    for _ in 0..2 {
        assert_eq!(migrate::up_to(&options, newest).unwrap(), newest);
        for version in (0..newest).rev() {
            assert_eq!(migrate::down_to(&options, version).unwrap(), version);
        }
    }
}

#[test]
fn the_store_itself_refuses_what_the_rules_forbid() {
    let store = Connection::open_in_memory().unwrap();
    for migration in migrations() {
        store.execute_batch(migration.up).unwrap();
    }
    let add = |handle: &str, name: &str, avatar: Option<&str>, role: &str, password: Option<&str>| {
        store.execute(
            "INSERT INTO accounts (id, handle, name, avatar, role, password, password_at, created_at)
             VALUES (randomblob(16), ?1, ?2, ?3, ?4, ?5, 1, 1)",
            params![handle, name, avatar, role, password],
        )
    };
    add("ada", "Ada", Some("https://example.org/a"), "user", Some("$argon2id$v=19$x")).unwrap();
    assert!(add("ada", "Other", None, "user", None).is_err());
    assert!(add("Ada2", "Ada", None, "user", None).is_err());
    assert!(add("1ada", "Ada", None, "user", None).is_err());
    assert!(add("ad", "Ada", None, "user", None).is_err());
    assert!(add("bob", "", None, "user", None).is_err());
    assert!(add("bob", &"b".repeat(65), None, "user", None).is_err());
    assert!(add("bob", "Bob", Some("http://example.org"), "user", None).is_err());
    assert!(add("bob", "Bob", None, "root", None).is_err());
    assert!(add("bob", "Bob", None, "user", Some("plain text")).is_err());
}
