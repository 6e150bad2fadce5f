//! The way from one process to another, which can be cut.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use link::{Call, Refusal, Reply, Service};
use protocol::{ErrorCode, ServiceName};
use runtime::audit::Spool;
use std::sync::atomic::{AtomicBool, Ordering};

use super::World;
use crate::commands;
use crate::desk::Desk;

/// Leads to one process, or to nobody yet.
#[derive(Default)]
pub(crate) struct Way {
    to: OnceLock<(Arc<Desk>, Spool)>,
    is_cut: AtomicBool,
}

impl Way {
    /// Nothing arrives from now on, or everything again.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }
}

#[async_trait]
impl Service for Way {
    fn name(&self) -> ServiceName {
        ServiceName::Signaling
    }

    fn answers(&self) -> bool {
        self.to.get().is_some() && !self.is_cut.load(Ordering::Relaxed)
    }

    async fn execute(&self, call: Call) -> Reply {
        match self.to.get().filter(|_| self.answers()) {
            Some((desk, spool)) => commands::execute(desk, spool, call).await,
            None => Refusal::of(ErrorCode::Unavailable).into(),
        }
    }
}

impl World {
    /// Another process of the same world, to which there is a way, and one back.
    pub(crate) async fn joined(&self, node: u128) -> Self {
        let other = self.beside(node).await;
        self.join_to(&other);
        other
    }

    /// Ways between two processes.
    pub(crate) fn join_to(&self, other: &Self) {
        let _ = self.way.to.set((Arc::clone(&other.desk), other.spool.clone()));
        let _ = other.way.to.set((Arc::clone(&self.desk), self.spool.clone()));
    }

    /// Cuts both ways, or makes both whole.
    pub(crate) fn cut_off(&self, other: &Self, is_cut: bool) {
        self.way.cut(is_cut);
        other.way.cut(is_cut);
    }
}
