//! Power cuts without pulling a plug: every write and sync of the real binary is recorded by strace, and a disk is rebuilt as it
//! may look when the power goes at any moment: what was synced is there, of the rest anything may be missing or torn.
//!
//! Killing a process proves nothing about syncs, since the kernel keeps what was written. A file system that forgets (or a virtual
//! machine that is cut) would, but needs rights that a test runner doesn't have; strace needs none.
//!
//! Reading order: [`trace`] (what was recorded), [`disk`] (what a cut leaves of it), `names` (and of the names in folders); [`failing`] is another
//! fault of disks, by the same tool.

pub mod disk;
pub mod failing;
mod names;
pub mod trace;

pub use disk::Disk;
pub use trace::{Action, Operation};
