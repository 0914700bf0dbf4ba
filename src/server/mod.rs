//! Sockets, connections and the process around them.
//!
//! | file | what it owns |
//! |---|---|
//! | `process` | a server's life: settings, messages, database, listeners, signals, exit status |
//! | `listen`, `doors` | addresses to listeners; those that are open, changed by CONFIG SET |
//! | `accept` | a listener's next client to a connection or a refusal |
//! | `connection` | one client: read, parse, execute, reply |
//! | `stream`, `input`, `work` | its socket; its unread bytes; the buffers it borrows while it is busy |
//! | `database` | settings to an open database, and what is told of its recovery |
//! | `housekeeping` | idle clients, rates |
//! | `crew` | how many threads work |
//! | `diagnostics`, `progress` | messages to people and machines |
//! | `signals`, `open_files`, `pid_file` | what the system wants to be told and asked |
//!
//! All connections are tasks of one multi-threaded tokio runtime, of whose threads only as many work as the load
//! needs. Measured with 50 clients that send one PING at a time on two cores, such a runtime costs the same CPU per
//! command as a runtime per thread with connections dealt out (10.4 against 11.0 us, the noise being 1 us), and a
//! command that takes long holds up nobody who can be served by another thread.
//!
//! The layer above commands: it turns bytes into requests, hands them to [`crate::command::dispatch`], and sends
//! what comes back. It knows nothing of keys, files or the log.

mod accept;
mod connection;
mod crew;
mod database;
mod diagnostics;
mod doors;
mod housekeeping;
mod input;
mod listen;
mod open_files;
mod pid_file;
mod process;
mod progress;
mod signals;
mod stream;
mod work;

pub use listen::{Bound, ListenError, Listeners, bind};
pub use process::{StartError, main};

use crate::command::clients::KillState;
use crate::command::context::Context;
use crate::engine::SnapshotFailure;
use doors::Doors;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long clients may take for the replies that are due to them when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Time between two looks at whether the last client has gone, or the wish to stop was taken back.
const STOP_LOOK_EVERY: Duration = Duration::from_millis(5);

/// Serves clients until `shutdown` is ready or a client asks the server to stop; then accepts no more, lets running
/// commands finish and sends their replies, for `STOP_GRACE` at most.
///
/// Called inside a multi-threaded tokio runtime. Commands in progress on blocking threads may still run when it
/// returns. The engine is left open.
pub async fn run(listeners: Listeners, context: Arc<Context>, shutdown: impl Future<Output = ()>) {
    let doors = Doors::open(listeners, &context);
    context.set_reconfigure(Box::new(doors.clone()));
    let housekeeping = tokio::spawn(housekeeping::run(Arc::clone(&context)));
    tokio::select! {
        () = shutdown => {}
        () = asked_to_stop(&context) => {}
    }
    // Order: 1 no more clients, 2 tell those that there are; or else one would come between and never hear.
    doors.close().await;
    let left = drain(&context).await;
    if left > 0 {
        tracing::warn!(clients = left, "closing clients that have not taken their replies");
    }
    housekeeping.abort();
}

/// Waits until a client asks the server to stop, and what it wants done before is done.
async fn asked_to_stop(context: &Arc<Context>) {
    loop {
        let how = context.stop.wait().await;
        tracing::info!(?how, "a client asks the server to stop");
        if how.save != Some(true) {
            return;
        }
        match save(context).await {
            Ok(()) => return,
            Err(error) if how.force => {
                tracing::error!(%error, "the snapshot failed; stopping all the same");
                return;
            }
            Err(error) => {
                tracing::error!(%error, "the snapshot failed; not stopping");
                context.stop.withdraw();
            }
        }
    }
}

async fn save(context: &Arc<Context>) -> Result<(), SnapshotFailure> {
    let engine = context.database();
    let saved = tokio::task::spawn_blocking(move || engine.snapshot_blocking()).await;
    saved.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Ends all connections once their replies are sent; tells how many did not end in time.
async fn drain(context: &Context) -> usize {
    for client in context.clients.list() {
        client.kill(KillState::AfterReply);
    }
    let end = Instant::now() + STOP_GRACE;
    while context.clients.count() > 0 && Instant::now() < end {
        tokio::time::sleep(STOP_LOOK_EVERY).await;
    }
    for client in context.clients.list() {
        client.kill(KillState::Now);
    }
    context.clients.count()
}

#[cfg(test)]
mod tests;
