//! `secureconnect`: the server and its tools.

use std::process::ExitCode;

/// Thousands of sockets make many small allocations on many threads; the system's allocator keeps more of them and gives less back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::main()
}
