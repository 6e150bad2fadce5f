//! Clients that come by TCP, because their network lets nothing else out. The client's side is a stream; what is relayed stays UDP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use runtime::limits::Network;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::door::{Door, FiveTuple, TcpQueue, Transport};
use crate::engine::Engine;
use crate::framing::{BadFrame, FRAME_BYTES_MAX, next_frame};
use crate::quota::Counts;

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 1_024;
/// Room that is made for a read; a packet of a call fits.
const READ_BYTES: usize = 2 * 1024;
/// A client that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
/// After an error that is not one connection's fault (no file descriptors left), accepting pauses this long.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Binds a listener. It shares its port with nobody, so it also keeps a second server off the UDP sockets, which do.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves one listener until the process ends.
pub(crate) async fn serve(engine: Arc<Engine>, listener: TcpListener, server: SocketAddr, connections: Connections) {
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, client)) => enter(&engine, stream, server, client, &connections),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::error!(%error, "accepting failed");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = engine.shutdown.stopped() => {}
    }
}

/// How many connections there are. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    per_address: Arc<Counts<Network>>,
    in_all: Arc<Counts<()>>,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Self { per_address: Arc::new(Counts::new()), in_all: Arc::new(Counts::new()) }
    }
}

fn enter(engine: &Arc<Engine>, stream: TcpStream, server: SocketAddr, client: SocketAddr, connections: &Connections) {
    let Some(in_all) = connections.in_all.enter((), engine.config.tcp_max) else {
        return engine.meters.tcp_refused("full");
    };
    let Some(of_address) = connections.per_address.enter(client.ip().into(), engine.config.tcp_per_address) else {
        return engine.meters.tcp_refused("address");
    };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let engine = Arc::clone(engine);
    let tuple = FiveTuple { transport: Transport::Tcp, server, client };
    engine.tasks.clone().spawn("turn-tcp", async move {
        engine.meters.tcp.increment(1.0);
        let _open = Open { engine: &engine, tuple };
        let _places = (in_all, of_address);
        connection(&engine, stream, tuple).await;
    });
}

/// One connection is open as long as this; its allocation ends with it.
struct Open<'a> {
    engine: &'a Engine,
    tuple: FiveTuple,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.engine.meters.tcp.decrement(1.0);
        if let Some(client) = self.engine.clients.get(&self.tuple) {
            self.engine.end(&client, "its connection closed");
        }
    }
}

async fn connection(engine: &Arc<Engine>, mut stream: TcpStream, tuple: FiveTuple) {
    let queue = Arc::new(TcpQueue::new(engine.config.tcp_queue_bytes));
    let door = Door::Tcp(Arc::clone(&queue));
    let (reading, writing) = stream.split();
    tokio::select! {
        read = read(engine, reading, tuple, &door) => {
            if read == Err(BadFrame) {
                engine.meters.tcp_refused("bad_frame");
            }
        }
        () = write(&queue, writing) => {}
        () = idle(engine, tuple) => engine.meters.tcp_refused("idle"),
        () = engine.shutdown.stopped() => {}
    }
}

/// Ends with the stream.
async fn read(engine: &Arc<Engine>, mut stream: ReadHalf<'_>, tuple: FiveTuple, door: &Door) -> Result<(), BadFrame> {
    let (mut received, mut out) = (BytesMut::new(), Vec::new());
    loop {
        // Room grows with what has come, not with what a header says will come, and is given back after a large packet.
        if received.is_empty() && received.capacity() > 2 * READ_BYTES {
            received = BytesMut::new();
        }
        received.reserve(READ_BYTES);
        match stream.read_buf(&mut received).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        while let Some(frame) = next_frame(&received)? {
            engine.receive(tuple, door, &received[..frame.length], &mut out);
            received.advance(frame.taken);
        }
        debug_assert!(received.len() < FRAME_BYTES_MAX, "what is not a whole packet is shorter than one");
    }
}

/// Ends when the client takes nothing more.
async fn write(queue: &TcpQueue, mut stream: WriteHalf<'_>) {
    let mut written = Vec::new();
    loop {
        queue.take(&mut written).await;
        match tokio::time::timeout(WRITE_WITHIN, stream.write_all(&written)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// Ends when the connection has had no allocation for too long.
async fn idle(engine: &Engine, tuple: FiveTuple) {
    let patience = Duration::from_secs(engine.config.tcp_idle_s);
    let mut in_use_at = Instant::now();
    while in_use_at.elapsed() < patience {
        tokio::time::sleep(patience.min(Duration::from_secs(1))).await;
        if engine.clients.get(&tuple).is_some() {
            in_use_at = Instant::now();
        }
    }
}
