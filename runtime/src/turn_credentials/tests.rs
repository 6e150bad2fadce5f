use super::*;
use std::os::unix::fs::PermissionsExt;

const NONE: fn() -> Secret = Secret::default;

fn secrets(current: &str, previous: &str) -> TurnSecrets {
    TurnSecrets::new(&Secret::new(current), &Secret::new(previous)).unwrap()
}

/// The passwords are those of `openssl dgst -sha1 -hmac <secret> -binary | base64`.
#[test]
fn passwords_are_those_that_coturn_computes() {
    for (secret, username, password) in [
        ("north", "1433895918:alice", "RqMvcGPYTJMGThVLSi4amT4zFtI="),
        ("4080218913", "1700000000:0b5c.7f.3", "a5S9M85nmZJJ2iDpRBMFJRfaTK0="),
    ] {
        let found: Vec<String> = secrets(secret, "").passwords(username).collect();
        assert_eq!(found, [password]);
    }
}

#[test]
fn what_is_made_is_checked_until_it_expires() {
    let secrets = secrets("north", "");
    let made = secrets.make("0b5c.7f.3", Duration::from_secs(300), 1_000);
    assert_eq!(made.username, "1300:0b5c.7f.3");
    assert_eq!(secrets.passwords(&made.username).next(), Some(made.password));
    let parsed = TurnUsername::parse(&made.username, 1_299).unwrap();
    assert_eq!((parsed.expires_at_s, parsed.name, parsed.user()), (1_300, "0b5c.7f.3", "0b5c"));
    assert_eq!(TurnUsername::parse(&made.username, 1_300), Err(UsernameError::Expired));
}

#[test]
fn while_a_secret_is_replaced_the_old_one_still_checks_and_only_the_new_one_makes() {
    let old = secrets("old", "");
    let both = secrets("new", "old");
    let of_old = old.make("ann", Duration::from_secs(60), 0);
    assert!(both.passwords(&of_old.username).any(|password| password == of_old.password));
    assert_eq!(
        both.make("ann", Duration::from_secs(60), 0).password,
        secrets("new", "").passwords("60:ann").next().unwrap()
    );
    assert!(secrets("new", "").passwords(&of_old.username).all(|password| password != of_old.password));
}

#[test]
fn what_is_no_username_of_the_scheme_is_refused() {
    let long = format!("99:{}", "x".repeat(USERNAME_BYTES_MAX));
    for username in
        ["", ":", "99:", ":ann", "ann", "+99:ann", "-1:ann", "1e9:ann", " 99:ann", "99999999999999999999:ann", &long]
    {
        assert_eq!(TurnUsername::parse(username, 1), Err(UsernameError::Malformed), "{username}");
    }
    // The name is opaque, also a `:` in it.
    assert_eq!(TurnUsername::parse("99:a:b", 1).unwrap().name, "a:b");
}

#[test]
fn nothing_prints_a_secret() {
    let shown = format!("{:?} {:?}", secrets("north", ""), secrets("north", "").make("ann", Duration::ZERO, 7));
    assert_eq!(shown, "TurnSecrets(1 of them) TurnCredentials(7:ann)");
}

#[test]
fn processes_of_one_data_directory_hold_the_same_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("turn.secret");
    let open = || TurnSecrets::configured_or_of_file(&NONE(), &NONE(), &path).unwrap();
    let made: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open().passwords("9:a").next().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|password| *password == made[0]));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let configured = TurnSecrets::configured_or_of_file(&Secret::new("north"), &NONE(), &path).unwrap();
    assert_eq!(configured.passwords("1433895918:alice").next().unwrap(), "RqMvcGPYTJMGThVLSi4amT4zFtI=");
}

#[test]
fn an_empty_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("turn.secret");
    std::fs::write(&path, "\n").unwrap();
    let error = TurnSecrets::configured_or_of_file(&NONE(), &NONE(), &path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "\n");
}
