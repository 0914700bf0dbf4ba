//! Keeps room ahead of the tail, and gives back what lies behind.
//!
//! One thread. It makes the next segment before it is needed, makes the pages ahead of the tail ready so that
//! appenders meet no page fault, gives the pages behind *resolved* back, and takes segments that are durable out of
//! the table. While there is no room it tries again every 100 ms, and appenders are refused meanwhile.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::appender::Appender;
use super::closed::ClosedSegments;
use super::durability::Durability;
use super::error::Fault;
use super::factory::{MakeError, SegmentFactory};
use super::lsn::Lsn;
use super::segment::Segment;
use super::supply::FileSupply;
use crate::sync::Ordering;

const RETRY_PAUSE: Duration = Duration::from_millis(100);
const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// The thread's own state.
#[derive(Debug)]
pub(super) struct Allocator {
    pub(super) appender: Arc<Appender>,
    pub(super) durability: Arc<Durability>,
    pub(super) supply: Arc<FileSupply>,
    pub(super) factory: SegmentFactory,
    pub(super) closed: Arc<ClosedSegments>,
    pub(super) window_bytes: u64,
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
    pub(super) fn run(self) {
        let _ending = Ending(Arc::clone(&self.appender));
        // Acquire: pairs with the Release in `Running::stop`.
        while !self.supply.stop.load(Ordering::Acquire) {
            let has_room = self.appender.poison.check().is_err() || self.make_next_segment();
            self.tend_window();
            thread::park_timeout(if has_room { IDLE_PAUSE } else { RETRY_PAUSE });
        }
    }

    /// Makes the segment after the last one as soon as the tail has entered that one. False: there is no room.
    fn make_next_segment(&self) -> bool {
        let end = {
            let guard = crossbeam_epoch::pin();
            let list = self.appender.table.load(&guard);
            let newest = &list.segments()[list.segments().len() - 1];
            if self.appender.head().get() < newest.first() || newest.end() > Lsn::MAX.get() {
                return true;
            }
            newest.end()
        };
        match self.factory.make(Lsn::new(end), self.durability.durable(), &self.appender.poison) {
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

    fn install(&self, segment: Segment) -> bool {
        if self.supply.blocked().is_some() {
            tracing::info!("there is room for the log again");
        }
        segment.prefault_to(segment.first() + self.window_bytes);
        let pushed = self.appender.table.push(Arc::new(segment), &crossbeam_epoch::pin());
        assert!(pushed.is_ok(), "only this thread adds segments");
        // Order: 1 the segment is there, 2 appenders are let in; or else they meet the full one again.
        self.supply.unblock();
        true
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
