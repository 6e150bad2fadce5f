//! Waiting for conditions. The only place in the tests that sleeps: between two looks at a condition, and where a schedule is what is tested.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// How long anything may take before a test gives up: generous, for machines that do other work too.
pub const PATIENCE: Duration = Duration::from_secs(30);

const BETWEEN_LOOKS: Duration = Duration::from_millis(15);

/// Looks again and again until `probe` finds something; panics with what was awaited after [`PATIENCE`].
pub async fn until<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, probe).await
}

/// The same with a limit of its own, for what must happen in a stated time.
pub async fn until_within<T>(limit: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{limit:?} passed without: {what}");
        sleep(BETWEEN_LOOKS).await;
    }
}

/// Until a moment of a schedule comes, which is the condition here: how long something stays broken is what such a test varies.
pub async fn for_the_moment(moment: Instant) {
    sleep_until(moment).await;
}

/// Awaits a future, at most for [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{PATIENCE:?} passed without: {what}"),
    }
}
