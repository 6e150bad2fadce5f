use super::*;

/// The environment of a process that sets these variables.
fn loaded(file: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secureconnect.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load_validated(Config::default(), Some(&path), variables).map_err(|error| error.to_string())
}

#[test]
fn the_shipped_file_is_the_defaults_explained() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/secureconnect.toml");
    let documented = Config::documented_defaults().unwrap();
    assert!(
        std::fs::read_to_string(&shipped).is_ok_and(|text| text == documented),
        "write it anew: cargo run -p secureconnect -- config print --defaults > configs/secureconnect.toml"
    );
}

#[test]
fn the_shipped_file_changes_nothing() {
    let defaults = Config::default().to_toml().unwrap();
    let read = loaded(&Config::documented_defaults().unwrap(), &[]).unwrap();
    assert_eq!(read.to_toml().unwrap(), defaults);
}

#[test]
fn an_error_names_the_key() {
    for (file, names) in [
        ("[listen]\ngatway = \"127.0.0.1:1\"", "listen.gatway"),
        ("[listen]\ngateway = \"here\"", "listen.gateway"),
        ("roles = [\"cook\"]", "roles"),
        ("[admin]\nlisten = \"0.0.0.0:8090\"", "admin.listen"),
        ("[tls]\ncert = \"a.pem\"", "tls"),
        ("[link]\nlisten = \"10.0.0.1:9000\"", "link.listen"),
        ("[link.peers]\nauth = \"10.0.0.1:9000\"", "link.peers.auth"),
        ("[link.peers]\nchat = [\"127.0.0.1:1\", \"node-2:9000\"]", "link.peers.chat"),
        ("[link.tls]\nca = \"ca.pem\"", "link.tls"),
        ("[limits]\ngeneral = 0", "limits.general"),
        ("[limits]\ngenerall = 5", "limits.generall"),
        ("[proxy]\nprotocol = true", "proxy.protocol"),
        ("[auth.password]\nmemory_kib = 1", "auth.password.memory_kib"),
        ("[gateway]\nallowed_origins = [\"*\"]", "gateway.allowed_origins"),
    ] {
        let error = loaded(file, &[]).unwrap_err();
        assert!(error.contains(&format!("`{names}`")), "{file}: {error}");
    }
}

#[test]
fn production_refuses_what_only_a_test_may_have() {
    let file = "[auth.password]\nmemory_kib = 64\n";
    assert!(loaded(file, &[]).is_ok());
    let error = loaded(file, &[("SECURECONNECT_ENV", "production")]).unwrap_err();
    assert!(error.contains("auth.password.memory_kib"), "{error}");
}

#[test]
fn a_variable_wins_over_the_file() {
    let config = loaded("[listen]\nauth = \"127.0.0.1:1\"", &[("SECURECONNECT_LISTEN__AUTH", "127.0.0.1:2")]);
    assert_eq!(config.unwrap().listen.auth.port(), 2);
}
