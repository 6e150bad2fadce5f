//! How long a socket outlives the login that it belongs to: auth revokes it, the gateway closes it, and between them lies what a run has there.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::bed::Bed;

/// Logins that are logged out, one after the other.
const LOGOUTS: usize = 200;

pub(super) async fn run(bed: &Bed) -> Result<Vec<f64>> {
    let person = bed.register("leaver").await;
    let mut took = Vec::with_capacity(LOGOUTS);
    for _ in 0..LOGOUTS {
        let login = person.login("one of many").await;
        let mut device = login.device().await;
        let answer = login.call("auth.logout", None, json!({ "refresh_token": login.refresh })).await;
        ensure!(answer.status == 200, "a logout was refused: {answer}");
        let answered = Instant::now();
        device.socket.closed().await;
        took.push(answered.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(took)
}
