//! A database's files, opened for reading as far as they can be.
//!
//! Every command starts here. Nothing is locked: a running server may be looked at, and its log's newest records are
//! then in motion.

use std::path::{Path, PathBuf};

use goredis::log::snapshot::{SnapshotError, SnapshotReader};
use goredis::log::{
    DiskLog, DiskSegment, Inspection, OpenError, OsStorage, SnapshotBounds, Storage, inspect,
};

use crate::error::InspectError;
use crate::progress;

/// Snapshot and log, each whole, absent or damaged.
pub(crate) struct Files {
    pub(crate) dbfile: PathBuf,
    pub(crate) snapshot: Result<Option<SnapshotReader>, SnapshotError>,
    pub(crate) log: Result<DiskLog, OpenError>,
}

impl Files {
    /// Opens the files of `dbfile`.
    ///
    /// # Errors
    /// There is nothing at all.
    pub(crate) fn open(dbfile: &Path) -> Result<Self, InspectError> {
        let snapshot = SnapshotReader::open(dbfile);
        let log = DiskLog::discover(dbfile, OsStorage.boot_id());
        let nothing = matches!(&snapshot, Ok(None))
            && log.as_ref().is_ok_and(|log| log.segments().is_empty() && log.useless().next().is_none());
        if nothing {
            return Err(InspectError::NothingThere { dbfile: dbfile.to_owned() });
        }
        Ok(Self { dbfile: dbfile.to_owned(), snapshot, log })
    }
}

/// What the log has to fit.
pub(crate) fn bounds(snapshot: &SnapshotReader) -> SnapshotBounds {
    let footer = snapshot.footer();
    SnapshotBounds { start: footer.start, end: footer.end, history: footer.history }
}

/// What recovery would find in the log, with a bar while it looks.
pub(crate) fn inspect_log(
    log: &DiskLog,
    bounds: Option<SnapshotBounds>,
) -> Result<Option<Inspection>, OpenError> {
    let bar = progress::bar("log", log.segments().iter().map(DiskSegment::file_bytes).sum());
    inspect(log, bounds, &mut |progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes_done);
    })
}
