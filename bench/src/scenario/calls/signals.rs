//! `call.signal` relays per CPU-second of the server, beside a relay of bare bytes.
//!
//! 64 calls, eight descriptions of 2 KiB in flight in each. The server also judges each one, numbers it, keeps it for a leg that
//! comes back, and answers its sender.

use anyhow::Result;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use protocol::calls::DescriptionType;

use super::Figure;
use super::floors::Relay;
use super::hold::Talk;
use crate::process::cpu_time;
use crate::report::Goal;

/// How many calls negotiate at once.
pub(super) const PAIRS: usize = 64;
/// How many signals each sends in a run,
const SIGNALS: usize = 1_280;
/// and how many of them are in flight.
const AT_ONCE: usize = 8;

pub(super) async fn run(pid: u32, talks: &mut [Talk], relay: &mut Relay) -> Result<Figure> {
    let talks = &mut talks[..PAIRS];
    talks.iter_mut().for_each(|talk| talk.callee.forget());
    let (server, client) = (cpu_time(pid)?, cpu_time(std::process::id())?);
    try_join_all(talks.iter_mut().map(Talk::negotiate)).await?;
    let server = cpu_time(pid)?.saturating_sub(server);
    let client = cpu_time(std::process::id())?.saturating_sub(client);
    Ok(Figure {
        what: "signals relayed, 2 KiB each",
        unit: "signals / CPU-s",
        server: (PAIRS * SIGNALS) as f64 / server.as_secs_f64().max(0.01),
        floor: relay.per_cpu_second(SIGNALS, AT_ONCE).await?,
        client_cpu: Some(client.as_secs_f64()),
        goal: Goal::None,
    })
}

impl Talk {
    async fn negotiate(&mut self) -> Result<()> {
        let Self { caller, callee, caller_at, callee_at } = self;
        let send = stream::iter(0..SIGNALS)
            .map(|_| caller.signal(*caller_at, callee_at.leg, DescriptionType::Offer))
            .buffer_unordered(AT_ONCE)
            .try_for_each(|_| std::future::ready(Ok(())));
        let hear = async {
            for _ in 0..SIGNALS {
                callee.signalled(callee_at.call).await?;
            }
            Ok(())
        };
        tokio::try_join!(send, hear)?;
        Ok(())
    }
}
