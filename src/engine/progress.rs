//! Who waits for the log to go on: those who feed it to others, and those who read what they wrote elsewhere.
//!
//! Whoever has written tells of it at the end of a batch. That costs one load while nobody waits. A call may be missed by
//! who begins to wait at that moment, so nobody waits for longer than [`MISSED_MAX`] without a look.

use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::Engine;
use crate::lsn::Lsn;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

/// How long a call that was missed may cost.
const MISSED_MAX: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
pub(super) struct Progressed {
    waiting: AtomicUsize,
    notify: Notify,
    /// What others need of the log: nothing at or above it is dropped. Zero: they need nothing.
    retained_from: AtomicU64,
}

struct Waiting<'w>(&'w AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Engine {
    /// Tells those who wait for the log to go on that it has.
    #[inline]
    pub fn tell_progress(&self) {
        // Relaxed: see the module's head.
        if self.progress.waiting.load(Ordering::Relaxed) > 0 {
            self.progress.notify.notify_waiters();
        }
    }

    /// Waits until the log is resolved, so all its records applied, beyond `lsn`; or for `timeout`. Gives how far it is.
    pub async fn wait_progress(&self, lsn: Lsn, timeout: Duration) -> Lsn {
        let end = tokio::time::Instant::now() + timeout;
        self.progress.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.progress.waiting);
        loop {
            let mut called = std::pin::pin!(self.progress.notify.notified());
            called.as_mut().enable();
            let resolved = self.log.resolved();
            let now = tokio::time::Instant::now();
            if resolved > lsn || now >= end {
                return resolved;
            }
            let _ = tokio::time::timeout_at(end.min(now + MISSED_MAX), called).await;
        }
    }

    /// Says what others need of the log: nothing at or above `lsn` is dropped when it is compacted. Drops what neither
    /// they nor the newest snapshot need. May wait for the disk.
    pub fn retain_from(&self, lsn: Lsn) {
        // Relaxed: read by who drops, who may just have done it.
        self.progress.retained_from.store(lsn.get(), Ordering::Relaxed);
        let floor = self.snapshots.facts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).floor;
        if floor > self.log.start()
            && let Err(error) = self.drop_below(floor)
        {
            tracing::warn!(%error, "log that nobody needs is still there");
        }
    }

    /// Drops the log below `floor`, as far as others do not need it.
    pub(super) fn drop_below(&self, floor: Lsn) -> Result<u64, crate::log::LogError> {
        let retained = self.progress.retained_from.load(Ordering::Relaxed);
        let below = if retained == 0 { floor } else { floor.min(Lsn::new(retained)) };
        self.log.drop_below(below)
    }
}
