//! The engine: attempts and transactions over the store and the log. The only writer of either.
//!
//! The life of a write: a command runs against a [`Txn`], which records what it read and keeps what it would write;
//! `commit` reserves space in the log, fills in the effects, publishes the new versions with one CAS (of the cell, or
//! of a descriptor's status), and marks the record committed. Whoever meets a version that is not marked committed
//! marks its record first, so nothing that anybody has seen is lost in a crash.
//!
//! | file | owns |
//! |---|---|
//! | `txn`, `commit`, `batch` | attempts: reading, writing, taking effect, trying again |
//! | `group` | one attempt at several commands |
//! | `collections` | the same of lists, sets, hashes, sorted sets |
//! | `root` | the pointer to everything that is not a write to a key |
//! | `staging` | databases that are put together beside those that are there |
//! | `effect` | the bytes of a record |
//! | `recovery`, `snapshot`, `slice`, `parts` | the way from files to memory and back |
//! | `apply`, `remake` | the way from another's log to here |
//! | `expirer`, `timers`, `sweeper` | what happens by itself |
//! | `waits` | who waits for a key to appear |
//!
//! Commands are linearizable, transactions serializable; the order of the log is a serialization order.

mod apply;
mod batch;
mod collections;
mod commit;
mod db;
pub mod effect;
mod error;
mod expirer;
mod group;
mod info;
mod limits;
mod parts;
mod progress;
mod recovery;
mod remake;
mod root;
mod slice;
mod snapshot;
mod staging;
mod sweeper;
#[cfg(test)]
mod tests;
mod timers;
mod txn;
mod usage;
mod waits;
mod walk;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_epoch::Guard;
use crossbeam_queue::SegQueue;

use crate::clock::Millis;
use crate::log::{FsyncPolicy, Log, LogOptions};
use crate::lsn::Lsn;
use crate::store::counter::Counter;
use crate::store::hash::HashSeed;
use crate::store::keyspace::Keyspace;
use crate::store::value::collection::Type;
use crate::store::value::ledger::Dropped;
use crate::store::value::limits::Limits;
use crate::store::version::VersionPtr;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// Hands what the calling thread has retired on to the epoch: for a thread that is about to idle.
pub use crate::store::retired::{hand_over as quiesce, parked};
pub use apply::{FollowError, Follower, ForeignSegment};
pub use batch::Batch;
pub use db::Db;
pub use error::{EngineError, OpenError, SnapshotFailure};
pub use group::Group;
pub use info::{DatabaseInfo, EngineInfo, SnapshotStatus};
pub use recovery::{Progress, Recovered};
pub use txn::{Fate, KeyInfo, Live, LiveString, Lookups, Missed, Txn, Was, WrongType};
pub use usage::Use;
pub use waits::{Seat, Turns, has_called};

use limits::SharedLimits;
use progress::Progressed;
use root::RootCell;
use snapshot::Snapshots;
use staging::Layout;
use usage::Usage;
use waits::Waits;

/// Number of a database.
pub type DbIndex = u16;

/// How to open an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How many databases there are.
    pub databases: DbIndex,
    /// The log, and with it whether and where there are files.
    pub log: LogOptions,
    /// Threads that load a snapshot.
    pub recovery_threads: usize,
    /// When the log is compacted by itself.
    pub compaction: CompactionOptions,
    /// When snapshots are taken besides.
    pub save_points: Vec<SavePoint>,
    /// Up to which size collections are packed.
    pub limits: Limits,
    /// The seed of the keyspaces' hashes, where no snapshot has one; none: a random one.
    pub hash_seed: Option<u64>,
    /// Where a database in memory takes its first state from: the database file of another, whose files are only read.
    pub origin: Option<PathBuf>,
    /// Whether it follows another's log from its first moment. If not, and it did in its last life, it begins a history
    /// of its own.
    pub follows: bool,
}

/// Take a snapshot when the last one is so old and so much has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Age of the last snapshot.
    pub seconds: u64,
    /// Keys changed since.
    pub changes: u64,
}

/// When the log is compacted into a snapshot by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionOptions {
    /// When the log has grown by this part of the snapshot's size; 0: never.
    pub percentage: u64,
    /// But not while the log is smaller than this.
    pub bytes_min: u64,
}

impl EngineOptions {
    /// 16 databases, compacted when the log has doubled the snapshot.
    pub fn new(log: LogOptions) -> Self {
        Self {
            databases: 16,
            log,
            recovery_threads: std::thread::available_parallelism().map_or(1, usize::from),
            compaction: CompactionOptions { percentage: 100, bytes_min: 64 << 20 },
            save_points: Vec::new(),
            limits: Limits::default(),
            hash_seed: None,
            origin: None,
            follows: false,
        }
    }
}

/// Figures that the engine counts.
#[derive(Debug, Default)]
pub(crate) struct EngineStats {
    /// Attempts that lost to another.
    pub lost: Counter,
    /// Commands that ran in such attempts.
    pub wasted: Counter,
    /// Transactions that ran alone.
    pub alone: Counter,
    /// Keys whose time came.
    pub expired: Counter,
    /// Fields of hashes whose time came.
    pub expired_fields: Counter,
    /// Keys written.
    pub changes: Counter,
}

/// Who is told of what the engine does to keys by itself.
pub trait Witness: Send + Sync + std::fmt::Debug {
    /// A key was removed at `now` because its time had come; `lsn` is the record of that. Called by the thread that
    /// removes such keys, after the removal has taken effect; it must not wait.
    fn expired(&self, db: DbIndex, key: &[u8], lsn: Lsn, now: Millis);

    /// Fields of a hash were removed because their time had come, and the hash with them if that `is_gone`; else as
    /// [`Witness::expired`].
    fn fields_expired(&self, db: DbIndex, key: &[u8], is_gone: bool, lsn: Lsn, now: Millis);
}

/// The running database.
#[derive(Debug)]
pub struct Engine {
    root: RootCell,
    layout: Layout,
    log: Log,
    seed: HashSeed,
    spill_bytes: usize,
    usage: Usage,
    stats: EngineStats,
    reclaim: SegQueue<Arc<Keyspace>>,
    /// Trees, to be freed after a grace period.
    dropped: SegQueue<Dropped>,
    limits: SharedLimits,
    expires_actively: AtomicBool,
    witness: OnceLock<Box<dyn Witness>>,
    waits: Waits,
    snapshots: Snapshots,
    progress: Progressed,
    dbfile: Option<PathBuf>,
    dice: AtomicU64,
    stopping: AtomicBool,
    alarm: (Mutex<()>, Condvar),
    threads: OnceLock<Mutex<Vec<JoinHandle<()>>>>,
}

#[cfg(test)]
impl Engine {
    /// An engine in memory.
    pub(crate) fn for_tests() -> Arc<Self> {
        let options = EngineOptions::new(LogOptions::new(crate::log::Location::Memory));
        Self::open(options, &|_| {}).expect("an engine in memory opens").0
    }
}

impl Engine {
    /// Marks the record of a version committed, unless it is known to be. Done before a version is used in any way.
    #[inline]
    fn settle(&self, version: VersionPtr, guard: &Guard) {
        if !version.is_committed() {
            self.settle_slow(version, guard);
        }
    }

    #[cold]
    fn settle_slow(&self, version: VersionPtr, guard: &Guard) {
        // Order: the record before the version, or else the next reader takes a pending record for a committed one.
        self.log.mark_committed(version.lsn(), guard);
        version.set_committed();
    }

    /// A version as a client sees it at `now`.
    #[inline]
    fn live(version: VersionPtr, now: Millis, _guard: &Guard) -> Option<Live<'_>> {
        let expiry = version.expiry();
        if expiry.is_some_and(|end| end <= now) {
            return None;
        }
        // SAFETY: reached under the guard, or kept by the attempt until the guard is gone.
        let value = unsafe { version.value() }?;
        Some(Live { value, expiry, lsn: version.lsn() })
    }

    /// A pseudo-random number (`SplitMix64`).
    fn random(&self) -> u64 {
        // Relaxed: only numbers that differ are wanted.
        let mut z = self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Visits the live keys of a database that start with `prefix`, in key order, in slices that hold nothing for
    /// long, until `visit` says false. For a thread that may block.
    ///
    /// # Consistency
    /// Every key that is there all the while is visited once; one that comes or goes meanwhile may be.
    pub fn walk_keys(&self, db: DbIndex, prefix: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) {
        let now = Millis::now();
        let keyspace = Arc::clone(&self.root.load(&crossbeam_epoch::pin()).keyspaces[self.layout.place(db)]);
        let mut walk = walk::Walk::new(&keyspace, prefix);
        let mut going = true;
        while going {
            let more = walk.slice(&mut |cell, guard| {
                let version = cell.look(guard).version;
                self.settle(version, guard);
                going = version.is_absent(now) || visit(cell.key(guard));
                if going { walk::Next::Go } else { walk::Next::Stop }
            });
            going &= more;
        }
    }

    /// Brings writes to a stop until `until`, or lets them go on (with a time that has passed). When this returns, no
    /// write is under way.
    ///
    /// # Errors
    /// When the log has failed: nobody knows whether writes are under way.
    pub fn pause_writes(&self, until: Millis) -> Result<(), EngineError> {
        let mut closed = self.root.close();
        self.log.wait_resolved(self.log.head_behind_stores())?;
        let (mut root, _) = closed.successor();
        root.paused_until = until;
        closed.install(root);
        Ok(())
    }

    /// Makes the database one that follows another's log, or one that takes writes. When this returns, no write of
    /// before is under way.
    ///
    /// # Errors
    /// When the log has failed: nobody knows whether writes are under way.
    pub fn set_follows(&self, follows: bool) -> Result<(), EngineError> {
        let mut closed = self.root.close();
        self.log.wait_resolved(self.log.head_behind_stores())?;
        let (mut root, _) = closed.successor();
        root.follows = follows;
        closed.install(root);
        Ok(())
    }

    /// Whether the database follows another's log.
    pub fn follows(&self) -> bool {
        self.root.load(&crossbeam_epoch::pin()).follows
    }

    /// Says who is told of what happens to keys by itself; the first to be named stays.
    pub fn set_witness(&self, witness: Box<dyn Witness>) {
        // Why: there is one server to a database.
        let _ = self.witness.set(witness);
    }

    /// Begins to wait for lists or sorted sets to appear under these keys; the caller then looks for them.
    pub fn wait_for(&self, db: DbIndex, of: Type, keys: &[Box<[u8]>]) -> Seat<'_> {
        self.waits.sit(self.seed, db, of, keys)
    }

    /// Whether anybody waits for the key to hold a value of this type.
    pub fn is_waited_for(&self, db: DbIndex, of: Type, key: &[u8]) -> bool {
        self.waits.is_waited_for(db, self.seed.hash(key), key, of)
    }

    /// Keys that somebody waits for.
    pub fn waited_keys(&self) -> usize {
        self.waits.keys()
    }

    /// Whether keys are removed when their time has come, or only hidden.
    pub fn set_active_expiry(&self, on: bool) {
        // Relaxed: read at the next tick.
        self.expires_actively.store(on, Ordering::Relaxed);
    }

    /// Changes up to which size collections are packed; those that are there keep their form until they are changed.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.store(limits);
    }

    /// Counts frequency of use instead of idle time, or back.
    pub fn count_frequency(&self, on: bool, log_factor: u32, decay_minutes: u32) {
        self.usage.count_frequency(on, log_factor, decay_minutes);
    }

    /// Whether frequency of use is counted.
    pub fn counts_frequency(&self) -> bool {
        self.usage.counts_frequency()
    }

    /// Changes the durability of writes from here on.
    pub fn set_fsync(&self, policy: FsyncPolicy) {
        self.log.set_fsync(policy);
    }

    /// The durability of writes.
    #[inline]
    pub fn fsync(&self) -> FsyncPolicy {
        self.log.fsync()
    }

    /// Waits until the record at `lsn` is on stable storage.
    ///
    /// # Errors
    /// When the log has failed: nobody knows whether it is.
    pub async fn wait_durable(&self, lsn: Lsn) -> Result<(), EngineError> {
        Ok(self.log.wait_durable(lsn).await?)
    }

    /// As [`Engine::wait_durable`], for a thread that may block.
    ///
    /// # Errors
    /// As [`Engine::wait_durable`].
    pub fn wait_durable_blocking(&self, lsn: Lsn) -> Result<(), EngineError> {
        Ok(self.log.wait_durable_blocking(lsn)?)
    }

    /// How long a write should be held back because stable storage is behind.
    pub fn write_delay(&self) -> Option<Duration> {
        self.log.write_delay()
    }

    /// The log, for who feeds others from it or follows another.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The seed of the keyspaces' hashes.
    pub fn hash_seed(&self) -> u64 {
        self.seed.0
    }

    /// Whether there are files.
    pub fn is_persistent(&self) -> bool {
        self.dbfile.is_some()
    }

    fn is_stopping(&self) -> bool {
        // Acquire: pairs with the Release in `stop`.
        self.stopping.load(Ordering::Acquire)
    }

    /// Sleeps, unless the engine stops.
    fn nap(&self, time: Duration) {
        let held = self.alarm.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_stopping() {
            drop(self.alarm.1.wait_timeout(held, time));
        }
    }

    /// Ends the background threads, brings everything to stable storage and closes the log. Idempotent.
    ///
    /// # Errors
    /// When the last sync fails.
    pub fn stop(&self) -> Result<(), EngineError> {
        {
            let _held = self.alarm.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Release: pairs with the Acquire in `is_stopping`.
            self.stopping.store(true, Ordering::Release);
            self.alarm.1.notify_all();
        }
        if let Some(threads) = self.threads.get() {
            let threads = std::mem::take(&mut *threads.lock().unwrap_or_else(PoisonError::into_inner));
            let me = std::thread::current().id();
            for thread in threads.into_iter().filter(|thread| thread.thread().id() != me) {
                if thread.join().is_err() {
                    tracing::error!("a background thread of the engine had panicked");
                }
            }
        }
        Ok(self.log.shutdown()?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the database was not closed cleanly");
        }
        sweeper::free_dropped(self);
    }
}
