//! Ctrl-C: a request to stop that everything which waits looks at, so that what was started is ended in order.
//!
//! A signal does not end the program by itself: every server belongs to a value that kills it when dropped, and only
//! a return through the callers drops them all.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use crate::error::BenchError;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Longest time without a look at the request.
const SLICE: Duration = Duration::from_millis(20);

/// Turns the signals that end a program into the request, from now on.
///
/// # Errors
/// The system's, if there can be no thread or no handler.
pub(crate) fn watch() -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.map_err(BenchError::Generator)?;
    let guard = runtime.enter();
    let on = |kind| signal(kind).map_err(BenchError::Generator);
    let (mut interrupt, mut terminate, mut hangup) =
        (on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?);
    drop(guard);
    let watcher = move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                // Relaxed: a flag of its own; nothing else is published with it.
                REQUESTED.store(true, Ordering::Relaxed);
            }
        });
    };
    let spawned: io::Result<_> = thread::Builder::new().name("signals".to_owned()).spawn(watcher);
    spawned.map(drop).map_err(BenchError::Generator)
}

/// Whether somebody asked to stop.
#[inline]
pub(crate) fn requested() -> bool {
    // Relaxed: see the store.
    REQUESTED.load(Ordering::Relaxed)
}

/// An error, if somebody asked to stop.
pub(crate) fn check() -> Result<(), BenchError> {
    if requested() { Err(BenchError::Interrupted) } else { Ok(()) }
}

/// Sleeps, unless somebody asks to stop.
pub(crate) fn sleep(time: Duration) -> Result<(), BenchError> {
    let until = Instant::now() + time;
    loop {
        check()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(SLICE));
    }
}
