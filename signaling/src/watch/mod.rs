//! What ends a leg from outside: a socket, a membership, a login.

mod connections;
mod members;
mod sessions;
mod sockets;

pub(crate) use connections::Connections;
pub(crate) use members::watch as watch_members;
pub(crate) use sessions::watch as watch_sessions;
pub(crate) use sockets::watch as watch_sockets;
