//! Keeps room ahead of the tail, and gives back what lies behind.
//!
//! One thread. It makes the next segment before it is needed, makes the pages ahead of the tail ready so that
//! appenders meet no page fault, gives the pages behind *resolved* back, and takes segments that are durable out of
//! the table. While there is no room it tries again every 100 ms, and appenders are refused meanwhile.
//!
//! Where the log grows fast, a new segment is filled with zeros, and made of a file that was used before if there is
//! one: that makes its pages ready at a fraction of the cost. Not where it grows slowly: the system would write the zeros
//! to the disk before the records that replace them. Nor where every write is synced: each sync would write a piece
//! instead of a page.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::appender::Appender;
use super::closed::ClosedSegments;
use super::durability::Durability;
use super::error::{Fault, LogError};
use super::factory::{MakeError, Material, SegmentFactory};
use super::lsn::Lsn;
use super::options::FsyncPolicy;
use super::segment::Segment;
use super::spares::Spares;
use super::supply::FileSupply;
use super::tailing::Fork;
use crate::sync::Ordering;

const RETRY_PAUSE: Duration = Duration::from_millis(100);
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// A segment is filled if the one before was made no longer ago than this: then it is full before its zeros are old
/// enough to be written back, commonly 30 s.
const FAST_SEGMENT: Duration = Duration::from_secs(10);

/// The thread's own state.
#[derive(Debug)]
pub(super) struct Allocator {
    pub(super) appender: Arc<Appender>,
    pub(super) durability: Arc<Durability>,
    pub(super) supply: Arc<FileSupply>,
    pub(super) factory: SegmentFactory,
    pub(super) closed: Arc<ClosedSegments>,
    pub(super) spares: Arc<Spares>,
    pub(super) window_bytes: u64,
    /// When the latest segment was made.
    pub(super) made_at: Option<Instant>,
}

/// Poisons the log when the thread ends by a panic: appenders would wait for ever.
struct Ending(Arc<Appender>);

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.poison.set(Fault::ThreadDied { thread: "allocator" });
        }
    }
}

impl Allocator {
    /// Runs until it is told to stop.
    pub(super) fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.appender));
        // Acquire: pairs with the Release in `Running::stop`.
        while !self.supply.stop.load(Ordering::Acquire) {
            if let Some(order) = self.supply.take_order() {
                let done = self.fork(&order.fork);
                // Why the result is not looked at: who asked may have been stopped.
                let _ = order.done.send(done);
            }
            let has_room = self.appender.poison.check().is_err() || self.make_next_segment();
            self.tend_window();
            if !self.is_fast() {
                self.spares.remove(self.factory.storage.as_ref());
            }
            thread::park_timeout(if has_room { IDLE_PAUSE } else { RETRY_PAUSE });
        }
    }

    /// Makes the segment after the last one as soon as the tail has entered that one. False: there is no room.
    fn make_next_segment(&mut self) -> bool {
        let end = {
            let guard = crossbeam_epoch::pin();
            let list = self.appender.table.load(&guard);
            let newest = &list.segments()[list.segments().len() - 1];
            if self.appender.head().get() < newest.first() || newest.end() > Lsn::MAX.get() {
                return true;
            }
            newest.end()
        };
        let durable = self.durability.durable();
        self.factory.in_flight_records_max = self.appender.in_flight_records_max();
        match self.factory.make(Lsn::new(end), durable, &self.material(), &self.appender.poison) {
            Ok(segment) => self.install(segment),
            Err(MakeError::Unsafe(fault)) => {
                tracing::error!(%fault, "the log cannot be made durable; it takes no more writes");
                self.appender.poison.set(fault);
                true
            }
            Err(MakeError::Refused { path, source }) => {
                if self.supply.blocked().is_none() {
                    tracing::warn!(path = %path.display(), error = %source, "no room for the next log segment");
                }
                self.supply.block(&path, &source.to_string());
                false
            }
        }
    }

    /// Has the log go on at its end in another segment, perhaps of another history. Nobody reserves meanwhile, and
    /// everything is durable.
    ///
    /// Order: 1 the segments made ahead are gone, newest first, 2 the new one is there; a crash in between leaves a log
    /// that ends at the same place. The old one keeps its length: what lies behind the fork in it counts for nothing.
    fn fork(&mut self, fork: &Fork) -> Result<(), LogError> {
        let unused = self.appender.table.withdraw(fork.at.get(), &crossbeam_epoch::pin());
        for segment in unused.iter().rev() {
            self.remove_unused(segment)?;
        }
        drop(unused);
        let before = (self.factory.history, std::mem::take(&mut self.factory.lineage), self.factory.capacity);
        self.factory.history = fork.history;
        self.factory.lineage.clone_from(&fork.lineage);
        self.factory.capacity = fork.end.get() - fork.at.get();
        self.factory.in_flight_records_max = self.appender.in_flight_records_max();
        match self.factory.make(fork.at, fork.at, &Material::New, &self.appender.poison) {
            Ok(segment) => {
                self.factory.capacity = fork.capacity;
                segment.prefault_to(segment.first() + self.window_bytes);
                self.appender.table.fork(&Arc::new(segment), &crossbeam_epoch::pin());
                Ok(())
            }
            Err(error) => {
                (self.factory.history, self.factory.lineage, self.factory.capacity) = before;
                Err(self.refused(error))
            }
        }
    }

    fn remove_unused(&self, segment: &Segment) -> Result<(), LogError> {
        let Some(path) = segment.path() else { return Ok(()) };
        let removed = self
            .factory
            .storage
            .remove(&path)
            .and_then(|()| self.factory.storage.sync_dir(&super::names::folder(&path)));
        removed.map_err(|source| LogError::Delete { path: path.into(), reason: source.to_string().into() })
    }

    /// What a segment that could not be made means for who asked for it.
    fn refused(&self, error: MakeError) -> LogError {
        match error {
            MakeError::Refused { path, source } => {
                LogError::NoSpace { path: path.into(), reason: source.to_string().into() }
            }
            MakeError::Unsafe(fault) => {
                tracing::error!(%fault, "the log cannot be made durable; it takes no more writes");
                self.appender.poison.set(fault.clone());
                LogError::Poisoned { fault }
            }
        }
    }

    fn install(&mut self, segment: Segment) -> bool {
        if self.supply.blocked().is_some() {
            tracing::info!("there is room for the log again");
        }
        self.made_at = Some(Instant::now());
        segment.prefault_to(segment.first() + self.window_bytes);
        let pushed = self.appender.table.push(Arc::new(segment), &crossbeam_epoch::pin());
        assert!(pushed.is_ok(), "only this thread adds segments");
        // Order: 1 the segment is there, 2 appenders are let in; or else they meet the full one again.
        self.supply.unblock();
        true
    }

    /// Whether filling the next segment pays.
    fn is_fast(&self) -> bool {
        self.durability.policy() != FsyncPolicy::Always
            && self.made_at.is_some_and(|made_at| made_at.elapsed() <= FAST_SEGMENT)
    }

    /// What to make the next segment of.
    fn material(&self) -> Material {
        if !self.is_fast() {
            return Material::New;
        }
        self.spares.want();
        self.spares.take().map_or(Material::Filled, Material::Used)
    }

    /// Moves the window of ready pages along with the tail.
    fn tend_window(&self) {
        let segments = {
            let guard = crossbeam_epoch::pin();
            self.appender.advance(&guard);
            self.appender.table.load(&guard).segments().to_vec()
        };
        let ready_to = self.appender.head().get() + self.window_bytes;
        let resolved = self.appender.resolved().get();
        for segment in &segments {
            if segment.first() < ready_to {
                segment.prefault_to(ready_to);
            }
            if segment.first() < resolved {
                segment.release_to(resolved.min(segment.end()), self.window_bytes);
            }
        }
        drop(segments);
        self.closed.close(&self.appender, &self.durability);
    }
}
