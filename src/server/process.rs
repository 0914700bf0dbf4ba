//! A server's life as a process: settings, messages, database, listeners, signals, exit status.

use super::crew::{Crew, Work};
use super::diagnostics::{self, LogFileError};
use super::listen::{self, Bound, ListenError};
use super::pid_file::{PidFile, PidFileError};
use super::{database, open_files, signals};
use crate::clock::Stopwatch;
use crate::command::context::{Context, GOREDIS_VERSION};
use crate::engine::{self, EngineError, OpenError};
use crate::replication::{OpenWish, Replication};
use crate::settings::{self, Settings, SettingsError, Startup};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Threads for commands that may take long, such as KEYS; more of them wait for each other.
const BLOCKING_THREADS_MAX: usize = 16;

/// How long the process waits for commands on those threads when it stops.
const BLOCKING_GRACE: Duration = Duration::from_secs(1);

/// Why a server could not start, or could not stop as it should; displays as one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The file for messages.
    #[error(transparent)]
    LogFile(#[from] LogFileError),
    /// An address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file for the process id.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// The threads.
    #[error("can't start {threads} threads: {source}; lower -threads or raise the limit of processes")]
    Threads {
        /// How many.
        threads: usize,
        /// What the system says.
        source: io::Error,
    },
    /// What is to be followed cannot be.
    #[error("cannot follow the primary: {0}")]
    Replication(String),
    /// The handlers of signals.
    #[error("can't handle signals: {0}")]
    Signals(io::Error),
    /// The database could not be closed as it should.
    #[error(
        "the database could not be closed as it should: {0}; what was acknowledged is recovered at the next start"
    )]
    Close(EngineError),
}

/// The server program: runs until it is told to stop. Failures are one line on standard error.
pub fn main() -> ExitCode {
    let done = match settings::from_process() {
        Ok(Startup::Run(settings)) => serve(settings),
        Ok(Startup::Print(text)) => {
            // Why: whoever closed the pipe early, as `head` does, has seen what they wanted.
            let _ = io::stdout().write_all(text.as_bytes());
            Ok(())
        }
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("goredis: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: Settings) -> Result<(), StartError> {
    let settings = Arc::new(settings);
    diagnostics::init(&settings)?;
    tracing::info!(version = GOREDIS_VERSION, pid = std::process::id(), "GoRedis is starting");
    if let Err(too_few) = open_files::raise(settings.maxclients()) {
        tracing::warn!("{too_few}; clients beyond that will be refused");
    }
    // Order: 1 claim the addresses, 2 open the database, 3 let clients in; or else a second server started by
    // mistake would recover a large database only to find its port taken.
    let bound = listen::bind(&settings)?;
    let engine = database::open(&settings, OpenWish::default())?;
    Stopwatch::calibrate();
    let _pid_file = settings.pidfile_path().map(PidFile::write).transpose()?;
    let runtime = runtime(settings.threads())?;
    let context = Arc::new(Context::new(engine, Arc::clone(&settings)));
    let seen = Arc::clone(&context);
    let work = move || {
        let commands = seen.stats.totals().commands_processed();
        Work { commands, wasted: seen.engine().wasted_commands() }
    };
    let crew = Crew::start(runtime.handle().clone(), engine::quiesce, work)
        .map_err(|source| StartError::Threads { threads: 1, source })?;
    let opener = Box::new(move |wish| database::open(&settings, wish));
    let replication = Replication::new(Arc::clone(&context), opener, runtime.handle().clone());
    context.set_upstream(Box::new(Arc::clone(&replication)));
    let served = match replication.start_as_set() {
        Ok(()) => runtime.block_on(run(bound, context)),
        Err(reason) => Err(StartError::Replication(reason)),
    };
    // Order: the threads come back before the runtime ends them, or else it would wait for those that rest.
    drop(crew);
    runtime.shutdown_timeout(BLOCKING_GRACE);
    served
}

fn runtime(threads: usize) -> Result<Runtime, StartError> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cores() } else { threads };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("goredis-worker")
        // Why: what a thread has retired would stay in memory for as long as it sleeps.
        .on_thread_park(engine::parked)
        .enable_all()
        .build()
        .map_err(|source| StartError::Threads { threads, source })
}

/// Serves, then closes the database, all under the eyes of the signals' handler: a second one ends it at once.
async fn run(bound: Bound, context: Arc<Context>) -> Result<(), StartError> {
    let stop_signal = signals::stop().map_err(StartError::Signals)?;
    let listeners = bound.listen(context.settings.tcp_backlog())?;
    tracing::info!(addresses = %listeners, "Ready to accept connections");
    super::run(listeners, Arc::clone(&context), stop_signal).await;
    tracing::info!("closing the database");
    let stopping = Arc::clone(&context);
    let closed = tokio::task::spawn_blocking(move || {
        // Order: 1 nothing replaces the database any more, 2 it is closed.
        if let Some(upstream) = stopping.upstream() {
            upstream.stop();
        }
        stopping.database().stop()
    })
    .await;
    match closed {
        Ok(Ok(())) => {
            tracing::info!("GoRedis is stopped, bye");
            Ok(())
        }
        Ok(Err(error)) => Err(StartError::Close(error)),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
