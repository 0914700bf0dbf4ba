//! What to cut: found by asking recovery what it refuses, and leaving that out until it refuses nothing.
//!
//! Changes nothing. The answer holds as long as nobody else writes to the files.

use std::path::{Path, PathBuf};

use goredis::log::snapshot::SnapshotReader;
use goredis::log::{DiskLog, DiskSegment, Lsn, OpenError, OsStorage, SnapshotBounds, Storage, segment_files};

use super::first_refusal::first_refusal;
use super::lost::{Lost, data_bytes};
use super::{Kept, kept_name};
use crate::damage::Damage;
use crate::error::InspectError;
use crate::files::{bounds, inspect_log};
use crate::snapshot::check_blocks;

/// How to make the log one from which the server starts.
pub(super) struct Plan {
    /// The first damage, in the order of the log.
    pub(super) damage: Damage,
    /// Where the log will end.
    pub(super) cut: Lsn,
    /// The segment that will be the last one.
    pub(super) last_kept: Option<DiskSegment>,
    /// How many of its bytes behind the cut hold something.
    pub(super) tail_bytes: u64,
    /// Segments that lie wholly behind the cut, oldest first.
    pub(super) removed: Vec<(Lsn, PathBuf)>,
    pub(super) lost: Lost,
}

impl Plan {
    /// The files in which what is cut will be kept.
    pub(super) fn kept(&self) -> Result<Vec<Kept>, InspectError> {
        let mut kept = Vec::new();
        if let Some(segment) = self.last_kept.as_ref().filter(|_| self.tail_bytes > 0) {
            let file = kept_name(segment.path(), self.cut);
            kept.push(Kept {
                file: file.display().to_string(),
                bytes: self.tail_bytes,
                whole_segment: false,
            });
        }
        for (first, path) in &self.removed {
            let bytes =
                path.metadata().map_err(|source| InspectError::Read { path: path.clone(), source })?.len();
            let file = kept_name(path, *first).display().to_string();
            kept.push(Kept { file, bytes, whole_segment: true });
        }
        Ok(kept)
    }
}

/// Finds out what to cut; `None` when the server starts as it is.
///
/// # Errors
/// Cutting does not help, or a file cannot be read.
pub(super) fn make(dbfile: &Path) -> Result<Option<Plan>, InspectError> {
    let snapshot = SnapshotReader::open(dbfile).map_err(InspectError::of_snapshot_in_repair)?;
    if let Some(reader) = &snapshot {
        check_blocks(reader).map_err(InspectError::of_snapshot_in_repair)?;
    }
    let bounds = snapshot.as_ref().map(bounds);
    let mut search = Search { dbfile, bounds, below: None, damage: None };
    let (disk, cut) = loop {
        if let Some(found) = search.step()? {
            break found;
        }
    };
    let Some(damage) = search.damage else { return Ok(None) };
    check_enough(dbfile, &disk, bounds, cut)?;
    finish(dbfile, disk, cut, damage).map(Some)
}

/// The search for a log that recovery takes.
struct Search<'a> {
    dbfile: &'a Path,
    bounds: Option<SnapshotBounds>,
    /// Only segments that begin below are looked at.
    below: Option<Lsn>,
    /// The lowest damage so far.
    damage: Option<Damage>,
}

impl Search<'_> {
    /// Looks once. Finds the kept segments and the cut, or leaves more segments out.
    fn step(&mut self) -> Result<Option<(DiskLog, Lsn)>, InspectError> {
        let disk = match DiskLog::discover_below(self.dbfile, OsStorage.boot_id(), self.below) {
            Ok(disk) => disk,
            Err(OpenError::Damaged { lsn, path, offset, damage, dbfile }) => {
                // Every round leaves the damaged segment out, so there are no more rounds than segments.
                self.below = Some(lsn);
                let error = OpenError::Damaged { lsn, path, offset, damage, dbfile };
                self.damage = Some(Damage::of_log(error)?);
                return Ok(None);
            }
            Err(other) => return Err(other.into()),
        };
        match inspect_log(&disk, self.bounds) {
            Ok(inspection) => {
                let end = inspection.map_or(Lsn::MAX, |inspection| inspection.end);
                Ok(Some((disk, self.below.map_or(end, |below| below.min(end)))))
            }
            Err(OpenError::Damaged { lsn, damage, .. }) => {
                let from = self.bounds.map_or(Lsn::FIRST, |bounds| bounds.start);
                let (cut, place, damage) = first_refusal(&disk, from, lsn)?.unwrap_or((lsn, lsn, damage));
                self.damage = Some(Damage::in_log(&disk, place, damage, true));
                Ok(Some((disk, cut)))
            }
            Err(error) => self.leave_the_newest_chain_out(&disk, error),
        }
    }

    /// When a segment in the middle is gone, those before it may still be a log.
    fn leave_the_newest_chain_out(
        &mut self,
        disk: &DiskLog,
        error: OpenError,
    ) -> Result<Option<(DiskLog, Lsn)>, InspectError> {
        let is_gap = matches!(error, OpenError::SegmentMissing { .. } | OpenError::SnapshotMissing { .. });
        let Some(start) = disk.start().filter(|_| is_gap) else {
            return Err(self.cannot(error));
        };
        let older = segment_files(self.dbfile)
            .map_err(|source| InspectError::Read { path: self.dbfile.to_owned(), source })?;
        if older.iter().all(|(first, _)| *first >= start) {
            return Err(self.cannot(error));
        }
        self.damage = Some(Damage::of_log(error)?);
        self.below = Some(start);
        Ok(None)
    }

    /// The reason why cutting does not help.
    fn cannot(&self, error: OpenError) -> InspectError {
        match (self.below, self.bounds, &error) {
            (
                Some(cut),
                Some(bounds),
                OpenError::SegmentMissing { .. } | OpenError::EndsBeforeSnapshot { .. },
            ) => needs_more(self.dbfile, cut, bounds.end),
            _ => error.into(),
        }
    }
}

/// Refuses to cut what the snapshot needs, or everything that there is.
fn check_enough(
    dbfile: &Path,
    disk: &DiskLog,
    bounds: Option<SnapshotBounds>,
    cut: Lsn,
) -> Result<(), InspectError> {
    let needed = bounds.map_or(Lsn::FIRST, |bounds| bounds.end);
    if cut < needed {
        return Err(needs_more(dbfile, cut, needed));
    }
    if bounds.is_none() && disk.segments().is_empty() && cut > Lsn::FIRST {
        return Err(InspectError::NothingLeft { dbfile: dbfile.to_owned(), start: cut.get() });
    }
    Ok(())
}

fn needs_more(dbfile: &Path, cut: Lsn, needed: Lsn) -> InspectError {
    InspectError::SnapshotNeedsMore { dbfile: dbfile.to_owned(), cut: cut.get(), needed: needed.get() }
}

fn finish(dbfile: &Path, disk: DiskLog, cut: Lsn, damage: Damage) -> Result<Plan, InspectError> {
    let files =
        segment_files(dbfile).map_err(|source| InspectError::Read { path: dbfile.to_owned(), source })?;
    let removed: Vec<_> = files.into_iter().filter(|(first, _)| *first >= cut).collect();
    let last_kept = disk.into_segments().into_iter().rfind(|segment| segment.first() < cut);
    let tail_bytes = match &last_kept {
        Some(segment) => data_bytes(segment.path(), segment.offset(cut))?,
        None => 0,
    };
    let lost = Lost::count(dbfile, cut, last_kept.as_ref(), tail_bytes, &removed)?;
    Ok(Plan { damage, cut, last_kept, tail_bytes, removed, lost })
}
