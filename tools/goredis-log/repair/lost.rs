//! What a cut costs.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use goredis::log::{
    DiskLog, DiskSegment, HEADER_BYTES, Header, Item, Kind, Lsn, Mark, OsStorage, ScannedRecord, Scanner,
    State, Storage, assemble,
};
use serde::Serialize;

use crate::error::InspectError;

/// What is not in the log any more.
#[derive(Debug, Serialize)]
pub(super) struct Lost {
    from_lsn: u64,
    /// Behind the last byte that is not zero.
    to_lsn: u64,
    /// Everything below was promised; absent when no durable mark reaches beyond the cut.
    durable_to_lsn: Option<u64>,
    /// Committed records that can still be read. There may have been others.
    readable_records: u64,
}

impl Lost {
    /// Counts what lies behind `cut`: the last `tail_bytes` of the segment that is kept, and the removed ones.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn count(
        dbfile: &Path,
        cut: Lsn,
        last_kept: Option<&DiskSegment>,
        tail_bytes: u64,
        removed: &[(Lsn, PathBuf)],
    ) -> Result<Self, InspectError> {
        let mut to = cut.get() + tail_bytes;
        let mut durable = last_kept.map_or(Lsn::ZERO, |segment| segment.mark().durable);
        for (first, path) in removed {
            let bytes = data_bytes(path, HEADER_BYTES)?;
            if bytes > 0 {
                to = first.get() + bytes;
            }
            durable = durable.max(mark_of(path)?.map_or(Lsn::ZERO, |mark| mark.durable));
        }
        Ok(Self {
            from_lsn: cut.get(),
            to_lsn: to,
            durable_to_lsn: (durable > cut).then_some(durable.get()),
            readable_records: readable_records(dbfile, cut)?,
        })
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LSN {} to {}, {} bytes", self.from_lsn, self.to_lsn, self.to_lsn - self.from_lsn)?;
        match self.durable_to_lsn {
            Some(durable) => write!(f, ", which was durable up to LSN {durable}")?,
            None => f.write_str(", which was not known to be durable")?,
        }
        write!(f, "; {} committed records of it can still be read", self.readable_records)
    }
}

/// How many bytes of a file lie between `from` and its last byte that is not zero.
///
/// # Errors
/// The file cannot be read.
pub(super) fn data_bytes(path: &Path, from: u64) -> Result<u64, InspectError> {
    last_data(path, from).map_err(|source| InspectError::Read { path: path.to_owned(), source })
}

fn last_data(path: &Path, from: u64) -> io::Result<u64> {
    let file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut at, mut last) = (from, from);
    loop {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return Ok(last - from);
        }
        if let Some(index) = buffer[..read].iter().rposition(|byte| *byte != 0) {
            last = at + index as u64 + 1;
        }
        at += read as u64;
    }
}

/// The durable mark of a segment file; `None` when its header cannot be understood.
fn mark_of(path: &Path) -> Result<Option<Mark>, InspectError> {
    let mut page = [0; HEADER_BYTES as usize];
    match File::open(path).and_then(|file| file.read_exact_at(&mut page, 0)) {
        Ok(()) => Ok(Header::decode(&page).ok().and_then(|header| Mark::newest(&page, &header))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(source) => Err(InspectError::Read { path: path.to_owned(), source }),
    }
}

/// Counts the committed records behind `cut`, going on behind damage where a head or a segment's start allows it.
fn readable_records(dbfile: &Path, cut: Lsn) -> Result<u64, InspectError> {
    // Why not an error: with a damaged header among them, the segments behind it cannot be told from foreign ones.
    let Ok(log) = DiskLog::discover(dbfile, OsStorage.boot_id()) else { return Ok(0) };
    let Some(mut scanner) = Scanner::new(&log, cut) else { return Ok(0) };
    let mut assembled = Vec::new();
    let mut records = 0;
    loop {
        let segment = scanner.segment();
        let failed = |source| InspectError::Read { path: segment.path().to_owned(), source };
        let is_bad = match scanner.next_item().map_err(failed)? {
            Item::Record(record) => {
                records += u64::from(is_readable(&log, &record, &mut assembled).map_err(failed)?);
                false
            }
            Item::Pad { .. } | Item::Gap { .. } => false,
            Item::Bad { .. } => true,
            Item::End { .. } => return Ok(records),
        };
        if is_bad && !scanner.skip().map_err(failed)? {
            let Some(next) = next_segment(&log, scanner.position()) else { return Ok(records) };
            scanner = next;
        }
    }
}

/// Whether a record counts and its whole payload is there. Blobs are parts of records.
fn is_readable(log: &DiskLog, record: &ScannedRecord<'_>, assembled: &mut Vec<u8>) -> io::Result<bool> {
    Ok(match (record.state, record.kind) {
        (State::Committed, Some(Kind::Plain)) => true,
        (State::Committed, Some(Kind::Spilled)) => assemble(log, record, assembled)?.is_some(),
        _ => false,
    })
}

/// At the first record of the next segment.
fn next_segment(log: &DiskLog, at: Lsn) -> Option<Scanner<'_>> {
    let next = log.segments().iter().find(|segment| segment.first() > at)?;
    Scanner::new(log, next.first())
}
