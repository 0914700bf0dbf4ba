//! What is told of replication: how the link to the primary stands, and what was counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::command::upstream::SyncCounts;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counts {
    full: AtomicU64,
    partial: AtomicU64,
}

impl Counts {
    // Relaxed throughout: figures to show.

    pub(super) fn add_full(&self) {
        self.full.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_partial(&self) {
        self.partial.fetch_add(1, Ordering::Relaxed);
    }

    /// How they stand.
    pub fn read(&self) -> SyncCounts {
        let full = self.full.load(Ordering::Relaxed);
        let partial = self.partial.load(Ordering::Relaxed);
        SyncCounts { full, partial, partial_refused: 0 }
    }
}
