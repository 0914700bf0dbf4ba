//! What recovery would find, without changing anything: for the offline tools.
//!
//! Runs the same survey and the same replay as opening a log does, and stops where opening would begin to write. So
//! its answer is that of the next start, as long as nothing else happens to the files. Takes no lock: on the files
//! of a running server it describes a moment of the past.

use std::io;
use std::path::{Path, PathBuf};

use super::adopt::describe_cut;
use super::disk::DiskLog;
use super::error::OpenError;
use super::lsn::Lsn;
use super::names;
use super::recovery::{Progress, Replay, SnapshotBounds, reaches_snapshot, replay_start};
use super::report::Cut;
use super::survey::{Repair, survey};
use super::verdict::LastLife;

/// What recovery would find.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// How the last life ended.
    pub last_life: LastLife,
    /// From where on the log would be replayed.
    pub from: Lsn,
    /// Where the durable mark is.
    pub mark: Lsn,
    /// Where the log would end.
    pub end: Lsn,
    /// How many records would be replayed.
    pub records: u64,
    /// How many undecided records would become void.
    pub undecided: u64,
    /// How many unwritten bytes would be skipped.
    pub unwritten_bytes: u64,
    /// What would be cut off.
    pub cut: Option<Cut>,
}

/// Says what opening `disk` beside `snapshot` would find; `None` when there is no log to replay.
///
/// # Errors
/// The [`OpenError`] with which opening would be refused.
pub fn inspect(
    disk: &DiskLog,
    snapshot: Option<SnapshotBounds>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Inspection>, OpenError> {
    let Some(from) = replay_start(disk, snapshot)? else { return Ok(None) };
    let survey = survey(disk, from.max(disk.durable_mark()))?;
    reaches_snapshot(disk, &survey, snapshot)?;
    let mut replay = Replay::new(disk, &survey, from);
    replay.run(&mut |_| Ok(()), progress)?;
    let undecided = survey.repairs.iter().filter(|repair| matches!(repair, Repair::Void { .. })).count();
    let unwritten = survey.repairs.iter().map(|repair| match repair {
        Repair::Pad { from, until } => until.get() - from.get(),
        Repair::Void { .. } => 0,
    });
    Ok(Some(Inspection {
        last_life: survey.life,
        from,
        mark: survey.mark,
        end: survey.end,
        records: replay.records(),
        undecided: undecided as u64,
        unwritten_bytes: unwritten.sum(),
        cut: describe_cut(disk, &survey)?,
    }))
}

/// The segment files of `dbfile` by name, oldest first, whatever they hold.
///
/// # Errors
/// When the folder cannot be read.
pub fn segment_files(dbfile: &Path) -> io::Result<Vec<(Lsn, PathBuf)>> {
    Ok(names::list(dbfile)?.segments)
}
