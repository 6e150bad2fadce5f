//! The socket: upgrade, hello, and one small task for each connection.
//!
//! - [`upgrade`]: who may open one. [`offer`]: the subprotocols. [`transport`]: frames in and out; hides the library.
//! - [`greeting`]: hello. [`turns`]: how many at a time. [`connection`]: the task. [`incoming`]: what a frame asks for. [`syncing`]: where the client stands.
//! - [`work`]: commands and reads in flight. [`line`]: bytes on their way out. [`readable`]: when to look for bytes that came in.

mod connection;
mod greeting;
mod handshake;
mod incoming;
mod line;
mod offer;
mod readable;
mod syncing;
#[cfg(test)]
mod tests;
mod transport;
mod turns;
mod upgrade;
mod work;

pub(crate) use turns::Turns;
pub(crate) use upgrade::upgrade;
