//! The standard gRPC health service of running processes, asked by a client that knows nothing of the link.

use harness::world::Settings;
use harness::{Topology, World, on_every_topology, wait};
use protocol::ServiceName::Chat;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

on_every_topology![whoever_watches_a_process_hears_that_it_serves_and_that_it_ends];

async fn whoever_watches_a_process_hears_that_it_serves_and_that_it_ends(topology: Topology) {
    let mut world = World::with(topology, Settings::default().by_ports()).await;
    let (channel, key) = way_to_chat(&world).await;
    let question = |service: &str| {
        let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
        if let Some(key) = &key {
            let shown = MetadataValue::try_from(format!("Bearer {}", key.trim())).unwrap();
            request.metadata_mut().insert("authorization", shown);
        }
        request
    };
    let mut client = HealthClient::new(channel);
    for service in [Chat.as_str(), ""] {
        let answer = client.check(question(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let mut watch = client.watch(question(Chat.as_str())).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().expect("an answer").status(), ServingStatus::Serving);

    // It says so as soon as /readyz does, and holds up the end of the process no longer than anyone.
    let part = topology.chat_part();
    world.signal(part, libc::SIGTERM);
    let told = wait::within("the last word", watch.message()).await.unwrap().expect("it is told");
    assert_eq!(told.status(), ServingStatus::NotServing);
    assert_eq!(world.exited(part).await.code(), Some(0));
    world.end().await;
}

/// A connection to where chat listens for other processes, and the key that opens it: between machines certificates do, and there is none.
async fn way_to_chat(world: &World) -> (Channel, Option<String>) {
    let port = world.link(Chat).expect("chat's port").port();
    if !world.topology().has_machines() {
        let key = std::fs::read_to_string(world.data_dir().join("link.key")).unwrap();
        let endpoint = Endpoint::try_from(format!("http://{}", world.link(Chat).unwrap())).unwrap();
        return (endpoint.connect().await.unwrap(), Some(key));
    }
    let part = world.topology().chat_part();
    let machines = world.home(part).parent().unwrap().to_path_buf();
    let file = |name: &str| std::fs::read_to_string(machines.join(name)).unwrap();
    let identity = Identity::from_pem(file(&format!("{part}.pem")), file(&format!("{part}-key.pem")));
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(file("ca.pem"))).identity(identity);
    let endpoint = Endpoint::try_from(format!("https://localhost:{port}")).unwrap().tls_config(tls).unwrap();
    (endpoint.connect().await.unwrap(), None)
}
