//! Snapshots: the whole database as one file, taken while it is served, without a fork.
//!
//! 1. S = the head of the log; wait until every record below it is resolved, and load the root that they made (if it
//!    was changed since, take another S);
//! 2. walk every keyspace in slices; each key is written with the LSN of the version that is current when the walk
//!    comes by (expired ones too; replay consults no clock); large collections in parts ([`super::parts`]);
//! 3. E = the head of the log; bring the log to stable storage up to E, and the file;
//! 4. rename, sync the directory; only then drop the log below S.
//!
//! The snapshot plus the log from S is the whole database: replay passes over effects that are not newer than their
//! key's version. Order: the wait in 1 before 2, or else a write below S is published behind the walk and in neither.
//! Durable past E before 4, or else a crash leaves a snapshot with half of what the log had.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::engine::parts::Copying;
use crate::engine::slice::Slice;
use crate::engine::walk::{Next, Walk};
use crate::engine::{Engine, SavePoint, SnapshotFailure};
use crate::log::snapshot::{SnapshotFooter, SnapshotInfo, SnapshotOptions, SnapshotWriter};
use crate::log::{Cause, History, LogError, SnapshotStart};
use crate::lsn::Lsn;
use crate::store::keyspace::Keyspace;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// How often the thread looks whether the log has grown enough.
const TICK: Duration = Duration::from_millis(100);

/// What was saved when.
#[derive(Debug)]
pub(super) struct Snapshots {
    running: AtomicBool,
    /// Asked for while one was running, or by BGSAVE: the thread takes one as soon as it can.
    wanted: AtomicBool,
    compaction_percentage: AtomicU64,
    compaction_bytes_min: AtomicU64,
    save_points: Mutex<Vec<SavePoint>>,
    pub(super) facts: Mutex<SnapshotFacts>,
}

/// The facts about the latest snapshots.
#[derive(Clone, Debug, Default)]
pub(super) struct SnapshotFacts {
    /// When the last good one was taken, or the database opened.
    pub saved_at: Millis,
    /// Its S.
    pub start: Lsn,
    /// Below which it needs nothing of the log; zero while there is none.
    pub floor: Lsn,
    /// Its E.
    pub end: Lsn,
    /// The head of the log when it was there; before the first, where the log began.
    pub grown_from: Lsn,
    /// Its size.
    pub file_bytes: u64,
    /// How the last attempt ended: the error's text.
    pub failure: Option<String>,
    /// How long it took.
    pub took: Option<Duration>,
    /// When the running one began.
    pub began: Option<Instant>,
    /// How many were taken since the start.
    pub taken: u64,
    /// Keys changed in this run before its S.
    pub changes: u64,
    /// No automatic attempt before this.
    pub retry_at: Option<Instant>,
}

impl Snapshots {
    pub(super) fn new(
        options: crate::engine::CompactionOptions,
        save_points: Vec<SavePoint>,
        facts: SnapshotFacts,
    ) -> Self {
        Self {
            running: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            compaction_percentage: AtomicU64::new(options.percentage),
            compaction_bytes_min: AtomicU64::new(options.bytes_min),
            save_points: Mutex::new(save_points),
            facts: Mutex::new(facts),
        }
    }

    fn facts(&self) -> std::sync::MutexGuard<'_, SnapshotFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one is being taken.
    pub(super) fn is_running(&self) -> bool {
        // Acquire: pairs with the swap in `take_snapshot`.
        self.running.load(Ordering::Acquire)
    }
}

/// From where a snapshot is replayed, and the databases that were in force there.
type Base = (SnapshotStart, Box<[Arc<Keyspace>]>);

impl Engine {
    /// Takes a snapshot on the calling thread, which may block for long.
    ///
    /// # Errors
    /// [`SnapshotFailure`]; the snapshot before stays in place.
    pub fn snapshot_blocking(&self) -> Result<(), SnapshotFailure> {
        if self.dbfile.is_none() {
            return Err(SnapshotFailure::NotPersistent);
        }
        // AcqRel: one at a time; pairs with the Release below.
        if self.snapshots.running.swap(true, Ordering::AcqRel) {
            return Err(SnapshotFailure::Busy);
        }
        let began = Instant::now();
        self.snapshots.facts().began = Some(began);
        let changes = self.stats.changes.count();
        let result = self.take_snapshot();
        self.note_snapshot(began, changes, &result);
        // Release: pairs with the swap above.
        self.snapshots.running.store(false, Ordering::Release);
        result.map(|_| ())
    }

    /// Has the background thread take a snapshot; `later` also where one is being taken.
    ///
    /// # Errors
    /// [`SnapshotFailure::NotPersistent`] or [`SnapshotFailure::Busy`].
    pub fn start_snapshot(&self, later: bool) -> Result<(), SnapshotFailure> {
        if self.dbfile.is_none() {
            return Err(SnapshotFailure::NotPersistent);
        }
        if self.snapshots.is_running() && !later {
            return Err(SnapshotFailure::Busy);
        }
        // Release: pairs with the swap in `run`.
        self.snapshots.wanted.store(true, Ordering::Release);
        self.alarm.1.notify_all();
        Ok(())
    }

    /// Changes when snapshots are taken by themselves.
    pub fn set_compaction(&self, options: crate::engine::CompactionOptions) {
        // Relaxed: independent parameters, read at the next tick.
        self.snapshots.compaction_percentage.store(options.percentage, Ordering::Relaxed);
        self.snapshots.compaction_bytes_min.store(options.bytes_min, Ordering::Relaxed);
    }

    /// Changes when snapshots are taken besides.
    pub fn set_save_points(&self, points: Vec<SavePoint>) {
        *self.snapshots.save_points.lock().unwrap_or_else(PoisonError::into_inner) = points;
    }

    fn note_snapshot(&self, began: Instant, changes: u64, result: &Result<SnapshotInfo, SnapshotFailure>) {
        let mut facts = self.snapshots.facts();
        facts.began = None;
        facts.took = Some(began.elapsed());
        match result {
            Ok(info) => {
                facts.failure = None;
                facts.saved_at = Millis(info.footer.created_unix_ms);
                facts.start = info.footer.start;
                facts.floor = info.footer.retention_floor;
                facts.end = info.footer.end;
                facts.grown_from = self.log.head();
                facts.file_bytes = info.totals.file_bytes;
                facts.changes = changes;
                facts.taken += 1;
                facts.retry_at = None;
                let (keys, bytes) = (info.totals.entries, info.totals.file_bytes);
                tracing::info!(keys, bytes, took = ?began.elapsed(), "snapshot saved");
            }
            Err(error) => {
                facts.failure = Some(error.to_string());
                facts.retry_at = Some(Instant::now() + Duration::from_secs(5));
                tracing::warn!(%error, "the snapshot was not saved; the one before stays");
            }
        }
    }

    fn take_snapshot(&self) -> Result<SnapshotInfo, SnapshotFailure> {
        let Some(dbfile) = &self.dbfile else { return Err(SnapshotFailure::NotPersistent) };
        let info = self.write_snapshot(dbfile)?;
        self.drop_below(info.footer.retention_floor)?;
        Ok(info)
    }

    /// Writes a snapshot to the file `dbfile`, for another server: of a database in memory, too. Blocks for long.
    ///
    /// # Errors
    /// [`SnapshotFailure`].
    pub fn snapshot_to(&self, dbfile: &std::path::Path) -> Result<(), SnapshotFailure> {
        self.write_snapshot(dbfile).map(|_| ())
    }

    /// Where the newest snapshot ends, and below which place it needs nothing of the log; zero without one.
    pub fn snapshot_bounds(&self) -> (Lsn, Lsn) {
        let facts = self.snapshots.facts();
        (facts.end, facts.floor)
    }

    /// From where on the newest snapshot replays the log, and below which place it needs nothing of it.
    pub(super) fn snapshot_needs(&self) -> (Lsn, Lsn) {
        let facts = self.snapshots.facts();
        (facts.start, facts.floor)
    }

    /// The history of the last record below `end`, which is not below the log's present history.
    ///
    /// Why not the present one: without a record in it, it may be given up, and who has the log up to here does not know
    /// it; then the snapshot would be taken for another database's.
    fn history_below(&self, end: Lsn) -> History {
        let lineage = self.log.lineage();
        let left = lineage.iter().filter(|ancestor| ancestor.cause != Cause::Adoption);
        left.take_while(|ancestor| ancestor.fork >= end).last().map_or(self.log.history(), |it| it.history)
    }

    fn write_snapshot(&self, dbfile: &std::path::Path) -> Result<SnapshotInfo, SnapshotFailure> {
        let (from, keyspaces) = self.snapshot_base()?;
        let keep_going = || !self.is_stopping();
        let mut writer = SnapshotWriter::create(
            dbfile,
            SnapshotOptions { keep_going: &keep_going, ..Default::default() },
        )?;
        let mut slice = Slice::default();
        for (place, keyspace) in keyspaces.iter().enumerate() {
            let db = self.layout.number(place);
            let mut walk = Walk::new(keyspace, b"");
            let mut more = true;
            while more {
                let mut large = None;
                more = walk.slice(&mut |cell, guard| {
                    let version = cell.look(guard).version;
                    self.settle(version, guard);
                    large = Copying::begin(self, (db, keyspace), version, guard);
                    if large.is_some() {
                        return Next::Rest;
                    }
                    slice.take(db, version, guard);
                    if slice.is_full() { Next::Rest } else { Next::Go }
                });
                slice.write(&mut writer)?;
                while let Some(part) = large.as_mut().and_then(Copying::next) {
                    writer.push(&[&part])?;
                }
            }
        }
        let end = self.log.head();
        let footer = SnapshotFooter {
            start: from.start,
            end,
            retention_floor: from.floor,
            history: self.history_below(end),
            hash_seed: self.seed.0,
            created_unix_ms: Millis::now().0,
        };
        let finished = writer.finish(footer)?;
        let durable = self.log.sync_now()?;
        debug_assert!(durable >= end, "a sync covers the head at its beginning");
        Ok(finished.publish()?)
    }

    /// S, and the databases as the records below it have left them.
    fn snapshot_base(&self) -> Result<Base, LogError> {
        loop {
            let from = self.log.snapshot_start();
            self.log.wait_resolved(from.start)?;
            let guard = crossbeam_epoch::pin();
            let root = self.root.load(&guard);
            // Why not while it is closing: between the commit of a root's record and its installation the closed root
            // still is in place, and the record may be below S. Why not a later one: replay from S would let its
            // databases change places once more.
            if !root.closing && root.lsn < from.start {
                return Ok((from, root.keyspaces.clone()));
            }
            let closing = root.closing;
            drop(guard);
            if closing {
                self.root.wait_open();
            }
        }
    }

    fn compaction_due(&self) -> bool {
        // Acquire: pairs with the Release in `start_snapshot`.
        if self.snapshots.wanted.swap(false, Ordering::AcqRel) {
            return true;
        }
        let percentage = self.snapshots.compaction_percentage.load(Ordering::Relaxed);
        let bytes_min = self.snapshots.compaction_bytes_min.load(Ordering::Relaxed);
        let facts = self.snapshots.facts();
        let log_bytes = self.log.head().get().saturating_sub(facts.start.get());
        // Why not from S: under load as much may be written while a snapshot is taken as it holds, and the next would
        // begin at once.
        let grown_bytes = self.log.head().get().saturating_sub(facts.grown_from.get());
        let grown = grown_bytes.saturating_mul(100) >= facts.file_bytes.saturating_mul(percentage);
        // Why: without files there is nothing to compact.
        if self.dbfile.is_none() {
            return false;
        }
        let may = facts.retry_at.is_none_or(|at| at <= Instant::now());
        may && (percentage > 0 && log_bytes >= bytes_min && grown || self.save_point_due(&facts))
    }

    fn save_point_due(&self, facts: &SnapshotFacts) -> bool {
        let seconds = facts.saved_at.until(Millis::now()) / 1000;
        let changes = self.changes_since(facts);
        let points = self.snapshots.save_points.lock().unwrap_or_else(PoisonError::into_inner);
        points.iter().any(|point| seconds >= point.seconds && changes >= point.changes.max(1))
    }

    /// Keys changed since the last snapshot.
    pub(super) fn changes_since(&self, facts: &SnapshotFacts) -> u64 {
        self.stats.changes.count().saturating_sub(facts.changes)
    }
}

/// The thread that takes snapshots when they are asked for or due; runs until the engine stops.
pub(super) fn run(engine: &std::sync::Weak<Engine>) {
    lower_priority();
    while let Some(engine) = engine.upgrade() {
        if engine.is_stopping() {
            return;
        }
        if engine.compaction_due() {
            // Failures are noted, and told by INFO.
            let _ = engine.snapshot_blocking();
        } else {
            engine.nap(TICK);
        }
    }
}

/// Lets commands go first where processors are scarce.
fn lower_priority() {
    const NICENESS: i32 = 10;
    // SAFETY: plain system calls on the calling thread; a failure leaves the priority as it is.
    unsafe {
        let thread = libc::syscall(libc::SYS_gettid) as libc::id_t;
        libc::setpriority(libc::PRIO_PROCESS, thread, NICENESS);
    }
}
