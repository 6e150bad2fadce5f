//! Tasks that are known by name, whose panics stay theirs, and that are waited for at the end.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use protocol::ServiceName;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The tasks of one service. Clones share them.
#[derive(Debug, Clone)]
pub struct Tasks {
    service: ServiceName,
    tracker: TaskTracker,
    running: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Running {
    next: u64,
    tasks: BTreeMap<u64, (&'static str, Option<AbortHandle>)>,
}

impl Tasks {
    /// No task yet.
    pub fn new(service: ServiceName) -> Self {
        Self { service, tracker: TaskTracker::new(), running: Arc::default() }
    }

    /// Starts a task. If it panics, that is logged and counted, and nothing else ends.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let service = self.service.as_str();
        let entry = Entry::new(&self.running, name);
        let number = entry.number;
        let contained = async move {
            let _entry = entry;
            // The task is over after a panic; nothing looks at what it left.
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task panicked and ended");
            }
        };
        let span = tracing::info_span!("task", service);
        let handle = self.tracker.spawn(contained.instrument(span)).abort_handle();
        if let Some((_, slot)) = self.running.lock().tasks.get_mut(&number) {
            *slot = Some(handle);
        }
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.running.lock().tasks.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for all to end, at most for `deadline`; then ends the rest and answers their names.
    pub async fn join(&self, deadline: Duration) -> Vec<&'static str> {
        self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok() {
            return Vec::new();
        }
        let late: Vec<_> = self.running.lock().tasks.values().cloned().collect();
        late.into_iter()
            .map(|(name, handle)| {
                if let Some(handle) = handle {
                    handle.abort();
                }
                name
            })
            .collect()
    }
}

/// Takes the task off the list however it ends, also when it is aborted.
struct Entry {
    running: Arc<Mutex<Running>>,
    number: u64,
}

impl Entry {
    fn new(running: &Arc<Mutex<Running>>, name: &'static str) -> Self {
        let mut all = running.lock();
        let number = all.next;
        all.next += 1;
        all.tasks.insert(number, (name, None));
        Self { running: Arc::clone(running), number }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.lock().tasks.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_own_task_only() {
        let tasks = Tasks::new(ServiceName::Chat);
        let (tell, told) = tokio::sync::oneshot::channel();
        tasks.spawn("bad", async { panic!("on purpose") });
        tasks.spawn("good", async {
            let _ = tell.send(());
        });
        told.await.unwrap();
        assert!(tasks.join(Duration::from_secs(5)).await.is_empty());
        assert!(tasks.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_late_is_named_and_ended() {
        let tasks = Tasks::new(ServiceName::Chat);
        tasks.spawn("stuck", std::future::pending());
        assert_eq!(tasks.join(Duration::from_secs(1)).await, ["stuck"]);
        tasks.tracker.wait().await;
        assert!(tasks.is_empty());
    }
}
