//! Reading a running log, for who follows it: any bytes that are resolved and still there.
//!
//! What is mapped is copied under a guard; what lies behind is read from its file, mostly the page cache's. Any number
//! may read at once; nobody who writes is touched. A segment may be taken away while it is read: that is noticed, and
//! told.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::header::{Ancestor, HEADER_BYTES};
use super::lsn::{History, Lsn};
use super::running::Log;

/// Where bytes that were read lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The first position of their segment.
    pub first: Lsn,
    /// Where their segment ends.
    pub end: Lsn,
    /// What they belong to.
    pub history: History,
}

/// Why bytes of the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// They are not there any more.
    #[error("the log starts at {start} now")]
    Gone {
        /// Where it starts.
        start: Lsn,
    },
    /// The system does not give them.
    #[error("cannot read the log segment with position {lsn}: {source}")]
    Io {
        /// Their position.
        lsn: Lsn,
        /// What it said.
        source: io::Error,
    },
}

/// Reads one log from some position on. Keeps the file that it last read from.
#[derive(Debug, Default)]
pub struct LogReader {
    file: Option<(Lsn, Chunk, File)>,
}

impl LogReader {
    /// Appends to `out` what is resolved from `at` on, up to `bytes_max` bytes and to the end of the segment. Gives where
    /// that lies; none where the log ends at `at` and nothing is there yet. May block for the disk.
    ///
    /// # Errors
    /// [`ReadError`]; then `out` is as it was.
    pub fn read(
        &mut self,
        log: &Log,
        at: Lsn,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<Chunk>, ReadError> {
        let resolved = log.resolved();
        {
            let guard = crossbeam_epoch::pin();
            let segments = log.appender.table.load(&guard);
            if let Some(segment) = segments.find(at.get()) {
                let end = Lsn::new(segment.end());
                let to = resolved.min(end).get().min(at.get() + bytes_max as u64);
                if at.get() < to {
                    segment.copy(at.get(), to, out);
                }
                let first = Lsn::new(segment.first());
                return Ok(Some(Chunk { first, end, history: segment.history() }));
            }
            if at.get() == segments.end() {
                return Ok(None);
            }
        }
        self.read_file(log, at, bytes_max, out).map(Some)
    }

    fn read_file(
        &mut self,
        log: &Log,
        at: Lsn,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<Chunk, ReadError> {
        let failed = |source| ReadError::Io { lsn: at, source };
        let gone = || ReadError::Gone { start: log.start() };
        let is_open = matches!(&self.file, Some((first, chunk, _)) if *first <= at && at < chunk.end);
        if !is_open {
            let Some(files) = &log.files else { return Err(gone()) };
            let Some(segment) = files.closed.find(at) else { return Err(gone()) };
            let file = match File::open(&segment.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
                opened => opened.map_err(failed)?,
            };
            let mut history = [0; 16];
            file.read_exact_at(&mut history, 16).map_err(failed)?;
            let history = History::new(u128::from_le_bytes(history));
            let chunk = Chunk { first: segment.first, end: segment.end, history };
            self.file = Some((segment.first, chunk, file));
        }
        let Some((first, chunk, file)) = &self.file else { return Err(gone()) };
        let start = out.len();
        let len = ((chunk.end.get() - at.get()) as usize).min(bytes_max);
        out.resize(start + len, 0);
        let read = file.read_exact_at(&mut out[start..], HEADER_BYTES + at.get() - first.get());
        // Order: 1 read, 2 look whether it is still the log's; or else the file may hold another segment already.
        let is_gone = log.start() > *first;
        if is_gone || read.is_err() {
            out.truncate(start);
            self.file = None;
            return match read {
                Err(source) if !is_gone => Err(failed(source)),
                _ => Err(gone()),
            };
        }
        let chunk = *chunk;
        Ok(chunk)
    }
}

impl Log {
    /// Whether reading from `at` on needs no file.
    pub fn is_mapped(&self, at: Lsn) -> bool {
        let guard = crossbeam_epoch::pin();
        let segments = self.appender.table.load(&guard);
        segments.floor() <= at.get()
    }

    /// What led to `history`, which is the log's present one or one of its ancestors; newest first.
    pub fn lineage_of(&self, history: History) -> Vec<Ancestor> {
        let mut lineage = self.lineage();
        if history != self.history()
            && let Some(at) = lineage.iter().rposition(|ancestor| ancestor.history == history)
        {
            lineage.drain(..=at);
        }
        lineage
    }
}
