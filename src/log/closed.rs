//! What lies behind: segments that nobody appends to any more, from leaving the table to the removal of their files.
//!
//! Two things here may take long. Removing a file waits for the disk where the file system tells it of the space
//! (`discard`), so it is done without the lock that the allocator needs. Unmapping falls to whoever lets go of a
//! segment last, so the list keeps each until nobody else does; and a file is removed when it is not mapped, or else
//! the unmapping would wait for the disk.
//!
//! Order: nobody waits for the lock while it is pinned, or nothing in the whole store would be freed meanwhile.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::appender::Appender;
use super::durability::Durability;
use super::error::LogError;
use super::lsn::Lsn;
use super::segment::Segment;
use super::spares::Spares;
use super::storage::Storage;
use crate::sync::spin_wait;

/// A segment out of the table: everything in it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClosedSegment {
    pub(super) first: Lsn,
    pub(super) end: Lsn,
    pub(super) path: PathBuf,
}

/// How the removal of a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// From now on its bytes may be gone.
    Begins,
    /// It is still there.
    Failed,
    /// It is gone.
    Done,
}

/// The closed segments.
#[derive(Debug, Default)]
pub(super) struct ClosedSegments {
    lists: Mutex<Lists>,
    /// Held by the one who removes files.
    removal: Mutex<()>,
}

#[derive(Debug, Default)]
struct Lists {
    /// Oldest first.
    files: VecDeque<ClosedSegment>,
    /// Those that somebody may still be using.
    mapped: Vec<Arc<Segment>>,
}

impl ClosedSegments {
    /// Segments that are not mapped, oldest first.
    pub(super) fn new(segments: impl IntoIterator<Item = ClosedSegment>) -> Self {
        let lists = Lists { files: segments.into_iter().collect(), mapped: Vec::new() };
        Self { lists: Mutex::new(lists), removal: Mutex::default() }
    }

    /// Takes segments below both watermarks out of the table, and unmaps those that nobody uses any more. The caller
    /// is not pinned.
    pub(super) fn close(&self, appender: &Appender, durability: &Durability) {
        let below = appender.resolved().get().min(durability.durable().get());
        let unused = {
            // Order: 1 the lock, 2 out of the table; or else two callers would mix up the segments' order.
            let mut lists = self.lists();
            for segment in appender.table.retire(below, &crossbeam_epoch::pin()) {
                lists.files.push_back(ClosedSegment {
                    first: Lsn::new(segment.first()),
                    end: Lsn::new(segment.end()),
                    path: segment.path().unwrap_or_default(),
                });
                lists.mapped.push(segment);
            }
            lists.take_unused()
        };
        drop(unused);
    }

    /// Takes the files that end at or below `below` out of the log, into the spares where they are wanted, and tells
    /// `step` how each goes. The caller is not pinned.
    ///
    /// # Errors
    /// [`LogError::Delete`]; the file stays listed, and those before it are gone.
    pub(super) fn remove_below(
        &self,
        below: Lsn,
        spares: &Spares,
        storage: &dyn Storage,
        mut step: impl FnMut(&ClosedSegment, Removal),
    ) -> Result<(), LogError> {
        // Order: one remover, oldest first; or else a crash leaves a gap in what is needed.
        let _removal = self.removal.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(segment) = self.oldest_below(below) {
            self.wait_unmapped(segment.first);
            step(&segment, Removal::Begins);
            let removed = spares
                .keep(&segment.path, storage)
                .and_then(|is_kept| if is_kept { Ok(()) } else { storage.remove(&segment.path) });
            removed.map_err(|source| {
                step(&segment, Removal::Failed);
                LogError::Delete { path: segment.path.as_path().into(), reason: source.to_string().into() }
            })?;
            self.lists().files.pop_front();
            step(&segment, Removal::Done);
        }
        Ok(())
    }

    /// The segment that holds `lsn`.
    pub(super) fn find(&self, lsn: Lsn) -> Option<ClosedSegment> {
        let lists = self.lists();
        let at = lists.files.partition_point(|segment| segment.end <= lsn);
        lists.files.get(at).filter(|segment| segment.first <= lsn).cloned()
    }

    fn oldest_below(&self, below: Lsn) -> Option<ClosedSegment> {
        self.lists().files.front().filter(|segment| segment.end <= below).cloned()
    }

    fn wait_unmapped(&self, first: Lsn) {
        let is_mapped = || {
            let mut lists = self.lists();
            let unused = lists.take_unused();
            let is_mapped = lists.mapped.iter().any(|segment| segment.first() == first.get());
            drop(lists);
            drop(unused);
            is_mapped
        };
        let mut turn = 0;
        while is_mapped() {
            // Why: the list that it was in is let go of when somebody flushes.
            crossbeam_epoch::pin().flush();
            spin_wait(turn);
            turn += 1;
        }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    /// Out of the table nobody can come by them, so who does not use one now never will.
    fn take_unused(&mut self) -> Vec<Arc<Segment>> {
        let (unused, used) =
            std::mem::take(&mut self.mapped).into_iter().partition(|segment| Arc::strong_count(segment) == 1);
        self.mapped = used;
        unused
    }
}
