//! Another state in the place of the database: received from the primary, or rewound to where it goes on.
//!
//! The new state is recovered beside the one that is served, from its own files, and put in its place in one store; who
//! reads meets the old one or the new. With files the old database's log is closed first, as the files are replaced;
//! reads need none.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::command::context::Context;
use crate::engine::{Engine, EngineError, OpenError};
use crate::log::{
    self, Ancestor, CopyError, History, LockFile, OsStorage, Sequel, Stage, StagedSegment, Storage,
};
use crate::lsn::Lsn;
use crate::replication::feed::TemporaryFolder;
use crate::replication::frame::SnapshotId;
use crate::replication::{OpenWish, Opener};

/// Why a state could not be put in place.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    /// What came could not be written.
    #[error("what the primary sent cannot be written: {0}")]
    Io(#[from] io::Error),
    /// What came is not what was written there.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Log without a segment, or not in order.
    #[error("the primary sent the log out of order")]
    Order,
    /// The database could not be closed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The files could not be exchanged.
    #[error(transparent)]
    Files(#[from] log::OpenError),
    /// The new state could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A state that is being received. What has come of its snapshot serves another link, too.
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

impl Incoming {
    /// Begins to receive the snapshot `id` of `bytes` bytes, for `engine`.
    pub(super) fn begin(engine: &Engine, id: SnapshotId, bytes: u64) -> Result<Self, InstallError> {
        let (dbfile, folder) = if let Some(dbfile) = engine.log().dbfile() {
            (dbfile.to_path_buf(), None)
        } else {
            let folder = TemporaryFolder::new()?;
            (folder.0.join("data.db"), Some(folder))
        };
        let path = Stage::snapshot_path(&dbfile);
        let snapshot = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        let (until, stage, segment, pending) = (Lsn::ZERO, None, None, Vec::new());
        Ok(Self { dbfile, folder, id, snapshot, bytes, done: 0, until, stage, segment, pending })
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
    pub(super) fn log_begins(&mut self, from: Lsn, until: Lsn) -> Result<(), InstallError> {
        self.stage = Some(Stage::begin(&self.dbfile, Arc::new(OsStorage))?);
        self.until = until.max(from);
        self.segment = None;
        self.pending.clear();
        Ok(())
    }

    /// Takes bytes of the snapshot.
    pub(super) fn snapshot_bytes(&mut self, bytes: &[u8]) -> Result<(), InstallError> {
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
    ) -> Result<(), InstallError> {
        let stage = self.stage.as_mut().ok_or(InstallError::Order)?;
        if !self.pending.is_empty() {
            return Err(InstallError::Order);
        }
        stage.segment(StagedSegment { first, end, history, lineage })?;
        self.segment = Some((history, end));
        Ok(())
    }

    /// Takes bytes of the log; only whole records count.
    pub(super) fn log_bytes(&mut self, at: Lsn, bytes: &[u8]) -> Result<(), InstallError> {
        let stage = self.stage.as_mut().ok_or(InstallError::Order)?;
        let (history, end) = self.segment.ok_or(InstallError::Order)?;
        if at.get() != stage.end().get() + self.pending.len() as u64 {
            return Err(InstallError::Order);
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
}

/// Puts what was received in the place of the database.
pub(super) fn install(
    context: &Context,
    opener: &Opener,
    incoming: Incoming,
    hash_seed: u64,
) -> Result<(), InstallError> {
    let Incoming { dbfile, folder, snapshot, stage, .. } = incoming;
    drop(snapshot);
    let mut stage = stage.ok_or(InstallError::Order)?;
    stage.finish()?;
    let old = context.database();
    let mut wish = OpenWish { hash_seed: Some(hash_seed), ..OpenWish::default() };
    if folder.is_some() {
        wish.origin = Some(dbfile.clone());
    } else {
        old.stop()?;
    }
    stage.install(&LockFile::take(&dbfile)?)?;
    exchange(context, opener, wish, &old)
}

/// Takes the database back to `to`, a place between two records of its log. What lies behind stays beside it.
pub(super) fn rewind(context: &Context, opener: &Opener, to: Lsn) -> Result<(), InstallError> {
    let old = context.database();
    let dbfile = old.log().dbfile().ok_or(InstallError::Order)?.to_path_buf();
    old.stop()?;
    let storage: &dyn Storage = &OsStorage;
    let kept = log::rewind(&LockFile::take(&dbfile)?, to, storage)?;
    for path in kept {
        tracing::warn!(path = %path.display(), "writes that were never replicated are kept here");
    }
    exchange(context, opener, OpenWish::default(), &old)
}

/// Opens the database that the files hold now, and puts it in the place of the old one.
fn exchange(
    context: &Context,
    opener: &Opener,
    wish: OpenWish,
    old: &Arc<Engine>,
) -> Result<(), InstallError> {
    let engine = opener(OpenWish { follows: true, ..wish })?;
    context.replace_database(engine);
    // Why: of a database in memory the threads still run, and who waits for its log to go on waits for nothing.
    old.tell_progress();
    Ok(old.stop()?)
}
