//! Why a command could not be carried out. Damage is no such reason: it is an answer.

use std::io;
use std::path::PathBuf;

use goredis::log::OpenError;
use goredis::log::snapshot::SnapshotError;

/// What stopped the inspector.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    /// There is neither a snapshot nor a log.
    #[error("there is no database {}: neither that file nor a log beside it exists", dbfile.display())]
    NothingThere {
        /// The name that was given.
        dbfile: PathBuf,
    },
    /// There is no snapshot, and one was asked for.
    #[error("{} does not exist: the database has no snapshot yet", dbfile.display())]
    NoSnapshot {
        /// The name that was given.
        dbfile: PathBuf,
    },
    /// The answer could not be written.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    /// A log file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something could not be done to a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Change {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The snapshot cannot be used.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The snapshot is damaged, and only logs can be repaired.
    #[error("{0}; a snapshot cannot be repaired, restore a copy of the files")]
    SnapshotBeyondRepair(SnapshotError),
    /// The log cannot be used, or is locked.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// Cutting the log would not help.
    #[error(
        "this cannot be repaired by cutting: the damage at LSN {cut} lies before LSN {needed}, up to which the \
         snapshot {} needs the log; restore a copy of the files",
        dbfile.display()
    )]
    SnapshotNeedsMore {
        /// The database.
        dbfile: PathBuf,
        /// Where the log would end.
        cut: u64,
        /// Where it has to reach.
        needed: u64,
    },
    /// A log without a snapshot would be left without its start.
    #[error(
        "this cannot be repaired by cutting: nothing would be left of a log that starts at LSN {start} and needs \
         the snapshot {}; restore a copy of the files",
        dbfile.display()
    )]
    NothingLeft {
        /// The database.
        dbfile: PathBuf,
        /// Where its log starts.
        start: u64,
    },
}

impl InspectError {
    /// What stops a repair that meets this snapshot.
    pub(crate) fn of_snapshot_in_repair(error: SnapshotError) -> Self {
        match error {
            damaged @ (SnapshotError::Damaged { .. } | SnapshotError::Foreign { .. }) => {
                Self::SnapshotBeyondRepair(damaged)
            }
            other => Self::Snapshot(other),
        }
    }

    /// Whether the reader of the answer went away, as `head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
