//! Which signaling processes live, and which of them serves which call.
//!
//! Gateways report their connections to every process, and anyone may apply a deadline; but what legs have to say to each other waits in the mailboxes of
//! one process, and when that dies the legs have to come back, as after a restart. So a call has an *owner*: who started it, and then who
//! last let a leg in. A process holds a lease, and whose lease has run out is followed in each of its calls by exactly one other.
//! A process keeps its name over a restart, so it knows at once which calls it has to find again.

use protocol::{CallId, Millis};
use runtime::redis::cmd;

use super::{RedisCalls, StoreError, find, scripts};

/// How long a process may be silent before the others take its calls over: so short that its legs are back within five seconds, and many times as long as
/// a renewal takes.
pub(crate) const LEASE_MS: Millis = 3_000;
/// Silent processes that are looked at in one go.
const SILENT_MAX: usize = 16;
/// Calls that are taken over at once.
const ADOPT_MAX: usize = 256;

impl RedisCalls {
    /// This process lives.
    pub(crate) async fn renew_lease(&self) -> Result<(), StoreError> {
        self.set_lease(LEASE_MS).await
    }

    /// This process is about to end: others may follow at once.
    pub(crate) async fn give_lease_back(&self) -> Result<(), StoreError> {
        self.set_lease(0).await
    }

    async fn set_lease(&self, ms: Millis) -> Result<(), StoreError> {
        self.write(&scripts::RENEW, |script| {
            script.key(&self.keys.nodes).arg(self.clock()).arg(self.node.to_string()).arg(ms);
        })
        .await
    }

    /// This process serves the legs of a call from now on.
    pub(crate) async fn serve(&self, call: CallId) -> Result<(), StoreError> {
        self.write(&scripts::SERVE, |script| {
            script.key(&self.keys.live).key(&self.keys.owners).key(&self.keys.owned);
            script.arg(call.to_string()).arg(self.node.to_string()).arg(&self.keys.versions);
        })
        .await
    }

    /// The calls that this process serves, after one: also those of its life before a restart.
    async fn served(&self, after: Option<CallId>) -> Result<Vec<CallId>, StoreError> {
        let (node, after) = (self.node, after.map(|call| call.to_string()).unwrap_or_default());
        let mut ask = cmd("ZRANGEBYLEX");
        ask.arg(&self.keys.owned).arg(format!("({node}:{after}")).arg(format!("({node};"));
        ask.arg("LIMIT").arg(0).arg(ADOPT_MAX);
        let names: Vec<String> = self.ask("calls_served", &ask).await?;
        let calls: Vec<String> = names.iter().filter_map(|name| Some(name.split_once(':')?.1.to_owned())).collect();
        find::ids(&calls)
    }

    /// All of them.
    pub(crate) async fn all_served(&self) -> Result<Vec<CallId>, StoreError> {
        let mut all = Vec::new();
        loop {
            let page = self.served(all.last().copied()).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Those of these calls that another process serves.
    pub(crate) async fn served_elsewhere(&self, calls: &[CallId]) -> Result<Vec<CallId>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = cmd("HMGET");
        ask.arg(&self.keys.owners);
        for call in calls {
            ask.arg(call.to_string());
        }
        let owners: Vec<Option<String>> = self.ask("calls_owners", &ask).await?;
        let node = self.node.to_string();
        let elsewhere =
            calls.iter().zip(owners).filter(|(_, owner)| owner.as_ref().is_some_and(|owner| *owner != node));
        Ok(elsewhere.map(|(call, _)| *call).collect())
    }

    /// Other processes whose leases have run out, some of them.
    pub(crate) async fn silent(&self) -> Result<Vec<String>, StoreError> {
        let mut silent: Vec<String> = self
            .read(&scripts::SILENT, |script| {
                script.key(&self.keys.nodes).arg(self.clock()).arg(SILENT_MAX);
            })
            .await?;
        silent.retain(|other| *other != self.node.to_string());
        Ok(silent)
    }

    /// Takes calls of silent processes over, some at once; their legs have to come back. One that has none left is forgotten.
    pub(crate) async fn adopt(&self, silent: &[String]) -> Result<Vec<CallId>, StoreError> {
        let mut adopted = Vec::new();
        for other in silent {
            let calls: Vec<String> = self
                .write(&scripts::ADOPT, |script| {
                    script.key(&self.keys.nodes).key(&self.keys.owners).key(&self.keys.owned);
                    script.arg(self.clock()).arg(other).arg(self.node.to_string()).arg(ADOPT_MAX);
                    script.arg(&self.keys.versions);
                })
                .await?;
            adopted.extend(find::ids::<CallId>(&calls)?);
        }
        Ok(adopted)
    }
}
