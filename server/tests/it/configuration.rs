//! The configuration is checked before anything is touched, and errors name the key.

use crate::server::Home;

#[test]
fn a_file_is_checked() {
    let home = Home::new();
    let path = home.path().join("secureconnect.toml");
    let name = path.display().to_string();
    std::fs::write(&path, "[listen]\ngateway = \"0.0.0.0:8080\"\n").unwrap();
    home.succeed(&["config", "check", &name]);
    std::fs::write(&path, "[listen]\ngatway = \"0.0.0.0:8080\"\n").unwrap();
    let said = home.fail(&["config", "check", &name]);
    assert!(said.contains("`listen.gatway`") && said.contains("`listen.gateway`"), "{said}");
}

#[test]
fn a_variable_that_is_no_key_stops_the_start_before_anything_is_made() {
    let home = Home::new();
    let output = home.command(&["serve"]).env("SECURECONNECT_LISTN__GATEWAY", "127.0.0.1:0").output().unwrap();
    assert!(!output.status.success());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn the_printed_configuration_reads_back() {
    let home = Home::new();
    let printed = home.succeed(&["config", "print"]);
    let path = home.path().join("printed.toml");
    std::fs::write(&path, printed).unwrap();
    home.succeed(&["config", "check", &path.display().to_string()]);
}
