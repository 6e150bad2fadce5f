//! Logs: gapless numbered entries, who may see which of them, and how they are read.
//!
//! [`entry`] is what an entry says, [`row`] how it is stored, [`stream`] the head of a log and appending to it, [`change`] one
//! command's work on logs, [`fold`] what the writer remembers between commands, [`visibility`] which numbers a reader may see,
//! [`page`] reading.

pub(crate) mod change;
pub(crate) mod codes;
pub(crate) mod entry;
pub(crate) mod fold;
pub(crate) mod page;
pub(crate) mod row;
pub(crate) mod stream;
pub(crate) mod visibility;

pub(crate) use change::Change;
pub(crate) use entry::{Content, Entry, Text};
pub(crate) use stream::Stream;
