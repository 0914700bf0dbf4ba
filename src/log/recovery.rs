//! Opening a log: find it, survey it, replay it, make the files whole, go on.
//!
//! Two passes. The survey (`survey.rs`) reads what lies above the durable mark and decides how the last life ended and
//! where the log ends. The replay hands every committed record from the snapshot's start to that end to the caller.
//! Nothing is written before both have succeeded; then `adopt.rs` makes the files what was decided.
//!
//! What happens in which case is the table in `verdict.rs`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::adopt;
use super::blob::decode_names;
use super::disk::DiskLog;
use super::error::{ApplyError, OpenError};
use super::lock::LockFile;
use super::lsn::{History, Lsn};
use super::options::{Location, LogOptions};
use super::record::{Kind, State};
use super::report::RecoveryReport;
use super::running::Log;
use super::scan::{Item, ScannedRecord, Scanner};
use super::survey::{Survey, case_of, is_spilled, refusal, survey};
use super::verdict::{Verdict, verdict};

/// What a snapshot says about the log that completes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotBounds {
    /// The log is replayed from here.
    pub start: Lsn,
    /// The snapshot holds nothing newer; the log must reach to here.
    pub end: Lsn,
    /// The line of LSNs of both.
    pub history: History,
}

/// A committed record, during replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place.
    pub lsn: Lsn,
    /// When it was written, in milliseconds since 1970.
    pub time: u64,
    /// What the writer put in; put together again, if it was spilled.
    pub payload: &'a [u8],
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of log done.
    pub bytes_done: u64,
    /// Bytes of log to do.
    pub bytes_total: u64,
    /// Records handed over.
    pub records: u64,
}

/// Bytes between two calls of the progress function.
const PROGRESS_BYTES: u64 = 4 << 20;

/// A log that was found, and is not replayed yet.
#[derive(Debug)]
pub struct Opening {
    options: LogOptions,
    files: Option<OpeningFiles>,
}

#[derive(Debug)]
struct OpeningFiles {
    lock: LockFile,
    disk: DiskLog,
    snapshot: Option<SnapshotBounds>,
}

/// Opens the log that completes `snapshot`, taking the lock file first.
///
/// Who reads the snapshot itself takes the lock before, and calls [`open_locked`].
///
/// # Errors
/// [`OpenError`]; nothing was changed.
pub fn open(options: LogOptions, snapshot: Option<SnapshotBounds>) -> Result<Opening, OpenError> {
    options.validate()?;
    match &options.location {
        Location::Memory => Ok(Opening { options, files: None }),
        Location::Files { dbfile } => {
            let lock = LockFile::take(dbfile)?;
            open_locked(options, lock, snapshot)
        }
    }
}

/// As [`open`], for a caller that holds the lock of the database already. The location is the lock's database; or memory,
/// where what is replayed from the files goes on, which are only read.
///
/// # Errors
/// [`OpenError`]; nothing was changed.
pub fn open_locked(
    options: LogOptions,
    lock: LockFile,
    snapshot: Option<SnapshotBounds>,
) -> Result<Opening, OpenError> {
    options.validate()?;
    let disk = DiskLog::discover(lock.dbfile(), options.storage.boot_id())?;
    Ok(Opening { options, files: Some(OpeningFiles { lock, disk, snapshot }) })
}

impl Opening {
    /// Hands every committed record to `apply`, in order, then makes the files whole and starts the log. `progress`
    /// is told every few megabytes.
    ///
    /// # Errors
    /// [`OpenError`]: the log is damaged, does not fit the snapshot, or a record could not be applied, and nothing was
    /// changed; or making the files whole failed, and the next attempt starts from the same data.
    pub fn replay(
        self,
        apply: &mut dyn FnMut(Record<'_>) -> Result<(), ApplyError>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Log, RecoveryReport), OpenError> {
        let began = Instant::now();
        let Some(files) = self.files else {
            let log = Log::in_memory(&self.options, None)?;
            let report = RecoveryReport::of_new_log(Lsn::FIRST, log.history());
            return Ok((log, report));
        };
        let Some(found) = read(&files.disk, files.snapshot, apply, progress)? else {
            let at = files.snapshot.map_or(Lsn::FIRST, |bounds| bounds.end);
            return adopt::start_new(files.lock, &files.disk, at, files.snapshot, &self.options);
        };
        if self.options.location == Location::Memory {
            let mut report = RecoveryReport::of_new_log(found.survey.end, History::default());
            report.records = found.records;
            report.unnamed_blobs = found.unnamed_blobs;
            let end = adopt::end_of(&files.disk, &found.survey, &self.options);
            report.history = end.history;
            return Ok((Log::in_memory(&self.options, Some(end))?, report));
        }
        let (log, mut report) =
            adopt::adopt(files.lock, files.disk, files.snapshot, &found.survey, &self.options)?;
        report.replayed_from = found.from;
        report.records = found.records;
        report.unnamed_blobs = found.unnamed_blobs;
        report.took = began.elapsed();
        Ok((log, report))
    }
}

/// What reading a log found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) from: Lsn,
    pub(super) records: u64,
    pub(super) unnamed_blobs: Vec<Lsn>,
    pub(super) survey: Survey,
}

/// Both passes of recovery; changes nothing. `None` when there is no log yet.
pub(super) fn read(
    disk: &DiskLog,
    snapshot: Option<SnapshotBounds>,
    apply: &mut dyn FnMut(Record<'_>) -> Result<(), ApplyError>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Found>, OpenError> {
    let Some(from) = replay_start(disk, snapshot)? else { return Ok(None) };
    let survey = survey(disk, from.max(disk.durable_mark()))?;
    reaches_snapshot(disk, &survey, snapshot)?;
    let mut replay = Replay::new(disk, &survey, from);
    replay.run(apply, progress)?;
    let (records, unnamed_blobs) = (replay.records, replay.unnamed.iter().copied().collect());
    Ok(Some(Found { from, records, unnamed_blobs, survey }))
}

/// From where to replay; `None` when there is no log yet.
pub(super) fn replay_start(
    disk: &DiskLog,
    snapshot: Option<SnapshotBounds>,
) -> Result<Option<Lsn>, OpenError> {
    let dbfile = || disk.dbfile().to_path_buf();
    match (disk.start(), snapshot) {
        (None, None) => Ok(None),
        // Nothing was written while the snapshot was taken: it is whole by itself.
        (None, Some(bounds)) if bounds.start == bounds.end => Ok(None),
        (None, Some(bounds)) => Err(OpenError::SegmentMissing { dbfile: dbfile(), lsn: bounds.start }),
        (Some(Lsn::FIRST), None) => Ok(Some(Lsn::FIRST)),
        (Some(start), None) => Err(OpenError::SnapshotMissing { dbfile: dbfile(), start }),
        (Some(_), Some(bounds)) => {
            if !disk.is_of_history(bounds.history, bounds.end) {
                return Err(OpenError::ForeignSnapshot { dbfile: dbfile(), history: bounds.history });
            }
            let log_end = disk.segments().last().map_or(Lsn::ZERO, super::disk::DiskSegment::end);
            if log_end < bounds.start {
                return Err(OpenError::EndsBeforeSnapshot {
                    log_end,
                    snapshot_end: bounds.end,
                    dbfile: dbfile(),
                });
            }
            match disk.index_of(bounds.start) {
                Some(_) => Ok(Some(bounds.start)),
                None => Err(OpenError::SegmentMissing { dbfile: dbfile(), lsn: bounds.start }),
            }
        }
    }
}

/// Refuses a log that ends before the snapshot was complete.
pub(super) fn reaches_snapshot(
    disk: &DiskLog,
    survey: &Survey,
    snapshot: Option<SnapshotBounds>,
) -> Result<(), OpenError> {
    match snapshot {
        Some(bounds) if survey.end < bounds.end => Err(OpenError::EndsBeforeSnapshot {
            log_end: survey.end,
            snapshot_end: bounds.end,
            dbfile: disk.dbfile().to_path_buf(),
        }),
        _ => Ok(()),
    }
}

/// The second pass.
pub(super) struct Replay<'l> {
    disk: &'l DiskLog,
    survey: &'l Survey,
    from: Lsn,
    assembled: Vec<u8>,
    records: u64,
    /// Blobs that no record has named yet.
    unnamed: BTreeSet<Lsn>,
    told_at: u64,
}

impl<'l> Replay<'l> {
    pub(super) fn new(disk: &'l DiskLog, survey: &'l Survey, from: Lsn) -> Self {
        Self {
            disk,
            survey,
            from,
            assembled: Vec::new(),
            records: 0,
            unnamed: BTreeSet::new(),
            told_at: from.get(),
        }
    }

    pub(super) fn run(
        &mut self,
        apply: &mut dyn FnMut(Record<'_>) -> Result<(), ApplyError>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), OpenError> {
        let Some(mut scanner) = Scanner::new(self.disk, self.from) else { return Ok(()) };
        while scanner.position() < self.survey.end {
            let at = scanner.position();
            self.step(&mut scanner, apply)?;
            let (next, mark) = (scanner.position(), self.survey.mark);
            // The mark stands between two records; one that reaches over it is not the one that was there.
            if at < mark && mark < next && self.survey.end >= mark {
                return Err(refusal(self.disk, at, super::error::Damage::Head));
            }
            if next.get() - self.told_at >= PROGRESS_BYTES {
                self.told_at = next.get();
                progress(self.progress(next));
            }
        }
        progress(self.progress(self.survey.end));
        Ok(())
    }

    /// How many records were handed over.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    fn progress(&self, at: Lsn) -> Progress {
        Progress {
            bytes_done: at.get() - self.from.get(),
            bytes_total: self.survey.end.get() - self.from.get(),
            records: self.records,
        }
    }

    fn step(
        &mut self,
        scanner: &mut Scanner<'_>,
        apply: &mut dyn FnMut(Record<'_>) -> Result<(), ApplyError>,
    ) -> Result<(), OpenError> {
        let (disk, at) = (self.disk, scanner.position());
        let failed = |source| OpenError::io("read", path_of(disk, at), source);
        let item = scanner.next_item().map_err(failed)?;
        let case = case_of(disk, &item, &mut self.assembled).map_err(failed)?;
        if let Item::Record(record) = &item {
            self.note(record);
        }
        match (verdict(self.survey.life, case, at < self.survey.mark), &item) {
            (Verdict::Keep, Item::Record(record)) => self.apply(record, apply).map_err(|source| {
                OpenError::Apply { lsn: record.lsn, path: path_of(disk, at).to_path_buf(), source }
            }),
            (Verdict::Keep | Verdict::Void | Verdict::Pad, _) => Ok(()),
            (Verdict::Refuse(damage), Item::Bad { at, .. }) => Err(refusal(self.disk, *at, damage)),
            (Verdict::Refuse(damage), _) => Err(refusal(self.disk, at, damage)),
            // The survey saw the log well formed up to its end: it was changed since.
            (Verdict::End, _) => Err(refusal(self.disk, at, super::error::Damage::Head)),
        }
    }

    fn note(&mut self, record: &ScannedRecord<'_>) {
        match (record.state, record.kind) {
            (State::Committed, Some(Kind::Blob)) => {
                self.unnamed.insert(record.lsn);
            }
            (_, Some(Kind::Spilled)) => {
                for name in decode_names(record.payload).unwrap_or_default() {
                    self.unnamed.remove(&name.lsn);
                }
            }
            _ => {}
        }
    }

    fn apply(
        &mut self,
        record: &ScannedRecord<'_>,
        apply: &mut dyn FnMut(Record<'_>) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let payload = match (record.state, record.kind) {
            (State::Committed, Some(Kind::Plain)) => record.payload,
            (State::Committed, Some(Kind::Spilled)) => {
                debug_assert!(is_spilled(record));
                &self.assembled[..]
            }
            _ => return Ok(()),
        };
        self.records += 1;
        apply(Record { lsn: record.lsn, time: record.time, payload })
    }
}

/// The file that holds `at`, for an error.
fn path_of(disk: &DiskLog, at: Lsn) -> &Path {
    let index = disk.index_of(at).unwrap_or(disk.segments().len() - 1);
    disk.segments()[index].path()
}
