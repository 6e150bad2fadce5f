//! The return after a restart: the calls that went on are found again, and everyone in them is awaited.

use link::Refusal;
use std::sync::Arc;

use crate::desk::Desk;
use crate::machine::Input;
use crate::refuse;

/// Calls that are read at once.
const PAGE: usize = 500;

/// Finds all live calls again; answers how many.
pub(crate) async fn recover(desk: &Desk) -> Result<usize, Refusal> {
    let (mut after, mut found) = (None, 0);
    loop {
        let page = desk.store.live(after, PAGE).await.map_err(refuse::of_store)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for call in page {
            let call = Arc::new(call);
            desk.live.put(&call);
            desk.change(call.id, Input::Restarted).await?;
            found += 1;
        }
    }
    desk.count();
    if found > 0 {
        tracing::info!(calls = found, "calls were found again");
    }
    Ok(found)
}
