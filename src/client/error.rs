//! What can go wrong between a call and its answer. Errors are cheap to clone: one lost connection may fail many calls.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::address::{Address, InvalidAddress};
use crate::resp::{ReplyError, Value};

/// Whether a command that got no answer can have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executed {
    /// It never left this process.
    No,
    /// It was sent, wholly or in part.
    Maybe,
}

impl fmt::Display for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "the command was not executed",
            Self::Maybe => "the command may have been executed",
        })
    }
}

/// An error reply, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub struct ServerError {
    /// Its first word, such as `ERR`, `WRONGTYPE` or `NOAUTH`; empty if it does not start with one.
    pub code: String,
    /// The rest.
    pub message: String,
}

impl ServerError {
    pub(super) fn new(text: &str) -> Self {
        let (code, message) = text.split_once(' ').unwrap_or((text, ""));
        if code.is_empty() || code.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Self { code: String::new(), message: text.to_owned() };
        }
        Self { code: code.to_owned(), message: message.to_owned() }
    }

    /// The reply as the server sent it.
    pub fn text(&self) -> String {
        [self.code.as_str(), self.message.as_str()].join(" ").trim().to_owned()
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// No connection could be made. The command was not executed.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: Address,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Connecting took too long. The command was not executed.
    #[error("cannot connect to {address}: no answer within {limit:?}")]
    ConnectTimeout {
        /// Where to.
        address: Address,
        /// How long was waited.
        limit: Duration,
    },
    /// No reply came in time.
    #[error("no reply within {limit:?}; {executed}")]
    Timeout {
        /// How long was waited.
        limit: Duration,
        /// Whether the command can have had an effect.
        executed: Executed,
    },
    /// The connection broke before the reply was complete.
    #[error("lost the connection to {address}: {source}; {executed}")]
    ConnectionLost {
        /// Where to.
        address: Address,
        /// What the system said; `UnexpectedEof` if the server closed it.
        source: Arc<io::Error>,
        /// Whether the command can have had an effect.
        executed: Executed,
    },
    /// What came back is no reply. The connection was closed; the command may have been executed.
    #[error("{address} answered with something that is no reply: {source}")]
    Protocol {
        /// From where.
        address: Address,
        /// What is wrong with it.
        source: ReplyError,
    },
    /// The connection was closed by an earlier error, or the runtime that drove it is gone.
    #[error("the connection is closed; the command was not executed")]
    Closed,
    /// The server answered with an error.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The reply is of a type that cannot become what was asked for.
    #[error("expected {expected}, the reply is {got}")]
    UnexpectedType {
        /// What was asked for.
        expected: &'static str,
        /// What the server sent.
        got: &'static str,
    },
    /// The reply's text or number does not fit what was asked for.
    #[error("expected {expected}, the reply has another value")]
    UnexpectedValue {
        /// What was asked for.
        expected: &'static str,
    },
    /// More replies were taken from a pipeline than it had commands.
    #[error("the pipeline has no reply {index}")]
    NoSuchReply {
        /// The one asked for, from 0.
        index: usize,
    },
    /// A request without even a command's name.
    #[error("a command needs a name")]
    EmptyCommand,
    /// A command that changes the state of its connection, which other callers share.
    #[error("{command} concerns one connection, which a Client shares: use a Connection for it")]
    NeedsConnection {
        /// The command's name as given.
        command: String,
    },
}

impl Error {
    /// The code of the server's error reply, if that is what this is.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the command can have had an effect although there is no answer to it. An error reply is an answer.
    pub fn may_have_executed(&self) -> bool {
        match self {
            Self::Timeout { executed, .. } | Self::ConnectionLost { executed, .. } => {
                *executed == Executed::Maybe
            }
            Self::Protocol { .. } => true,
            _ => false,
        }
    }

    /// The same loss as it concerns a command that never left.
    pub(super) fn not_executed(mut self) -> Self {
        if let Self::ConnectionLost { executed, .. } = &mut self {
            *executed = Executed::No;
        }
        if matches!(self, Self::Protocol { .. }) { Self::Closed } else { self }
    }
}

/// What a reply is, in words.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Simple(_) => "a status",
        Value::Error(_) => "an error",
        Value::Int(_) => "an integer",
        Value::Bulk(_) => "a string",
        Value::Null => "nil",
        Value::Array(_) => "an array",
        Value::Map(_) => "a map",
        Value::Set(_) => "a set",
        Value::Push(_) => "a push message",
        Value::Double(_) => "a double",
        Value::Boolean(_) => "a boolean",
        Value::Verbatim { .. } => "a verbatim text",
        Value::BigNumber(_) => "a big number",
        Value::Attributed { value, .. } => type_name(value),
    }
}
