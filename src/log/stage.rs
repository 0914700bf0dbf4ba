//! A whole state received from another server, put in the place of the database's files in one step.
//!
//! Snapshot and segments are written beside the database, under names that end in `.sync`, and made durable. Then:
//!
//! | step | from then on |
//! |---|---|
//! | 1 `data.db.sync` becomes `data.db.sync.ready` | the new state counts; a crash before leaves the old one |
//! | 2 the old segments are deleted | |
//! | 3 `data.db.sync.ready` becomes `data.db.sync.moving` | there are no old segments |
//! | 4 the new segments get their names | |
//! | 5 `data.db.sync.moving` becomes `data.db` | it is done |
//!
//! Each step is durable before the next, and opening the database goes on where a crash has interrupted them. A state
//! without a snapshot, whose log goes back to the beginning, has an empty file in the snapshot's place, and step 5 deletes
//! that and the old snapshot.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::OpenError;
use super::header::{Ancestor, HEADER_BYTES, Header, Mark};
use super::identity::Identity;
use super::lock::LockFile;
use super::lsn::{History, Lsn};
use super::names::{folder, list, segment_path};
use super::storage::Storage;

/// A segment to be staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSegment {
    /// Its first position.
    pub first: Lsn,
    /// Where it ends.
    pub end: Lsn,
    /// What it belongs to.
    pub history: History,
    /// What led to that, newest first.
    pub lineage: Vec<Ancestor>,
}

/// A state that is being received.
#[derive(Debug)]
pub struct Stage {
    dbfile: PathBuf,
    storage: Arc<dyn Storage>,
    open: Option<(StagedSegment, File, PathBuf)>,
    /// Where the bytes end that are there.
    at: Lsn,
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The staged segments of `dbfile`, and the names that they are to have.
fn staged_segments(dbfile: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut prefix = dbfile.file_name().unwrap_or_default().to_owned();
    prefix.push(".log.");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder(dbfile))? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(segment) = name.strip_suffix(".sync")
            && segment.starts_with(&*prefix.to_string_lossy())
        {
            found.push((dbfile.with_file_name(name), dbfile.with_file_name(segment)));
        }
    }
    found.sort();
    Ok(found)
}

impl Stage {
    /// Begins to receive a state beside `dbfile`. What was staged of a log before is deleted; a part of a snapshot stays.
    ///
    /// # Errors
    /// As the system says.
    pub fn begin(dbfile: &Path, storage: Arc<dyn Storage>) -> io::Result<Self> {
        for (staged, _) in staged_segments(dbfile)? {
            storage.remove(&staged)?;
        }
        Ok(Self { dbfile: dbfile.to_path_buf(), storage, open: None, at: Lsn::ZERO })
    }

    /// Where the snapshot is to be written, and left empty where there is none.
    pub fn snapshot_path(dbfile: &Path) -> PathBuf {
        with_suffix(dbfile, ".sync")
    }

    /// Goes on in a new segment, where the one before ends.
    ///
    /// # Errors
    /// As the system says.
    pub fn segment(&mut self, segment: StagedSegment) -> io::Result<()> {
        self.close_segment()?;
        let path = with_suffix(&segment_path(&self.dbfile, segment.first), ".sync");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        let capacity = segment.end.get() - segment.first.get();
        self.storage.allocate(&file, &path, HEADER_BYTES + capacity)?;
        let header = Header {
            history: segment.history,
            first: segment.first,
            capacity,
            created: crate::clock::Millis::now().0,
            lineage: segment.lineage.clone(),
        };
        file.write_all_at(&header.encode(), 0)?;
        self.at = segment.first;
        self.open = Some((segment, file, path));
        Ok(())
    }

    /// Where the next bytes go.
    pub fn end(&self) -> Lsn {
        self.at
    }

    /// Appends bytes to the segment.
    ///
    /// # Errors
    /// As the system says; also when there is no segment, or they do not fit it.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some((segment, file, _)) = &self.open else {
            return Err(io::Error::other("log bytes without a segment"));
        };
        if bytes.len() as u64 > segment.end.get() - self.at.get() {
            return Err(io::Error::other("more log bytes than the segment has room for"));
        }
        file.write_all_at(bytes, HEADER_BYTES + self.at.get() - segment.first.get())?;
        self.at = Lsn::new(self.at.get() + bytes.len() as u64);
        Ok(())
    }

    /// Marks and syncs the segment.
    fn close_segment(&mut self) -> io::Result<()> {
        let Some((segment, file, path)) = self.open.take() else { return Ok(()) };
        self.storage.sync_file(&file, &path)?;
        let identity = Identity::of(&file, self.storage.boot_id())?;
        for sequence in 1..=2 {
            let mark = Mark { sequence, durable: self.at, clean: false, identity, in_flight_records_max: 0 };
            file.write_all_at(&mark.encode(segment.history, segment.first), mark.offset())?;
        }
        self.storage.sync_file(&file, &path)
    }

    /// Makes durable what was received.
    ///
    /// # Errors
    /// As the system says.
    pub fn finish(&mut self) -> io::Result<()> {
        self.close_segment()?;
        let snapshot = Self::snapshot_path(&self.dbfile);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&snapshot)?;
        self.storage.sync_file(&file, &snapshot)?;
        self.storage.sync_dir(&folder(&self.dbfile))
    }

    /// Puts the state in the place of the locked database's files.
    ///
    /// # Errors
    /// As the system says; the next opening of the database goes on with it, or finds the old state.
    pub fn install(self, lock: &LockFile) -> Result<(), OpenError> {
        let staged = Self::snapshot_path(lock.dbfile());
        let ready = with_suffix(lock.dbfile(), ".sync.ready");
        rename(&staged, &ready, self.storage.as_ref())?;
        complete(lock, self.storage.as_ref()).map(|_| ())
    }
}

fn rename(from: &Path, to: &Path, storage: &dyn Storage) -> Result<(), OpenError> {
    let renamed = std::fs::rename(from, to).and_then(|()| storage.sync_dir(&folder(to)));
    renamed.map_err(|source| OpenError::io("rename", from, source))
}

/// Goes on with an installation that a crash has interrupted, before anything else of the locked database is looked at;
/// tells whether there was one.
///
/// # Errors
/// As the system says; it can be called again.
pub fn complete(lock: &LockFile, storage: &dyn Storage) -> Result<bool, OpenError> {
    let dbfile = lock.dbfile();
    let (ready, moving) = (with_suffix(dbfile, ".sync.ready"), with_suffix(dbfile, ".sync.moving"));
    let failed = |source| OpenError::io("list", &folder(dbfile), source);
    if ready.exists() {
        let old = list(dbfile).map_err(failed)?;
        for (_, path) in old.segments.iter().rev() {
            storage.remove(path).map_err(|source| OpenError::io("delete", path, source))?;
        }
        rename(&ready, &moving, storage)?;
    }
    if !moving.exists() {
        return Ok(false);
    }
    for (staged, segment) in staged_segments(dbfile).map_err(failed)? {
        rename(&staged, &segment, storage)?;
    }
    let metadata = std::fs::metadata(&moving).map_err(|source| OpenError::io("read", &moving, source))?;
    if metadata.len() > 0 {
        rename(&moving, dbfile, storage)?;
        return Ok(true);
    }
    if dbfile.exists() {
        storage.remove(dbfile).map_err(|source| OpenError::io("delete", dbfile, source))?;
    }
    storage.remove(&moving).map_err(|source| OpenError::io("delete", &moving, source))?;
    storage.sync_dir(&folder(dbfile)).map_err(|source| OpenError::io("sync", &folder(dbfile), source))?;
    Ok(true)
}
