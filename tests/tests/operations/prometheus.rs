//! The shipped Prometheus configuration in the real Prometheus, and questions to it.

use std::net::SocketAddr;

use harness::rest::{Rest, send, try_send};
use harness::wait;
use rig::free_port;
use serde_json::Value;

use crate::engine::Engine;

/// What is shortened in the copies that it is started with, in proportion: how long an alert's expression must hold (`configs/alerts.yml`) and how often
/// it is looked at. Everything else is what is shipped.
const SHORTENED: [(&str, &str); 5] = [
    ("for: 30s", "for: 1s"),
    ("for: 1m", "for: 2s"),
    ("for: 2m", "for: 4s"),
    ("for: 5m", "for: 10s"),
    ("evaluation_interval: 10s", "evaluation_interval: 1s"),
];

/// A Prometheus that scrapes the services.
pub(crate) struct Prometheus {
    rest: Rest,
}

impl Prometheus {
    /// Starts it; the services and Alertmanager must run.
    pub(crate) async fn start(engine: &mut Engine) -> Self {
        let host = engine.host();
        let address = SocketAddr::from((host, free_port(host)));
        let mut edits = SHORTENED.map(|(shipped, shortened)| (shipped, shortened.to_owned())).to_vec();
        edits.push(("0.0.0.0:9091", address.to_string()));
        engine.start("prometheus", &edits);
        let rest = Rest::to(address);
        let ready = async || {
            let answer = try_send(rest.request("GET", "/-/ready")).await.ok()?;
            (answer.status == 200).then_some(())
        };
        engine.until("prometheus", "Prometheus to be ready", ready).await;
        Self { rest }
    }

    /// The values that an expression has now; what is not a number is left out.
    pub(crate) async fn query(&self, expression: &str) -> Vec<f64> {
        let path = format!("/api/v1/query?query={}", percent(expression));
        let found = self.get(&path).await;
        let values = found["result"].as_array().unwrap_or_else(|| panic!("{expression}: {found}")).iter();
        let numbers = values.filter_map(|series| series["value"][1].as_str()?.parse::<f64>().ok());
        numbers.filter(|value| !value.is_nan()).collect()
    }

    /// Awaits that an expression has a value.
    pub(crate) async fn has(&self, what: &str, expression: &str) {
        let what = format!("{what}: {expression}");
        wait::until_within(wait::PATIENCE * 2, &what, async || {
            (!self.query(expression).await.is_empty()).then_some(())
        })
        .await;
    }

    /// Awaits that an expression has no value any more.
    pub(crate) async fn has_not(&self, what: &str, expression: &str) {
        let what = format!("{what} to be over: {expression}");
        wait::until_within(wait::PATIENCE * 2, &what, async || self.query(expression).await.is_empty().then_some(()))
            .await;
    }

    /// Awaits that an alert fires.
    pub(crate) async fn fires(&self, name: &str) {
        self.has(name, &format!(r#"ALERTS{{alertname="{name}", alertstate="firing"}}"#)).await;
    }

    /// Awaits that an alert is over.
    pub(crate) async fn resolves(&self, name: &str) {
        self.has_not(name, &format!(r#"ALERTS{{alertname="{name}"}}"#)).await;
    }

    /// The alerting rules as it has loaded them.
    pub(crate) async fn rules(&self) -> Vec<Value> {
        let loaded = self.get("/api/v1/rules").await;
        let groups = loaded["groups"].as_array().unwrap().iter();
        groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = send(self.rest.request("GET", path)).await;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["data"].clone()
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
