//! Messages to people and machines: where they go, in which form, and which are written.
//!
//! One event is one line: time, level, sentence, then `name=value` pairs; or one JSON object (`log-format json`).
//! They go to standard output, or to `logfile`, which is opened for each message so that it can be rotated by
//! renaming it. `loglevel` is looked at for each message, so CONFIG SET changes it at once; messages are rare, and
//! none is made on the way of a command.

use crate::settings::{LogFormat, LogLevel, Settings};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::Level;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// The file for messages cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write messages to {}: {source}; choose another -logfile", .path.display())]
pub struct LogFileError {
    path: PathBuf,
    source: io::Error,
}

/// Sends all messages of this process to where the settings say. A second call changes nothing.
///
/// # Errors
/// The file for messages cannot be opened.
pub(super) fn init(settings: &Arc<Settings>) -> Result<(), LogFileError> {
    let destination = match settings.logfile_path() {
        None => Destination::Stdout,
        Some(path) => Destination::File(path),
    };
    destination.check()?;
    let colours = matches!(destination, Destination::Stdout) && io::stdout().is_terminal();
    let lines =
        tracing_subscriber::fmt::layer().with_target(false).with_ansi(colours).with_writer(destination);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match settings.log_format() {
        LogFormat::Text => Box::new(lines),
        LogFormat::Json => {
            Box::new(lines.json().flatten_event(true).with_current_span(false).with_span_list(false))
        }
    };
    let settings = Arc::clone(settings);
    let wanted = dynamic_filter_fn(move |event, _| event.level() <= &threshold(settings.loglevel()));
    // Why: a program that embeds the server may have its own subscriber; that one then gets the messages.
    let _ = tracing_subscriber::registry().with(layer.with_filter(wanted)).try_init();
    Ok(())
}

/// The least important level that a setting lets through.
fn threshold(level: LogLevel) -> tracing::level_filters::LevelFilter {
    match level {
        LogLevel::Debug => Level::TRACE.into(),
        LogLevel::Verbose => Level::DEBUG.into(),
        LogLevel::Notice => Level::INFO.into(),
        LogLevel::Warning => Level::WARN.into(),
        LogLevel::Nothing => tracing::level_filters::LevelFilter::OFF,
    }
}

/// Where messages go.
#[derive(Debug)]
enum Destination {
    Stdout,
    File(PathBuf),
}

impl Destination {
    fn check(&self) -> Result<(), LogFileError> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(path) => match append_to(path) {
                Ok(_) => Ok(()),
                Err(source) => Err(LogFileError { path: path.clone(), source }),
            },
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// One message on its way out.
enum Line {
    Stdout(io::Stdout),
    File(File),
    Stderr(io::Stderr),
}

impl<'a> MakeWriter<'a> for Destination {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        match self {
            Self::Stdout => Line::Stdout(io::stdout()),
            // Why: a message that the file does not take any more is better seen elsewhere than lost.
            Self::File(path) => append_to(path).map_or_else(|_| Line::Stderr(io::stderr()), Line::File),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(to) => to.write(bytes),
            Self::File(to) => to.write(bytes),
            Self::Stderr(to) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(to) => to.flush(),
            Self::File(to) => to.flush(),
            Self::Stderr(to) => to.flush(),
        }
    }
}
