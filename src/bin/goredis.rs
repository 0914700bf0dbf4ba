//! The server: `goredis -port 7000 -persist -dbfile data.db`. Everything is in [`goredis::server`].

use std::process::ExitCode;

/// Made for many threads that allocate small things and free each other's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    goredis::server::main()
}
