//! One damaged place, as it is shown.

use std::fmt;

use goredis::log::snapshot::SnapshotError;
use goredis::log::{DiskLog, Lsn, OpenError};
use serde::Serialize;

use crate::error::InspectError;

/// Where the files are not what they were, and in which way.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Damage {
    /// The damaged file; the database's own name when a file is missing.
    pub(crate) file: String,
    /// Where in the file, if it is one place.
    pub(crate) offset: Option<u64>,
    /// Where in the log, if it is in the log.
    pub(crate) lsn: Option<u64>,
    /// What is wrong.
    pub(crate) reason: String,
    /// Whether a start of the server needs what is damaged.
    pub(crate) needed: bool,
}

impl Damage {
    /// Damage at one place of the log.
    pub(crate) fn in_log(log: &DiskLog, lsn: Lsn, reason: goredis::log::Damage, needed: bool) -> Self {
        let segment = log.index_of(lsn).map(|index| &log.segments()[index]);
        let path = segment.map_or(log.dbfile(), |segment| segment.path());
        Self {
            file: path.display().to_string(),
            offset: segment.map(|segment| segment.offset(lsn)),
            lsn: Some(lsn.get()),
            reason: reason.to_string(),
            needed,
        }
    }

    /// Takes the errors that speak of damage for an answer.
    ///
    /// # Errors
    /// The error itself, when it says that the files could not be looked at.
    pub(crate) fn of_snapshot(error: SnapshotError) -> Result<Self, InspectError> {
        let (path, offset, reason) = match error {
            SnapshotError::Damaged { path, offset, reason } => (path, offset, reason.to_string()),
            SnapshotError::Foreign { path } => {
                (path, 0, "the file does not begin like a snapshot".to_owned())
            }
            other => return Err(other.into()),
        };
        let file = path.display().to_string();
        Ok(Self { file, offset: Some(offset), lsn: None, reason, needed: true })
    }

    /// The same for errors of the log.
    ///
    /// # Errors
    /// The error itself, when it says that the files could not be looked at.
    pub(crate) fn of_log(error: OpenError) -> Result<Self, InspectError> {
        if let OpenError::Damaged { path, offset, lsn, damage, .. } = error {
            let (file, reason) = (path.display().to_string(), damage.to_string());
            return Ok(Self { file, offset: Some(offset), lsn: Some(lsn.get()), reason, needed: true });
        }
        let (dbfile, lsn) = match &error {
            OpenError::SnapshotMissing { dbfile, start } => (dbfile, Some(start.get())),
            OpenError::SegmentMissing { dbfile, lsn } => (dbfile, Some(lsn.get())),
            OpenError::EndsBeforeSnapshot { dbfile, log_end, .. } => (dbfile, Some(log_end.get())),
            OpenError::ForeignSnapshot { dbfile, .. } => (dbfile, None),
            _ => return Err(error.into()),
        };
        let file = dbfile.display().to_string();
        Ok(Self { file, offset: None, lsn, reason: error.to_string(), needed: true })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(offset) = self.offset {
            write!(f, " at offset {offset}")?;
        }
        if let Some(lsn) = self.lsn {
            write!(f, " (LSN {lsn})")?;
        }
        write!(f, ": {}", self.reason)?;
        if !self.needed {
            f.write_str("; the server starts without it, but a replica that needs it cannot be fed")?;
        }
        Ok(())
    }
}
