//! Legs whose connection has ended: their participants are awaited.

use std::sync::Arc;
use std::time::Duration;

use link::{DeviceAnswer, DeviceReport, Refusal};
use protocol::ConnectionId;
use runtime::lifecycle::Shutdown;

use crate::desk::Desk;
use crate::machine::Input;
use crate::refuse;

/// How often what ends by time alone is looked for.
const EVERY: Duration = Duration::from_secs(1);

impl Desk {
    /// A gateway's report.
    pub(crate) async fn report(&self, report: &DeviceReport) -> Result<DeviceAnswer, Refusal> {
        let now = self.store.now().await.map_err(refuse::of_store)?;
        let (answer, ended) = self.connections.report(report, now);
        self.lose(ended).await;
        Ok(answer)
    }

    /// Connections have ended. What can't be written now is written at the next look: until then the leg only seems to be there.
    pub(crate) async fn lose(&self, ended: Vec<ConnectionId>) {
        for connection in ended {
            let Some(call) = self.live.of_connection(connection) else { continue };
            if let Err(refusal) = self.change(call, Input::Lost { connection }).await {
                tracing::warn!(%call, %refusal, "a lost connection could not be noted");
                self.connections.lose_again(connection);
            }
        }
    }
}

/// Looks for them until the service stops.
pub(crate) async fn watch(desk: Arc<Desk>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.stopped() => return,
        }
        if let Ok(now) = desk.store.now().await {
            let ended = desk.connections.expire(now);
            desk.lose(ended).await;
        }
    }
}
