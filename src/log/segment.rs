//! A segment of the write window: mapped, and addressed by LSN.
//!
//! Shared by every thread that appends; freed through the epoch after it has left the table. A segment's range changes at
//! most once, when another history leaves it. What may touch which of its bytes is said in `mapping.rs`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::header::{HEADER_BYTES, Header, Mark};
use super::identity::Identity;
use super::lsn::{History, Lsn};
use super::mapping::{Mapping, Recycler};
use super::record::{STATE_AT, Seal};
use super::sigbus::Watch;
use super::space::Space;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use std::sync::atomic::AtomicU64 as StdAtomicU64;

/// One mapped segment.
#[derive(Debug)]
pub(super) struct Segment {
    /// Ends before the mapping does: declared first.
    _watch: Option<Watch>,
    first: u64,
    /// Changes once at most, while no reservation is alive: to where another history leaves this segment.
    ///
    /// Why the standard library's type: no protocol depends on when a change is seen.
    end: StdAtomicU64,
    history: History,
    seal: Seal,
    mapping: Mapping,
    file: Option<SegmentFile>,
    /// Up to where pages were made ready. Only the allocator touches it.
    prefaulted: AtomicU64,
    /// Up to where pages were given back. Only the allocator touches it.
    released: AtomicU64,
}

/// The file behind a segment.
#[derive(Debug)]
pub(super) struct SegmentFile {
    pub(super) file: File,
    pub(super) path: Arc<Path>,
    pub(super) history: History,
    pub(super) identity: Identity,
    /// Of the newest mark in this file. Only the syncer touches it once the log runs.
    pub(super) mark_sequence: AtomicU64,
}

impl SegmentFile {
    /// Writes the next mark into the header page; it reaches stable storage with a later sync.
    pub(super) fn write_mark(
        &self,
        first: Lsn,
        durable: Lsn,
        clean: bool,
        in_flight_records_max: u32,
    ) -> io::Result<()> {
        // Relaxed: one thread at a time writes marks.
        let sequence = self.mark_sequence.load(Ordering::Relaxed) + 1;
        let mark = Mark { sequence, durable, clean, identity: self.identity, in_flight_records_max };
        self.file.write_all_at(&mark.encode(self.history, first), mark.offset())?;
        self.mark_sequence.store(sequence, Ordering::Relaxed);
        Ok(())
    }
}

impl Segment {
    /// A segment in memory.
    pub(super) fn in_memory(
        first: Lsn,
        bytes: u64,
        history: History,
        recycler: &Recycler,
    ) -> io::Result<Self> {
        let mapping = Mapping::anonymous(bytes, recycler)?;
        Ok(Self::new(first.get(), bytes, history, mapping, None, None))
    }

    /// A segment file that `header` describes, mapped; `watch` starts the watch over its pages.
    pub(super) fn of_file(
        header: &Header,
        file: SegmentFile,
        watch: impl FnOnce(&Mapping) -> Watch,
    ) -> io::Result<Self> {
        let mapping = Mapping::of_file(&file.file, HEADER_BYTES + header.capacity, HEADER_BYTES)?;
        let watch = watch(&mapping);
        Ok(Self::new(header.first.get(), header.capacity, header.history, mapping, Some(file), Some(watch)))
    }

    fn new(
        first: u64,
        capacity: u64,
        history: History,
        mapping: Mapping,
        file: Option<SegmentFile>,
        watch: Option<Watch>,
    ) -> Self {
        Self {
            _watch: watch,
            first,
            end: StdAtomicU64::new(first + capacity),
            history,
            seal: Seal::new(history),
            mapping,
            file,
            prefaulted: AtomicU64::new(first),
            released: AtomicU64::new(first),
        }
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    #[inline]
    pub(super) fn end(&self) -> u64 {
        // Relaxed: see the field.
        self.end.load(Ordering::Relaxed)
    }

    /// Lets the segment end at `end`, where another one begins.
    pub(super) fn shorten(&self, end: u64) {
        // Relaxed: see the field.
        self.end.fetch_min(end, Ordering::Relaxed);
    }

    /// The line of positions that its records belong to.
    pub(super) fn history(&self) -> History {
        self.history
    }

    /// Appends the bytes of `[from, to)` to `out`; all of them are resolved, and lie in the segment.
    pub(super) fn copy(&self, from: u64, to: u64, out: &mut Vec<u8>) {
        assert!(self.first <= from && from <= to && to <= self.end(), "bytes outside the segment");
        let len = (to - from) as usize;
        let start = self.mapping.bytes(from - self.first, len);
        // SAFETY: mapped as long as the segment lives; nobody writes what is resolved.
        out.extend_from_slice(unsafe { std::slice::from_raw_parts(start, len) });
    }

    /// The key of the checks of this segment's records.
    #[inline]
    pub(super) fn seal(&self) -> Seal {
        self.seal
    }

    /// The file behind it; none in memory.
    pub(super) fn file(&self) -> Option<&SegmentFile> {
        self.file.as_ref()
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The path of the file behind it, if there is one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.path.to_path_buf())
    }

    #[inline]
    fn offset(&self, lsn: u64) -> u64 {
        assert!(self.first <= lsn && lsn < self.end(), "position outside the segment");
        lsn - self.first
    }

    /// The head word of the record at `lsn`.
    #[inline]
    pub(super) fn head(&self, lsn: u64) -> &AtomicU64 {
        self.mapping.word64(self.offset(lsn))
    }

    /// The state word of the record at `lsn`.
    #[inline]
    pub(super) fn state(&self, lsn: u64) -> &AtomicU32 {
        self.mapping.word32(self.offset(lsn) + STATE_AT)
    }

    /// The space of the record of `length` bytes at `lsn`, checked once for all that is done to it.
    ///
    /// # Panics
    /// When it does not lie in the segment.
    #[inline]
    pub(super) fn space(&self, lsn: u64, length: u32) -> Space<'_> {
        let start = self.mapping.record(self.offset(lsn), length as usize);
        // SAFETY: mapped as long as the segment lives, and aligned, as `record` has checked.
        unsafe { Space::new(start, length) }
    }

    /// Makes the pages up to `to` ready to be written; returns how many bytes that were.
    pub(super) fn prefault_to(&self, to: u64) -> u64 {
        // Relaxed: only the allocator touches the word.
        let from = self.prefaulted.load(Ordering::Relaxed);
        let to = to.min(self.end());
        if to <= from {
            return 0;
        }
        self.mapping.prefault(from - self.first, to - from);
        self.prefaulted.store(to, Ordering::Relaxed);
        to - from
    }

    /// Says that pages below `from` were not made ready and need not be: the log goes on at `from`.
    pub(super) fn starts_at(&self, from: u64) {
        self.prefaulted.store(from, Ordering::Relaxed);
        self.released.store(from, Ordering::Relaxed);
    }

    /// Gives the pages below `to` back, in slices of `slice` bytes.
    pub(super) fn release_to(&self, to: u64, slice: u64) {
        // Relaxed: only the allocator touches the word.
        let from = self.released.load(Ordering::Relaxed);
        let to = if to >= self.end() { self.end() } else { to - to % slice };
        if to > from {
            self.mapping.release(from - self.first, to - from);
            self.released.store(to, Ordering::Relaxed);
        }
    }
}
