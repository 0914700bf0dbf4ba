//! The server: `goredis -port 7000 -persist -dbfile data.db`. Everything is in [`goredis::server`].

use std::process::ExitCode;

/// Made for servers whose threads allocate small things and free each other's. Its own threads give back to the system
/// what has been free for a while.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The allocator's options.
///
/// Room for more free blocks in each thread's cache: what is replaced is freed in batches, which would pass through a
/// small one.
///
/// Huge pages: a lookup by hash meets a new page with every step, and where pages are small
/// each of them costs a walk through the page tables: a third of the user time of a SET of a million keys. What speaks
/// against them elsewhere, the copies after a fork, does not happen here.
// SAFETY: the allocator reads this symbol as a `const char *`, and this is a pointer to a string that ends with a zero.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_OPTIONS: &[u8; 62] = b"thp:always,lg_tcache_nslots_mul:4,tcache_nslots_small_max:512\0";

fn main() -> ExitCode {
    goredis::server::main()
}
