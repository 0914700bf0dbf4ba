//! What can go wrong in the engine: one enum for running, one for opening, one for snapshots.

use crate::engine::WrongType;
use crate::engine::effect::EffectError;
use crate::log::LogError;
use crate::log::snapshot::SnapshotError;
use crate::lsn::Lsn;

/// Why a command did not take effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The log takes no writes now.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Writes are paused; try again when they are not.
    #[error("writes are paused")]
    Paused,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// The database follows another's log, and takes no other writes.
    #[error("the database is a replica's")]
    Follows,
    /// The key holds another type of value than was asked for.
    #[error(transparent)]
    WrongType(#[from] WrongType),
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log or its files.
    #[error(transparent)]
    Log(#[from] crate::log::OpenError),
    /// The snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An entry of the snapshot that is whole but means nothing.
    #[error("{file}: entry {entry} of block {block} is no key: {reason}")]
    Entry {
        /// The snapshot's file.
        file: String,
        /// Its block.
        block: usize,
        /// The entry in the block.
        entry: usize,
        /// Why.
        reason: EffectError,
    },
    /// The snapshot has some parts of a collection, and not all.
    #[error("{file}: a part of the value of key {key} in database {db} is missing")]
    Incomplete {
        /// The snapshot's file.
        file: String,
        /// The key's database.
        db: u16,
        /// The key, escaped.
        key: String,
    },
    /// A record that is whole but means nothing.
    #[error(
        "the record at LSN {lsn} means nothing to this version: {reason}; look at it with `goredis-log dump`"
    )]
    Record {
        /// Its place.
        lsn: Lsn,
        /// Why.
        reason: EffectError,
    },
    /// A key of a database beyond the number that is set.
    #[error("the data has keys in database {found}, but `databases` is {databases}; raise it to at least {}", found + 1)]
    Databases {
        /// The database in the data.
        found: u16,
        /// The setting.
        databases: u16,
    },
    /// It could not be made to follow another's log, or to go on in its own.
    #[error("the log cannot be made ready: {0}")]
    Role(#[from] EngineError),
    /// A background thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[source] std::io::Error),
}

/// Why a snapshot was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFailure {
    /// There are no files to write it to.
    #[error("persistence is off: start the server with -persist to save snapshots")]
    NotPersistent,
    /// One is being taken.
    #[error("Background save already in progress")]
    Busy,
    /// The file could not be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log could not be brought to stable storage.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}
