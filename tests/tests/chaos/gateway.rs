//! A gateway is killed under all its clients: by the shipped proxy they come back on the other one, and nobody has missed anything. How soon is
//! told beside the test, and measured by `make bench` on the release build.

use harness::crowd::{Killed, kill_a_gateway_under};
use harness::figures::Percentiles;
use harness::history;

use crate::{ALONE, soaks};

/// How many sockets the gateway has.
const SOCKETS: usize = 300;
const SOCKETS_OF_SOAK: usize = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_on_a_killed_gateway_is_back_on_another_and_has_missed_nothing() {
    let _alone = ALONE.lock().await;
    let Killed { back, said, history } = kill_a_gateway_under(if soaks() { SOCKETS_OF_SOAK } else { SOCKETS }).await;
    println!(
        "from the kill of a gateway to live on another: {} (99 of 100 are wanted within 5 s)",
        Percentiles::of(back)
    );
    let stats = history::must_be_right(&history);
    println!("{said} messages, {stats:?}");
}
