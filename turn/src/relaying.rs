//! The task of an allocation: it reads what comes to the relayed address, and ends the allocation when its time is over.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use runtime::telemetry::logs::mask;

use crate::clients::Client;
use crate::engine::Engine;
use crate::udp::{DATAGRAM_BYTES_MAX, PACKETS_PER_WAKE};

/// Room to read and write one packet in.
struct Room {
    read: Box<[u8]>,
    write: Vec<u8>,
}

thread_local! {
    // One for each worker thread, not one for each allocation: thousands of idle allocations hold no buffer.
    static ROOM: RefCell<Room> = RefCell::new(Room {
        read: vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(),
        write: Vec::new(),
    });
}

/// Runs until the allocation ends or the process does.
pub(crate) async fn run(engine: Arc<Engine>, client: Arc<Client>) {
    engine.meters.active.increment(1.0);
    let _gone = Gone { engine: &engine, client: &client };
    let mut stopped = pin!(engine.shutdown.stopped());
    let mut end = pin!(tokio::time::sleep_until(client.state.lock().ends_at().into()));
    loop {
        let look_again = tokio::select! {
            readable = client.relay.socket.readable() => {
                // An error of the socket is an ICMP message about some peer; it is taken by the read.
                let _ = readable;
                read(&engine, &client);
                // Others must get their turn, also while this socket is always readable.
                tokio::task::yield_now().await;
                false
            }
            () = &mut end => true,
            () = client.changed.notified() => true,
            () = &mut stopped => return,
        };
        if look_again {
            let ends_at = client.state.lock().ends_at();
            if ends_at <= Instant::now() {
                return;
            }
            end.as_mut().reset(ends_at.into());
        }
    }
}

fn read(engine: &Engine, client: &Client) {
    let now = Instant::now();
    ROOM.with_borrow_mut(|room| {
        for _ in 0..PACKETS_PER_WAKE {
            match client.relay.socket.try_recv_from(&mut room.read) {
                Ok((length, from)) => engine.to_client(client, from, &room.read[..length], now, &mut room.write),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => engine.meters.dropped("socket"),
            }
        }
    });
}

/// Takes the allocation off the books, also when its task is aborted.
struct Gone<'a> {
    engine: &'a Engine,
    client: &'a Arc<Client>,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.engine.clients.leave(self.client);
        self.engine.meters.active.decrement(1.0);
        tracing::info!(name = mask(&self.client.name), relay = %self.client.relay.advertised, "an allocation ended");
    }
}
