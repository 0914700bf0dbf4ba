//! Makes segment files: allocated, with their header, on stable storage under their name before anything uses them.
//!
//! Used by recovery for the first segment of a history, and by the allocator thread for all others.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Fault;
use super::header::{Ancestor, HEADER_BYTES, Header, Mark};
use super::identity::Identity;
use super::lsn::{History, Lsn};
use super::names::{folder, segment_path, unfinished_path};
use super::options::LogOptions;
use super::poison::{PAGE_LOST, Poison};
use super::segment::{Segment, SegmentFile};
use super::sigbus;
use super::storage::Storage;
use crate::sync::AtomicU64;

/// What all segments of one run of the log have in common.
#[derive(Debug)]
pub(super) struct SegmentFactory {
    pub(super) dbfile: PathBuf,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) history: History,
    pub(super) lineage: Vec<Ancestor>,
    /// Data bytes of a segment.
    pub(super) capacity: u64,
    /// What the first mark of a segment allows a kill to leave undecided.
    pub(super) in_flight_records_max: u32,
}

/// What a segment is made of.
#[derive(Debug)]
pub(super) enum Material {
    /// A new file, whose pages are made as they are needed.
    New,
    /// A new file, all of whose pages are made at once, in pieces: that costs a fraction, and one fault maps all of a
    /// piece.
    Filled,
    /// The same, of a file that was used before (`spares.rs`).
    Used(PathBuf),
}

/// Bytes of the pieces that a segment is filled in. The system writes back and write-protects a piece as a whole.
const PIECE_BYTES: u64 = 256 << 10;

/// Why a segment could not be made.
#[derive(Debug)]
pub(super) enum MakeError {
    /// It may work later: most often there is no space. Nothing is left behind.
    Refused { path: PathBuf, source: io::Error },
    /// A sync failed: what the folder holds after a power loss is unknown.
    Unsafe(Fault),
}

impl SegmentFactory {
    pub(super) fn new(dbfile: &Path, history: History, lineage: Vec<Ancestor>, options: &LogOptions) -> Self {
        Self {
            dbfile: dbfile.to_path_buf(),
            storage: Arc::clone(&options.storage),
            history,
            lineage,
            capacity: options.segment_bytes - HEADER_BYTES,
            in_flight_records_max: options.in_flight_records_max,
        }
    }

    /// The file name of the segment that starts at `first`.
    pub(super) fn path(&self, first: Lsn) -> PathBuf {
        segment_path(&self.dbfile, first)
    }

    /// Makes and maps the segment that starts at `first`; `durable` is the durable mark that it starts with.
    pub(super) fn make(
        &self,
        first: Lsn,
        durable: Lsn,
        material: &Material,
        poison: &Poison,
    ) -> Result<Segment, MakeError> {
        let path = self.path(first);
        let unfinished = unfinished_path(&path);
        let header = self.header(first);
        if let Material::Used(spare) = material {
            std::fs::rename(spare, &unfinished).map_err(|source| self.refused(spare, source))?;
        }
        self.prepare(&unfinished, &header, durable, material).and_then(|file| {
            // Order: 1 header and size durable, and zeros behind the header in the page cache, 2 the name, 3 the folder
            // durable; or else a name may lead to nothing after a power loss, or to old records after a kill. After a
            // power loss it may lead to old records: their heads are not valid at their new places.
            if !matches!(material, Material::New) {
                self.fill(&file).map_err(|source| self.refused(&unfinished, source))?;
            }
            std::fs::rename(&unfinished, &path).map_err(|source| self.refused(&unfinished, source))?;
            self.storage
                .sync_dir(&folder(&path))
                .map_err(|source| MakeError::Unsafe(sync_fault(&folder(&path), &source)))?;
            self.open(file, &path, &header, 1, poison)
                .map_err(|source| MakeError::Refused { path: path.clone(), source })
        })
    }

    fn header(&self, first: Lsn) -> Header {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Header {
            history: self.history,
            first,
            capacity: self.capacity,
            created: now.map_or(0, |since| since.as_millis() as u64),
            lineage: self.lineage.clone(),
        }
    }

    fn prepare(
        &self,
        path: &Path,
        header: &Header,
        durable: Lsn,
        material: &Material,
    ) -> Result<File, MakeError> {
        let keep = matches!(material, Material::Used(_));
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(!keep).open(path);
        let file = opened.map_err(|source| MakeError::Refused { path: path.to_path_buf(), source })?;
        self.write_header(&file, path, header, durable).map_err(|source| self.refused(path, source))?;
        match self.storage.sync_file(&file, path) {
            Ok(()) => Ok(file),
            Err(source) if is_out_of_space(&source) => Err(self.refused(path, source)),
            Err(source) => Err(MakeError::Unsafe(sync_fault(path, &source))),
        }
    }

    fn write_header(&self, file: &File, path: &Path, header: &Header, durable: Lsn) -> io::Result<()> {
        let bytes = HEADER_BYTES + header.capacity;
        self.storage.allocate(file, path, bytes)?;
        // Why: one that was used may have been longer, under other settings.
        file.set_len(bytes)?;
        let mark = Mark {
            sequence: 1,
            durable,
            clean: false,
            identity: Identity::of(file, self.storage.boot_id())?,
            in_flight_records_max: self.in_flight_records_max,
        };
        file.write_all_at(&header.encode(), 0)?;
        file.write_all_at(&mark.encode(header.history, header.first), mark.offset())
    }

    /// Puts zeros behind the header, for the page cache to hold.
    fn fill(&self, file: &File) -> io::Result<()> {
        let zeros = vec![0; PIECE_BYTES as usize];
        let end = HEADER_BYTES + self.capacity;
        let mut at = HEADER_BYTES;
        while at < end {
            // Why: what crosses a multiple of a piece's size is made in smaller ones.
            let next = (at - at % PIECE_BYTES + PIECE_BYTES).min(end);
            file.write_all_at(&zeros[..(next - at) as usize], at)?;
            at = next;
        }
        Ok(())
    }

    /// Maps the segment `file`, whose newest mark has the number `mark_sequence`.
    pub(super) fn open(
        &self,
        file: File,
        path: &Path,
        header: &Header,
        mark_sequence: u64,
        poison: &Poison,
    ) -> io::Result<Segment> {
        let identity = Identity::of(&file, self.storage.boot_id())?;
        let file = SegmentFile {
            file,
            path: path.into(),
            history: header.history,
            identity,
            mark_sequence: AtomicU64::new(mark_sequence),
        };
        Segment::of_file(header, file, |mapping| {
            sigbus::watch(mapping.raw().as_ptr(), mapping.raw().len(), &poison.word(), PAGE_LOST)
        })
    }

    /// Leaves nothing of the attempt behind.
    fn refused(&self, unfinished: &Path, source: io::Error) -> MakeError {
        // Why the result is not looked at: the next attempt truncates the file, and opening the log removes it.
        let _ = self.storage.remove(unfinished);
        MakeError::Refused { path: unfinished.with_extension(""), source }
    }
}

/// A failed sync of `path`, as what stops the log.
pub(super) fn sync_fault(path: &Path, source: &io::Error) -> Fault {
    Fault::Sync { path: path.into(), reason: source.to_string().into() }
}

fn is_out_of_space(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
}
