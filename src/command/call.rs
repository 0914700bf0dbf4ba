//! What a command's function is given, and what it may answer beside its reply.

use crate::command::blocking::Wait;
use crate::command::context::Context;
use crate::command::replicas::Introduction;
use crate::command::replication::Patience;
use crate::command::session::Session;
use crate::engine::{DbIndex, Txn};
use crate::resp::{Args, ReplyBuf};
use std::time::Duration;

/// A command's function. It writes exactly one reply, or fails with nothing written and nothing changed.
///
/// It may run several times for one request (a conflicting attempt is undone and tried again), so everything that
/// is not undone with the attempt (the `Txn`'s writes, the reply, the session's selected database) is idempotent
/// or done in `later`.
pub type Handler = fn(&mut Call<'_, '_>) -> Result<(), CommandError>;

/// One request being executed.
pub struct Call<'c, 'g> {
    /// The attempt that reads and writes keys.
    pub txn: &'c mut Txn<'g>,
    /// The request; `args[0]` is the command's name. Arity has been checked.
    pub args: Args<'c>,
    /// Where the reply goes.
    pub reply: &'c mut ReplyBuf,
    /// The connection's state.
    pub session: &'c mut Session,
    /// What all connections share.
    pub context: &'c Context,
    /// What is to happen after the command, if anything.
    pub later: Option<Later>,
}

impl Call<'_, '_> {
    /// The selected database.
    pub fn db(&self) -> DbIndex {
        self.session.db
    }
}

/// The rest of a command that may take long.
pub type BlockingWork = Box<dyn FnOnce(&Context, &mut ReplyBuf) + Send>;

/// What the connection does after a command before it goes on with the next.
pub enum Later {
    /// Runs this on a thread that may block; it writes the reply.
    Blocking(BlockingWork),
    /// Waits until it can be served, and writes the reply then.
    Wait(Box<Wait>),
    /// Waits until a position is reached, and writes how things stand then.
    Patience(Box<Patience>),
    /// Feeds the log to a replica, which the connection is from now on.
    Feed(Introduction),
    /// Waits, then writes `+OK` (DEBUG SLEEP).
    Sleep(Duration),
    /// Sends what there is and closes the connection.
    Close,
    /// Closes the connection at once with nothing more sent, and stops the server.
    Shutdown(Shutdown),
}

/// How SHUTDOWN was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shutdown {
    /// SAVE or NOSAVE.
    pub save: Option<bool>,
    /// NOW: does not wait for replicas.
    pub now: bool,
    /// FORCE: goes on though the save failed.
    pub force: bool,
}

impl From<crate::engine::WrongType> for CommandError {
    fn from(_: crate::engine::WrongType) -> Self {
        Self::WrongType
    }
}

impl CommandError {
    /// A subcommand of a container, called with arguments that it does not take.
    pub(in crate::command) fn misused(container: &str, subcommand: &[u8]) -> Self {
        let given: String = String::from_utf8_lossy(subcommand).chars().take(128).collect();
        let text = "ERR unknown subcommand or wrong number of arguments for";
        Self::Text(format!("{text} '{given}'. Try {container} HELP.").into())
    }
}

/// Why a command failed; displays as the whole error reply.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum CommandError {
    /// A wrong number of arguments.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(String),
    /// The key holds another type.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    /// An argument or a value that is no 64-bit integer.
    #[error("ERR value is not an integer or out of range")]
    NotInteger,
    /// An argument or a value that is no number.
    #[error("ERR value is not a valid float")]
    NotFloat,
    /// Options that do not go together or are not known.
    #[error("ERR syntax error")]
    Syntax,
    /// An expiry that is no time to come.
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpire(String),
    /// A database number that does not exist.
    #[error("ERR DB index is out of range")]
    DbIndex,
    /// A string beyond the limit.
    #[error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")]
    StringTooLong,
    /// The key must exist.
    #[error("ERR no such key")]
    NoSuchKey,
    /// Any other error, with Redis's text including its code.
    #[error("{0}")]
    Text(std::borrow::Cow<'static, str>),
}
