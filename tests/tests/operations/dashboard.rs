//! The shipped dashboard: its panels and what each asks.

use serde_json::Value;

use crate::files::text;

const FILE: &str = "configs/grafana-dashboard.json";

/// A panel's query.
pub(crate) struct Query {
    /// The panel's title.
    pub(crate) panel: String,
    /// What it asks Prometheus.
    pub(crate) expression: String,
}

/// All queries of all panels.
pub(crate) fn queries() -> Vec<Query> {
    let dashboard = read();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let queries = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| Query {
            panel: panel["title"].as_str().unwrap().to_owned(),
            expression: target["expr"].as_str().unwrap().to_owned(),
        })
    });
    queries.collect()
}

fn read() -> Value {
    serde_json::from_str(&text(FILE)).unwrap()
}

#[test]
fn it_shows_the_last_hour_and_is_fresh_every_ten_seconds() {
    let dashboard = read();
    assert_eq!(dashboard["refresh"], "10s");
    assert_eq!((&dashboard["time"]["from"], &dashboard["time"]["to"]), (&"now-1h".into(), &"now".into()));
}

#[test]
fn every_panel_asks_the_provisioned_source_and_has_a_place_of_its_own() {
    let dashboard = read();
    let sources = text("configs/grafana/datasources/secureconnect.yml");
    let mut ids = std::collections::BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        let uid = panel["datasource"]["uid"].as_str().unwrap();
        assert!(sources.contains(&format!("uid: {uid}")), "{panel}");
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{panel}");
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{panel}");
    }
}
