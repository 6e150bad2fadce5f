//! Bodies of conversations, messages and presence: commands and their answers, and the events of the logs.

mod conversations;
mod events;
mod messages;
mod presence;

pub use conversations::*;
pub use events::*;
pub use messages::*;
pub use presence::*;
