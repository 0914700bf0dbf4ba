//! Makes the files what recovery decided, so that the log can go on in them.
//!
//! Every step leaves files from which recovery comes to the same decision again, so it may be interrupted anywhere:
//!
//! | after a kill | after a lost machine |
//! |---|---|
//! | 1 void and pad what was passed over | 1 sync every kept segment from the durable mark on |
//! | 2 sync every segment from the durable mark on, and the folder | 2 disown the last kept segment, so that no later recovery takes the row of a kill |
//! | 3 write and sync a new durable mark | 3 delete what lies behind the end, newest first, syncing the folder each time |
//! | | 4 make the first segment of the new history, at the end: from now on the old one ends there |
//! | | 5 cut the old one's file |
//!
//! Behind the end after a kill there are zeros only (or else it was refused); after a lost machine, a new file.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::closed::{ClosedSegment, ClosedSegments};
use super::disk::{DiskLog, DiskSegment};
use super::error::{Damage, OpenError};
use super::factory::{MakeError, Material, SegmentFactory};
use super::header::{Ancestor, Cause, LINEAGE_MAX, Mark};
use super::identity::Identity;
use super::lock::LockFile;
use super::lsn::{History, Lsn};
use super::names::folder;
use super::options::LogOptions;
use super::poison::Poison;
use super::record::{Kind, STATE_AT, State};
use super::recovery::SnapshotBounds;
use super::report::{Cut, RecoveryReport};
use super::running::{FilesStart, Log};
use super::segment::Segment;
use super::storage::Storage;
use super::survey::{Repair, Survey, refusal};
use super::table::SegmentTable;
use super::tailing::Fork;
use super::verdict::LastLife;

/// Starts a log where there is none, at `at`.
pub(super) fn start_new(
    lock: LockFile,
    disk: &DiskLog,
    at: Lsn,
    snapshot: Option<SnapshotBounds>,
    options: &LogOptions,
) -> Result<(Log, RecoveryReport), OpenError> {
    let after = |bounds: SnapshotBounds| Ancestor {
        history: bounds.history,
        fork: bounds.end,
        cause: Cause::Recovery,
    };
    let lineage = snapshot.map(after).into_iter().collect();
    let factory = SegmentFactory::new(disk.dbfile(), new_history(disk)?, lineage, options);
    let poison = Poison::default();
    let first = make(&factory, at, &poison)?;
    let mut report = RecoveryReport::of_new_log(at, factory.history);
    report.deleted = remove_useless(disk, options);
    let start = FilesStart {
        lock,
        factory,
        poison,
        table: SegmentTable::new(vec![Arc::new(first)]),
        closed: ClosedSegments::default(),
        tail: at,
        start: at,
        follows: false,
    };
    Ok((Log::in_files(start, options)?, report))
}

/// Makes the surveyed files whole and starts the log in them.
pub(super) fn adopt(
    lock: LockFile,
    disk: DiskLog,
    snapshot: Option<SnapshotBounds>,
    survey: &Survey,
    options: &LogOptions,
) -> Result<(Log, RecoveryReport), OpenError> {
    let mut report = RecoveryReport::of_new_log(survey.end, History::default());
    report.last_life = Some(survey.life);
    report.mark = survey.mark;
    report.cut = describe_cut(&disk, survey)?;
    report.deleted = remove_useless(&disk, options);
    let start = match survey.life {
        LastLife::Killed => go_on(lock, disk, survey, options, &mut report)?,
        LastLife::MachineLost => start_over(lock, disk, snapshot, survey, options, &mut report)?,
    };
    report.history = start.factory.history;
    Ok((Log::in_files(start, options)?, report))
}

/// Where a log that was surveyed goes on in memory.
pub(super) fn end_of(disk: &DiskLog, survey: &Survey, options: &LogOptions) -> Fork {
    let at = survey.end;
    let segment = &disk.segments[disk.index_of(at).unwrap_or(disk.segments.len() - 1)];
    let capacity = segment.end().get() - segment.first().get();
    let end = if at < segment.end() { segment.end() } else { Lsn::new(at.get() + capacity) };
    let header = segment.header();
    Fork {
        at,
        end,
        capacity: options.memory_segment_bytes,
        history: header.history,
        lineage: header.lineage.clone(),
    }
}

/// After a kill: the same segments, the same history.
fn go_on(
    lock: LockFile,
    disk: DiskLog,
    survey: &Survey,
    options: &LogOptions,
    report: &mut RecoveryReport,
) -> Result<FilesStart, OpenError> {
    let tail_index = disk.index_of(survey.end).unwrap_or(disk.segments.len() - 1);
    for repair in &survey.repairs {
        write_repair(&disk, repair, report)?;
    }
    sync_from(&disk, survey.mark, survey.end, options)?;
    sync_folder(&disk, options)?;
    let tail = &disk.segments[tail_index];
    // Why it stays so until somebody says otherwise: what is written here must not be taken for what it follows.
    report.followed = tail.mark().in_flight_records_max == 0;
    let follows = report.followed;
    let mark = Mark {
        sequence: tail.mark().sequence + 1,
        durable: survey.end,
        clean: false,
        identity: tail.mark().identity,
        in_flight_records_max: if follows { 0 } else { options.in_flight_records_max },
    };
    write_mark(tail, &mark, options.storage.as_ref())?;
    let start = disk.start().unwrap_or(survey.end);
    let header = tail.header().clone();
    let factory = SegmentFactory::new(disk.dbfile(), header.history, header.lineage, options);
    let poison = Poison::default();
    let mut segments = disk.segments;
    let window = segments.split_off(tail_index);
    let closed = ClosedSegments::new(closed_segments(&segments));
    let table = SegmentTable::new(map_window(&window, survey.end, mark.sequence, &factory, &poison)?);
    Ok(FilesStart { lock, factory, poison, table, closed, tail: survey.end, start, follows })
}

/// Maps the segment with the tail and those made ahead of it.
fn map_window(
    window: &[DiskSegment],
    tail: Lsn,
    tail_sequence: u64,
    factory: &SegmentFactory,
    poison: &Poison,
) -> Result<Vec<Arc<Segment>>, OpenError> {
    let mut mapped = Vec::with_capacity(window.len());
    for (index, segment) in window.iter().enumerate() {
        let sequence = if index == 0 { tail_sequence } else { segment.mark().sequence };
        let opened = segment
            .open_to_write()
            .and_then(|file| factory.open(file, segment.path(), segment.header(), sequence, poison));
        let segment = opened.map_err(|source| OpenError::io("map", segment.path(), source))?;
        segment.starts_at(tail.get().clamp(segment.first(), segment.end()));
        mapped.push(Arc::new(segment));
    }
    Ok(mapped)
}

/// After a lost machine: a new history, in a new segment at the end.
fn start_over(
    lock: LockFile,
    disk: DiskLog,
    snapshot: Option<SnapshotBounds>,
    survey: &Survey,
    options: &LogOptions,
    report: &mut RecoveryReport,
) -> Result<FilesStart, OpenError> {
    let end = survey.end;
    let storage = options.storage.as_ref();
    sync_from(&disk, survey.mark, end, options)?;
    let last = &disk.segments[disk.index_of(end).unwrap_or(disk.segments.len() - 1)];
    report.previous_history = Some(last.header().history);
    let lineage = lineage_after(last, end, snapshot);
    let kept = disk.segments.iter().take_while(|segment| segment.first() < end).count();
    if let Some(last_kept) = disk.segments[..kept].last() {
        disown(last_kept, storage)?;
    }
    for segment in disk.segments[kept..].iter().rev() {
        let removed = storage.remove(segment.path());
        removed.map_err(|source| OpenError::io("delete", segment.path(), source))?;
        sync_folder(&disk, options)?;
        report.deleted.push(segment.path().to_path_buf());
    }
    let factory = SegmentFactory::new(disk.dbfile(), new_history(&disk)?, lineage, options);
    let poison = Poison::default();
    let first = make(&factory, end, &poison)?;
    let start = disk.start().map_or(end, |start| start.min(end));
    let mut segments = disk.segments;
    segments.truncate(kept);
    if let Some(last_kept) = segments.last_mut() {
        cut_file(last_kept, end, storage)?;
    }
    let mut closed = closed_segments(&segments);
    if let Some(last) = closed.last_mut() {
        last.end = end;
    }
    let closed = ClosedSegments::new(closed);
    let table = SegmentTable::new(vec![Arc::new(first)]);
    Ok(FilesStart { lock, factory, poison, table, closed, tail: end, start, follows: false })
}

/// The ancestors of a history that begins at `fork`, in or behind the segment `last`.
///
/// Why a history without a record is left out, unless the snapshot is of it: nothing else depends on it, and a machine
/// that restarts often without being written to must not push those that matter off the list.
fn lineage_after(last: &DiskSegment, fork: Lsn, snapshot: Option<SnapshotBounds>) -> Vec<Ancestor> {
    let is_needed = snapshot.is_some_and(|bounds| bounds.history == last.header().history);
    // Why not after an adoption: the history that a replica went on in has its beginning elsewhere.
    let begins = |newest: &Ancestor| newest.fork == last.first() && newest.cause != Cause::Adoption;
    let began_here = last.header().lineage.first().is_some_and(begins);
    if began_here && last.first() == fork && !is_needed {
        return last.header().lineage.clone();
    }
    let newest = Ancestor { history: last.header().history, fork, cause: Cause::Recovery };
    let others = last.header().lineage.iter().copied().filter(|ancestor| ancestor.history != newest.history);
    std::iter::once(newest).chain(others).take(LINEAGE_MAX).collect()
}

fn new_history(disk: &DiskLog) -> Result<History, OpenError> {
    History::random().map_err(|source| OpenError::io("name a new history for", disk.dbfile(), source))
}

fn make(factory: &SegmentFactory, first: Lsn, poison: &Poison) -> Result<Segment, OpenError> {
    factory.make(first, first, &Material::New, poison).map_err(|error| match error {
        MakeError::Refused { path, source } => OpenError::io("make the log segment", &path, source),
        MakeError::Unsafe(fault) => {
            let path = factory.path(first);
            OpenError::io("sync the log segment", &path, std::io::Error::other(fault.to_string()))
        }
    })
}

fn closed_segments(segments: &[DiskSegment]) -> Vec<ClosedSegment> {
    let closed = segments.iter().map(|segment| ClosedSegment {
        first: segment.first(),
        end: segment.end(),
        path: segment.path().to_path_buf(),
    });
    closed.collect()
}

fn write_repair(disk: &DiskLog, repair: &Repair, report: &mut RecoveryReport) -> Result<(), OpenError> {
    match *repair {
        Repair::Void { lsn, kind } => {
            report.voided += 1;
            let word = State::Void as u32 | kind.map_or(0, |kind: Kind| kind as u32) << 16;
            write_at(disk, lsn, STATE_AT, &word.to_le_bytes())
        }
        Repair::Pad { from, until } => {
            report.padded_bytes += until.get() - from.get();
            for segment in &disk.segments {
                let start = from.max(segment.first());
                let end = until.min(segment.end());
                if start < end {
                    let bytes = (end.get() - start.get()) as u32;
                    write_at(disk, start, 0, &segment.seal().pad_head(start.get(), bytes).to_ne_bytes())?;
                }
            }
            Ok(())
        }
    }
}

fn write_at(disk: &DiskLog, lsn: Lsn, at: u64, bytes: &[u8]) -> Result<(), OpenError> {
    let Some(segment) = disk.index_of(lsn).map(|index| &disk.segments[index]) else {
        return Err(refusal(disk, lsn, Damage::Truncated));
    };
    let written = segment.open_to_write().and_then(|file| file.write_all_at(bytes, segment.offset(lsn) + at));
    written.map_err(|source| OpenError::io("write", segment.path(), source))
}

/// Syncs every segment that holds something of `[mark, end)`, and the one with the end.
fn sync_from(disk: &DiskLog, mark: Lsn, end: Lsn, options: &LogOptions) -> Result<(), OpenError> {
    let touched = disk.segments.iter().filter(|segment| segment.end() >= mark && segment.first() <= end);
    for segment in touched {
        sync(segment, options.storage.as_ref())?;
    }
    Ok(())
}

fn sync(segment: &DiskSegment, storage: &dyn Storage) -> Result<(), OpenError> {
    let synced = segment.open_to_write().and_then(|file| storage.sync_file(&file, segment.path()));
    synced.map_err(|source| OpenError::io("sync", segment.path(), source))
}

fn sync_folder(disk: &DiskLog, options: &LogOptions) -> Result<(), OpenError> {
    let folder = folder(disk.dbfile());
    options.storage.sync_dir(&folder).map_err(|source| OpenError::io("sync", &folder, source))
}

fn disown(segment: &DiskSegment, storage: &dyn Storage) -> Result<(), OpenError> {
    let mark = Mark {
        sequence: segment.mark().sequence + 1,
        identity: Identity::DISOWNED,
        clean: false,
        ..*segment.mark()
    };
    write_mark(segment, &mark, storage)
}

pub(super) fn write_mark(segment: &DiskSegment, mark: &Mark, storage: &dyn Storage) -> Result<(), OpenError> {
    let sector = mark.encode(segment.header().history, segment.first());
    let written = segment.open_to_write().and_then(|file| file.write_all_at(&sector, mark.offset()));
    written.map_err(|source| OpenError::io("write", segment.path(), source))?;
    sync(segment, storage)
}

/// Gives back the space behind the end of a segment that another history leaves.
fn cut_file(segment: &DiskSegment, end: Lsn, storage: &dyn Storage) -> Result<(), OpenError> {
    let bytes = segment.offset(end);
    if bytes < segment.file_bytes() {
        let cut = segment.open_to_write().and_then(|file| file.set_len(bytes));
        cut.map_err(|source| OpenError::io("cut", segment.path(), source))?;
        sync(segment, storage)?;
    }
    Ok(())
}

/// Deletes what belongs to nothing. A failure is not worth refusing: the next start tries again.
fn remove_useless(disk: &DiskLog, options: &LogOptions) -> Vec<std::path::PathBuf> {
    let removed = disk.useless().filter(|path| options.storage.remove(path).is_ok());
    removed.map(Path::to_path_buf).collect()
}

/// What will be cut, measured before anything is changed.
pub(super) fn describe_cut(disk: &DiskLog, survey: &Survey) -> Result<Option<Cut>, OpenError> {
    let Some(reason) = survey.cut_by else { return Ok(None) };
    let Some(segment) = disk.index_of(survey.end).map(|index| &disk.segments[index]) else { return Ok(None) };
    let mut last_data = survey.end.get();
    let mut buffer = vec![0; 1 << 20];
    for segment in disk.segments.iter().filter(|segment| segment.end() > survey.end) {
        let failed = |source| OpenError::io("read", segment.path(), source);
        let file = segment.open_to_read().map_err(failed)?;
        let mut at = segment.first().max(survey.end).get();
        while at < segment.end().get() {
            let len = buffer.len().min((segment.end().get() - at) as usize);
            segment.read(&file, at, &mut buffer[..len]).map_err(failed)?;
            if let Some(last) = buffer[..len].iter().rposition(|byte| *byte != 0) {
                last_data = at + last as u64 + 1;
            }
            at += len as u64;
        }
    }
    Ok(Some(Cut {
        path: segment.path().to_path_buf(),
        offset: segment.offset(survey.end),
        lsn: survey.end,
        bytes: last_data - survey.end.get(),
        reason,
    }))
}

impl RecoveryReport {
    /// The report of a log that starts at `at` with nothing in it.
    pub(super) fn of_new_log(at: Lsn, history: History) -> Self {
        Self {
            last_life: None,
            replayed_from: at,
            end: at,
            mark: at,
            records: 0,
            voided: 0,
            padded_bytes: 0,
            cut: None,
            deleted: Vec::new(),
            history,
            previous_history: None,
            unnamed_blobs: Vec::new(),
            followed: false,
            took: Duration::ZERO,
        }
    }
}
