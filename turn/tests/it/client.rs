//! A TURN client, as far as tests need one.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::turn_credentials::TurnCredentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use turn::framing::{is_channel_data, next_frame, parse_channel_data, write_channel_data};
use turn::stun::{Class, IntegrityKey, Message, MessageWriter, attribute, decode_xor_address, method};

/// Longer than anything takes on a machine that has much else to do.
const WITHIN: Duration = Duration::from_secs(20);
/// Long enough for a packet on loopback to arrive if it ever does.
pub(crate) const NOTHING_WITHIN: Duration = Duration::from_millis(200);

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

pub(crate) struct Client {
    socket: Socket,
    pub(crate) credentials: TurnCredentials,
    realm: String,
    nonce: String,
    next: u64,
}

/// Something that a peer sent.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Received {
    Channel(u16, Vec<u8>),
    Data(SocketAddr, Vec<u8>),
}

/// How a request ended: the code of the refusal, or the response.
pub(crate) type Answer = Result<Response, u16>;

pub(crate) struct Response(Vec<u8>);

impl Response {
    fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    pub(crate) fn lifetime_s(&self) -> u32 {
        self.message().number(attribute::LIFETIME).unwrap()
    }

    pub(crate) fn address(&self, kind: u16) -> SocketAddr {
        let message = self.message();
        decode_xor_address(message.attribute(kind).unwrap(), &message.transaction()).unwrap()
    }
}

impl Client {
    pub(crate) async fn udp(server: SocketAddr, credentials: TurnCredentials) -> Self {
        let own = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(own).await.unwrap();
        socket.connect(server).await.unwrap();
        Self::on(Socket::Udp(socket), credentials)
    }

    pub(crate) async fn tcp(server: SocketAddr, credentials: TurnCredentials) -> Self {
        Self::on(Socket::Tcp(TcpStream::connect(server).await.unwrap(), Vec::new()), credentials)
    }

    fn on(socket: Socket, credentials: TurnCredentials) -> Self {
        Self { socket, credentials, realm: String::new(), nonce: String::new(), next: 1 }
    }

    pub(crate) fn key(&self) -> IntegrityKey {
        IntegrityKey::new(&self.credentials.username, &self.realm, &self.credentials.password)
    }

    /// A request as it goes out.
    pub(crate) fn signed(&mut self, method: u16, fill: impl Fn(&mut MessageWriter<'_>)) -> Vec<u8> {
        self.next += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.next.to_be_bytes());
        let mut packet = Vec::new();
        let mut writer = MessageWriter::new(&mut packet, Class::Request, method, transaction);
        fill(&mut writer);
        if !self.nonce.is_empty() {
            writer
                .attribute(attribute::USERNAME, self.credentials.username.as_bytes())
                .attribute(attribute::REALM, self.realm.as_bytes())
                .attribute(attribute::NONCE, self.nonce.as_bytes())
                .sign(&self.key());
        }
        packet
    }

    /// Asks, shows credentials when it is told by which nonce, and answers how it ended.
    pub(crate) async fn request(&mut self, method: u16, fill: impl Fn(&mut MessageWriter<'_>)) -> Answer {
        for _ in 0..3 {
            let packet = self.signed(method, &fill);
            self.send(&packet).await;
            let answer = self.response(&packet).await;
            let message = Message::parse(&answer).unwrap();
            if message.class() == Class::Success {
                assert!(method == method::BINDING || message.is_signed_with(&self.key()), "a grant is signed");
                return Ok(Response(answer));
            }
            let code = message.attribute(attribute::ERROR_CODE).unwrap();
            let code = u16::from(code[2]) * 100 + u16::from(code[3]);
            let was_signed = !self.nonce.is_empty();
            if let (401 | 438, Some(realm), Some(nonce)) =
                (code, message.text(attribute::REALM), message.text(attribute::NONCE))
            {
                (self.realm, self.nonce) = (realm.to_owned(), nonce.to_owned());
            }
            if code != 438 && (code != 401 || was_signed) {
                return Err(code);
            }
        }
        panic!("three nonces were stale");
    }

    /// The response to a request, whatever else comes before it.
    pub(crate) async fn response(&mut self, request: &[u8]) -> Vec<u8> {
        let transaction = Message::parse(request).unwrap().transaction();
        loop {
            let packet = self.packet(WITHIN).await.unwrap_or_else(|| panic!("no answer"));
            if Message::parse(&packet)
                .is_ok_and(|found| found.transaction() == transaction && found.class() != Class::Indication)
            {
                return packet;
            }
        }
    }

    pub(crate) async fn allocate(&mut self) -> Answer {
        self.allocate_for(None).await
    }

    pub(crate) async fn allocate_for(&mut self, lifetime_s: Option<u32>) -> Answer {
        self.request(method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            if let Some(lifetime_s) = lifetime_s {
                writer.number(attribute::LIFETIME, lifetime_s);
            }
        })
        .await
    }

    /// Allocates and answers the relayed address.
    pub(crate) async fn relay(&mut self) -> SocketAddr {
        let answer = self.allocate().await.unwrap_or_else(|code| panic!("refused with {code}"));
        answer.address(attribute::XOR_RELAYED_ADDRESS)
    }

    pub(crate) async fn refresh(&mut self, lifetime_s: u32) -> Answer {
        self.request(method::REFRESH, |writer| {
            writer.number(attribute::LIFETIME, lifetime_s);
        })
        .await
    }

    pub(crate) async fn permit(&mut self, peer: SocketAddr) -> Answer {
        self.request(method::CREATE_PERMISSION, |writer| {
            writer.address(attribute::XOR_PEER_ADDRESS, peer);
        })
        .await
    }

    pub(crate) async fn bind(&mut self, number: u16, peer: SocketAddr) -> Answer {
        self.request(method::CHANNEL_BIND, |writer| {
            writer
                .number(attribute::CHANNEL_NUMBER, u32::from(number) << 16)
                .address(attribute::XOR_PEER_ADDRESS, peer);
        })
        .await
    }

    pub(crate) async fn send_to(&mut self, peer: SocketAddr, payload: &[u8]) {
        let mut packet = Vec::new();
        MessageWriter::new(&mut packet, Class::Indication, method::SEND, [5; 12])
            .address(attribute::XOR_PEER_ADDRESS, peer)
            .attribute(attribute::DATA, payload);
        self.send(&packet).await;
    }

    pub(crate) async fn send_on(&mut self, number: u16, payload: &[u8]) {
        let mut packet = Vec::new();
        write_channel_data(&mut packet, number, payload, matches!(self.socket, Socket::Tcp(..)));
        self.send(&packet).await;
    }

    pub(crate) async fn send(&mut self, packet: &[u8]) {
        match &mut self.socket {
            Socket::Udp(socket) => assert_eq!(socket.send(packet).await.unwrap(), packet.len()),
            Socket::Tcp(stream, _) => stream.write_all(packet).await.unwrap(),
        }
    }

    /// What a peer sent.
    pub(crate) async fn receive(&mut self) -> Received {
        self.try_receive(WITHIN).await.unwrap_or_else(|| panic!("nothing comes"))
    }

    /// What a peer sent, if anything does.
    pub(crate) async fn try_receive(&mut self, within: Duration) -> Option<Received> {
        let packet = self.packet(within).await?;
        if is_channel_data(packet[0]) {
            let (number, payload) = parse_channel_data(&packet).unwrap();
            return Some(Received::Channel(number, payload.to_vec()));
        }
        let message = Message::parse(&packet).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Indication, method::DATA));
        let peer = decode_xor_address(message.attribute(attribute::XOR_PEER_ADDRESS).unwrap(), &message.transaction());
        Some(Received::Data(peer.unwrap(), message.attribute(attribute::DATA).unwrap().to_vec()))
    }

    /// The next packet; `None` when none comes in time, or the connection has ended.
    pub(crate) async fn packet(&mut self, within: Duration) -> Option<Vec<u8>> {
        tokio::time::timeout(within, self.next_packet()).await.ok().flatten()
    }

    /// Whether the server closes the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        tokio::time::timeout(WITHIN, async { while self.next_packet().await.is_some() {} }).await.is_ok()
    }

    async fn next_packet(&mut self) -> Option<Vec<u8>> {
        match &mut self.socket {
            Socket::Udp(socket) => {
                let mut packet = vec![0; 65_536];
                let length = socket.recv(&mut packet).await.unwrap();
                packet.truncate(length);
                Some(packet)
            }
            Socket::Tcp(stream, received) => loop {
                if let Some(frame) = next_frame(received).unwrap() {
                    let packet = received[..frame.length].to_vec();
                    received.drain(..frame.taken);
                    return Some(packet);
                }
                if !matches!(stream.read_buf(received).await, Ok(1..)) {
                    return None;
                }
            },
        }
    }
}
