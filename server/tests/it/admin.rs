//! The admin listener shows nothing without its token, and is nowhere on the public listeners.

use reqwest::{Client, StatusCode};
use rusqlite::Connection;

use crate::server::Home;

const ALL: &[&str] = &["gateway", "auth", "chat", "signaling", "storage", "turn"];

#[tokio::test]
async fn every_admin_route_needs_the_token() {
    let home = Home::new();
    let server = home.serve(ALL);
    let admin = format!("http://{}", server.address("admin"));
    let http = Client::builder().no_proxy().build().unwrap();
    let token = std::fs::read_to_string(home.path().join("admin.token")).unwrap();
    for path in ["/metrics", "/metrics/chat", "/v1/users/role", "/v1/nothing"] {
        for wrong in [None, Some("Bearer"), Some("Bearer 1234")] {
            let mut request = http.get(format!("{admin}{path}"));
            if let Some(wrong) = wrong {
                request = request.header("authorization", wrong);
            }
            assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{path} {wrong:?}");
        }
    }
    for (path, shows) in [("/metrics", "process_open_fds"), ("/metrics/chat", "chat-service")] {
        let answer = http.get(format!("{admin}{path}")).bearer_auth(&token).send().await.unwrap();
        assert!(answer.text().await.unwrap().contains(shows), "{path}");
    }

    let gateway = format!("http://{}/v1/users/role", server.address("api-gateway"));
    let answer = http.post(gateway).bearer_auth(&token).json(&()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_knocks_without_the_token_and_who_changes_the_log_is_in_the_audit_trail() {
    for (roles, store) in [(ALL, "gateway/gateway.db"), (&["auth"], "auth/auth.db")] {
        let home = Home::new();
        let server = home.serve(roles);
        let admin = format!("http://{}/v1/log", server.address("admin"));
        let http = Client::builder().no_proxy().build().unwrap();
        let token = std::fs::read_to_string(home.path().join("admin.token")).unwrap();
        let filter = serde_json::json!({ "filter": "warn" });
        assert_eq!(http.post(&admin).json(&filter).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        assert_eq!(http.post(&admin).bearer_auth(&token).json(&filter).send().await.unwrap().status(), StatusCode::OK);

        // Both were on disk before the second was answered.
        let trail = Connection::open(home.path().join(store)).unwrap();
        let mut rows = trail.prepare("SELECT action, result, reason, client_ip FROM audit ORDER BY action").unwrap();
        let rows: Vec<[String; 4]> = rows
            .query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for expected in [
            ["admin.request", "denied", "unauthenticated", "127.0.0.1"],
            ["log.filter", "allowed", "warn", "127.0.0.1"],
        ] {
            assert!(rows.iter().any(|row| row == &expected), "{expected:?} in {rows:?}");
        }
    }
}
