use axum::Extension;
use axum::Router;
use axum::routing::{any, get};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::lifecycle::Phase;

fn config() -> ListenConfig {
    let any_port = "127.0.0.1:0".parse().unwrap();
    ListenConfig::new(ServiceName::Gateway, any_port)
}

fn router() -> Router {
    let who =
        |Extension(ClientAddr(client)): Extension<ClientAddr>,
         Extension(Secure(secure)): Extension<Secure>,
         Extension(ViaProxy(proxied)): Extension<ViaProxy>| async move { format!("{client} {secure} {proxied}") };
    Router::new().route("/who", get(who)).route("/upgrade", any(upgrade))
}

/// Switches to an echo of raw bytes.
async fn upgrade(mut request: axum::extract::Request) -> axum::response::Response {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = hyper_util::rt::TokioIo::new(upgraded.await.unwrap());
        let mut buffer = [0; 64];
        while let Ok(count @ 1..) = io.read(&mut buffer).await {
            io.write_all(&buffer[..count]).await.unwrap();
        }
    });
    axum::response::Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", "echo")
        .body(axum::body::Body::empty())
        .unwrap()
}

struct Running {
    addr: SocketAddr,
    shutdown: Shutdown,
    ended: tokio::task::JoinHandle<()>,
}

async fn serve(config: ListenConfig) -> Running {
    let listener = Listener::bind(config).await.unwrap();
    let (addr, shutdown) = (listener.local_addr(), Shutdown::new());
    let ended = tokio::spawn(listener.serve(router(), shutdown.clone()));
    Running { addr, shutdown, ended }
}

/// Sends `bytes` and reads until the server closes.
async fn exchange(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // The server may refuse before it has read all.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get_who(addr: SocketAddr, prefix: &str, headers: &str) -> String {
    let request = format!("{prefix}GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    let answer = exchange(addr, request.as_bytes()).await;
    answer.rsplit("\r\n").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_stranger_cannot_choose_its_address() {
    let server = serve(config()).await;
    let answer = get_who(server.addr, "", "x-forwarded-for: 198.51.100.7\r\nx-forwarded-proto: https\r\n").await;
    assert_eq!(answer, "127.0.0.1 false true");
    assert_eq!(get_who(server.addr, "", "").await, "127.0.0.1 false false");
}

#[tokio::test]
async fn a_configured_proxy_names_the_client() {
    let server = serve(ListenConfig { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..config() }).await;
    let answer =
        get_who(server.addr, "", "x-forwarded-for: 6.6.6.6, 198.51.100.7\r\nx-forwarded-proto: https\r\n").await;
    assert_eq!(answer, "198.51.100.7 true true");
}

#[tokio::test]
async fn the_proxy_protocol_names_the_client_and_must_be_there() {
    let server =
        serve(ListenConfig { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], proxy_protocol: true, ..config() })
            .await;
    let prefix = "PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n";
    assert_eq!(get_who(server.addr, prefix, "").await, "198.51.100.7 false true");
    assert_eq!(get_who(server.addr, "", "").await, "");
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_lines_is_refused() {
    let server = serve(config()).await;
    let huge = format!("x-huge: {}\r\n", "a".repeat(10_000));
    let many: String = (0..100).map(|number| format!("x-{number}: a\r\n")).collect();
    for headers in [huge, many] {
        let request = format!("GET /who HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answer = exchange(server.addr, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let server = serve(ListenConfig { header_timeout: Duration::from_millis(50), ..config() }).await;
    let answer = exchange(server.addr, b"GET /who HTTP/1.1\r\nhost:").await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed_and_the_place_comes_back() {
    let server = serve(ListenConfig { max_connections: 1, ..config() }).await;
    let mut first = TcpStream::connect(server.addr).await.unwrap();
    first.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut buffer = [0; 256];
    assert!(first.read(&mut buffer).await.unwrap() > 0);
    assert_eq!(get_who(server.addr, "", "").await, "");
    drop(first);
    while get_who(server.addr, "", "").await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_address_that_only_opens_connections_is_bounded() {
    let server = serve(ListenConfig { max_pending_per_address: 2, ..config() }).await;
    let _first = TcpStream::connect(server.addr).await.unwrap();
    let _second = TcpStream::connect(server.addr).await.unwrap();
    // The third finds no place; whoever has sent a request does not need one.
    assert_eq!(exchange(server.addr, b"").await, "");
    drop(_first);
    while get_who(server.addr, "", "").await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_upgraded_connection_outlives_the_drain_and_is_its_owners() {
    let server = serve(config()).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let request = b"GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    server.shutdown.advance(Phase::Draining);
    server.ended.await.unwrap();
    stream.write_all(b"still here").await.unwrap();
    let mut echo = [0; 10];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"still here");
    assert!(TcpStream::connect(server.addr).await.is_err());
}

#[tokio::test]
async fn a_drain_ends_idle_connections_at_once() {
    let server = serve(config()).await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    idle.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut buffer = [0; 256];
    assert!(idle.read(&mut buffer).await.unwrap() > 0);
    server.shutdown.advance(Phase::Draining);
    server.ended.await.unwrap();
}

#[tokio::test]
async fn a_replaced_certificate_is_served_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = dev_cert(directory.path(), &["localhost"]).unwrap();
    assert_eq!(dev_cert(directory.path(), &["localhost"]).unwrap(), first);
    let old = std::fs::read(&first.cert).unwrap();
    let server =
        serve(ListenConfig { tls: Some(first.clone()), certificate_check: Duration::from_millis(5), ..config() }).await;
    assert_eq!(served_certificate(server.addr).await, pem_der(&old));
    dev_cert(directory.path(), &["localhost", "phone.local"]).unwrap();
    let new = std::fs::read(&first.cert).unwrap();
    assert_ne!(new, old);
    while served_certificate(server.addr).await != pem_der(&new) {
        tokio::task::yield_now().await;
    }
}

fn pem_der(pem: &[u8]) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem).unwrap().to_vec()
}

/// Connects without checking, and answers what certificate was shown.
async fn served_certificate(addr: SocketAddr) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(addr).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let tls = connector.connect(name, stream).await.unwrap();
    let (_, session) = tls.get_ref();
    session.peer_certificates().unwrap()[0].to_vec()
}

#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
