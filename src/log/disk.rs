//! The log's files as they lie on disk: found, put in order, and checked against each other.
//!
//! Opens nothing for writing and changes nothing. Recovery and the offline tools start here.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{Damage, OpenError};
use super::header::{HEADER_BYTES, Header, HeaderError, Mark, Page, VERSION};
use super::identity::Identity;
use super::lsn::{History, Lsn};
use super::names;
use super::record::Seal;

/// The segments of one database that follow each other up to the newest.
#[derive(Debug)]
pub struct DiskLog {
    pub(super) dbfile: PathBuf,
    pub(super) segments: Vec<DiskSegment>,
    /// Older segments before a gap: left by a deletion that a power loss interrupted. Of no use.
    pub(super) leftovers: Vec<PathBuf>,
    /// Segments whose making was interrupted. Of no use.
    pub(super) unfinished: Vec<PathBuf>,
    /// Files that were kept to be made into segments. Of no use but to the process that kept them.
    pub(super) spares: Vec<PathBuf>,
}

/// One segment file.
#[derive(Debug)]
pub struct DiskSegment {
    path: PathBuf,
    header: Header,
    mark: Mark,
    /// Where its data ends in the log: at the next segment's first position, or at its capacity.
    end: Lsn,
    file_bytes: u64,
    identity: Identity,
}

impl DiskSegment {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The newest durable mark in it.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// The first position in it.
    pub fn first(&self) -> Lsn {
        self.header.first
    }

    /// The first position behind it.
    pub fn end(&self) -> Lsn {
        self.end
    }

    /// The size of the file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Whether the process that wrote the mark, and this one, see the same page cache.
    pub fn is_own(&self) -> bool {
        self.mark.identity.survives_as(&self.identity)
    }

    /// Whether the file reaches to the segment's end. What is missing reads as zeros.
    pub fn is_whole(&self) -> bool {
        self.file_bytes >= self.offset(self.end)
    }

    /// The key of its records' checks.
    pub(super) fn seal(&self) -> Seal {
        Seal::new(self.header.history)
    }

    /// Opens the file to read it. Why not once and for all: a log may have more segments than a process may have
    /// files open.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn open_to_read(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Opens the file to repair it or to go on in it.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn open_to_write(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }

    /// The offset in the file of a position in this segment.
    pub fn offset(&self, lsn: Lsn) -> u64 {
        HEADER_BYTES + lsn.get() - self.header.first.get()
    }

    /// Reads data bytes of `file`, which is this segment's, from `lsn` on; what lies behind the end of the file reads
    /// as zeros.
    pub(super) fn read(&self, file: &File, lsn: u64, out: &mut [u8]) -> io::Result<()> {
        let mut at = self.offset(Lsn::new(lsn));
        let mut rest = out;
        while !rest.is_empty() {
            match file.read_at(rest, at) {
                Ok(0) => {
                    rest.fill(0);
                    return Ok(());
                }
                Ok(read) => {
                    at += read as u64;
                    rest = &mut rest[read..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads the header page.
    fn open(path: PathBuf, first: Lsn, boot: u128, dbfile: &Path) -> Result<Self, OpenError> {
        let file = File::open(&path).map_err(|source| OpenError::io("open", &path, source))?;
        let damaged = |damage| OpenError::Damaged {
            path: path.clone(),
            offset: 0,
            lsn: first,
            damage,
            dbfile: dbfile.to_path_buf(),
        };
        let metadata = file.metadata().map_err(|source| OpenError::io("read", &path, source))?;
        if metadata.len() < HEADER_BYTES {
            return Err(damaged(Damage::Truncated));
        }
        let mut page: Page = [0; HEADER_BYTES as usize];
        file.read_exact_at(&mut page, 0).map_err(|source| OpenError::io("read", &path, source))?;
        let header = Header::decode(&page).map_err(|error| match error {
            HeaderError::NewerVersion(found) => {
                OpenError::NewerVersion { path: path.clone(), found, known: VERSION }
            }
            HeaderError::Damaged(damage) => damaged(damage),
        })?;
        if header.first != first {
            return Err(damaged(Damage::Misnamed));
        }
        let mark = Mark::newest(&page, &header).ok_or_else(|| damaged(Damage::Marks))?;
        let identity = Identity::from_metadata(&metadata, boot);
        let end = Lsn::new(first.get() + header.capacity);
        Ok(Self { path, header, mark, end, file_bytes: metadata.len(), identity })
    }

    /// Whether `next` goes on where this segment is full, or where another history leaves it.
    fn is_continued_by(&self, next: &Header) -> bool {
        if next.history == self.header.history
            && next.first.get() == self.header.first.get() + self.header.capacity
        {
            return true;
        }
        let leaves = |history, fork| history == self.header.history && fork == next.first;
        next.first.get() <= self.header.first.get() + self.header.capacity
            && next.lineage.iter().any(|ancestor| leaves(ancestor.history, ancestor.fork))
    }
}

impl DiskLog {
    /// Finds the log of `dbfile`, as a process of the boot `boot` sees it.
    ///
    /// # Errors
    /// [`OpenError`] when a segment cannot be read, is damaged in its header, or is of a newer version.
    pub fn discover(dbfile: &Path, boot: u128) -> Result<Self, OpenError> {
        Self::discover_below(dbfile, boot, None)
    }

    /// As [`DiskLog::discover`], without the segments that begin at or above `below`.
    ///
    /// # Errors
    /// As there, for the segments that are looked at.
    pub fn discover_below(dbfile: &Path, boot: u128, below: Option<Lsn>) -> Result<Self, OpenError> {
        let folder = names::folder(dbfile);
        let listing = names::list(dbfile).map_err(|source| OpenError::io("list", &folder, source))?;
        let mut log = Self {
            dbfile: dbfile.to_path_buf(),
            segments: Vec::new(),
            leftovers: Vec::new(),
            unfinished: listing.unfinished,
            spares: listing.spares,
        };
        // From the newest down, as long as each is continued by the one before it in this order.
        let wanted = |first: &Lsn| below.is_none_or(|below| *first < below);
        for (first, path) in listing.segments.into_iter().filter(|(first, _)| wanted(first)).rev() {
            if !log.leftovers.is_empty() {
                log.leftovers.push(path);
                continue;
            }
            let mut segment = DiskSegment::open(path, first, boot, dbfile)?;
            match log.segments.last() {
                Some(next) if !segment.is_continued_by(&next.header) => {
                    if segment.header.first.get() + segment.header.capacity >= next.first().get() {
                        return Err(log.damaged(next, next.first(), Damage::Chain));
                    }
                    log.leftovers.push(segment.path);
                    continue;
                }
                Some(next) => segment.end = next.first(),
                None => {}
            }
            log.segments.push(segment);
        }
        log.segments.reverse();
        Ok(log)
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> &[DiskSegment] {
        &self.segments
    }

    /// The segments themselves, oldest first.
    pub fn into_segments(self) -> Vec<DiskSegment> {
        self.segments
    }

    /// Files that belong to nothing: older segments behind a gap, unfinished ones, and spares.
    pub fn useless(&self) -> impl Iterator<Item = &Path> {
        self.leftovers.iter().chain(&self.unfinished).chain(&self.spares).map(PathBuf::as_path)
    }

    /// The database file.
    pub fn dbfile(&self) -> &Path {
        &self.dbfile
    }

    /// The first position of the log.
    pub fn start(&self) -> Option<Lsn> {
        self.segments.first().map(DiskSegment::first)
    }

    /// The segment that holds `lsn`; a position between two segments belongs to the later one, the end to the last.
    pub fn index_of(&self, lsn: Lsn) -> Option<usize> {
        let index = self.segments.iter().rposition(|segment| segment.first() <= lsn)?;
        (lsn <= self.segments[index].end).then_some(index)
    }

    /// The highest position below which all marks together say that everything is durable.
    pub fn durable_mark(&self) -> Lsn {
        // Why the minimum: a mark cannot speak of what another history has replaced.
        let marks = self.segments.iter().map(|segment| segment.mark.durable.min(segment.end));
        marks.max().unwrap_or(Lsn::ZERO)
    }

    /// Whether `[.., end)` of `history` is part of this log, as far as it goes.
    pub fn is_of_history(&self, history: History, end: Lsn) -> bool {
        // Why not those of a segment that goes on in the history itself.
        let others = self.segments.iter().filter(|segment| segment.header.history != history);
        let forks = others.flat_map(|segment| &segment.header.lineage);
        let mut forks = forks.filter(|ancestor| ancestor.history == history).peekable();
        let known =
            forks.peek().is_some() || self.segments.iter().any(|segment| segment.header.history == history);
        known && forks.all(|ancestor| end <= ancestor.fork)
    }

    /// The error that names a damaged place.
    pub(super) fn damaged(&self, segment: &DiskSegment, lsn: Lsn, damage: Damage) -> OpenError {
        OpenError::Damaged {
            path: segment.path.clone(),
            offset: segment.offset(lsn),
            lsn,
            damage,
            dbfile: self.dbfile.clone(),
        }
    }
}
