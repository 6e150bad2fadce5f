//! Between machines: who has a certificate of the CA gets in, and nobody else is heard.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::grpc::{NetworkAddress, Tls, TlsFiles, make_certificate};

/// An address of this machine that stands for one of a network: it goes the way of all that is not said to be loopback.
const HOST: &str = "127.0.0.2";

fn at(host: &str, port: u16) -> Address {
    Address::Network(NetworkAddress { host: host.to_owned(), port })
}

/// A process's files, made in the folder.
fn files(folder: &std::path::Path, name: &str) -> TlsFiles {
    make_certificate(folder, &[name.to_owned()]).unwrap()
}

fn with(files: &TlsFiles) -> Trust {
    Trust { key: Key::generate(), tls: Some(Tls::load(files).unwrap()) }
}

fn port_of(served: &Served) -> u16 {
    let Address::Network(address) = &served.address else { panic!("{} is of a network", served.address) };
    address.port
}

/// What a caller hears that gets in nowhere.
async fn is_kept_out(chat: &Arc<dyn Service>, service: &Talkative) {
    let refused = chat.execute(say("echo")).await.result.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unavailable);
    assert!(chat.watch().await.is_err());
    assert_eq!(service.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn certificates_of_one_ca_are_enough_and_the_data_directories_differ() {
    let dir = tempfile::tempdir().unwrap();
    let service = Talkative::new();
    let served = serve(&at(HOST, 0), &with(&files(dir.path(), HOST)), service.clone()).await;
    let chat = chat_at(&served.address, &with(&files(dir.path(), "gateway-1")));
    behaves(chat, &service.publisher).await;
}

#[tokio::test]
async fn a_real_address_of_this_machine_is_served_where_it_has_one() {
    // Connecting a UDP socket sends nothing; it only says which address leads elsewhere.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let elsewhere = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    let host = elsewhere.map_or_else(|_| HOST.to_owned(), |address| address.ip().to_string());
    let dir = tempfile::tempdir().unwrap();
    let service = Talkative::new();
    let served = serve(&at(&host, 0), &with(&files(dir.path(), &host)), service.clone()).await;
    let chat = chat_at(&served.address, &with(&files(dir.path(), "gateway-1")));
    assert!(chat.execute(say("echo")).await.result.is_ok());
}

#[tokio::test]
async fn a_host_name_is_looked_up_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let service = Talkative::new();
    let served = serve(&at("localhost", 0), &with(&files(dir.path(), "localhost")), service.clone()).await;
    let caller = with(&files(dir.path(), "gateway-1"));
    assert!(chat_at(&served.address, &caller).execute(say("echo")).await.result.is_ok());
}

#[tokio::test]
async fn a_caller_of_another_ca_is_kept_out() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Talkative::new();
    let own = files(ours.path(), HOST);
    let served = serve(&at(HOST, 0), &with(&own), service.clone()).await;
    // They know whom to believe, but show what nobody here has signed.
    let stranger = TlsFiles { ca: own.ca, ..files(theirs.path(), "gateway-1") };
    is_kept_out(&chat_at(&served.address, &with(&stranger)), &service).await;
}

#[tokio::test]
async fn a_server_of_another_ca_is_not_believed() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Talkative::new();
    let served = serve(&at(HOST, 0), &with(&files(theirs.path(), HOST)), service.clone()).await;
    is_kept_out(&chat_at(&served.address, &with(&files(ours.path(), "gateway-1"))), &service).await;
}

#[tokio::test]
async fn a_server_with_the_certificate_of_another_process_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let service = Talkative::new();
    let served = serve(&at(HOST, 0), &with(&files(dir.path(), "chat-service")), service.clone()).await;
    is_kept_out(&chat_at(&served.address, &with(&files(dir.path(), "gateway-1"))), &service).await;
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_kept_out() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};

    let dir = tempfile::tempdir().unwrap();
    let own = files(dir.path(), HOST);
    let served = serve(&at(HOST, 0), &with(&own), Talkative::new()).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&own.ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let nameless = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = tokio::net::TcpStream::connect((HOST, port_of(&served))).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(nameless));
    // The refusal comes with the handshake or with the first read, as the version of TLS has it.
    if let Ok(mut stream) = connector.connect(ServerName::try_from(HOST).unwrap(), socket).await {
        assert!(stream.read_u8().await.is_err());
    }
}

#[tokio::test]
async fn who_speaks_in_the_clear_is_kept_out_and_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let service = Talkative::new();
    let served = serve(&at(HOST, 0), &with(&files(dir.path(), HOST)), service.clone()).await;
    let trust = with(&files(dir.path(), "gateway-1"));
    // One that says nothing, one that speaks HTTP/2 without TLS, one that calls as if it were loopback.
    let _silent = tokio::net::TcpStream::connect((HOST, port_of(&served))).await.unwrap();
    let mut plain = tokio::net::TcpStream::connect((HOST, port_of(&served))).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said).await;
    assert!(said.len() < 16, "an alert at most: {said:?}");
    let clear = Address::Loopback(format!("{HOST}:{}", port_of(&served)).parse().unwrap());
    is_kept_out(&chat_at(&clear, &trust), &service).await;
    assert!(chat_at(&served.address, &trust).execute(say("echo")).await.result.is_ok());
}

#[test]
fn files_that_are_none_or_do_not_fit_are_refused_by_name() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let own = files(dir.path(), HOST);
    let missing = TlsFiles { cert: dir.path().join("nobody.pem"), ..own.clone() };
    assert!(Tls::load(&missing).unwrap_err().to_string().contains("nobody.pem"));
    let empty = TlsFiles { ca: own.key.clone(), ..own.clone() };
    assert!(Tls::load(&empty).unwrap_err().to_string().contains("no certificate"));
    let mixed = TlsFiles { key: files(other.path(), HOST).key, ..own.clone() };
    assert!(Tls::load(&mixed).is_err());
    // One that is there is never overwritten: it is in use.
    assert!(make_certificate(dir.path(), &[HOST.to_owned()]).is_err());
    assert_eq!(format!("{:?}", Tls::load(&own).unwrap()), "Tls(****)");
}
