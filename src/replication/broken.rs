//! Why a link broke, whichever kind of server is at its other end.

use std::io;
use std::time::Duration;

/// Why a link to a primary broke.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such host, or it does not answer.
    #[error("cannot connect to {0}: {1}")]
    Connect(String, io::Error),
    /// The connection failed.
    #[error("the connection to the primary failed: {0}")]
    Connection(#[from] io::Error),
    /// The primary closed the connection.
    #[error("the primary closed the connection")]
    Closed,
    /// The primary said nothing for too long.
    #[error("nothing came from the primary for {} s (repl-timeout)", .0.as_secs())]
    Silent(Duration),
    /// The primary does not let us follow.
    #[error("the primary answered {command} with: {answer}")]
    Refused {
        /// To what.
        command: &'static str,
        /// Its answer.
        answer: String,
    },
}
