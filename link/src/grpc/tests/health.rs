//! The standard health service, asked by a client that knows nothing of the link.

use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::grpc::client::channel;
use crate::grpc::{NetworkAddress, Tls, make_certificate};

const CHAT: &str = "chat-service";

/// A service that can serve as long as the switch says so.
fn switched() -> (watch::Sender<bool>, BoxStream<'static, bool>) {
    let (switch, ready) = watch::channel(true);
    (switch, WatchStream::new(ready).boxed())
}

async fn serve_with(address: &Address, key: &Trust, ready: BoxStream<'static, bool>) -> Served {
    let listener = Listener::bind(address, key).await.unwrap();
    let address = listener.address().clone();
    let stop = CancellationToken::new();
    let service: Arc<dyn Service> = Talkative::new();
    let task = tokio::spawn(listener.serve(vec![Offered { service, ready }], stop.clone()));
    Served { address, stop, task: AbortOnDropHandle::new(task) }
}

fn client(served: &Served, trust: &Trust) -> HealthClient<Channel> {
    HealthClient::new(channel(&served.address, trust).unwrap())
}

fn question(service: &str, key: &Trust) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
    let shown = MetadataValue::try_from(key.key.bearer()).unwrap();
    request.metadata_mut().insert("authorization", shown);
    request
}

async fn check(client: &mut HealthClient<Channel>, service: &str, key: &Trust) -> Result<ServingStatus, Status> {
    Ok(client.check(question(service, key)).await?.into_inner().status())
}

#[tokio::test]
async fn whoever_watches_hears_each_change_and_the_end() {
    let (key, (switch, ready)) = (trust(), switched());
    let mut served = serve_with(&any_port(), &key, ready).await;
    let mut client = client(&served, &key);
    let mut watches = Vec::new();
    for service in [CHAT, ""] {
        watches.push(client.watch(question(service, &key)).await.unwrap().into_inner());
    }
    for (serves, status) in
        [(true, ServingStatus::Serving), (false, ServingStatus::NotServing), (true, ServingStatus::Serving)]
    {
        switch.send_replace(serves);
        for watch in &mut watches {
            // The first answer may be of before it was ready.
            while watch.message().await.unwrap().expect("the watch goes on").status() != status {}
        }
        for service in [CHAT, ""] {
            assert_eq!(check(&mut client, service, &key).await.unwrap(), status, "{service}");
        }
    }

    // The watches of a listener that ends don't hold it up.
    served.stop.cancel();
    for watch in &mut watches {
        assert_eq!(watch.message().await.unwrap().expect("the last word").status(), ServingStatus::NotServing);
        assert!(watch.message().await.unwrap().is_none());
    }
    (&mut served.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn it_stands_behind_the_same_gate_and_knows_no_other_services() {
    let (key, (_switch, ready)) = (trust(), switched());
    let served = serve_with(&any_port(), &key, ready).await;
    let mut client = client(&served, &key);
    let stranger = check(&mut client, CHAT, &trust()).await.unwrap_err();
    assert_eq!(stranger.code(), Code::Unauthenticated);
    let unknown = check(&mut client, "auth-service", &key).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn it_answers_wherever_the_link_does() {
    let dir = tempfile::tempdir().unwrap();
    let certified = |name: &str| {
        let files = make_certificate(dir.path(), &[name.to_owned()]).unwrap();
        Trust { key: Key::generate(), tls: Some(Tls::load(&files).unwrap()) }
    };
    let key = trust();
    let network = Address::Network(NetworkAddress { host: "127.0.0.2".to_owned(), port: 0 });
    let ways = [
        (any_port(), key.clone(), key.clone()),
        (socket_in(&dir), key.clone(), key),
        (network, certified("127.0.0.2"), certified("watcher")),
    ];
    for (address, theirs, ours) in ways {
        let (_switch, ready) = switched();
        let served = serve_with(&address, &theirs, ready).await;
        let mut client = client(&served, &ours);
        let mut watch = client.watch(question(CHAT, &ours)).await.unwrap().into_inner();
        while watch.message().await.unwrap().expect("the watch goes on").status() != ServingStatus::Serving {}
    }
}
