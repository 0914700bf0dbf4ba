//! Why a comparison could not be carried out, in one line each. A slow server is no such reason: it is a result.

use std::io;
use std::path::PathBuf;

use goredis::resp::ReplyError;

/// What stopped the comparison.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A server's program cannot be run.
    #[error("{} does not run ({source}); {help}", program.display())]
    NoProgram {
        /// The program.
        program: PathBuf,
        /// What to do about it.
        help: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A server's program does not say which version it is.
    #[error("{} --version does not tell a version; is it the right program?", program.display())]
    NoVersion {
        /// The program.
        program: PathBuf,
    },
    /// The server to be measured could not be built.
    #[error("the server could not be built; see what cargo said above, or name one with --server")]
    NotBuilt,
    /// A server ended before it served.
    #[error("{server} did not start: {reason}")]
    DidNotStart {
        /// Which server.
        server: String,
        /// The last line that it wrote.
        reason: String,
    },
    /// A server takes longer for something than anybody would wait.
    #[error("waited {seconds} s in vain for {what}")]
    TooLong {
        /// What was waited for.
        what: &'static str,
        /// How long.
        seconds: u64,
    },
    /// The connection to a server broke.
    #[error("the connection to {server} broke: {source}")]
    Connection {
        /// Which server.
        server: String,
        /// What the system said.
        source: io::Error,
    },
    /// A server answered with an error where there was no reason for one.
    #[error("{server} answered with an error: {message}")]
    ErrorReply {
        /// Which server.
        server: String,
        /// Its words.
        message: String,
    },
    /// A server's bytes are no reply.
    #[error("{server} does not speak the protocol: {source}")]
    Protocol {
        /// Which server.
        server: String,
        /// What is wrong with them.
        source: ReplyError,
    },
    /// A server's answer cannot be right, so what was measured means nothing.
    #[error("{server} answered {got} to {asked}, where {expected} was expected")]
    WrongReply {
        /// Which server.
        server: String,
        /// The request.
        asked: String,
        /// The answer.
        got: String,
        /// What it should have been.
        expected: String,
    },
    /// The disk has less room than the data will take.
    #[error("no room in {}: {needed_mb} MB are needed, {free_mb} MB are free; use --keys or --out", folder.display())]
    NoRoom {
        /// Where the servers keep their files.
        folder: PathBuf,
        /// What is needed, in MB.
        needed_mb: u64,
        /// What there is, in MB.
        free_mb: u64,
    },
    /// Something could not be done to a file.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A plot could not be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Plot {
        /// Its file.
        path: PathBuf,
        /// What the drawing library said.
        reason: String,
    },
    /// The load generator could not be set up.
    #[error("cannot set up the load generator: {0}")]
    Generator(io::Error),
    /// Somebody asked it to stop.
    #[error("interrupted; the servers are stopped and their folders removed")]
    Interrupted,
}

impl BenchError {
    /// Makes an error about a file out of the system's.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Makes an error about a connection out of the system's.
    pub(crate) fn connection(server: &str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Connection { server: server.to_owned(), source }
    }
}
