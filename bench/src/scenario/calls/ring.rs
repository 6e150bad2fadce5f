//! One of three devices answers: until when the other two ring. And then what the two ends negotiate, step by step.
//!
//! The callee is logged in on three devices. Both are changes that are committed before they are told, so the floor is a commit.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use protocol::ConversationId;
use protocol::calls::{DescriptionType, Joined};

use super::floors::{Commits, Relay};
use super::phone::{Phone, Place, callee, callers_leg, is_answered};
use super::{CALLS, Figure, millis};
use crate::bed::Bed;
use crate::report::Goal;

/// How many calls each part makes in a run.
pub(super) const ROUNDS: usize = 200;

/// Two people, one of them with three devices.
pub(super) struct Household {
    caller: Phone,
    devices: Vec<Phone>,
    conversation: ConversationId,
}

impl Household {
    pub(super) async fn connect(bed: &Bed) -> Result<Self> {
        let (anna, ben) = (bed.register("anna").await, bed.register("ben").await);
        let conversation = anna.direct(&ben).await;
        let logins = [ben.clone(), ben.login("second").await, ben.login("third").await];
        let caller = Phone::new(bed.device(&anna, 2 * CALLS).await?);
        let mut devices = Vec::new();
        for (login, address) in logins.iter().zip(2 * CALLS + 1..) {
            devices.push(Phone::new(bed.device(login, address).await?));
        }
        Ok(Self { caller, devices, conversation })
    }

    pub(super) fn phones(self) -> impl Iterator<Item = Phone> {
        self.devices.into_iter().chain([self.caller])
    }

    /// From the answer on one device to the register on the other two.
    pub(super) async fn ring(&mut self, commits: &mut Commits, bar: &ProgressBar) -> Result<[Figure; 2]> {
        let (mut server, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            self.devices.rotate_left(1);
            let started = self.call().await?;
            let call = started.call.id;
            let (answering, others) = self.devices.split_first_mut().context("three devices")?;
            let began = Instant::now();
            let told = try_join_all(others.iter_mut().map(|other| async move {
                other.told(call, is_answered).await?;
                Ok(millis(began.elapsed()))
            }));
            let (_, latencies) = tokio::try_join!(answering.join(call), told)?;
            server.push(latencies.into_iter().fold(0.0, f64::max));
            self.hang_up(&started).await?;
            floor.push(millis(commits.commit().await?));
            bar.inc(1);
        }
        Figure::latencies(
            ["answered: the other two devices know, p50", "answered: the other two devices know, p99"],
            &server,
            &floor,
            [Goal::None, Goal::None],
        )
    }

    /// From the answer until both have the other's description: join, offer, answer; without WebRTC itself.
    pub(super) async fn negotiate(
        &mut self,
        commits: &mut Commits,
        relay: &mut Relay,
        bar: &ProgressBar,
    ) -> Result<Vec<Figure>> {
        let (mut server, mut floor) = (Steps::default(), Steps::default());
        for _ in 0..ROUNDS {
            let started = self.call().await?;
            server.push(self.connect_to(&started).await?);
            self.hang_up(&started).await?;
            let steps = [commits.commit().await?, relay.pass(false).await?, relay.pass(true).await?];
            floor.push(steps.map(millis));
            bar.inc(1);
        }
        let none = [Goal::None, Goal::None];
        let mut figures = Vec::new();
        figures.extend(Figure::latencies(
            ["answer to negotiated, p50", "answer to negotiated, p99"],
            &server.total,
            &floor.total,
            none,
        )?);
        let what = [
            ["… join answered, p50", "… join answered, p99"],
            ["… offer relayed, p50", "… offer relayed, p99"],
            ["… answer relayed, p50", "… answer relayed, p99"],
        ];
        for (index, what) in what.into_iter().enumerate() {
            figures.extend(Figure::latencies(what, &server.each[index], &floor.each[index], none)?);
        }
        Ok(figures)
    }

    /// The caller calls, and all devices ring.
    async fn call(&mut self) -> Result<Joined> {
        self.caller.forget();
        self.devices.iter_mut().for_each(Phone::forget);
        let started = self.caller.start(self.conversation).await?;
        let call = started.call.id;
        try_join_all(self.devices.iter_mut().map(|device| device.told(call, |call| !call.status.is_over()))).await?;
        Ok(started)
    }

    async fn connect_to(&mut self, started: &Joined) -> Result<[f64; 3]> {
        let call = started.call.id;
        let Some(device) = self.devices.first_mut() else { bail!("no device") };
        let caller_at = Place::of(started, started.call.by)?;
        let caller = &mut self.caller;
        let began = Instant::now();
        let joined = device.join(call).await?;
        let joined_at = Instant::now();
        let at = Place::of(&joined, callee(&joined.call)?)?;
        // Whoever came last offers. The next step begins with what the other one hears, not with the sender's own answer.
        let offer = device.signal(at, callers_leg(&joined.call)?, DescriptionType::Offer);
        let heard = async { Ok((caller.signalled(call).await?, Instant::now())) };
        let (_, (offer, offered_at)) = tokio::try_join!(offer, heard)?;
        let answer = caller.signal(caller_at, offer.from, DescriptionType::Answer);
        let answer_from = Instant::now();
        let heard = async {
            device.signalled(call).await?;
            Ok(Instant::now())
        };
        let (_, answered_at) = tokio::try_join!(answer, heard)?;
        let steps = [joined_at - began, offered_at - joined_at, answered_at - answer_from];
        Ok(steps.map(millis))
    }

    async fn hang_up(&mut self, started: &Joined) -> Result<()> {
        self.caller.leave(Place::of(started, started.call.by)?).await?;
        Ok(())
    }
}

/// Latencies of the three steps, and of all together.
#[derive(Default)]
struct Steps {
    each: [Vec<f64>; 3],
    total: Vec<f64>,
}

impl Steps {
    fn push(&mut self, steps: [f64; 3]) {
        self.total.push(steps.iter().sum());
        for (latencies, latency) in self.each.iter_mut().zip(steps) {
            latencies.push(latency);
        }
    }
}
