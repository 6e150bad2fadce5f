//! Under which names work is done: the request's id and its place in a trace, on every line that it logs, in every process that it crosses.
//!
//! A command carries them in its [`crate::Context`]. What else services ask of each other has no room for them in the trait, and should not
//! have: they are of no concern to a service. So they stand beside the task ([`within`]): the link's client puts them into the metadata of a
//! call, the serving end takes them out again, and a command that a service itself sends while it serves one bears the same names.

use protocol::RequestId;
use tokio::task_local;

use crate::trace::TraceContext;

task_local! {
    static CURRENT: Scope;
}

/// The names of one piece of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Names the request.
    pub request_id: RequestId,
    /// Where it stands in its trace.
    pub trace: TraceContext,
}

impl Scope {
    /// Work that no client asked for: it begins here.
    #[must_use]
    pub fn begin() -> Self {
        Self { request_id: RequestId::now(), trace: TraceContext::make(false) }
    }

    /// The names of what is being done on this task, if it has any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|scope| *scope).ok()
    }
}

/// Does work under these names. What it spawns does not take them over.
pub async fn within<F: Future>(scope: Scope, work: F) -> F::Output {
    CURRENT.scope(scope, work).await
}
