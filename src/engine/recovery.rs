//! From files to memory: the snapshot's blocks in parallel, then the log from the snapshot's start.
//!
//! Replay applies effects, never commands, and consults no clock. An effect is passed over where its key's version is
//! not older than the effect's record: the snapshot was taken while writes went on, so it may be ahead.

use std::sync::atomic::{AtomicUsize, Ordering as Std};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crossbeam_epoch::Guard;

use crate::clock::Millis;
use crate::engine::effect::{Effect, EffectError};
use crate::engine::limits::SharedLimits;
use crate::engine::parts::Gathering;
use crate::engine::progress::Progressed;
use crate::engine::remake::{Maker, Old};
use crate::engine::root::{Root, RootCell};
use crate::engine::snapshot::{SnapshotFacts, Snapshots};
use crate::engine::staging::Layout;
use crate::engine::usage::Usage;
use crate::engine::waits::Waits;
use crate::engine::{
    DbIndex, Engine, EngineError, EngineOptions, EngineStats, OpenError, expirer, snapshot, sweeper,
};
use crate::log::snapshot::SnapshotReader;
use crate::log::{self, History, Location, LockFile, RecoveryReport, SnapshotBounds};
use crate::lsn::Lsn;
use crate::store::hash::HashSeed;
use crate::store::keyspace::Keyspace;
use crate::store::value::ledger::Ledger;
use crate::store::value::limits::Limits;
use crate::store::version::OwnedVersion;
use crate::sync::{AtomicBool, AtomicU64};

/// Records after which replay lets go of what it has replaced.
const REPLAY_FLUSH_RECORDS: u64 = 1024;

/// How far recovery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Blocks of the snapshot that are loaded, and how many there are.
    Snapshot {
        /// Loaded.
        done: u64,
        /// All.
        total: u64,
    },
    /// Bytes of the log that are replayed, and how many there are.
    Log {
        /// Replayed.
        done: u64,
        /// All.
        total: u64,
    },
}

/// What recovery found.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Keys that are there now.
    pub keys: u64,
    /// Entries of the snapshot.
    pub snapshot_entries: u64,
    /// Records that were replayed.
    pub records: u64,
    /// What the log found, and cut.
    pub log: Option<RecoveryReport>,
}

impl Engine {
    /// Opens a database: takes its lock, recovers what its files hold, and starts the background threads.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed unless it says so.
    pub fn open(
        options: EngineOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(Arc<Self>, Recovered), OpenError> {
        let (engine, recovered) = Self::recover(options, progress)?;
        engine.start_threads()?;
        Ok((engine, recovered))
    }

    /// As [`Engine::open`], without the engine's background threads.
    pub(super) fn recover(
        options: EngineOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(Arc<Self>, Recovered), OpenError> {
        let files = match &options.log.location {
            Location::Memory => options.origin.as_ref(),
            Location::Files { dbfile } => Some(dbfile),
        };
        let (lock, reader) = match files {
            None => (None, None),
            Some(dbfile) => {
                let lock = LockFile::take(dbfile)?;
                // Order: before anything else is looked at, or else what is looked at is half of one state and half of
                // another.
                log::complete_installation(&lock, options.log.storage.as_ref())?;
                SnapshotReader::remove_leftover(dbfile)?;
                (Some(lock), SnapshotReader::open(dbfile)?)
            }
        };
        let dbfile = match &options.log.location {
            Location::Memory => None,
            Location::Files { dbfile } => Some(dbfile.clone()),
        };
        let seed = match &reader {
            Some(reader) => HashSeed(reader.footer().hash_seed),
            None => match options.hash_seed {
                Some(seed) => HashSeed(seed),
                None => HashSeed(History::random().map_err(OpenError::Random)?.get() as u64),
            },
        };
        let layout = Layout::new(options.databases);
        let mut recovered = Recovered::default();
        let mut replay =
            Replay::new(layout, seed, reader.as_ref().map_or(0, |r| r.totals().entries), options.limits);
        let mut facts = SnapshotFacts { saved_at: Millis::now(), ..SnapshotFacts::default() };
        let mut bounds = None;
        if let Some(reader) = &reader {
            let footer = reader.footer();
            bounds = Some(SnapshotBounds { start: footer.start, end: footer.end, history: footer.history });
            facts.saved_at = Millis(footer.created_unix_ms);
            facts.start = footer.start;
            facts.floor = footer.retention_floor;
            facts.end = footer.end;
            replay.snapshot_end = footer.end;
            facts.file_bytes = reader.totals().file_bytes;
            replay.load(reader, options.recovery_threads.max(1), progress)?;
            recovered.snapshot_entries = reader.totals().entries;
        }
        drop(reader);
        let spill_bytes = options.log.blob_bytes as usize;
        let opening = match lock {
            Some(lock) => log::open_locked(options.log, lock, bounds)?,
            None => log::open(options.log, None)?,
        };
        let mut failure = None;
        let replayed = opening.replay(
            &mut |record| {
                recovered.records += 1;
                replay.record(record.lsn, record.time, record.payload).map_err(|error| {
                    let text = error.to_string();
                    failure = Some(error);
                    log::ApplyError { reason: text }
                })
            },
            &mut |at| progress(Progress::Log { done: at.bytes_done, total: at.bytes_total }),
        );
        let (log, report) = match (replayed, failure) {
            (_, Some(failure)) => return Err(failure),
            (Ok(replayed), None) => replayed,
            (Err(error), None) => return Err(error.into()),
        };
        if facts.start == Lsn::ZERO {
            facts.start = log.start();
        }
        facts.grown_from = facts.start;
        recovered.log = Some(report);
        let keyspaces = replay.finish();
        recovered.keys = keyspaces.iter().map(|keyspace| keyspace.keys.count()).sum();
        let engine = Arc::new(Self {
            root: RootCell::new(Root::new(keyspaces, layout)),
            layout,
            log,
            seed,
            spill_bytes,
            usage: Usage::default(),
            stats: EngineStats::default(),
            reclaim: crossbeam_queue::SegQueue::new(),
            dropped: crossbeam_queue::SegQueue::new(),
            limits: SharedLimits::new(options.limits),
            expires_actively: AtomicBool::new(true),
            witness: OnceLock::new(),
            waits: Waits::new(),
            progress: Progressed::default(),
            snapshots: Snapshots::new(options.compaction, options.save_points, facts),
            dbfile,
            dice: AtomicU64::new(seed.0 ^ Millis::now().0),
            stopping: AtomicBool::new(false),
            alarm: Default::default(),
            threads: OnceLock::new(),
        });
        engine.take_role(options.follows, recovered.log.as_mut())?;
        Ok((engine, recovered))
    }

    /// Follows another's log, or goes on in its own.
    ///
    /// Order: before the threads are there, or else they write what is not in the log that is followed; and before the
    /// marks say that the log follows none, the history is another, or else two servers write different things in one.
    fn take_role(&self, follows: bool, report: Option<&mut RecoveryReport>) -> Result<(), OpenError> {
        if follows {
            let (start, floor) = self.snapshot_needs();
            let unnamed = report.map(|report| report.unnamed_blobs.as_slice()).unwrap_or_default();
            // Why the floor: what lies there may be named yet, and was not read now.
            for lsn in unnamed.iter().copied().chain((floor < start && floor > Lsn::ZERO).then_some(floor)) {
                self.log.keep_copied(lsn);
            }
            self.set_follows(true)?;
            self.log.set_tailing(true).map_err(EngineError::from)?;
        } else if let Some(report) = report.filter(|report| report.followed) {
            let before = self.log.history();
            self.begin_history()?;
            self.log.set_tailing(false).map_err(EngineError::from)?;
            (report.history, report.previous_history) = (self.log.history(), Some(before));
        }
        Ok(())
    }

    fn start_threads(self: &Arc<Self>) -> Result<(), OpenError> {
        type Body = fn(&std::sync::Weak<Engine>);
        let bodies: [(&str, Body); 3] =
            [("expirer", expirer::run), ("sweeper", sweeper::run), ("snapshot", snapshot::run)];
        let mut threads = Vec::new();
        for (name, body) in bodies {
            let engine = Arc::downgrade(self);
            let builder = std::thread::Builder::new().name(name.to_owned());
            threads.push(builder.spawn(move || body(&engine)).map_err(OpenError::Thread)?);
        }
        // The cell is empty: an engine starts its threads once.
        let _ = self.threads.set(Mutex::new(threads));
        Ok(())
    }
}

/// The databases while they are being recovered.
pub(super) struct Replay {
    keyspaces: Vec<Arc<Keyspace>>,
    layout: Layout,
    seed: HashSeed,
    usage: Usage,
    since_flush: u64,
    /// E of the snapshot: below it, a delta may meet a key that was deleted before the walk came by.
    pub(super) snapshot_end: Lsn,
    limits: Limits,
    gathering: Gathering,
}

impl Replay {
    pub(super) fn new(layout: Layout, seed: HashSeed, keys: u64, limits: Limits) -> Self {
        // Why the room in the first: it is where the keys are, as a rule; the rest is only reserved address space.
        let room = |place| if place == 0 { keys as usize } else { 0 };
        let keyspaces =
            (0..layout.total()).map(|place| Arc::new(Keyspace::with_room(seed, room(place)))).collect();
        Self {
            keyspaces,
            layout,
            seed,
            usage: Usage::default(),
            since_flush: 0,
            snapshot_end: Lsn::ZERO,
            limits,
            gathering: Gathering::default(),
        }
    }

    pub(super) fn finish(self) -> Box<[Arc<Keyspace>]> {
        crossbeam_epoch::pin().flush();
        self.keyspaces.into()
    }

    fn keyspace(&self, db: DbIndex) -> Result<&Arc<Keyspace>, OpenError> {
        let databases = self.layout.databases();
        // Why the lesser: a staged one belongs to a database that there is not.
        let found = db.min(DbIndex::MAX - db);
        self.keyspaces.get(self.layout.place(db)).ok_or(OpenError::Databases { found, databases })
    }

    fn load(
        &mut self,
        reader: &SnapshotReader,
        threads: usize,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), OpenError> {
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let failed: Mutex<Option<OpenError>> = Mutex::new(None);
        let total = reader.block_count() as u64;
        let replay = &*self;
        std::thread::scope(|scope| {
            for _ in 0..threads.min(reader.block_count()) {
                scope.spawn(|| {
                    let mut buffer = Vec::new();
                    loop {
                        // Relaxed: only shares the blocks out.
                        let block = next.fetch_add(1, Std::Relaxed);
                        let stop = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                        if block >= reader.block_count() || stop {
                            return;
                        }
                        if let Err(error) = replay.load_block(reader, block, &mut buffer) {
                            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                            return;
                        }
                        progress(Progress::Snapshot {
                            done: done.fetch_add(1, Std::Relaxed) as u64 + 1,
                            total,
                        });
                    }
                });
            }
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        match std::mem::take(&mut self.gathering).incomplete() {
            None => Ok(()),
            Some((db, key)) => {
                let (file, key) = (reader.path().display().to_string(), key.escape_ascii().to_string());
                Err(OpenError::Incomplete { file, db, key })
            }
        }
    }

    fn load_block(
        &self,
        reader: &SnapshotReader,
        block: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<(), OpenError> {
        let entries = reader.read_block(block, buffer)?;
        let guard = crossbeam_epoch::pin();
        for (at, entry) in entries.entries().enumerate() {
            self.load_entry(entry, &guard)?.map_err(|reason| OpenError::Entry {
                file: reader.path().display().to_string(),
                block,
                entry: at,
                reason,
            })?;
        }
        guard.flush();
        Ok(())
    }

    pub(super) fn load_entry(
        &self,
        entry: &[u8],
        guard: &Guard,
    ) -> Result<Result<(), EffectError>, OpenError> {
        let Some((lsn, effect)) = entry.split_first_chunk::<8>() else {
            return Ok(Err(EffectError::Truncated(0)));
        };
        let effect = match Effect::decode_all(effect).next() {
            Some(Ok(effect)) => effect,
            Some(Err(reason)) => return Ok(Err(reason)),
            None => return Ok(Err(EffectError::Truncated(0))),
        };
        let lsn = Lsn::new(u64::from_le_bytes(*lsn));
        let mut ledger = Ledger::default();
        let maker = self.maker(false);
        let (db, key, version) = match effect {
            Effect::Put { db, key, value, expiry } => {
                (db, key, maker.stored(key, &value, expiry, 0, &mut ledger))
            }
            Effect::Part { db, key, .. } => match self.gathering.add(lsn, effect) {
                Ok(Some(whole)) => {
                    let entries = whole.entries();
                    if entries.is_empty() {
                        return Ok(Ok(()));
                    }
                    (db, key, maker.collected(key, whole.of, entries, whole.expiry, 0, &mut ledger))
                }
                Ok(None) => return Ok(Ok(())),
                Err(reason) => return Ok(Err(reason)),
            },
            _ => return Ok(Err(EffectError::Malformed(0))),
        };
        let Some(version) = version else { return Ok(Err(EffectError::Malformed(0))) };
        Self::put(self.keyspace(db)?, key, version, lsn, guard);
        // SAFETY: only recovery sees the databases.
        unsafe { ledger.settle_unseen() };
        Ok(Ok(()))
    }

    fn maker(&self, mends: bool) -> Maker<'_> {
        Maker { limits: &self.limits, usage: &self.usage, mends }
    }

    /// Replays one record.
    pub(super) fn record(&mut self, lsn: Lsn, time: u64, payload: &[u8]) -> Result<(), OpenError> {
        for effect in Effect::decode_all(payload) {
            let effect = effect.map_err(|reason| OpenError::Record { lsn, reason })?;
            self.apply(lsn, Millis(time), &effect)?;
        }
        self.since_flush += 1;
        if self.since_flush >= REPLAY_FLUSH_RECORDS {
            self.since_flush = 0;
            crossbeam_epoch::pin().flush();
        }
        Ok(())
    }

    fn apply(&mut self, lsn: Lsn, time: Millis, effect: &Effect<'_>) -> Result<(), OpenError> {
        match *effect {
            Effect::Flush { db } => {
                self.keyspace(db)?;
                self.keyspaces[self.layout.place(db)] = Arc::new(Keyspace::new(self.seed));
            }
            Effect::FlushAll => {
                for keyspace in &mut self.keyspaces {
                    *keyspace = Arc::new(Keyspace::new(self.seed));
                }
            }
            Effect::Swap { a, b } => {
                self.keyspace(a)?;
                self.keyspace(b)?;
                self.keyspaces.swap(self.layout.place(a), self.layout.place(b));
            }
            Effect::Put { db, key, .. }
            | Effect::Delete { db, key }
            | Effect::Expire { db, key, .. }
            | Effect::Append { db, key, .. }
            | Effect::Overwrite { db, key, .. }
            | Effect::Edit { db, key, .. }
            | Effect::Part { db, key, .. } => {
                let maker = self.maker(lsn < self.snapshot_end);
                self.change(db, key, lsn, |old, ledger| maker.remake(effect, old, time, ledger))?;
            }
        }
        Ok(())
    }

    /// Replaces a key's version if that is older than `lsn`. `make` gives none for a delta on an absent key: that is
    /// passed over where the key was deleted while the snapshot was taken (the delete follows in the log), and cannot
    /// be elsewhere in a log that this engine wrote.
    fn change(
        &self,
        db: DbIndex,
        key: &[u8],
        lsn: Lsn,
        make: impl FnOnce(Old<'_>, &mut Ledger) -> Option<OwnedVersion>,
    ) -> Result<(), OpenError> {
        let keyspace = self.keyspace(db)?;
        let guard = crossbeam_epoch::pin();
        let found = keyspace.find(keyspace.seed().hash(key), key, &guard);
        let absent = OwnedVersion::new(key, None, None, 0);
        let old = found.map_or(absent.as_ptr(), |cell| cell.look(&guard).version);
        if old.lsn() >= lsn {
            return Ok(());
        }
        let mut ledger = Ledger::default();
        // SAFETY: kept by the guard, or by `absent`.
        let Some(version) = make(unsafe { Old::new(old) }, &mut ledger) else {
            if lsn < self.snapshot_end {
                return Ok(());
            }
            return Err(OpenError::Record { lsn, reason: EffectError::Malformed(0) });
        };
        if found.is_some() || !version.as_ptr().is_tombstone() {
            Self::put(keyspace, key, version, lsn, &guard);
        }
        // SAFETY: only recovery sees the databases, and the old version is out of its cell.
        unsafe { ledger.settle_unseen() };
        Ok(())
    }

    /// Puts a version in its key's cell. Nobody else writes this key now.
    fn put(keyspace: &Keyspace, key: &[u8], mut version: OwnedVersion, lsn: Lsn, guard: &Guard) {
        version.stamp(lsn);
        version.as_ptr().set_committed();
        keyspace.load(keyspace.seed().hash(key), key, version, guard);
    }
}
