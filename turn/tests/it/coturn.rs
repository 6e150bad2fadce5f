//! The judgement of an independent client: coturn's `turnutils_uclient` (`scripts/setup` installs it).

use tokio::process::Command;

use crate::world::{SECRET, World, credentials, now_s, secrets};

/// Runs four relayed clients of ten messages against each other; answers what was said.
async fn uclient(world: &World, arguments: &[&str]) -> String {
    let mut command = Command::new("turnutils_uclient");
    // -y: clients of the same server send to each other; -c: without RTCP pairs.
    command.args(["-y", "-c", "-m", "2", "-n", "10", "-l", "171", "-z", "5"]).args(arguments);
    command.args(["-p", &world.address.port().to_string(), &world.address.ip().to_string()]);
    let output = command.kill_on_drop(true).output().await;
    let output = output.unwrap_or_else(|error| panic!("turnutils_uclient: {error}; run scripts/setup"));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn relayed_all(said: &str) -> bool {
    said.contains("Total lost packets 0 (0.000000%)") && said.contains("tot_recv_msgs=20\n")
}

#[tokio::test]
async fn it_relays_by_udp_and_by_tcp_by_channels_and_by_indications() {
    let world = World::start();
    let rest = credentials("ann", 120);
    let password = ["-u", &rest.username, "-w", &rest.password];
    for transport in [&[][..], &["-s"], &["-t"], &["-t", "-s"]] {
        let said = uclient(&world, &[transport, &password].concat()).await;
        assert!(relayed_all(&said), "{transport:?}: {said}");
    }
}

#[tokio::test]
async fn it_makes_the_same_credentials_out_of_the_secret() {
    let world = World::start();
    let said = uclient(&world, &["-u", "ann", "-W", SECRET]).await;
    assert!(relayed_all(&said), "{said}");
}

#[tokio::test]
async fn it_gets_nothing_by_wrong_or_expired_credentials() {
    let world = World::start();
    let rest = credentials("ann", 120);
    let expired = secrets().make("ann", std::time::Duration::ZERO, now_s() - 1);
    let wrong = ["-u", &rest.username, "-w", "wrong"];
    let expired = ["-u", &expired.username, "-w", &expired.password];
    // It asks again and again until nobody answers, so all at the same time.
    let (wrong_tcp, expired_tcp) = ([&["-t"][..], &wrong].concat(), [&["-t"][..], &expired].concat());
    let said = tokio::join!(
        uclient(&world, &wrong),
        uclient(&world, &expired),
        uclient(&world, &wrong_tcp),
        uclient(&world, &expired_tcp),
    );
    for said in [said.0, said.1, said.2, said.3] {
        assert!(!said.contains("tot_recv_msgs="), "{said}");
    }
}
