//! A database that follows the one that is tested, byte for byte.

use std::path::Path;
use std::sync::Arc;

use crate::Db;
use crate::engine::tests::lab::Lab;
use crate::engine::{Engine, EngineOptions, ForeignSegment};
use crate::log::snapshot::SnapshotReader;
use crate::log::{self, LockFile, LogReader, ReadError, Stage, StagedSegment};
use crate::lsn::Lsn;

/// Bytes that are copied at once: less than some records have.
const CHUNK_BYTES: usize = 3000;

pub(super) struct Replica {
    lab: Lab,
    db: Option<Db>,
}

fn open(lab: &Lab) -> Db {
    Db::open_with(EngineOptions { follows: true, ..lab.options() }).unwrap()
}

impl Replica {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        Self { db: Some(open(&lab)), lab }
    }

    pub(super) fn engine(&self) -> &Engine {
        self.db.as_ref().unwrap().engine()
    }

    fn reopen(&mut self) {
        self.db = Some(open(&self.lab));
    }

    pub(super) fn restart(&mut self) {
        self.db.take().unwrap().close().unwrap();
        self.reopen();
    }

    pub(super) fn kill(&mut self) {
        let image = self.lab.image();
        self.db = None;
        self.lab.restore(&image);
        self.reopen();
    }

    /// The database that is followed has lost what lies behind `end`.
    pub(super) fn rewind_to(&mut self, end: Lsn) {
        if self.engine().log().head() <= end {
            return;
        }
        self.db.take().unwrap().close().unwrap();
        let snapshot = SnapshotReader::open(&self.lab.path).unwrap();
        let is_older = snapshot.is_none_or(|snapshot| snapshot.footer().end <= end);
        assert!(is_older, "this replica takes no snapshots of its own, and those that it gets are durable");
        let lock = LockFile::take(&self.lab.path).unwrap();
        let kept = log::rewind(&lock, end, &log::OsStorage).unwrap();
        assert!(!kept.is_empty());
        drop(lock);
        self.reopen();
        assert_eq!(self.engine().log().head(), end);
    }

    /// Copies and applies what `primary`, the database at `dbfile`, has and this one has not.
    pub(super) fn catch_up(&mut self, primary: &Engine, dbfile: &Path) {
        let mut reader = LogReader::default();
        let mut bytes = Vec::new();
        loop {
            let at = Lsn::new(self.engine().log().head().get() + bytes.len() as u64);
            let chunk = match reader.read(primary.log(), at, CHUNK_BYTES, &mut bytes) {
                Ok(None) => break,
                Ok(Some(chunk)) => chunk,
                Err(ReadError::Gone { .. }) => {
                    self.start_over(primary, dbfile);
                    bytes.clear();
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            if bytes.is_empty() {
                break;
            }
            if at == self.engine().log().head() {
                let segment = ForeignSegment {
                    first: chunk.first,
                    end: chunk.end,
                    capacity: primary.log().tail_segment().capacity,
                    history: chunk.history,
                    lineage: primary.log().lineage_of(chunk.history),
                };
                self.engine().enter_segment(&segment).unwrap();
            }
            let (taken, _) = self.engine().follower().take(&bytes).unwrap();
            bytes.drain(..taken);
        }
        assert!(bytes.is_empty(), "a log ends behind a record");
        assert_eq!(self.engine().log().head(), primary.log().head());
        assert_eq!(self.engine().log().resolved(), primary.log().resolved());
    }

    /// Takes the snapshot, and the log from where that needs it.
    fn start_over(&mut self, primary: &Engine, dbfile: &Path) {
        let storage = Arc::new(log::OsStorage);
        let mut stage = Stage::begin(&self.lab.path, storage).unwrap();
        std::fs::copy(dbfile, Stage::snapshot_path(&self.lab.path)).unwrap();
        let snapshot = SnapshotReader::open(dbfile).unwrap().expect("a log that was cut has a snapshot");
        let mut at = snapshot.footer().retention_floor;
        let mut reader = LogReader::default();
        let mut bytes = Vec::new();
        let mut current = None;
        while let Some(chunk) = reader.read(primary.log(), at, CHUNK_BYTES, &mut bytes).unwrap() {
            if current != Some(chunk.first) {
                current = Some(chunk.first);
                at = chunk.first;
                bytes.clear();
                let lineage = primary.log().lineage_of(chunk.history);
                let (first, end, history) = (chunk.first, chunk.end, chunk.history);
                stage.segment(StagedSegment { first, end, history, lineage }).unwrap();
                continue;
            }
            if bytes.is_empty() {
                break;
            }
            stage.append(&bytes).unwrap();
            at = stage.end();
            bytes.clear();
        }
        stage.finish().unwrap();
        self.db.take().unwrap().close().unwrap();
        stage.install(&LockFile::take(&self.lab.path).unwrap()).unwrap();
        self.reopen();
    }
}
