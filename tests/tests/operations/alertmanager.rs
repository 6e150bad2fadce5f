//! The shipped Alertmanager configuration in the real Alertmanager, and the webhook that its messages go to.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use harness::rest::{Rest, try_send};
use harness::wait;
use parking_lot::Mutex;
use rig::free_port;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::engine::Engine;

/// What is shortened in the copy that it is started with: how long a message waits for others to join it.
const SHORTENED: [(&str, &str); 2] =
    [("group_wait: 10s", "group_wait: 1s"), ("group_interval: 2m", "group_interval: 1s")];

/// An Alertmanager that tells a webhook of this test.
pub(crate) struct Alertmanager {
    told: Told,
    _webhook: JoinSet<()>,
}

type Told = Arc<Mutex<Vec<Value>>>;

impl Alertmanager {
    /// Starts both; whoever is started afterwards finds it by its name.
    pub(crate) async fn start(engine: &mut Engine) -> Self {
        let told = Told::default();
        let (webhook, at) = webhook(engine, Arc::clone(&told)).await;
        engine.tell_secret("alert_webhook_url", &format!("http://{at}/hooks/alerts"));
        let address = SocketAddr::from((engine.host(), free_port(engine.host())));
        let mut edits = SHORTENED.map(|(shipped, shortened)| (shipped, shortened.to_owned())).to_vec();
        edits.push(("0.0.0.0:9093", address.to_string()));
        engine.start("alertmanager", &edits);
        let ready = async || {
            let answer = try_send(Rest::to(address).request("GET", "/-/ready")).await.ok()?;
            (answer.status == 200).then_some(())
        };
        engine.until("alertmanager", "Alertmanager to be ready", ready).await;
        engine.place("alertmanager:9093", address);
        Self { told, _webhook: webhook }
    }

    /// Awaits a message of this title; answers its text.
    pub(crate) async fn tells(&self, title: &str) -> String {
        wait::until_within(wait::PATIENCE * 2, &format!("Alertmanager to tell {title:?}"), async || {
            let told = self.told.lock();
            let messages = told.iter().flat_map(|body| body["attachments"].as_array().into_iter().flatten());
            let message = messages.into_iter().find(|message| message["title"] == title)?;
            Some(message["text"].as_str()?.to_owned())
        })
        .await
    }
}

/// Takes in whatever is posted, as Slack does.
async fn webhook(engine: &Engine, told: Told) -> (JoinSet<()>, SocketAddr) {
    let listener = TcpListener::bind((engine.host(), 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let take = async |State(told): State<Told>, Json(body): Json<Value>| {
        told.lock().push(body);
        "ok"
    };
    let router = Router::new().route("/hooks/alerts", post(take)).with_state(told);
    let mut task = JoinSet::new();
    task.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (task, address)
}
