//! Lanes: how commands cross the link in order.
//!
//! A gateway starts the sends of one socket in the order in which they came and awaits them together; a direct call keeps that order,
//! because a service's writer takes commands in the order in which `execute` was begun. Single gRPC calls don't: each is a task of its own
//! on the other side. So commands travel on streams that live as long as the connection. One of a few lanes is chosen by what a
//! command is routed by: commands on one conversation share a lane, others don't wait for each other. The other side
//! begins the commands of a lane in their order and answers them as they are done, several to a message where several are ready.

mod calling;
mod serving;

pub(super) use calling::Lanes;
pub(super) use serving::serve;

/// How many lanes a connection has.
const LANES: usize = 4;
/// Calls of one lane that the other side works on at the same time.
const IN_FLIGHT_MAX: usize = 4_096;
/// Calls or replies that share one message.
const PER_MESSAGE: usize = 64;
