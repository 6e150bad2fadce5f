//! What of the shipped files only an engine could show, held as words: names, ports, users, limits, secrets, mounts.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Map, Value};

use crate::engine::five;
use crate::files::{MONITORING, PRODUCTION, TWO_GATEWAYS, compose, root, text, words, yaml};

/// What the compose specification calls the parts of a service that are used here; a slip of the pen is none of them.
const KEYS: &[&str] = &[
    "build",
    "cap_add",
    "cap_drop",
    "command",
    "container_name",
    "deploy",
    "entrypoint",
    "environment",
    "expose",
    "healthcheck",
    "image",
    "logging",
    "network_mode",
    "networks",
    "ports",
    "read_only",
    "restart",
    "secrets",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "ulimits",
    "user",
    "volumes",
];

/// Reads the engine's socket, which is root's; it has no capability.
const ROOT: &[&str] = &["alloy"];

fn file(path: &str) -> Value {
    compose(path, &[("SECURECONNECT_DOMAIN", "chat.example.org")])
}

fn services(tree: &Value) -> &Map<String, Value> {
    tree["services"].as_object().unwrap()
}

#[test]
fn the_five_have_their_names_and_ports_and_ask_their_own_binary_how_they_are() {
    let tree = file(PRODUCTION);
    for service in five() {
        let (name, role, port) = (service.as_str(), service.role(), service.default_port());
        let stated = &tree["services"][name];
        assert_eq!(words(&stated["command"]), ["serve"], "{name}");
        assert_eq!(stated["environment"]["SECURECONNECT_ROLES"], format!("[\"{role}\"]"), "{name}");
        assert_eq!(words(&stated["expose"]), [port.to_string()], "{name}");
        let listen = format!("SECURECONNECT_LISTEN__{}", role.to_uppercase());
        assert_eq!(stated["environment"][&listen], format!("0.0.0.0:{port}"), "{name}");
        let check = ["CMD", "secureconnect", "healthcheck"];
        assert_eq!(words(&stated["healthcheck"]["test"]), check, "{name}");
        assert_eq!(stated["environment"]["SECURECONNECT_ENV"], "production", "{name}");
        assert!(words(&stated["networks"]).contains(&"ops".to_owned()), "{name} can't be scraped");
    }
}

#[test]
fn a_container_has_its_services_name_and_no_more_rights_and_room_than_it_needs() {
    for path in [PRODUCTION, MONITORING] {
        for (name, service) in services(&file(path)) {
            for key in service.as_object().unwrap().keys() {
                assert!(KEYS.contains(&key.as_str()), "{name}: {key}");
            }
            assert_eq!(service["container_name"], name.as_str());
            assert_eq!(service["read_only"], true, "{name}");
            assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
            assert_eq!(words(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
            let root = service["user"].as_str().unwrap().starts_with("0:");
            assert_eq!(root, ROOT.contains(&name.as_str()), "{name}");
            let limits = &service["deploy"]["resources"]["limits"];
            for limit in ["cpus", "memory", "pids"] {
                assert!(!limits[limit].is_null(), "{name} has no limit of {limit}");
            }
        }
    }
}

#[test]
fn a_second_gateway_is_the_first_one_again_in_a_folder_of_its_own_and_the_proxy_knows_both() {
    let tree = file(TWO_GATEWAYS);
    let second = &tree["services"]["api-gateway-2"];
    assert_eq!(second["extends"]["file"], PRODUCTION);
    assert_eq!(second["extends"]["service"], "api-gateway");
    assert_eq!(second["container_name"], "api-gateway-2");
    assert_eq!(second["environment"]["SECURECONNECT_GATEWAY__FOLDER"], "gateway-2");
    let gateways = &tree["services"]["caddy"]["environment"]["SECURECONNECT_GATEWAYS"];
    assert_eq!(gateways, "api-gateway:8080 api-gateway-2:8080");
    assert!(text("configs/Caddyfile").contains("reverse_proxy {$SECURECONNECT_GATEWAYS:api-gateway:8080}"));
    let (edge, trusted) = (file(PRODUCTION), "172.30.1.0/24");
    assert_eq!(edge["networks"]["edge"]["ipam"]["config"][0]["subnet"], trusted);
    let asks = edge["services"]["api-gateway"]["environment"]["SECURECONNECT_METRICS__NETWORKS"].as_str().unwrap();
    assert!(asks.contains(trusted), "the proxy can't ask whether a gateway is alive: {asks}");
}

#[test]
fn what_is_mounted_exists_and_nothing_shipped_can_be_written() {
    for path in [PRODUCTION, MONITORING] {
        let tree = file(path);
        for (name, service) in services(&tree) {
            for volume in words(&service["volumes"]) {
                let (source, target) = volume.split_once(':').unwrap();
                match source {
                    shipped if shipped.starts_with("./") => {
                        assert!(root().join(shipped).exists(), "{name}: {shipped}");
                        assert!(target.ends_with(":ro"), "{name}: {volume}");
                    }
                    outside if outside.starts_with('/') => assert!(target.ends_with(":ro"), "{name}: {volume}"),
                    named => assert!(tree["volumes"].get(named).is_some(), "{name}: {named}"),
                }
            }
            for network in words(&service["networks"]) {
                assert!(tree["networks"].get(&network).is_some(), "{name}: {network}");
            }
        }
    }
    assert_eq!(file(PRODUCTION)["networks"]["ops"]["name"], file(MONITORING)["networks"]["ops"]["name"]);
}

#[test]
fn secrets_are_files_that_the_script_makes_and_stand_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("secrets");
    let script = || {
        let mut script = Command::new(root().join("scripts/production-secrets"));
        assert!(script.arg(&made).env("ALERT_WEBHOOK_URL", "http://127.0.0.1:9").output().unwrap().status.success());
        let entries = std::fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        entries.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let first = script();
    assert_eq!(script(), first, "what is there is kept");
    let mut named = BTreeSet::new();
    for path in [PRODUCTION, MONITORING] {
        let tree = file(path);
        for (name, secret) in tree["secrets"].as_object().unwrap() {
            assert_eq!(secret["file"], format!("./secrets/{name}"));
            named.insert(name.clone());
        }
        for (name, service) in services(&tree) {
            for secret in words(&service["secrets"]) {
                assert!(tree["secrets"].get(&secret).is_some(), "{name}: {secret}");
            }
            for (variable, value) in service["environment"].as_object().into_iter().flatten() {
                let sensitive = ["SECRET", "PASSWORD", "TOKEN"].iter().any(|word| variable.contains(word));
                let file = variable.ends_with("_FILE") && value.as_str().unwrap().starts_with("/run/secrets/");
                assert!(!sensitive || file, "{name}: {variable} is no file");
            }
        }
    }
    assert_eq!(named, first.keys().cloned().collect());
    for ignored in [".gitignore", ".dockerignore"] {
        let has = text(ignored).lines().any(|line| line.trim_matches('/') == "secrets");
        assert!(has, "{ignored} lets secrets through");
    }
}

#[test]
fn the_image_is_built_from_what_is_there_and_runs_as_nobody_in_particular() {
    let dockerfile = text("Dockerfile");
    for line in dockerfile.lines() {
        if let Some(image) = line.strip_prefix("FROM ") {
            let registry = image.split_once('/').is_some_and(|(first, _)| first.contains('.') || first.contains(':'));
            assert!(!registry, "{line}");
        }
        if let Some(paths) = line.strip_prefix("COPY ").filter(|paths| !paths.starts_with("--from")) {
            let (sources, _) = paths.rsplit_once(' ').unwrap();
            for source in sources.split(' ') {
                assert!(root().join(source).exists(), "{line}");
            }
        }
    }
    let user = dockerfile.lines().filter_map(|line| line.strip_prefix("USER ")).next_back();
    let tree = file(PRODUCTION);
    for service in five() {
        let stated = &tree["services"][service.as_str()];
        assert_eq!(stated["user"].as_str(), user, "{}", service.as_str());
        assert_eq!(stated["build"], ".", "{}", service.as_str());
    }
}

#[test]
fn prometheus_grafana_loki_and_alloy_are_where_operators_look_for_them() {
    let tree = file(MONITORING);
    let of = |name: &str| tree["services"][name].clone();
    let prometheus = of("prometheus");
    assert_eq!(words(&prometheus["ports"]), ["127.0.0.1:9091:9091"]);
    assert!(words(&prometheus["command"]).contains(&"--storage.tsdb.retention.time=200h".to_owned()));
    assert_eq!(words(&of("grafana")["ports"]), ["127.0.0.1:3000:3000"]);
    let scrape = yaml("configs/prometheus.yml");
    assert_eq!(scrape["global"]["scrape_interval"], "10s");
    let jobs = scrape["scrape_configs"].as_array().unwrap().iter();
    let jobs: Vec<(&str, &str)> = jobs
        .map(|job| (job["job_name"].as_str().unwrap(), job["static_configs"][0]["targets"][0].as_str().unwrap()))
        .collect();
    for service in five() {
        let target = format!("{}:{}", service.as_str(), service.default_port());
        assert!(jobs.contains(&(service.as_str(), &target)), "{jobs:?}");
    }
    let alloy = text("configs/alloy.alloy");
    assert!(alloy.contains(r#"target_label  = "job""#));
    for name in services(&file(PRODUCTION)).keys() {
        let kept = alloy.lines().any(|line| line.contains("regex") && line.contains(name.as_str()));
        assert!(kept, "the logs of {name} don't reach Loki");
    }
    let loki = yaml("configs/loki.yml");
    let address = format!("http://loki:{}", loki["server"]["http_listen_port"]);
    assert!(alloy.contains(&address) && text("configs/grafana/datasources/secureconnect.yml").contains(&address));
}
