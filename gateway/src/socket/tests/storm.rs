//! Thousands who come at once ask no more at a time than can be answered in time.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;
use crate::session::Job;
use crate::socket::work::begin;

/// Counts how many ask for registers at the same time.
#[derive(Default)]
struct Counting {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait::async_trait]
impl Service for Counting {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, _call: Call) -> Reply {
        Refusal::of(ErrorCode::Unsupported).into()
    }

    async fn registers(&self, _user: UserId) -> Result<Vec<Event>, Refusal> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.now.fetch_sub(1, Ordering::Relaxed);
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn registers_are_read_in_turns() {
    let counting = Arc::new(Counting::default());
    let service = Arc::clone(&counting) as Arc<dyn Service>;
    let edge = edge_of(service, None, Tasks::new(ServiceName::Gateway), Shutdown::new());
    let all = (0..5_000).map(|_| begin(&edge, UserId::now(), Codec::Json, Job::MissedRegisters));
    assert_eq!(join_all(all).await.len(), 5_000);
    let most = counting.most.load(Ordering::Relaxed);
    assert!((1..=64).contains(&most), "{most} at once");
}
