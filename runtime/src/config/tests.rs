use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sample {
    data_dir: PathBuf,
    gateway: Gateway,
    names: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Gateway {
    port: u16,
    origins: Vec<String>,
    title: Option<String>,
    key: Secret,
}

fn defaults() -> Sample {
    Sample {
        data_dir: "data".into(),
        gateway: Gateway { port: 8080, origins: Vec::new(), title: None, key: Secret::default() },
        names: BTreeMap::new(),
    }
}

fn loaded(file: &str, env: &[(&str, &str)]) -> Result<Sample, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.toml");
    std::fs::write(&path, file).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(defaults(), Some(&path), env).map_err(|error| error.to_string())
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "data_dir = \"/file\"\n[gateway]\nport = 1\norigins = [\"https://a\"]\n";
    let env = [("SECURECONNECT_GATEWAY__PORT", "2"), ("OTHER", "x")];
    let config = loaded(file, &env).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/file"));
    assert_eq!(config.gateway.port, 2);
    assert_eq!(config.gateway.origins, ["https://a"]);
}

#[test]
fn variables_hold_lists_and_plain_text() {
    let env = [
        ("SECURECONNECT_GATEWAY__ORIGINS", "[\"https://a\", \"https://b\"]"),
        ("SECURECONNECT_GATEWAY__TITLE", "42"),
        ("SECURECONNECT_DATA_DIR", "/some/where"),
    ];
    let config = loaded("", &env).unwrap();
    assert_eq!(config.gateway.origins.len(), 2);
    assert_eq!(config.gateway.title.as_deref(), Some("42"));
    assert_eq!(config.data_dir, PathBuf::from("/some/where"));
}

#[test]
fn an_unknown_key_is_named_in_full_with_the_nearest_one() {
    let error = loaded("[gateway]\nprot = 1\n", &[]).unwrap_err();
    assert!(error.contains("`gateway.prot`") && error.contains("`gateway.port`"), "{error}");
    let error = loaded("", &[("SECURECONNECT_GATWAY__PORT", "1")]).unwrap_err();
    assert!(error.contains("`gatway.port`") && error.contains("`gateway.port`"), "{error}");
    let error = loaded("port = 1", &[]).unwrap_err();
    assert!(error.contains("did you mean `gateway.port`"), "{error}");
}

#[test]
fn a_value_of_the_wrong_type_is_named_by_its_key() {
    for (file, env) in [
        ("[gateway]\nport = \"many\"\n", None),
        ("[gateway]\nport = 70000\n", None),
        ("gateway = 3\n", None),
        ("", Some(("SECURECONNECT_GATEWAY__PORT", "many"))),
    ] {
        let env: Vec<_> = env.into_iter().collect();
        let error = loaded(file, &env).unwrap_err();
        assert!(error.contains("`gateway"), "{error}");
    }
}

#[test]
fn an_empty_map_takes_any_key() {
    let env = [("SECURECONNECT_NAMES__ADA", "3")];
    let config = loaded("[names]\nbob = 4\n", &env).unwrap();
    assert_eq!((config.names["bob"], config.names["ada"]), (4, 3));
}

#[test]
fn a_secret_comes_from_its_file_and_never_prints() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    std::fs::write(&path, "s3cr3t-value\n").unwrap();
    let env =
        [("SECURECONNECT_GATEWAY__KEY", "overridden"), ("SECURECONNECT_GATEWAY__KEY_FILE", path.to_str().unwrap())];
    let config = loaded("", &env).unwrap();
    assert_eq!(config.gateway.key.expose(), Some("s3cr3t-value"));
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn a_secret_file_that_is_missing_is_named() {
    let env = [("SECURECONNECT_GATEWAY__KEY_FILE", "/does/not/exist")];
    let error = loaded("", &env).unwrap_err();
    assert!(error.contains("`gateway.key`") && error.contains("/does/not/exist"), "{error}");
}

impl Validate for Sample {
    fn validate(&self, environment: Environment, problems: &mut Problems) {
        problems.check_secret("gateway.key", &self.gateway.key, environment);
    }
}

#[test]
fn production_refuses_weak_secrets_by_name() {
    let weak = |environment: &str, key: &str| {
        let env = [("SECURECONNECT_ENV", environment), ("SECURECONNECT_GATEWAY__KEY", key)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        load_validated(defaults(), None, env.into_iter()).map_err(|error| error.to_string())
    };
    assert!(weak("development", "short").is_ok());
    for key in ["short", "changeme-changeme-changeme-changeme", &"ab".repeat(20)] {
        let error = weak("production", key).unwrap_err();
        assert!(error.contains("`gateway.key`") && !error.contains(key), "{error}");
    }
    assert!(weak("production", "6f0c1b9e4d7a2853f1e0c9b8a7d6e5f4").is_ok());
}

#[test]
fn the_documented_file_loads_back_to_the_defaults() {
    let comments = [
        ("data_dir", "Where everything is kept."),
        ("gateway", "The edge."),
        ("gateway.port", "Where it listens."),
        ("gateway.origins", "Pages that may connect."),
        ("gateway.title", "Shown in the page."),
        ("gateway.key", "Signs things."),
        ("names", "Numbers by name."),
    ];
    let text = render_documented(&defaults(), &comments).unwrap();
    assert!(text.contains("# Where it listens.\nport = 8080"), "{text}");
    assert!(text.contains("# title ="), "{text}");
    let config = loaded(&text, &[]).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", defaults()));
    let error = render_documented(&defaults(), &comments[1..]).unwrap_err();
    assert!(error.to_string().contains("`data_dir` is not explained"));
    let stale = [comments.as_slice(), &[("gone", "x")]].concat();
    assert!(render_documented(&defaults(), &stale).is_err());
}
