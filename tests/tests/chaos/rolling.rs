//! Every process is restarted, one after the other, under load: no send is lost or doubled, and what can't be served is refused for the time being.

use harness::crew::{Pace, Way};
use harness::history::{self, Fact, History, Operation, Outcome};
use harness::world::Settings;
use harness::{Crew, Proxy, Topology, World};
use protocol::{Retry, ServiceName};
use tokio::time::Instant;

use crate::callers::Callers;
use crate::{ALONE, soaks};

/// Writes between two restarts.
const WRITES: u64 = 100;
const ROUNDS_OF_SOAK: usize = 3;
/// How many lines of a log a failing test shows.
const FAULTS_SHOWN: usize = 10;
const PACE: Pace = Pace { hands: 2, reconnect_within_ms: 1_000 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_and_doubles_nothing() {
    let _alone = ALONE.lock().await;
    let settings = Settings::default().set("proxy.trusted", r#"["127.0.0.1/32"]"#);
    // Whoever is sent away comes back sooner than in production, unless there is time.
    let settings = if soaks() { settings } else { settings.set("gateway.reconnect_spread_ms", 1_000) };
    let mut world = World::with(Topology::Doubled, settings).await;
    let gateways: Vec<&str> = Topology::Doubled.parts_of(ServiceName::Gateway).collect();
    let addresses: Vec<_> =
        Topology::Doubled.parts_of(ServiceName::Gateway).map(|part| world.gateway_at(part)).collect();
    let proxy = Proxy::before(world.host(), &addresses).await;
    let mut crew = Crew::assemble_by(&world, Way::by(&proxy), PACE).await;
    let callers = Callers::call(&world, &proxy.rest()).await;

    for round in 1..=if soaks() { ROUNDS_OF_SOAK } else { 1 } {
        let began = Instant::now();
        for part in Topology::Doubled.parts() {
            crew.writes(WRITES).await;
            let status = world.terminate(part.name).await;
            assert_eq!(status.code(), Some(0), "{}", part.name);
            world.restart(part.name).await;
            if gateways.contains(&part.name) {
                proxy.takes_note_of(&world, part.name).await;
            }
        }
        println!("round {round}: every process was restarted in {:?}", began.elapsed());
    }

    crew.writes(WRITES).await;
    let (calls, refusals) = callers.end().await;
    let writes = crew.written();
    crew.rest().await;
    let history = crew.dismiss().await;
    println!("{writes} writes over sockets, {calls} calls by REST, of which refused:{refusals}");
    refusals.are_all_503_with_retry_after();
    nothing_was_refused_for_another_reason_than_its_own(&history);
    no_process_speaks_of_a_fault(&world);
    let stats = history::must_be_right(&history);
    println!("{stats:?}");
    world.end().await;
}

/// Over sockets clients repeat what can't be served; what they hand to the app is final, and says nothing of a server that was not there. (Of a
/// command that was repeated and then refused, nobody knows whether it was done before.)
fn nothing_was_refused_for_another_reason_than_its_own(history: &History) {
    for fact in history.devices.iter().flat_map(|device| &device.facts) {
        if let Fact::Did(Operation { outcome: Outcome::Refused(code), .. }) = fact {
            assert_eq!(code.retry(), Retry::Never, "{fact:?}");
        }
    }
}

/// Processes that go and come are nothing that an operator must look into.
fn no_process_speaks_of_a_fault(world: &World) {
    for part in world.topology().parts() {
        let log = world.log(part.name);
        let faults: Vec<&str> =
            log.lines().filter(|line| line.contains(r#""level":"error""#)).take(FAULTS_SHOWN).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", part.name);
    }
}
