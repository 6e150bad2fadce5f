//! Alerts: their syntax and their unit tests by Prometheus' own tool, and that each has both kinds of test and a runbook.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{must_pass, root, text, yaml};

const RULES: &str = "configs/alerts.yml";
const UNIT_TESTS: &str = "configs/alerts.test.yml";

/// An alert.
pub(crate) struct Alert {
    /// Its name.
    pub(crate) name: String,
    /// When it fires.
    pub(crate) expression: String,
    runbook: String,
}

/// All alerts.
pub(crate) fn alerts() -> Vec<Alert> {
    let tree = yaml(RULES);
    let groups = tree["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{RULES}: {value}")).to_owned();
    let alert = |rule: &Value| Alert {
        name: text(&rule["alert"]),
        expression: text(&rule["expr"]),
        runbook: text(&rule["annotations"]["runbook"]),
    };
    rules.map(alert).collect()
}

#[test]
fn prometheus_own_tool_finds_nothing_wrong() {
    must_pass("promtool", &["check", "config", "configs/prometheus.yml"]);
    must_pass("promtool", &["check", "rules", RULES]);
    must_pass("promtool", &["test", "rules", UNIT_TESTS]);
    must_pass("amtool", &["check-config", "configs/alertmanager.yml"]);
}

#[test]
fn every_alert_is_shown_where_it_fires_and_where_it_does_not() {
    let tree = yaml(UNIT_TESTS);
    let groups = tree["tests"].as_array().unwrap().iter();
    let cases: Vec<&Value> = groups.flat_map(|group| group["alert_rule_test"].as_array().unwrap()).collect();
    for alert in alerts() {
        let own = || cases.iter().filter(|case| case["alertname"] == alert.name.as_str());
        let fires = |case: &Value| !case["exp_alerts"].as_array().unwrap().is_empty();
        assert!(own().any(|case| fires(case)), "{} is never shown to fire", alert.name);
        assert!(own().any(|case| !fires(case)), "{} is never shown to be silent", alert.name);
    }
}

#[test]
fn every_alert_has_a_runbook_that_names_it_and_every_runbook_stands_in_the_index() {
    let index = text("docs/operations.md");
    for alert in alerts() {
        let runbook = text(&alert.runbook);
        assert!(runbook.contains(&alert.name), "{} doesn't name {}", alert.runbook, alert.name);
        assert!(runbook.contains("```sh"), "{} has no command", alert.runbook);
    }
    let folder = std::fs::read_dir(root().join("docs/runbooks")).unwrap();
    let names: BTreeSet<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for name in names {
        assert!(index.contains(&format!("(runbooks/{name})")), "docs/operations.md does not lead to {name}");
    }
}
