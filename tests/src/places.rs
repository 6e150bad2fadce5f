//! Where clients go. With several gateways each login goes to the next one, and its REST calls to the one after that: so a user's devices,
//! those who talk to each other, and what one login does by REST and by socket meet across nodes, whatever a scenario is about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::rest::Rest;

/// The gateways, and whose turn it is.
#[derive(Clone)]
pub struct Places {
    gateways: Arc<[(SocketAddr, Rest)]>,
    turn: Arc<AtomicUsize>,
}

impl Places {
    /// These gateways; `turn` is shared by all who spread over them.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn among(gateways: Vec<(SocketAddr, Rest)>, turn: Arc<AtomicUsize>) -> Self {
        assert!(!gateways.is_empty(), "a gateway");
        Self { gateways: gateways.into(), turn }
    }

    /// One gateway.
    #[must_use]
    pub fn only(gateway: SocketAddr, rest: Rest) -> Self {
        Self::among(vec![(gateway, rest)], Arc::default())
    }

    /// Where the next login's sockets go, and its REST calls.
    pub(crate) fn next(&self) -> (SocketAddr, Rest) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let at = |turn: usize| &self.gateways[turn % self.gateways.len()];
        (at(turn).0, at(turn + 1).1.clone())
    }
}
