//! What several processes have to say to each other about a call.

use std::sync::Arc;

use protocol::CallId;

use super::Desk;
use crate::machine::CallState;

impl Desk {
    /// This process serves the legs of a call from now on: when it dies they have to come back elsewhere.
    pub(crate) async fn serve(&self, call: CallId) {
        let Some(shared) = &self.shared else { return };
        // The call goes on all the same; whoever follows the last owner finds it too.
        if let Err(error) = shared.serve(call).await {
            tracing::warn!(%call, %error, "it could not be noted who serves a call");
        }
    }

    /// Another process has written a version, and told it. What is held of the one before goes.
    pub(crate) fn heard(&self, call: CallState) {
        let before = self.live.get(call.id);
        if before.as_ref().is_some_and(|before| before.version >= call.version) {
            return;
        }
        let call = Arc::new(call);
        self.live.put(&call);
        if let Some(before) = &before {
            self.end_legs(before, &call);
        }
        if call.deadline() != before.and_then(|before| before.deadline()) {
            self.deadlines.notify_one();
        }
    }
}
