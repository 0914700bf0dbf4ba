//! A state that is being received: the primary's snapshot, and the log that it needs.
//!
//! What has come of the snapshot serves another link too, and after a restart of this server another process: a note
//! beside it says of which snapshot it is. Only on the same boot of the machine, on which the file holds what was written
//! to it; else it is put away.
//!
//! The note, `data.db.sync.part`, all numbers little-endian:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 32 | id of the snapshot |
//! | 32 | 8 | its size |
//! | 40 | 32 | boot (16), device (8) and inode (8) of the file with the part |
//! | 72 | 4 | CRC-32 of all before |

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::Engine;
use crate::log::{
    self, Ancestor, CopyError, History, Identity, OsStorage, Sequel, Stage, StagedSegment, Storage,
};
use crate::lsn::Lsn;
use crate::replication::frame::SnapshotId;
use crate::replication::source::TemporaryFolder;

const NOTE_BYTES: usize = 76;

/// Why what came was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum IncomingError {
    /// It could not be written.
    #[error("what the primary sent cannot be written: {0}")]
    Io(#[from] io::Error),
    /// It is not what was written there.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Log without a segment, or not in order.
    #[error("the primary sent the log out of order")]
    Order,
}

/// A state that is being received.
#[derive(Debug)]
pub(super) struct Incoming {
    dbfile: PathBuf,
    /// Of a database in memory: where the files are for as long as they are needed.
    folder: Option<TemporaryFolder>,
    id: SnapshotId,
    snapshot: File,
    bytes: u64,
    done: u64,
    until: Lsn,
    stage: Option<Stage>,
    segment: Option<(History, Lsn)>,
    /// The beginning of a record.
    pending: Vec<u8>,
}

/// What was received, whole and on stable storage.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) dbfile: PathBuf,
    pub(super) folder: Option<TemporaryFolder>,
    pub(super) stage: Stage,
}

impl Incoming {
    fn new(
        place: (PathBuf, Option<TemporaryFolder>),
        snapshot: File,
        of: (SnapshotId, u64),
        done: u64,
    ) -> Self {
        let ((dbfile, folder), (id, bytes)) = (place, of);
        let (until, stage, segment, pending) = (Lsn::ZERO, None, None, Vec::new());
        Self { dbfile, folder, id, snapshot, bytes, done, until, stage, segment, pending }
    }

    /// Begins to receive the snapshot `id` of `bytes` bytes, for `engine`.
    pub(super) fn begin(engine: &Engine, id: SnapshotId, bytes: u64) -> Result<Self, IncomingError> {
        put_away(engine)?;
        let (dbfile, folder) = if let Some(dbfile) = engine.log().dbfile() {
            (dbfile.to_path_buf(), None)
        } else {
            let folder = TemporaryFolder::new()?;
            (folder.0.join("data.db"), Some(folder))
        };
        let path = Stage::snapshot_path(&dbfile);
        let snapshot = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        // Order: 1 the empty file, 2 the note of what comes into it, 3 bytes; or else they are taken for another's.
        if folder.is_none() && bytes > 0 {
            std::fs::write(note_path(&dbfile), note(id, bytes, &identity(&snapshot)?))?;
        }
        Ok(Self::new((dbfile, folder), snapshot, (id, bytes), 0))
    }

    /// What an earlier process has received of a snapshot for `engine`; none if that is of no use.
    pub(super) fn of_earlier_process(engine: &Engine) -> Option<Self> {
        let dbfile = engine.log().dbfile()?;
        let note = std::fs::read(note_path(dbfile)).ok()?;
        let snapshot = OpenOptions::new().read(true).write(true).open(Stage::snapshot_path(dbfile)).ok()?;
        let (id, bytes) = read_note(&note, &identity(&snapshot).ok()?)?;
        let done = snapshot.metadata().ok()?.len();
        let incoming = Self::new((dbfile.to_path_buf(), None), snapshot, (id, bytes), done);
        (done <= bytes).then_some(incoming)
    }

    /// Of which snapshot how much is here.
    pub(super) fn progress(&self) -> (u64, SnapshotId) {
        (self.done, self.id)
    }

    /// Whether a snapshot that is sent from `offset` on is this one.
    pub(super) fn goes_on(&self, id: SnapshotId, offset: u64) -> bool {
        self.id == id && self.done == offset && self.bytes > 0
    }

    /// The log that follows the snapshot begins at `from`, and must be there up to `until`.
    pub(super) fn log_begins(&mut self, from: Lsn, until: Lsn) -> Result<(), IncomingError> {
        self.stage = Some(Stage::begin(&self.dbfile, Arc::new(OsStorage))?);
        self.until = until.max(from);
        self.segment = None;
        self.pending.clear();
        Ok(())
    }

    /// Takes bytes of the snapshot.
    pub(super) fn snapshot_bytes(&mut self, bytes: &[u8]) -> Result<(), IncomingError> {
        self.snapshot.seek(io::SeekFrom::Start(self.done))?;
        self.snapshot.write_all(bytes)?;
        self.done += bytes.len() as u64;
        Ok(())
    }

    /// The log goes on in this segment.
    pub(super) fn segment(
        &mut self,
        first: Lsn,
        end: Lsn,
        history: History,
        lineage: Vec<Ancestor>,
    ) -> Result<(), IncomingError> {
        let stage = self.stage.as_mut().ok_or(IncomingError::Order)?;
        if !self.pending.is_empty() {
            return Err(IncomingError::Order);
        }
        stage.segment(StagedSegment { first, end, history, lineage })?;
        self.segment = Some((history, end));
        Ok(())
    }

    /// Takes bytes of the log; only whole records count.
    pub(super) fn log_bytes(&mut self, at: Lsn, bytes: &[u8]) -> Result<(), IncomingError> {
        let stage = self.stage.as_mut().ok_or(IncomingError::Order)?;
        let (history, end) = self.segment.ok_or(IncomingError::Order)?;
        if at.get() != stage.end().get() + self.pending.len() as u64 {
            return Err(IncomingError::Order);
        }
        self.pending.extend_from_slice(bytes);
        let mut whole = 0;
        while whole < self.pending.len() {
            let place = Lsn::new(stage.end().get() + whole as u64);
            let size = match log::sequel(history, place, end, &self.pending[whole..])? {
                Sequel::Incomplete { .. } => break,
                Sequel::Pad { bytes, here } if (here as u64) < bytes => break,
                Sequel::Pad { bytes, .. } => bytes,
                Sequel::Record(image) => image.space,
            };
            whole += size as usize;
        }
        stage.append(&self.pending[..whole])?;
        self.pending.drain(..whole);
        Ok(())
    }

    /// Bytes of the snapshot that are here, and all.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.done, self.bytes)
    }

    /// Whether everything is here that makes a state.
    pub(super) fn is_whole(&self) -> bool {
        let log_end = self.stage.as_ref().map_or(Lsn::ZERO, Stage::end);
        self.done == self.bytes && self.segment.is_some() && log_end >= self.until
    }

    /// Makes it durable.
    pub(super) fn finish(self) -> Result<Received, IncomingError> {
        let Self { dbfile, folder, snapshot, stage, .. } = self;
        drop(snapshot);
        let mut stage = stage.ok_or(IncomingError::Order)?;
        stage.finish()?;
        remove(&note_path(&dbfile))?;
        Ok(Received { dbfile, folder, stage })
    }
}

/// Removes what has come of a state for `engine`, if there is anything: it is not to be gone on with.
pub(super) fn put_away(engine: &Engine) -> io::Result<()> {
    let Some(dbfile) = engine.log().dbfile() else { return Ok(()) };
    // Order: 1 the note, 2 what it speaks of.
    remove(&note_path(dbfile))?;
    remove(&Stage::snapshot_path(dbfile))?;
    Stage::begin(dbfile, Arc::new(OsStorage)).map(drop)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn note_path(dbfile: &Path) -> PathBuf {
    let mut name = Stage::snapshot_path(dbfile).into_os_string();
    name.push(".part");
    PathBuf::from(name)
}

fn identity(file: &File) -> io::Result<Identity> {
    Identity::of(file, OsStorage.boot_id())
}

fn note(id: SnapshotId, bytes: u64, identity: &Identity) -> Vec<u8> {
    let mut note = Vec::with_capacity(NOTE_BYTES);
    for number in id.0.into_iter().chain([bytes]) {
        note.extend_from_slice(&number.to_le_bytes());
    }
    note.extend_from_slice(&identity.boot.to_le_bytes());
    note.extend_from_slice(&identity.device.to_le_bytes());
    note.extend_from_slice(&identity.inode.to_le_bytes());
    let checksum = crc32fast::hash(&note);
    note.extend_from_slice(&checksum.to_le_bytes());
    note
}

/// Reads the note of a part in the file `now`.
fn read_note(note: &[u8], now: &Identity) -> Option<(SnapshotId, u64)> {
    let note: &[u8; NOTE_BYTES] = note.try_into().ok()?;
    let number = |at: usize| u64::from_le_bytes(note[at..at + 8].try_into().unwrap_or_default());
    let checksum = u32::from_le_bytes(note[72..].try_into().unwrap_or_default());
    let boot = u128::from(number(48)) << 64 | u128::from(number(40));
    let written = Identity { boot, device: number(56), inode: number(64) };
    let is_right = crc32fast::hash(&note[..72]) == checksum && written.survives_as(now);
    is_right.then(|| (SnapshotId([number(0), number(8), number(16), number(24)]), number(32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_counts_for_its_own_file_and_boot_and_only_whole() {
        let identity = Identity { boot: 7 << 70 | 5, device: 1, inode: 2 };
        let id = SnapshotId([1, 2, 3, u64::MAX]);
        let written = note(id, 9000, &identity);
        assert_eq!(read_note(&written, &identity), Some((id, 9000)));
        assert_eq!(read_note(&written, &Identity { boot: 8, ..identity }), None);
        assert_eq!(read_note(&written, &Identity { inode: 3, ..identity }), None);
        assert_eq!(read_note(&written[..75], &identity), None);
        for at in 0..NOTE_BYTES {
            let mut damaged = written.clone();
            damaged[at] ^= 1;
            assert_eq!(read_note(&damaged, &identity), None, "byte {at}");
        }
    }

    #[test]
    fn what_a_process_has_received_serves_the_next_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let location = log::Location::Files { dbfile: folder.path().join("data.db") };
        let options = crate::engine::EngineOptions::new(log::LogOptions::new(location));
        let (engine, _) = Engine::open(options, &|_| {}).expect("a database");
        let id = SnapshotId([1, 2, 3, 4]);
        let mut incoming = Incoming::begin(&engine, id, 10).expect("room");
        incoming.snapshot_bytes(b"some").expect("room");
        drop(incoming);
        let mut incoming = Incoming::of_earlier_process(&engine).expect("a part");
        assert_eq!(incoming.progress(), (4, id));
        incoming.snapshot_bytes(b" bytes").expect("room");
        assert_eq!(std::fs::read(folder.path().join("data.db.sync")).expect("it"), b"some bytes");
        // One that is longer than it should be is no part.
        incoming.snapshot_bytes(b"!").expect("room");
        assert!(Incoming::of_earlier_process(&engine).is_none());
        put_away(&engine).expect("removed");
        assert!(Incoming::of_earlier_process(&engine).is_none());
        assert!(!folder.path().join("data.db.sync").exists());
    }
}
