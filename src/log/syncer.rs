//! Brings the log to stable storage.
//!
//! One thread. Each round: see how far the log is resolved, sync the pages from *durable* to there and nothing else
//! (`fdatasync` would write-protect the pages that were made ready ahead of the tail), write the durable mark, raise
//! *durable*, wake all who wait. One round serves everyone who came before it.
//!
//! | policy | a round starts |
//! |---|---|
//! | always | when somebody waits, and when something resolved is not durable |
//! | every second | a second after the last one started |
//! | no | 30 seconds after the last one, and when a segment is complete |
//!
//! A failed sync is never retried: the kernel may have dropped the pages and would report success.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::appender::Appender;
use super::durability::Durability;
use super::error::Fault;
use super::factory::sync_fault;
use super::header::HEADER_BYTES;
use super::lsn::Lsn;
use super::options::FsyncPolicy;
use super::segment::{Segment, SegmentFile};
use super::storage::Storage;
use crate::sync::{Ordering, spin_wait};

const PAGE: u64 = 4096;
/// How long the last round waits for reservations that are still alive.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);
/// How often the page of the durable mark is synced itself, at most.
const MARK_SYNC_PAUSE: Duration = Duration::from_secs(1);

/// The thread's own state.
#[derive(Debug)]
pub(super) struct Syncer {
    appender: Arc<Appender>,
    durability: Arc<Durability>,
    storage: Arc<dyn Storage>,
    /// When the last round started.
    round_started: Instant,
    /// Everything written before this is durable.
    covered_since: Instant,
    mark_synced: Instant,
}

/// Lets nobody wait for a thread that has ended, and poisons the log when it ended by a panic.
struct Ending {
    appender: Arc<Appender>,
    durability: Arc<Durability>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            self.appender.poison.set(Fault::ThreadDied { thread: "sync" });
        }
        self.durability.end();
    }
}

/// The log cannot be synced any more; why is in the poison.
struct Stopped;

impl Syncer {
    pub(super) fn new(
        appender: Arc<Appender>,
        durability: Arc<Durability>,
        storage: Arc<dyn Storage>,
    ) -> Self {
        let now = Instant::now();
        Self { appender, durability, storage, round_started: now, covered_since: now, mark_synced: now }
    }

    /// Runs until it is told to stop; then syncs once more and leaves a clean mark.
    pub(super) fn run(mut self) {
        let _ending =
            Ending { appender: Arc::clone(&self.appender), durability: Arc::clone(&self.durability) };
        loop {
            // Acquire: pairs with the Release in `Running::stop`; the log takes no reservations any more.
            if self.durability.stop.load(Ordering::Acquire) {
                let _ = self.finish();
                return;
            }
            if self.appender.poison.check().is_err() {
                self.durability.announce();
                thread::park_timeout(Duration::from_secs(1));
            } else if self.durability.wants_marks() {
                // As below.
                let _ = self.mark_all();
            } else if self.is_due() {
                // A failure is in the poison, which the next turn of the loop sees.
                let _ = self.round(self.durability.wanted());
            } else {
                thread::park_timeout(self.pause());
            }
        }
    }

    fn period(&self) -> Duration {
        match self.durability.policy() {
            FsyncPolicy::Always => Duration::from_millis(100),
            FsyncPolicy::EverySecond => Duration::from_secs(1),
            FsyncPolicy::No => Duration::from_secs(30),
        }
    }

    fn is_due(&self) -> bool {
        self.durability.wanted() > self.durability.durable()
            || self.round_started.elapsed() >= self.period()
            || self.segment_complete()
    }

    /// How long nothing is due, unless woken; short enough to see a completed segment.
    fn pause(&self) -> Duration {
        self.period().saturating_sub(self.round_started.elapsed()).min(Duration::from_secs(1))
    }

    /// Whether the log went on to another segment after what is durable.
    fn segment_complete(&self) -> bool {
        let guard = crossbeam_epoch::pin();
        let list = self.appender.table.load(&guard);
        let durable = self.durability.durable().get();
        list.find(durable).is_some_and(|segment| segment.end() <= self.appender.resolved().get())
    }

    /// Makes durable what is resolved, and at least everything below `wanted`.
    fn round(&mut self, wanted: Lsn) -> Result<(), Stopped> {
        let began = Instant::now();
        self.round_started = began;
        let to = self.resolve(wanted)?;
        let from = self.durability.durable();
        if to > from {
            self.durability.begin_round(self.covered_since);
            self.sync(from, to, false)?;
            self.durability.end_round(to, began);
        }
        self.covered_since = began;
        Ok(())
    }

    /// Waits until everything below `wanted` is resolved; returns how much is.
    fn resolve(&self, wanted: Lsn) -> Result<Lsn, Stopped> {
        let mut since_stop: Option<Instant> = None;
        let mut turn = 0;
        loop {
            let resolved = self.appender.advance(&crossbeam_epoch::pin());
            if resolved >= wanted {
                return Ok(resolved);
            }
            if self.appender.poison.page_lost() {
                return Err(Stopped);
            }
            // Acquire: as in `run`.
            if self.durability.stop.load(Ordering::Acquire)
                && since_stop.get_or_insert_with(Instant::now).elapsed() > SHUTDOWN_WAIT
            {
                return Ok(resolved);
            }
            spin_wait(turn);
            turn += 1;
        }
    }

    /// Writes the mark of every mapped segment anew.
    fn mark_all(&mut self) -> Result<(), Stopped> {
        let durable = self.durability.durable();
        for segment in self.segments(durable.get(), u64::MAX) {
            let Some(file) = segment.file() else { continue };
            let first = Lsn::new(segment.first());
            let written = file.write_mark(first, durable, false, self.appender.in_flight_records_max());
            written.map_err(|source| self.fail(file, &source))?;
            let synced =
                self.storage.sync_range(segment.mapping().raw(), &file.path, 0, HEADER_BYTES as usize);
            synced.map_err(|source| self.fail(file, &source))?;
        }
        self.durability.remarked();
        Ok(())
    }

    /// Syncs the pages of `[from, to)`, then says so in the durable mark.
    fn sync(&mut self, from: Lsn, to: Lsn, clean: bool) -> Result<(), Stopped> {
        let segments = self.segments(from.get(), to.get());
        // Order: 1 the data of all segments, 2 the mark; or else the mark promises what is not there. Files and
        // folder of a segment are durable before it is used (`factory.rs`).
        for segment in &segments {
            self.sync_pages(segment, from.get(), to.get())?;
        }
        if self.appender.poison.check().is_err() {
            return Err(Stopped);
        }
        let Some((segment, file)) = segments.last().and_then(|last| Some((last, last.file()?))) else {
            return Ok(());
        };
        let first = Lsn::new(segment.first());
        let written = file.write_mark(first, to, clean, self.appender.in_flight_records_max());
        written.map_err(|source| self.fail(file, &source))?;
        if clean || self.mark_synced.elapsed() >= MARK_SYNC_PAUSE {
            self.mark_synced = Instant::now();
            let synced =
                self.storage.sync_range(segment.mapping().raw(), &file.path, 0, HEADER_BYTES as usize);
            synced.map_err(|source| self.fail(file, &source))?;
        }
        Ok(())
    }

    fn sync_pages(&self, segment: &Segment, from: u64, to: u64) -> Result<(), Stopped> {
        let Some(file) = segment.file() else { return Ok(()) };
        let (from, to) = (from.max(segment.first()), to.min(segment.end()));
        if from >= to {
            return Ok(());
        }
        let start = (HEADER_BYTES + from - segment.first()) & !(PAGE - 1);
        let end = HEADER_BYTES + to - segment.first();
        let raw = segment.mapping().raw();
        let synced = self.storage.sync_range(raw, &file.path, start as usize, (end - start) as usize);
        synced.map_err(|source| self.fail(file, &source))
    }

    fn fail(&self, file: &SegmentFile, source: &std::io::Error) -> Stopped {
        let fault = sync_fault(&file.path, source);
        tracing::error!(%fault, "the log cannot be made durable; it takes no more writes");
        self.appender.poison.set(fault);
        self.durability.announce();
        Stopped
    }

    /// The segments that `[from, to]` touches, kept mapped without a guard: syncing takes long.
    fn segments(&self, from: u64, to: u64) -> Vec<Arc<Segment>> {
        let guard = crossbeam_epoch::pin();
        let list = self.appender.table.load(&guard).segments();
        list.iter().filter(|segment| segment.first() <= to && segment.end() >= from).cloned().collect()
    }

    /// The last round. A mark is clean when nothing lies above it.
    fn finish(&mut self) -> Result<(), Stopped> {
        if self.appender.poison.check().is_err() {
            return Err(Stopped);
        }
        let head = self.appender.head();
        self.round(head)?;
        let durable = self.durability.durable();
        if durable == head { self.sync(durable, durable, true) } else { Ok(()) }
    }
}
