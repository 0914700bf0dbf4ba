//! Where the next segment comes from when the tail has reached the allocated end.
//!
//! With files, a background thread makes it ahead of time (`allocator.rs`); appenders that are faster wait for it, or
//! are refused while there is no room. In memory, whoever needs it makes it, and there is no thread at all.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;

use crossbeam_epoch::Guard;
use crossbeam_queue::ArrayQueue;

use super::appender::Appender;
use super::error::LogError;
use super::lsn::Lsn;
use super::mapping::Recycler;
use super::options::LogOptions;
use super::segment::Segment;
use super::tailing::Fork;
use crate::sync::{AtomicBool, AtomicU64, Ordering, spin_wait};

/// The source of segments.
#[derive(Debug)]
pub(super) enum Supply {
    Memory(MemorySupply),
    Files(Arc<FileSupply>),
}

impl Supply {
    /// The tail has moved on by a good piece.
    #[cold]
    pub(super) fn progress(&self) {
        if let Self::Files(files) = self {
            files.wake();
        }
    }

    /// Returns when a segment that starts at `end` may be in the table.
    #[cold]
    pub(super) fn extend(&self, appender: &Appender, end: u64, guard: &Guard) -> Result<(), LogError> {
        match self {
            Self::Memory(memory) => memory.extend(appender, end, guard),
            Self::Files(files) => files.wait(appender, end, guard),
        }
    }
}

/// Makes segments in memory.
#[derive(Debug)]
pub(super) struct MemorySupply {
    recycler: Recycler,
    segment_bytes: AtomicU64,
    retained_bytes: AtomicU64,
}

impl MemorySupply {
    pub(super) fn new(options: &LogOptions) -> Self {
        Self {
            recycler: Arc::new(ArrayQueue::new(2)),
            segment_bytes: AtomicU64::new(options.memory_segment_bytes),
            retained_bytes: AtomicU64::new(options.memory_retained_bytes),
        }
    }

    /// What the table may hold at most: the excess is records that are still being written.
    fn bytes_max(&self) -> u64 {
        4 * (self.retained_bytes() + self.segment_bytes())
    }

    /// Data bytes of the segments to come.
    pub(super) fn segment_bytes(&self) -> u64 {
        // Relaxed: a parameter of what is made next.
        self.segment_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn set_segment_bytes(&self, bytes: u64) {
        self.segment_bytes.store(bytes, Ordering::Relaxed);
    }

    fn retained_bytes(&self) -> u64 {
        // Relaxed: as above.
        self.retained_bytes.load(Ordering::Relaxed)
    }

    /// Changes how much of its end the log keeps.
    pub(super) fn set_retained_bytes(&self, bytes: u64) {
        self.retained_bytes.store(bytes, Ordering::Relaxed);
    }

    /// A segment of `bytes` data bytes at `first`.
    pub(super) fn make(&self, first: Lsn, bytes: u64, history: super::History) -> std::io::Result<Segment> {
        Segment::in_memory(first, bytes, history, &self.recycler)
    }

    fn extend(&self, appender: &Appender, end: u64, guard: &Guard) -> Result<(), LogError> {
        let resolved = appender.advance(guard).get();
        let segment_bytes = self.segment_bytes();
        let kept_from = (end + segment_bytes).saturating_sub(self.retained_bytes());
        appender.table.retire(resolved.min(kept_from), guard);
        let list = appender.table.load(guard);
        if list.end() != end {
            return Ok(());
        }
        let full = LogError::MemoryFull { bytes_max: self.bytes_max() };
        if list.bytes() + segment_bytes > self.bytes_max() {
            return Err(full);
        }
        let made = self.make(Lsn::new(end), segment_bytes, appender.history());
        let segment = made.map_err(|_| full)?;
        // The loser of two racing threads frees its segment here.
        let _ = appender.table.push(Arc::new(segment), guard);
        Ok(())
    }
}

/// The appenders' side of the background thread that makes segment files.
#[derive(Debug, Default)]
pub(super) struct FileSupply {
    thread: OnceLock<Thread>,
    /// Whether the last attempt failed; `why` says how. Set and cleared by the background thread only.
    blocked: AtomicBool,
    why: Mutex<Option<LogError>>,
    /// How often an appender had to wait.
    pub(super) waits: AtomicU64,
    /// Tells the background thread to end.
    pub(super) stop: AtomicBool,
    /// What is asked of the background thread; set by one at a time.
    order: Mutex<Option<ForkOrder>>,
}

/// A wish that the log goes on in another segment.
#[derive(Debug)]
pub(super) struct ForkOrder {
    pub(super) fork: Fork,
    pub(super) done: std::sync::mpsc::SyncSender<Result<(), LogError>>,
}

impl FileSupply {
    /// Says which thread to wake.
    pub(super) fn served_by(&self, thread: Thread) {
        let _ = self.thread.set(thread);
    }

    pub(super) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Leaves an order to the background thread.
    pub(super) fn ask(&self, order: ForkOrder) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
        self.wake();
    }

    /// Takes the order that was left.
    pub(super) fn take_order(&self) -> Option<ForkOrder> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes that the segment file `path` cannot be made now.
    pub(super) fn block(&self, path: &Path, reason: &str) {
        let error = LogError::NoSpace { path: path.into(), reason: reason.into() };
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        // Release: pairs with the Acquire in `blocked`.
        self.blocked.store(true, Ordering::Release);
    }

    /// Notes that there is room again.
    pub(super) fn unblock(&self) {
        self.blocked.store(false, Ordering::Release);
    }

    /// Why segments cannot be made now, if so. The lock is taken only then.
    pub(super) fn blocked(&self) -> Option<LogError> {
        // Acquire: pairs with the Release in `block`.
        if !self.blocked.load(Ordering::Acquire) {
            return None;
        }
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wait(&self, appender: &Appender, end: u64, guard: &Guard) -> Result<(), LogError> {
        if let Some(error) = self.blocked() {
            return Err(error);
        }
        // Relaxed: a statistic.
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.wake();
        let mut round = 0;
        while appender.table.load(guard).end() == end {
            appender.poison.check()?;
            appender.check_open()?;
            if let Some(error) = self.blocked() {
                return Err(error);
            }
            spin_wait(round);
            round += 1;
        }
        Ok(())
    }
}
