//! Clients that come by UDP: one socket for each core on the same address. The kernel gives all packets of a client to the same one, so they
//! stay in order, and cores share no socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::door::{Door, FiveTuple, Transport};
use crate::engine::Engine;

/// The longest datagram there is.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Packets that are read before others get their turn: enough to spare most wake-ups, few enough to take less than a millisecond.
pub(crate) const PACKETS_PER_WAKE: usize = 64;
/// What the kernel keeps of packets that come faster than they are read, as far as the system allows.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Binds `count` sockets to one address; port 0 takes a free one for all of them.
pub(crate) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<UdpSocket>> {
    let first = bind_one(address)?;
    let bound = first.local_addr()?;
    let others = (1..count).map(|_| bind_one(bound));
    std::iter::once(Ok(first)).chain(others).collect()
}

fn bind_one(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Serves one socket until the process ends.
pub(crate) async fn serve(engine: Arc<Engine>, socket: UdpSocket, server: SocketAddr) {
    let socket = Arc::new(socket);
    let door = Door::Udp(Arc::clone(&socket));
    let reading = async {
        let mut read = vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice();
        let mut out = Vec::new();
        loop {
            // An error of the socket is taken by the read.
            let _ = socket.readable().await;
            for _ in 0..PACKETS_PER_WAKE {
                match socket.try_recv_from(&mut read) {
                    Ok((length, client)) => {
                        let tuple = FiveTuple { transport: Transport::Udp, server, client };
                        engine.receive(tuple, &door, &read[..length], &mut out);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => engine.meters.dropped("socket"),
                }
            }
            // Those it was relayed to must read before their sockets are full: a socket that is always readable would never let go.
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = reading => {}
        () = engine.shutdown.stopped() => {}
    }
}
