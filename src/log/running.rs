//! The running log: the face that the engine works with.
//!
//! A thin shell over the append path (`appender.rs`) and, with files, its two background threads. Everything takes
//! `&self` and may be called from any thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_epoch::Guard;

use super::allocator::Allocator;
use super::appender::Appender;
use super::closed::{ClosedSegment, ClosedSegments, Removal};
use super::durability::Durability;
use super::error::{Fault, LogError, OpenError};
use super::factory::SegmentFactory;
use super::header::Ancestor;
use super::lock::LockFile;
use super::lsn::{History, Lsn};
use super::options::{FsyncPolicy, LogOptions};
use super::poison::Poison;
use super::reservation::Reservation;
use super::spares::Spares;
use super::status::LogStatus;
use super::storage::Storage;
use super::supply::{FileSupply, MemorySupply, Supply};
use super::syncer::Syncer;
use super::table::SegmentTable;
use super::tailing::Fork;
use crate::sync::{AtomicU64, Ordering};

/// An open log.
///
/// Dropping it shuts it down, as [`Log::shutdown`] does. Reservations borrow it.
#[derive(Debug)]
pub struct Log {
    pub(super) appender: Arc<Appender>,
    pub(super) files: Option<LogFiles>,
    /// Where this run of the log began.
    opened_at: Lsn,
    /// The histories that led to the present one, newest first.
    pub(super) lineage: Mutex<Vec<Ancestor>>,
    /// Data bytes of the segments to come.
    pub(super) capacity: AtomicU64,
}

/// What only a log with files has.
#[derive(Debug)]
pub(super) struct LogFiles {
    pub(super) durability: Arc<Durability>,
    pub(super) supply: Arc<FileSupply>,
    storage: Arc<dyn Storage>,
    pub(super) closed: Arc<ClosedSegments>,
    spares: Arc<Spares>,
    /// The first position that is still there, or is just being taken away.
    start: AtomicU64,
    threads: Mutex<Option<Threads>>,
    dbfile: PathBuf,
    /// Held as long as the log is open.
    lock: Mutex<Option<LockFile>>,
}

#[derive(Debug)]
struct Threads {
    syncer: JoinHandle<()>,
    allocator: JoinHandle<()>,
}

/// What recovery hands over to a log that goes on in files.
pub(super) struct FilesStart {
    pub(super) lock: LockFile,
    pub(super) factory: SegmentFactory,
    pub(super) poison: Poison,
    /// The mapped segments: the one with the tail, and those after it.
    pub(super) table: SegmentTable,
    pub(super) closed: ClosedSegments,
    /// The log's end, which is durable.
    pub(super) tail: Lsn,
    pub(super) start: Lsn,
    /// Whether it follows another.
    pub(super) follows: bool,
}

/// From where on a snapshot needs the log. See [`Log::snapshot_start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotStart {
    /// The log is replayed from here.
    pub start: Lsn,
    /// Nothing below belongs to a record at or above `start`.
    pub floor: Lsn,
}

impl Log {
    /// A log in memory, which goes on where one in files has ended, or begins.
    pub(super) fn in_memory(options: &LogOptions, after: Option<Fork>) -> Result<Self, OpenError> {
        let failed = |source| OpenError::io("set up", Path::new("the log in memory"), source);
        let supply = MemorySupply::new(options);
        let after = match after {
            Some(after) => after,
            None => Fork {
                at: Lsn::FIRST,
                end: Lsn::new(Lsn::FIRST.get() + supply.segment_bytes()),
                capacity: supply.segment_bytes(),
                history: History::random().map_err(failed)?,
                lineage: Vec::new(),
            },
        };
        let (at, bytes) = (after.at, after.end.get() - after.at.get());
        let first = supply.make(at, bytes, after.history).map_err(failed)?;
        let table = SegmentTable::new(vec![Arc::new(first)]);
        let appender = Appender::new(at, table, Supply::Memory(supply), Poison::default(), options);
        let (lineage, capacity) = (Mutex::new(after.lineage), AtomicU64::new(after.capacity));
        Ok(Self { appender: Arc::new(appender), files: None, opened_at: at, lineage, capacity })
    }

    /// A log that goes on in files; starts its threads.
    pub(super) fn in_files(from: FilesStart, options: &LogOptions) -> Result<Self, OpenError> {
        let supply = Arc::new(FileSupply::default());
        let durability = Arc::new(Durability::new(from.tail, options.fsync));
        let closed = Arc::new(from.closed);
        let spares = Arc::new(Spares::new(options.spare_segments_max));
        let storage = Arc::clone(&from.factory.storage);
        let dbfile = from.factory.dbfile.clone();
        let lineage = Mutex::new(from.factory.lineage.clone());
        let capacity = AtomicU64::new(from.factory.capacity);
        let appender = Arc::new(Appender::new(
            from.tail,
            from.table,
            Supply::Files(Arc::clone(&supply)),
            from.poison,
            options,
        ));
        appender.set_tailing(from.follows);
        let syncer = Syncer::new(Arc::clone(&appender), Arc::clone(&durability), Arc::clone(&storage));
        let allocator = Allocator {
            appender: Arc::clone(&appender),
            durability: Arc::clone(&durability),
            supply: Arc::clone(&supply),
            factory: from.factory,
            closed: Arc::clone(&closed),
            spares: Arc::clone(&spares),
            window_bytes: options.window_bytes,
            made_at: None,
        };
        let files = LogFiles {
            durability,
            supply,
            storage,
            closed,
            spares,
            start: AtomicU64::new(from.start.get()),
            threads: Mutex::new(None),
            dbfile: dbfile.clone(),
            lock: Mutex::new(Some(from.lock)),
        };
        let log = Self { appender, files: Some(files), opened_at: from.tail, lineage, capacity };
        log.start_threads(syncer, allocator)
            .map_err(|source| OpenError::io("start a thread for", &dbfile, source))?;
        Ok(log)
    }

    fn start_threads(&self, syncer: Syncer, allocator: Allocator) -> std::io::Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let allocator =
            std::thread::Builder::new().name("log-allocator".into()).spawn(move || allocator.run())?;
        files.supply.served_by(allocator.thread().clone());
        match std::thread::Builder::new().name("log-sync".into()).spawn(move || syncer.run()) {
            Ok(syncer) => {
                files.durability.served_by(syncer.thread().clone());
                *files.threads.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Threads { syncer, allocator });
                Ok(())
            }
            Err(error) => {
                files.supply.stop.store(true, Ordering::Release);
                files.supply.wake();
                let _ = allocator.join();
                files.durability.end();
                Err(error)
            }
        }
    }

    /// Reserves a record for `payload_len` bytes of payload, with `time` in milliseconds since 1970.
    ///
    /// Fill it, seal it, publish what it describes, commit it; or drop it to void it.
    ///
    /// # Errors
    /// [`LogError`]: nothing was reserved.
    #[inline]
    pub fn reserve<'g>(
        &'g self,
        payload_len: usize,
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        self.appender.reserve(payload_len, time, guard)
    }

    /// Writes a payload larger than the option `blob_bytes` (or any other) as blobs, then reserves the record that
    /// names them, already filled: seal it, publish, commit, as any other.
    ///
    /// # Errors
    /// [`LogError`]: at most some blobs were written, which nothing names.
    pub fn reserve_spilled<'g>(
        &'g self,
        payload: &[&[u8]],
        time: u64,
        guard: &'g Guard,
    ) -> Result<Reservation<'g>, LogError> {
        self.appender.reserve_spilled(payload, time, guard)
    }

    /// Marks the record at `lsn` committed, for whoever meets its effects before its owner did. Idempotent; a record
    /// that was decided long ago is left alone.
    pub fn mark_committed(&self, lsn: Lsn, guard: &Guard) {
        self.appender.mark_committed(lsn, guard);
    }

    /// Whether the record at `lsn` is committed in the log itself, so that a kill at this moment would keep it.
    #[cfg(all(test, feature = "shuttle"))]
    pub(crate) fn is_committed(&self, lsn: Lsn) -> bool {
        self.appender.is_committed(lsn)
    }

    /// Where the next record goes.
    #[inline]
    pub fn head(&self) -> Lsn {
        self.appender.head()
    }

    /// As [`Log::head`], for who has just stored something that whoever reserves from there on must see.
    pub fn head_behind_stores(&self) -> Lsn {
        self.appender.head_behind_stores()
    }

    /// Everything below is committed or void.
    pub fn resolved(&self) -> Lsn {
        self.appender.advance(&crossbeam_epoch::pin())
    }

    /// Everything below is on stable storage. In memory there is none: the same as [`Log::resolved`].
    pub fn durable(&self) -> Lsn {
        match &self.files {
            Some(files) => files.durability.durable(),
            None => self.resolved(),
        }
    }

    /// Waits until everything below `lsn` is committed or void. Short: it waits for writes in flight only. Not to be
    /// called by a thread that holds a reservation below `lsn`.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when a mapped page was lost, so that it may never be known.
    pub fn wait_resolved(&self, lsn: Lsn) -> Result<(), LogError> {
        self.appender.wait_resolved(lsn)
    }

    /// Waits until the record at `lsn`, and all before it, are durable. With the log's head, where no record is yet,
    /// it waits for all before. Under [`FsyncPolicy::Always`] a sync starts at once.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when it will not become durable, [`LogError::Closed`] after a shutdown before it was.
    pub async fn wait_durable(&self, lsn: Lsn) -> Result<(), LogError> {
        let Some(files) = &self.files else { return Ok(()) };
        let Some(target) = self.want_durable(files, lsn) else { return Ok(()) };
        files.durability.wait(&self.appender, target).await
    }

    /// As [`Log::wait_durable`], blocking the thread.
    ///
    /// # Errors
    /// As [`Log::wait_durable`].
    pub fn wait_durable_blocking(&self, lsn: Lsn) -> Result<(), LogError> {
        let Some(files) = &self.files else { return Ok(()) };
        let Some(target) = self.want_durable(files, lsn) else { return Ok(()) };
        files.durability.wait_blocking(&self.appender, target)
    }

    /// Up to where *durable* must rise to hold the record at `lsn`; `None` when it is there.
    fn want_durable(&self, files: &LogFiles, lsn: Lsn) -> Option<Lsn> {
        // Watermarks stop between records only: above the record's start means behind its end.
        let target = Lsn::new(lsn.get() + 1).min(self.head());
        if files.durability.durable() >= target {
            return None;
        }
        if files.durability.policy() == FsyncPolicy::Always {
            files.durability.want(target);
        }
        Some(target)
    }

    /// Makes everything below the present head durable, and returns how far it is.
    ///
    /// Waits for reservations in flight: not to be called by a thread that holds one.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when syncing failed, [`LogError::Closed`] after a shutdown.
    pub fn sync_now(&self) -> Result<Lsn, LogError> {
        let head = self.head();
        match &self.files {
            Some(files) => {
                files.durability.want(head);
                files.durability.wait_blocking(&self.appender, head)?;
            }
            None => self.wait_resolved(head)?,
        }
        Ok(self.durable())
    }

    /// When writes reach stable storage.
    pub fn fsync(&self) -> FsyncPolicy {
        self.files.as_ref().map_or(FsyncPolicy::No, |files| files.durability.policy())
    }

    /// Changes when writes reach stable storage, from now on.
    pub fn set_fsync(&self, policy: FsyncPolicy) {
        if let Some(files) = &self.files {
            files.durability.set_policy(policy);
        }
    }

    /// Takes the head as the point from which a snapshot will need the log, and finds what must be kept for it:
    /// payloads spilled at that moment may have blobs below it. Keep the floor in the snapshot, and drop nothing at
    /// or above it while that snapshot is the newest.
    pub fn snapshot_start(&self) -> SnapshotStart {
        let (start, floor) = self.appender.spills.start_and_floor(|| self.head().get());
        SnapshotStart { start: Lsn::new(start), floor: Lsn::new(floor) }
    }

    /// A floor for a start that was taken earlier in this run, by [`Log::head`]. It is as low as the widest spread of
    /// a spilled payload makes necessary; [`Log::snapshot_start`] finds the exact one.
    pub fn retention_floor(&self, start: Lsn) -> Lsn {
        Lsn::new(self.appender.spills.conservative_floor(start.get()))
    }

    /// Deletes the segments that hold nothing at or above `lsn`, nor anything of a payload that is being spilled.
    /// Returns how many bytes that gave free. In memory the log bounds itself: nothing is done. May wait for the disk;
    /// the caller is not pinned.
    ///
    /// # Errors
    /// [`LogError::Delete`] when a file cannot be deleted; those before it are gone.
    pub fn drop_below(&self, lsn: Lsn) -> Result<u64, LogError> {
        let Some(files) = &self.files else { return Ok(0) };
        // Why: the allocator does this at its leisure, and nobody asks again for a segment that it comes too late for.
        files.closed.close(&self.appender, &files.durability);
        let below = Lsn::new(self.appender.spills.lowest(lsn.get()));
        let mut freed = 0;
        let step = |segment: &ClosedSegment, removal| match removal {
            // Order: before the file is taken away, or else who reads it takes what another segment holds for its bytes.
            // Release: pairs with the Acquire in `start`.
            Removal::Begins => files.start.store(segment.end.get(), Ordering::Release),
            Removal::Failed => files.start.store(segment.first.get(), Ordering::Release),
            Removal::Done => freed += segment.end.get() - segment.first.get(),
        };
        files.closed.remove_below(below, &files.spares, files.storage.as_ref(), step)?;
        Ok(freed)
    }

    /// The database that the log's files are named after; none in memory.
    pub fn dbfile(&self) -> Option<&Path> {
        self.files.as_ref().map(|files| files.dbfile.as_path())
    }

    /// The line of LSNs that the log's records belong to.
    pub fn history(&self) -> History {
        self.appender.history()
    }

    /// The first position that is still there.
    pub fn start(&self) -> Lsn {
        match &self.files {
            // Acquire: pairs with the Release in `drop_below`.
            Some(files) => Lsn::new(files.start.load(Ordering::Acquire)),
            None => Lsn::new(self.appender.table.load(&crossbeam_epoch::pin()).floor()),
        }
    }

    /// Changes how much of its end a log in memory keeps; one in files keeps what [`Log::drop_below`] leaves.
    pub fn set_retained_bytes(&self, bytes: u64) {
        if let Supply::Memory(memory) = &self.appender.supply {
            memory.set_retained_bytes(bytes);
        }
    }

    /// How long a writer should hold back before its next write, because syncing every second does not keep up.
    /// Counted in the status when it is something.
    pub fn write_delay(&self) -> Option<Duration> {
        let durability = &self.files.as_ref()?.durability;
        if durability.policy() == FsyncPolicy::EverySecond { durability.write_delay() } else { None }
    }

    /// Whether a reader may be told of the record at `lsn`: once the log has failed, only what is durable counts.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when the log has failed and the record may be lost.
    #[inline]
    pub fn check_readable(&self, lsn: Lsn) -> Result<(), LogError> {
        let failed = self.appender.poison.check();
        if failed.is_err() && lsn < self.durable() { Ok(()) } else { failed }
    }

    /// The mapped segments, for tests that look at them as recovery would.
    #[cfg(all(test, feature = "shuttle"))]
    pub(super) fn window<'g>(&self, guard: &'g Guard) -> &'g [Arc<super::segment::Segment>] {
        self.appender.table.load(guard).segments()
    }

    /// What stopped the log, if it is stopped.
    pub fn fault(&self) -> Option<Fault> {
        self.appender.poison.fault()
    }

    /// The log's figures.
    pub fn status(&self) -> LogStatus {
        // Relaxed: statistics.
        let read = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let head = self.head();
        let durability = self.files.as_ref().map(|files| &files.durability);
        let supply = self.files.as_ref().map(|files| &files.supply);
        let figure = |word: Option<&AtomicU64>| word.map_or(0, read);
        LogStatus {
            history: self.history(),
            start: self.start(),
            head,
            resolved: self.resolved(),
            durable: self.durable(),
            appended_bytes: head.get() - self.opened_at.get(),
            in_flight: self.appender.in_flight(),
            mapped_segments: self.appender.table.load(&crossbeam_epoch::pin()).segments().len(),
            fsync: self.fsync(),
            fault: self.fault(),
            no_space: supply.and_then(|supply| supply.blocked()),
            syncs: figure(durability.map(|it| &it.syncs)),
            last_sync_unix_ms: figure(durability.map(|it| &it.last_sync_unix_ms)),
            last_sync: Duration::from_micros(figure(durability.map(|it| &it.last_sync_us))),
            delayed: figure(durability.map(|it| &it.delayed)),
            segment_waits: figure(supply.map(|it| &it.waits)),
        }
    }

    /// Takes no more reservations, makes what there is durable, leaves a clean mark, and ends the threads. Waits up to
    /// five seconds for reservations that are still alive. Again, it does nothing.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] when the log has failed: what is above *durable* may be lost.
    pub fn shutdown(&self) -> Result<(), LogError> {
        self.appender.close();
        if let Some(files) = &self.files {
            let threads = files.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(threads) = threads {
                // Order: 1 the syncer, 2 the allocator: a round may wait for a record that waits for a segment.
                files.durability.stop.store(true, Ordering::Release);
                files.durability.wake();
                let _ = threads.syncer.join();
                files.supply.stop.store(true, Ordering::Release);
                files.supply.wake();
                let _ = threads.allocator.join();
                files.spares.remove(files.storage.as_ref());
                // Why now: who replaces the database opens its files while the old one is still being read from memory.
                drop(files.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
            }
        }
        self.appender.poison.check()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Why the result is not looked at: there is nobody to tell; the fault was traced when it happened.
        let _ = self.shutdown();
    }
}
