//! What every scenario needs: a server process of its own, and clients that know the protocol but not the code.
//!
//! Nothing here uses the library: a mistake that server and client share must not hide itself.

mod cable;
mod process;
mod server;
mod wire;

pub use cable::Cable;
pub use process::{raise_open_files, resident_bytes};
pub use server::{Launch, Server};
pub use wire::{Reply, Wire, request};

use std::time::{Duration, Instant};

/// Longest that anything here may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `done`, and fails with `what` when that takes too long.
#[track_caller]
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
