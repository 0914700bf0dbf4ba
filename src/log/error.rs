//! What can go wrong, as sentences for people: one enum for opening, one for the running log.
//!
//! Nothing here is matched by text. An error that a caller treats differently is a variant of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lsn::{History, Lsn};

/// Why the running log did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Something happened after which what was written may be lost; only a restart helps.
    #[error("the log failed and takes no writes until the server is restarted: {fault}")]
    Poisoned {
        /// What happened.
        fault: Fault,
    },
    /// The next segment cannot be made now; nothing was reserved, and a later attempt may succeed.
    #[error("no room for the next log segment {}: {reason}", path.display())]
    NoSpace {
        /// The file that could not be made.
        path: Arc<Path>,
        /// What the system said.
        reason: Arc<str>,
    },
    /// The in-memory log is full of records that are still being written.
    #[error("the log in memory holds {bytes_max} bytes that are still being written")]
    MemoryFull {
        /// The limit.
        bytes_max: u64,
    },
    /// The payload is larger than the log takes in this way.
    #[error("a log payload of {bytes} bytes is larger than the limit of {bytes_max}")]
    PayloadTooLarge {
        /// Its size.
        bytes: u64,
        /// The limit that it broke.
        bytes_max: u64,
    },
    /// More records are being written at once than recovery would accept as the trace of a killed process.
    #[error("more than {records_max} log records are being written at once")]
    TooManyInFlight {
        /// The limit.
        records_max: u32,
    },
    /// More large payloads are being written at once than there are places to register them.
    #[error("more than {spills_max} large log payloads are being written at once")]
    TooManySpills {
        /// The limit.
        spills_max: usize,
    },
    /// All LSNs are used up.
    #[error("the log has reached its last position, {}", Lsn::MAX)]
    Exhausted,
    /// A record of another log does not go on where this one ends.
    #[error("a record for position {lsn} does not fit the log, which ends at {tail}")]
    Misplaced {
        /// Where it belongs.
        lsn: Lsn,
        /// Where the log ends.
        tail: Lsn,
    },
    /// The log was shut down.
    #[error("the log is shut down")]
    Closed,
    /// A segment that is not needed any more could not be deleted.
    #[error("cannot delete the log segment {}: {reason}", path.display())]
    Delete {
        /// The file.
        path: Arc<Path>,
        /// What the system said.
        reason: Arc<str>,
    },
}

/// What poisoned a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes could not be brought to stable storage; the system may have dropped them.
    #[error("syncing {} failed: {reason}", path.display())]
    Sync {
        /// The file or folder.
        path: Arc<Path>,
        /// What the system said.
        reason: Arc<str>,
    },
    /// A page of a mapped segment could not be reached (SIGBUS): file cut, or device failed.
    #[error("a page of the mapped log was lost: the file was cut, or its device failed")]
    PageLost,
    /// A background thread of the log ended by a panic: a defect.
    #[error("the log's {thread} thread died")]
    ThreadDied {
        /// Which.
        thread: &'static str,
    },
}

/// What is wrong with a byte of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file does not start like a segment.
    #[error("this is not a log segment")]
    NotASegment,
    /// The header's checksum or its fields are wrong.
    #[error("the segment header is damaged")]
    Header,
    /// Neither sector of the durable mark is whole.
    #[error("both copies of the durable mark are damaged")]
    Marks,
    /// The file's name and its header disagree.
    #[error("the file's name says another first position than its header")]
    Misnamed,
    /// The segment does not continue the one before.
    #[error("the segment does not continue the one before it")]
    Chain,
    /// The file is shorter than what it must hold.
    #[error("the file is cut short")]
    Truncated,
    /// Not a record head of this place.
    #[error("this is no record head")]
    Head,
    /// The state word has no meaning.
    #[error("the record's state is damaged")]
    State,
    /// Checksum and contents disagree.
    #[error("the record's checksum does not match")]
    Checksum,
    /// A record names a blob that is not there or not whole.
    #[error("a part of the record's payload is missing or damaged")]
    Blob,
    /// A record below the durable mark was never decided.
    #[error("a record below the durable mark is undecided")]
    PendingBelowMark,
    /// Bytes below the durable mark were never written.
    #[error("the log below its durable mark is empty here")]
    EmptyBelowMark,
}

/// Why a database's log was not opened. Files are as they were found.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the database open.
    #[error("the database is open in another server{}: {} is locked", holder_text(*holder), path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, if it is known.
        holder: Option<u32>,
    },
    /// The folder is not there, or takes no files from this user.
    #[error("cannot make {}: {source}; make its folder and let this user write there, or choose another -dbfile", path.display())]
    LockFile {
        /// The lock file: the first of a database's files to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An option has a value outside its limits.
    #[error("{name} must be {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What it may be.
        expected: String,
    },
    /// The files were written by a newer version of the program.
    #[error("{} has log format version {found}; this program knows versions up to {known}", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// Something that the log promised to keep is not there.
    #[error(
        "{} is damaged at offset {offset} (position {lsn}): {damage}; restore a copy, or cut the log there with: goredis-log repair {}",
        path.display(), dbfile.display()
    )]
    Damaged {
        /// The segment file.
        path: PathBuf,
        /// The offset in it.
        offset: u64,
        /// The place in the log.
        lsn: Lsn,
        /// What is wrong.
        damage: Damage,
        /// The database, for the tool's command line.
        dbfile: PathBuf,
    },
    /// The log starts in the middle and the snapshot that holds what came before is not there.
    #[error("the snapshot {} is missing: its log starts at position {start}", dbfile.display())]
    SnapshotMissing {
        /// Where the snapshot should be.
        dbfile: PathBuf,
        /// Where the log starts.
        start: Lsn,
    },
    /// The segment that holds the position from which to replay is not there.
    #[error("the log segment with position {lsn} is missing beside {}", dbfile.display())]
    SegmentMissing {
        /// The database.
        dbfile: PathBuf,
        /// The position that no segment holds.
        lsn: Lsn,
    },
    /// Snapshot and log belong to different databases.
    #[error("the log beside {} does not continue the snapshot: the snapshot is of history {}", dbfile.display(), history.name())]
    ForeignSnapshot {
        /// The database.
        dbfile: PathBuf,
        /// The snapshot's history.
        history: History,
    },
    /// The log ends before the snapshot was complete: the snapshot alone shows a state that never was.
    #[error(
        "the log ends at position {log_end}, before the snapshot's end {snapshot_end}; restore a copy of the files beside {}",
        dbfile.display()
    )]
    EndsBeforeSnapshot {
        /// Where the log ends.
        log_end: Lsn,
        /// How far the snapshot needs it.
        snapshot_end: Lsn,
        /// The database.
        dbfile: PathBuf,
    },
    /// The caller could not apply a record.
    #[error("the record at position {lsn} in {} cannot be applied: {source}", path.display())]
    Apply {
        /// The record.
        lsn: Lsn,
        /// Its segment.
        path: PathBuf,
        /// What the caller said.
        source: ApplyError,
    },
}

impl OpenError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// What the consumer of a replay says about a record that it cannot apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ApplyError {
    /// A sentence for the person who reads the refusal.
    pub reason: String,
}
