//! Stub for type checking.
use super::*;
use std::path::Path;
#[derive(Clone)]
pub struct SqliteCalls(runtime::store::Store);
impl SqliteCalls {
    pub fn new(s: runtime::store::Store) -> Self {
        Self(s)
    }
}
pub fn migrations() -> &'static [runtime::store::Migration] {
    &[]
}
pub fn store_options(_f: &Path) -> runtime::store::StoreOptions {
    todo!()
}
#[async_trait]
impl CallStore for SqliteCalls {
    async fn now(&self) -> Result<Millis, StoreError> {
        todo!()
    }
    async fn create(&self, _call: &CallState, _outputs: &[Output]) -> Result<Created, StoreError> {
        todo!()
    }
    async fn load(&self, _call: CallId) -> Result<Option<CallState>, StoreError> {
        todo!()
    }
    async fn swap(&self, _e: u64, _next: &CallState, _o: &[Output]) -> Result<Swapped, StoreError> {
        todo!()
    }
    async fn started(&self, _user: UserId, _c: ClientId) -> Result<Option<CallId>, StoreError> {
        todo!()
    }
    async fn live_in(&self, _c: ConversationId) -> Result<Option<CallId>, StoreError> {
        todo!()
    }
    async fn busy(&self, _users: &[UserId], _except: Option<CallId>) -> Result<Vec<UserId>, StoreError> {
        todo!()
    }
    async fn live(&self, _after: Option<CallId>, _limit: usize) -> Result<Vec<CallState>, StoreError> {
        todo!()
    }
    async fn over_since(&self, _since: Millis, _limit: usize) -> Result<Vec<CallState>, StoreError> {
        todo!()
    }
    async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        todo!()
    }
    async fn claim_due(&self, _l: Millis, _limit: usize) -> Result<Vec<CallId>, StoreError> {
        todo!()
    }
    async fn claim_outputs(&self, _l: Millis, _limit: usize) -> Result<Vec<Pending>, StoreError> {
        todo!()
    }
    async fn performed(&self, _key: OutputKey) -> Result<(), StoreError> {
        todo!()
    }
    async fn postpone(&self, _key: OutputKey, _by_ms: Millis) -> Result<(), StoreError> {
        todo!()
    }
    async fn next_output(&self) -> Result<Option<Millis>, StoreError> {
        todo!()
    }
    async fn history(&self, _user: UserId, _before: Option<CallId>, _limit: usize) -> Result<History, StoreError> {
        todo!()
    }
    async fn missed(&self, _user: UserId) -> Result<u64, StoreError> {
        todo!()
    }
    async fn seen(&self, _user: UserId, _call: CallId) -> Result<(), StoreError> {
        todo!()
    }
    async fn forget(&self, _b: Millis, _limit: usize) -> Result<usize, StoreError> {
        todo!()
    }
}
