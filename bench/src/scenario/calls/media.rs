//! A change of state reaches the other one: from `call.media` on one device to the register on the other, with all calls up.
//!
//! Changes come at a steady rate whether or not the last one has arrived, each in another call. The server commits each before it tells
//! it; so does the floor, one after another.

use std::time::Duration;

use anyhow::Result;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use protocol::calls::Media;
use tokio::time::{Instant, sleep_until};

use super::floors::Commits;
use super::hold::Talk;
use super::{Figure, millis};
use crate::report::Goal;

/// How many changes a run makes,
const CHANGES: usize = 500;
/// and in which distance.
const EVERY: Duration = Duration::from_millis(10);

pub(super) async fn run(talks: &mut [Talk], commits: &mut Commits) -> Result<[Figure; 2]> {
    let began = Instant::now();
    let server: Vec<f64> = stream::iter(talks.iter_mut().take(CHANGES).zip(1..))
        .map(|(talk, turn)| async move {
            sleep_until(began + EVERY * turn).await;
            talk.change().await
        })
        .buffer_unordered(CHANGES)
        .try_collect()
        .await?;
    let mut floor = Vec::with_capacity(CHANGES);
    let mut ticks = tokio::time::interval(EVERY);
    for _ in 0..CHANGES {
        ticks.tick().await;
        floor.push(millis(commits.commit().await?));
    }
    Figure::latencies(
        ["a change reaches the other one, p50", "a change reaches the other one, p99"],
        &server,
        &floor,
        [Goal::AtMost(1.0), Goal::AtMost(5.0)],
    )
}

impl Talk {
    async fn change(&mut self) -> Result<f64> {
        let Self { caller, callee, caller_at, .. } = self;
        let media = Media { audio: true, video: true, ..Media::default() };
        let began = Instant::now();
        let told = async {
            let has_it = |call: &protocol::calls::Call| {
                call.participant(caller_at.leg.user).is_some_and(|person| person.media == media)
            };
            callee.told(caller_at.call, has_it).await?;
            Ok(millis(began.elapsed()))
        };
        let (_, latency) = tokio::try_join!(caller.set_media(*caller_at, media), told)?;
        Ok(latency)
    }
}
