//! Cuts a damaged log at its first damage, so that it can be opened again: what `goredis-log repair` does.
//!
//! For a log that recovery refuses. Nothing is thrown away: what is cut lies beside the database afterwards, in files
//! whose names end in `.cut`. The log is left as files of a lost machine: the next start begins a new history.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::adopt::write_mark;
use super::disk::{DiskLog, DiskSegment};
use super::error::OpenError;
use super::header::Mark;
use super::identity::Identity;
use super::lock::LockFile;
use super::lsn::Lsn;
use super::names::{self, folder};
use super::scan::{Item, Scanner};
use super::storage::Storage;
use super::survey::case_of;
use super::verdict::{Case, LastLife, Verdict, verdict};

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Where the log ends now.
    pub end: Lsn,
    /// Committed and void records that are left.
    pub records_kept: u64,
    /// How much was cut, in bytes of files.
    pub bytes_cut: u64,
    /// Where it lies now.
    pub kept_as: Vec<PathBuf>,
    /// Whether the cut took anything that the durable mark promised.
    pub below_mark: bool,
}

/// Cuts the log of the locked database at its first damage. `None` when nothing is damaged. `from` is the position
/// from which a snapshot wants the log replayed; without a snapshot the log's first.
///
/// # Errors
/// [`OpenError`] when a file cannot be read, written or renamed. A repair that was interrupted can be run again.
pub fn repair(
    lock: &LockFile,
    from: Option<Lsn>,
    storage: &dyn Storage,
) -> Result<Option<Repaired>, OpenError> {
    let mut kept_as = Vec::new();
    let mut bytes_cut = set_aside_unreadable(lock.dbfile(), storage, &mut kept_as)?;
    let disk = DiskLog::discover(lock.dbfile(), storage.boot_id())?;
    let Some(from) = from.or(disk.start()).filter(|from| disk.index_of(*from).is_some()) else {
        return Ok(None);
    };
    let mark = disk.durable_mark();
    let (end, records_kept, damaged) = first_damage(&disk, from)?;
    if !damaged && kept_as.is_empty() && end >= mark {
        return Ok(None);
    }
    bytes_cut += cut(&disk, end, from, storage, &mut kept_as)?;
    Ok(Some(Repaired { end, records_kept, bytes_cut, kept_as, below_mark: end < mark }))
}

/// Cuts the log of the locked database at `to`, a place between two of its records, though nothing is damaged: for a
/// server whose writes behind it were never replicated. What is cut lies beside the database afterwards; gives the files.
/// The next start begins a new history there, without a record.
///
/// # Errors
/// [`OpenError`] when a file cannot be read, written or renamed. It can be run again.
pub fn rewind(lock: &LockFile, to: Lsn, storage: &dyn Storage) -> Result<Vec<PathBuf>, OpenError> {
    let disk = DiskLog::discover(lock.dbfile(), storage.boot_id())?;
    if disk.index_of(to).is_none() {
        return Err(OpenError::SegmentMissing { dbfile: lock.dbfile().to_path_buf(), lsn: to });
    }
    let mut kept_as = Vec::new();
    cut(&disk, to, to, storage, &mut kept_as)?;
    Ok(kept_as)
}

/// Puts everything behind `end` aside, but keeps the segment that holds `from`; gives how many bytes that were.
fn cut(
    disk: &DiskLog,
    end: Lsn,
    from: Lsn,
    storage: &dyn Storage,
    kept_as: &mut Vec<PathBuf>,
) -> Result<u64, OpenError> {
    let mut bytes_cut = 0;
    for segment in disk.segments().iter().rev() {
        if segment.first() >= end && segment.first() > from {
            bytes_cut += set_aside(segment.path(), storage, kept_as)?;
        } else {
            bytes_cut += cut_segment(segment, end, storage, kept_as)?;
            break;
        }
    }
    Ok(bytes_cut)
}

/// Puts segments whose header cannot be read aside, and all behind them.
fn set_aside_unreadable(
    dbfile: &Path,
    storage: &dyn Storage,
    kept_as: &mut Vec<PathBuf>,
) -> Result<u64, OpenError> {
    let mut bytes_cut = 0;
    loop {
        let bad = match DiskLog::discover(dbfile, storage.boot_id()) {
            Err(OpenError::Damaged { path, .. }) => path,
            Err(error) => return Err(error),
            Ok(_) => return Ok(bytes_cut),
        };
        let listing = names::list(dbfile).map_err(|source| OpenError::io("list", &folder(dbfile), source))?;
        for (_, path) in listing.segments.iter().rev().take_while(|(_, path)| *path >= bad) {
            bytes_cut += set_aside(path, storage, kept_as)?;
        }
    }
}

/// Where the log stops being whole, how many records lie before, and whether anything lies behind.
fn first_damage(disk: &DiskLog, from: Lsn) -> Result<(Lsn, u64, bool), OpenError> {
    let mut assembled = Vec::new();
    let mut records = 0;
    let Some(mut scanner) = Scanner::new(disk, from) else { return Ok((from, 0, false)) };
    loop {
        let at = scanner.position();
        let path = scanner.segment().path();
        let failed = |source| OpenError::io("read", path, source);
        let item = scanner.next_item().map_err(failed)?;
        let case = case_of(disk, &item, &mut assembled).map_err(failed)?;
        match verdict(LastLife::MachineLost, case, false) {
            Verdict::Keep => records += u64::from(matches!(item, Item::Record(_))),
            _ => return Ok((at, records, case != Case::End)),
        }
    }
}

/// Renames a file so that it is no segment any more.
fn set_aside(path: &Path, storage: &dyn Storage, kept_as: &mut Vec<PathBuf>) -> Result<u64, OpenError> {
    let aside = unused_name(path);
    let moved = std::fs::metadata(path).and_then(|metadata| {
        std::fs::rename(path, &aside)?;
        storage.sync_dir(&folder(path))?;
        Ok(metadata.len())
    });
    kept_as.push(aside);
    moved.map_err(|source| OpenError::io("set aside", path, source))
}

/// Copies what lies behind `end` beside the segment, cuts the file there, and lowers its mark.
fn cut_segment(
    segment: &DiskSegment,
    end: Lsn,
    storage: &dyn Storage,
    kept_as: &mut Vec<PathBuf>,
) -> Result<u64, OpenError> {
    let failed = |source| OpenError::io("cut", segment.path(), source);
    // Order: 1 the copy is durable, 2 the marks allow the cut, 3 the cut; or else a crash loses bytes, or leaves a
    // log that is refused for ever.
    let (aside, bytes) = copy_tail(segment, end, storage).map_err(failed)?;
    let mut mark = Mark { identity: Identity::DISOWNED, clean: false, ..*segment.mark() };
    mark.durable = mark.durable.min(end);
    // Both sectors: the older one may promise as much as the newer.
    for _ in 0..2 {
        mark.sequence += 1;
        write_mark(segment, &mark, storage)?;
    }
    let cut = segment.open_to_write().and_then(|file| {
        file.set_len(segment.offset(end))?;
        storage.sync_file(&file, segment.path())
    });
    cut.map_err(failed)?;
    kept_as.extend(aside);
    Ok(bytes)
}

fn copy_tail(segment: &DiskSegment, end: Lsn, storage: &dyn Storage) -> io::Result<(Option<PathBuf>, u64)> {
    let file = segment.open_to_read()?;
    let bytes = segment.file_bytes().saturating_sub(segment.offset(end));
    if bytes == 0 {
        return Ok((None, 0));
    }
    let path = unused_name(segment.path());
    let copy = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    while done < bytes {
        let read = file.read_at(&mut buffer, segment.offset(end) + done)?;
        if read == 0 {
            break;
        }
        copy.write_all_at(&buffer[..read], done)?;
        done += read as u64;
    }
    storage.sync_file(&copy, &path)?;
    storage.sync_dir(&folder(&path))?;
    Ok((Some(path), bytes))
}

/// `<path>.cut`, or with a number behind if that is taken.
fn unused_name(path: &Path) -> PathBuf {
    let named = |suffix: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let numbered = (1..).map(|number| named(format!(".cut.{number}")));
    std::iter::once(named(".cut".into())).chain(numbered).find(|path| !path.exists()).unwrap_or_default()
}
