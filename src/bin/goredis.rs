//! The server: `goredis -port 7000 -persist -dbfile data.db`. Everything is in [`goredis::server`].

use std::process::ExitCode;

/// Made for many threads that allocate small things and free each other's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// SAFETY: this is the function's C signature (`bool` is C's), and the allocator's library, which is linked in, has
// it. It takes no pointer and may be called by any thread at any time.
unsafe extern "C" {
    safe fn mi_collect(force: bool);
}

/// Gives free memory that has been free for a while back to the system. By itself the allocator looks only when a
/// thread runs out of small blocks, so a server that has dropped something large and idles would keep it.
fn release_memory() {
    mi_collect(false);
}

fn main() -> ExitCode {
    goredis::server::main(release_memory)
}
