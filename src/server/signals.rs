//! SIGTERM and SIGINT stop the server, a second one of them ends it at once; SIGHUP is passed over, so that a
//! server outlives the terminal it was started from.

use std::io;
use std::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit status of a server that was not given the time to stop.
const FORCED: i32 = 1;

/// From now on watches the signals. What it returns is ready when the first one asks the server to stop.
///
/// # Errors
/// The system refuses a handler.
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let hangup = signal(SignalKind::hangup())?;
    let (asked, wish) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let _kept = hangup;
        let name = next(&mut terminate, &mut interrupt).await;
        tracing::info!("{name} received, stopping");
        // Why: a server that stops for another reason no longer listens.
        let _ = asked.send(());
        let name = next(&mut terminate, &mut interrupt).await;
        tracing::warn!("{name} received again, exiting at once");
        process::exit(FORCED);
    });
    Ok(async move {
        if wish.await.is_err() {
            // Why: the task only ends with the process or its runtime, and then nobody waits.
            std::future::pending::<()>().await;
        }
    })
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
