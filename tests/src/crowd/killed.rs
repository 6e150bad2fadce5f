//! A gateway is killed under a crowd, of which the speakers are on another one.

use std::time::Duration;

use protocol::ServiceName;
use tokio::time::Instant;

use super::Crowd;
use crate::history::History;
use crate::proxy::Proxy;
use crate::world::Settings;
use crate::{Topology, World};

/// Whose connections the proxy speaks for.
const PROXY: &str = r#"["127.0.0.1/32"]"#;
/// Nobody renews a token while it goes on.
const TOKEN_LIFE_S: u64 = 3_600;
/// What is said before the gateway is killed, and after all are back.
const SAID: u64 = 50;

/// What came of it.
pub struct Killed {
    /// From the kill to live on another gateway, of each of its clients; the shortest first.
    pub back: Vec<Duration>,
    /// How many messages were acknowledged.
    pub said: u64,
    /// What everybody did and saw.
    pub history: History,
}

/// Five processes, a Redis and a second gateway behind the shipped proxy; the first one is killed under so many sockets.
///
/// # Panics
/// When somebody does not come back.
pub async fn kill_a_gateway_under(sockets: usize) -> Killed {
    let settings = Settings::default().set("auth.access_token_s", TOKEN_LIFE_S).set("proxy.trusted", PROXY);
    let mut world = World::with(Topology::TwoGateways, settings).await;
    let proxy = Proxy::before(world.host(), &["gateway", "gateway-2"].map(|part| world.gateway_at(part))).await;
    let mut crowd = Crowd::found(&world, &proxy, sockets).await;

    // All listeners are on the first, all speakers on the second.
    world.kill("gateway-2").await;
    crowd.listen().await;
    world.restart("gateway-2").await;
    proxy.takes_note_of(&world, "gateway-2").await;
    crowd.speak().await;
    crowd.says(SAID).await;
    let open = world.metrics_at("gateway", ServiceName::Gateway).await.sum("websocket_connections", &[]);
    assert!(open >= sockets as f64, "{open} sockets on the first");

    crowd.count_anew();
    let killed = Instant::now();
    world.kill("gateway").await;
    let back = crowd.back_since(killed).await;
    crowd.says(SAID).await;
    let said = crowd.said();
    let history = crowd.disperse().await;
    world.end().await;
    Killed { back, said, history }
}
