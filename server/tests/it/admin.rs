//! The admin listener shows nothing without its token, and is nowhere on the public listeners.

use reqwest::{Client, StatusCode};

use crate::server::Home;

const ALL: &[&str] = &["gateway", "auth", "chat", "signaling", "storage"];

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
